//! The TypeScript twin of what the window receives and sends.

use ts_rs::TS;

use crate::{
    Defaults, EngineState, Job, JobKind, JobStatus, NewJob, Node, NodeId, Phase, Piece, PieceId, PreviewId, Snapshot,
    StudioEvent, Turn, library::Origin,
};

/// Where the generated file lies, from the root of the repository.
pub const TYPESCRIPT_PATH: &str = "ui/src/lib/ipc/studio.ts";

/// All types as one TypeScript module.
pub fn typescript() -> String {
    let mut module = String::from(
        "// Generated from src-tauri/crates/studio by `cargo xtask codegen`. Do not edit.\n\n\
         import type {\n  DeviceDescription,\n  Failure,\n  ImageParameters,\n  JobId,\n  ModelDescription,\n  Size,\n  \
         TextChannel,\n  Thinking,\n} from './protocol';\n",
    );
    for declaration in [
        declare::<NodeId>(),
        declare::<PieceId>(),
        declare::<PreviewId>(),
        declare::<Snapshot>(),
        declare::<Defaults>(),
        declare::<StudioEvent>(),
        declare::<EngineState>(),
        declare::<JobKind>(),
        declare::<NewJob>(),
        declare::<Job>(),
        declare::<JobStatus>(),
        declare::<Phase>(),
        declare::<Piece>(),
        declare::<Node>(),
        declare::<Origin>(),
        declare::<Turn>(),
    ] {
        module.push('\n');
        module.push_str(&declaration);
    }
    module
}

fn declare<T: TS + 'static + ?Sized>() -> String {
    let docs = T::docs().unwrap_or_default();
    let separator = if docs.is_empty() || docs.ends_with('\n') { "" } else { "\n" };
    format!("{docs}{separator}export {}\n", T::decl())
}

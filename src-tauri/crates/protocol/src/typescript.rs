//! The TypeScript twin of this crate's types.

use ts_rs::TS;

use crate::limits::{MAX_REFERENCES, MAX_VARIATIONS, SIDE_MULTIPLE};
use crate::{
    About, Arrival, CostEstimate, DeviceDescription, EngineState, ErrorCode, ExportFormat, Failure, FilesState, Folder,
    GalleryCounts, GalleryCursor, GalleryFilter, GalleryPage, Hardware, ImageParameters, Install, InstallStage, Job,
    JobId, JobPlace, JobStatus, Kind, Language, LocalText, MemoryEstimate, ModelCard, ModelChoice, ModelDefaults,
    ModelDescription, ModelForm, ModelId, ModelOrigin, NewJob, Node, NodeId, Origin, Phase, Place, Preset, PreviewId,
    Processor, Project, ProjectContents, ProjectId, RecipeView, Remedy, Renorm, SavedPlan, Settings, SettingsChange,
    Size, Snapshot, StudioEvent, TagCount, TextChannel, TextParameters, Theme, Thinking, Trial, Turn, TurnId, Verdict,
    Verification,
};

/// Where the generated file lies, from the root of the repository.
pub const TYPESCRIPT_PATH: &str = "ui/src/lib/ipc/protocol.ts";

/// All types as one TypeScript module.
pub fn typescript() -> String {
    let mut module = format!(
        "// Generated from src-tauri/crates/protocol by `cargo xtask codegen`. Do not edit.\n\n\
         /** Version of these types; window, studio and engine must agree. */\n\
         export const SIDE_MULTIPLE = {SIDE_MULTIPLE};\n\
         export const MAX_REFERENCES = {MAX_REFERENCES};\n\
         export const MAX_VARIATIONS = {MAX_VARIATIONS};\n"
    );
    for declaration in [
        declare::<Thinking>(),
        declare::<Size>(),
        declare::<Renorm>(),
        declare::<ImageParameters>(),
        declare::<TextParameters>(),
        declare::<JobId>(),
        declare::<TextChannel>(),
        declare::<DeviceDescription>(),
        declare::<ModelDescription>(),
        declare::<MemoryEstimate>(),
        declare::<ErrorCode>(),
        declare::<Failure>(),
        declare::<NodeId>(),
        declare::<ProjectId>(),
        declare::<TurnId>(),
        declare::<PreviewId>(),
        declare::<Project>(),
        declare::<ProjectContents>(),
        declare::<Node>(),
        declare::<Origin>(),
        declare::<Turn>(),
        declare::<GalleryFilter>(),
        declare::<Place>(),
        declare::<GalleryCursor>(),
        declare::<GalleryPage>(),
        declare::<GalleryCounts>(),
        declare::<TagCount>(),
        declare::<ExportFormat>(),
        declare::<ModelId>(),
        declare::<LocalText>(),
        declare::<ModelCard>(),
        declare::<ModelOrigin>(),
        declare::<ModelDefaults>(),
        declare::<ModelForm>(),
        declare::<Verdict>(),
        declare::<Processor>(),
        declare::<FilesState>(),
        declare::<Install>(),
        declare::<InstallStage>(),
        declare::<Hardware>(),
        declare::<Settings>(),
        declare::<Language>(),
        declare::<Theme>(),
        declare::<ModelChoice>(),
        declare::<Preset>(),
        declare::<SavedPlan>(),
        declare::<SettingsChange>(),
        declare::<Folder>(),
        declare::<About>(),
        declare::<Arrival>(),
        declare::<EngineState>(),
        declare::<Job>(),
        declare::<Kind>(),
        declare::<JobPlace>(),
        declare::<JobStatus>(),
        declare::<NewJob>(),
        declare::<Phase>(),
        declare::<CostEstimate>(),
        declare::<Remedy>(),
        declare::<RecipeView>(),
        declare::<Snapshot>(),
        declare::<StudioEvent>(),
        declare::<Trial>(),
        declare::<Verification>(),
    ] {
        module.push('\n');
        module.push_str(&declaration);
    }
    module
}

fn declare<T: TS + 'static + ?Sized>() -> String {
    let docs = T::docs().unwrap_or_default();
    let separator = if docs.is_empty() || docs.ends_with('\n') { "" } else { "\n" };
    tidy(&format!("{docs}{separator}export {}", T::decl()))
}

/// Indents by braces, and brings short comments onto one line.
fn tidy(declaration: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut depth = 0_usize;
    for line in declaration.replace(", }", ",\n}").lines().map(str::trim) {
        if line.starts_with('}') {
            depth = depth.saturating_sub(1);
        }
        let indented = if line.starts_with('*') {
            format!("{:1$} {line}", "", 2 * depth)
        } else {
            format!("{:1$}{line}", "", 2 * depth)
        };
        lines.push(indented);
        let opened = line.matches('{').count();
        let closed = line.matches('}').count() - usize::from(line.starts_with('}'));
        if !line.starts_with('*') {
            depth = (depth + opened).saturating_sub(closed);
        }
    }
    let mut tidied = String::new();
    let mut rest = lines.as_slice();
    while let Some((line, after)) = rest.split_first() {
        if let ("/**", [text, end, after @ ..]) = (line.trim(), after)
            && end.trim() == "*/"
        {
            tidied.push_str(&format!("{line}{} */\n", text.trim().trim_start_matches('*')));
            rest = after;
        } else {
            tidied.push_str(line);
            tidied.push('\n');
            rest = after;
        }
    }
    tidied
}

//! The application without a window: what is queued, what was made, and the engine that makes it.
//!
//! [`Studio`] is the whole of it: a handle that any thread may hold. Behind it
//! one task owns the queue and the engine process, so that there is one order
//! of events, and [`Library`] keeps pictures on disk. Whoever shows the studio
//! calls [`Studio::subscribe`] and gets everything as it stands, followed by
//! every change in order.
//!
//! It does not know Tauri, and it does not compute: models and GPU libraries
//! live in the engine, a process of its own that may die without taking
//! anything along.
//!
//! Read [`event`] first for the vocabulary, then [`studio`].

#![warn(missing_docs)]

pub mod engine;
pub mod error;
pub mod event;
pub mod feed;
pub mod library;
pub mod locate;
pub mod previews;
pub mod queue;
pub mod request;
pub mod studio;
pub mod typescript;

pub use error::{Error, Result};
pub use event::{Defaults, EngineState, Job, JobKind, JobStatus, Phase, Snapshot, StudioEvent};
pub use feed::Feed;
pub use library::{Library, Node, Piece, Turn};
pub use protocol::{NodeId, PieceId, PreviewId};
pub use request::NewJob;
pub use studio::{Options, Studio};

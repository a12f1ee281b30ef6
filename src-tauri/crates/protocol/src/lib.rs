//! The one vocabulary of window, studio and engine.
//!
//! Requests ([`Request`]), what the studio sends to the engine process
//! ([`Command`]), what the engine streams back ([`Event`]), and how both
//! travel as frames over a pipe ([`frame`]); and what the window shows: what is
//! queued ([`job`]), images and their history ([`history`]), the [`gallery`],
//! the models ([`catalog`]), the [`settings`] and every change of them
//! ([`mod@window`]). Nothing here computes; every type
//! is plain data, serialized with serde, and has a generated TypeScript twin.
//!
//! Read [`request`] first.

pub mod catalog;
pub mod check;
pub mod error;
pub mod event;
pub mod frame;
pub mod gallery;
pub mod history;
pub mod id;
pub mod image;
pub mod job;
pub mod limits;
pub mod recipe;
pub mod request;
pub mod settings;
pub mod typescript;
pub mod window;

pub use catalog::{
    FilesState, Hardware, Install, InstallStage, LocalText, ModelCard, ModelDefaults, ModelForm, ModelId, ModelOrigin,
    Processor, Verdict,
};
pub use check::{CheckedRequest, Invalid};
pub use error::{ErrorCode, Failure};
pub use event::{
    Command, DeviceDescription, Event, MemoryEstimate, ModelDescription, ModelSource, Statistics, TextChannel,
};
pub use frame::{Frame, read_frame, write_frame};
pub use gallery::{ExportFormat, GalleryCounts, GalleryCursor, GalleryFilter, GalleryPage, Place, TagCount};
pub use history::{Node, Origin, Project, ProjectContents, Turn};
pub use id::{InvalidId, JobId, NodeId, PreviewId, ProjectId, TurnId};
pub use image::Image;
pub use job::{CostEstimate, Job, JobPlace, JobStatus, Kind, NewJob, Phase, Remedy, Verification};
pub use recipe::{Recipe, RecipeInput, RecipeModel};
pub use request::{
    ChatRequest, ImageParameters, ImageRequest, Input, Renorm, Request, Size, TextParameters, Thinking, draw_seed,
};
pub use settings::{Folder, Language, ModelChoice, Preset, SavedPlan, Settings, SettingsChange, Theme};
pub use window::{About, Arrival, EngineState, RecipeView, Snapshot, StudioEvent, Trial};

/// Version of the frames and of every type in this crate; both sides must agree.
pub const PROTOCOL_VERSION: u32 = 1;

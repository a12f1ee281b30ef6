//! The one vocabulary of window, studio and engine.
//!
//! Requests ([`Request`]), what the studio sends to the engine process
//! ([`Command`]), what the engine streams back ([`Event`]), and how both
//! travel as frames over a pipe ([`frame`]). Nothing here computes; every type
//! is plain data, serialised with serde, and has a generated TypeScript twin.
//!
//! Read [`request`] first.

pub mod check;
pub mod error;
pub mod event;
pub mod frame;
pub mod picture;
pub mod request;
pub mod typescript;

pub use check::Invalid;
pub use error::{ErrorCode, Failure};
pub use event::{Command, DeviceDescription, Event, JobId, MemoryEstimate, ModelDescription, Statistics, TextChannel};
pub use frame::{Frame, read_frame, write_frame};
pub use picture::Picture;
pub use request::{ChatRequest, ImageParameters, ImageRequest, Input, Renorm, Request, Size, TextParameters, Thinking};

/// Version of the frames and of every type in this crate; both sides must agree.
pub const PROTOCOL_VERSION: u32 = 1;

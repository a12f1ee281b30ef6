//! The application without a window: the queue, the history, and the supervision of the engine.
//!
//! [`Studio`] is a handle that any thread may hold. Behind it one task, the
//! actor, owns the queue, the settings and the engine process, so that there
//! is one order of events; images and their history belong to [`store`], models
//! to [`catalog`]. A window calls [`Studio::subscribe`] for a snapshot followed
//! by every change in order.
//!
//! It does not know Tauri, and it does not compute: models and GPU libraries
//! live in the engine, a process that may crash without losing anything here.
//!
//! Read [`protocol::window`] first for the vocabulary, then [`mod@studio`].

#![warn(missing_docs)]

mod background;
mod conversation;
mod cost;
pub mod engine;
pub mod error;
mod estimate;
pub mod feed;
#[cfg(test)]
mod fixtures;
pub mod handover;
mod history;
mod install;
pub mod locate;
pub mod logs;
mod models;
mod plan;
pub mod previews;
mod queue;
mod request;
pub mod settings;
pub mod studio;
mod timing;
mod trial;

pub(crate) use background::{blocking, now_ms};

pub use error::{Error, Result};
pub use feed::Feed;
pub use store::export::file_name;
pub use studio::{ImportSource, Rendition, Studio, StudioOptions};

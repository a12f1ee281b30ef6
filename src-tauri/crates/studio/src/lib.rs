//! The application without a window: what is queued, what was made, and the engine that makes it.
//!
//! [`Studio`] is the whole of it: a handle that any thread may hold. Behind it
//! one task owns the queue, the settings and the engine process, so that there
//! is one order of events; images and their history are [`store`]'s, models
//! are [`catalog`]'s. Whoever shows the studio calls [`Studio::subscribe`] and
//! gets everything as it stands, followed by every change in order.
//!
//! It does not know Tauri, and it does not compute: models and GPU libraries
//! live in the engine, a process of its own that may die without taking
//! anything along.
//!
//! Read [`protocol::window`] first for the vocabulary, then [`mod@studio`].

#![warn(missing_docs)]

mod conversation;
pub mod engine;
pub mod error;
pub mod feed;
#[cfg(test)]
mod fixtures;
mod forecast;
pub mod handover;
mod history;
mod install;
pub mod locate;
pub mod logs;
mod models;
mod pixels;
mod plan;
pub mod previews;
mod price;
mod queue;
mod request;
pub mod settings;
pub mod studio;
mod timing;
mod trial;

pub use error::{Error, Result};
pub use feed::Feed;
pub use store::export::file_name;
pub use studio::{Options, Rendition, Source, Studio};

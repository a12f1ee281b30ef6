//! One file a command.

pub(crate) mod bench;
pub(crate) mod chat;
pub(crate) mod check;
pub(crate) mod convert;
pub(crate) mod devices;
pub(crate) mod edit;
pub(crate) mod generate;
pub(crate) mod inspect;
pub(crate) mod models;
mod paint;
pub(crate) mod synthesize;

//! The studio with an engine that does what it is told, also badly.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod engine;
mod faults;
mod images;
mod installs;
mod jobs;
mod models;
mod plans;
mod prices;
mod questions;
mod queue;
mod soak;
mod support;

// A publisher to download from, as the downloader's own tests have it.
#[path = "../../../catalog/tests/support/mod.rs"]
mod publisher;

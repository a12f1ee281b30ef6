//! The studio with an engine that does what it is told, also badly.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod engine;
mod faults;
mod jobs;
mod models;
mod pictures;
mod plans;
mod prices;
mod questions;
mod queue;
mod support;

//! The engine process as the studio meets it: over pipes, on a model of random weights.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod client;
mod models;
mod process;
mod stopping;
#[path = "../support/mod.rs"]
mod support;
mod work;

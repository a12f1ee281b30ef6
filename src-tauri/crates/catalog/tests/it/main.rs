//! Models fetched from a server that misbehaves, and kept in a folder of the user's.

#![allow(clippy::unwrap_used, reason = "a test whose scene cannot be set ends there")]

#[path = "../support/mod.rs"]
mod support;

mod downloads;
mod models;
mod schedules;

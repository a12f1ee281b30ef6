//! Models fetched from a server that misbehaves, and kept in a folder of the user's.

#[path = "../support/mod.rs"]
mod support;

mod downloads;
mod models;
mod schedules;

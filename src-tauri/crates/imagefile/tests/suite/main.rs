//! Behavior of the whole crate, as one program so that it links once.

#![allow(clippy::unwrap_used, reason = "what cannot be made ready stops the test")]

mod corpus;
mod reading;
mod recipes;
mod refusals;
mod support;
mod writing;

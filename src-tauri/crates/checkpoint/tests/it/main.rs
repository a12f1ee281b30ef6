//! Files of weights in every form, whole, damaged and hostile.

#![allow(clippy::unwrap_used, reason = "a test whose scene cannot be set ends there")]

mod configuration;
mod converted;
mod corpus;
mod crafted;
mod damage;
mod layouts;
mod refusals;
mod scene;
mod tiny;

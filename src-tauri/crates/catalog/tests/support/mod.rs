//! A publisher that misbehaves on request, and a small model for it to publish.

#![allow(dead_code, reason = "each user of this module takes another part of it")]

pub(crate) mod drive;
pub(crate) mod fault;
pub(crate) mod scene;
pub(crate) mod server;

#[path = "../../../checkpoint/tests/it/tiny.rs"]
mod tiny;

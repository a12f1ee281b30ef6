//! Files of weights: opened, checked, described, hashed and written.
//!
//! A [`Checkpoint`] is BAGEL in any form people have it: the official folder,
//! a single or sharded safetensors file under any name, or a GGUF of ours. A
//! file is hostile until checked: headers are parsed within limits, every
//! tensor is compared with the table of [`expected_tensors`], and only then
//! are its bytes handed out, mapped from disk and never copied.
//!
//! Nothing here computes: no tensor library is linked, nothing is quantized,
//! and pickles are refused, not read.
//!
//! Read [`config`] first, then [`open`](Checkpoint::open).

#![warn(missing_docs)]

mod check;
mod checkpoint;
pub mod config;
mod error;
mod expected;
pub mod gguf;
mod hash;
mod kind;
mod mapped;
pub mod memory;
mod naming;
mod plan;
pub mod planner;
mod quantization;
mod resize_rule;
mod shard;
mod source;
mod unfinished;
mod verified;
pub mod working;

pub use check::{Mismatch, Mismatches};
pub use checkpoint::{Checkpoint, Format, TensorView};
pub use config::Config;
pub use error::{Error, Result};
pub use expected::{Expected, Part, expected_tensors};
pub use gguf::{Declared, Defect, Provenance, Writer};
pub use hash::{Observe, TensorHash, TensorHasher, hash_tensor, weights_hash};
pub use kind::Kind;
pub use plan::{PlannedTensor, plan};
pub use planner::Planner;
pub use quantization::Quantization;
pub use resize_rule::ResizeRule;
pub use shard::check_safetensors;
pub use unfinished::remove_unfinished;
pub use verified::Verified;

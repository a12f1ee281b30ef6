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
pub mod estimate;
mod expected;
mod format;
pub mod gguf;
mod hash;
mod kind;
mod mapped;
mod naming;
mod plan;
mod quantization;
mod resize_rule;
mod shard;
mod source;
mod unfinished;
mod verified;

pub use check::{Mismatch, Mismatches};
pub use checkpoint::{Checkpoint, TensorView};
pub use config::Config;
pub use error::{Error, Result};
pub use estimate::{Estimate, Estimator};
pub use expected::{Expected, Part, expected_tensors};
pub use format::WeightsFormat;
pub use gguf::{Declared, Defect, Provenance, Writer};
pub use hash::{ObserveBytes, TensorHash, TensorHasher, hash_tensor, weights_hash};
pub use kind::Kind;
pub use plan::{PlannedTensor, plan};
pub use quantization::Quantization;
pub use resize_rule::ResizeRule;
pub use shard::check_safetensors;
pub use unfinished::remove_unfinished;
pub use verified::Verified;

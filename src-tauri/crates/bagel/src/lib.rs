//! BAGEL-7B-MoT on candle: one model that answers questions about images,
//! generates images from text, edits them by prompt, and can think first.
//!
//! The crate reads weights, turns requests into images and text, and reports
//! its progress. It knows no image file formats, no processes, no database and
//! no window, and it never writes to a terminal.
//!
//! Read [`pipeline`] first: what a loaded model can do, stage by stage. Then
//! `decoder` (the two experts), `context` (keys and values of what was read) and
//! `guidance`. `examples/generate.rs` shows the whole API.

#![warn(missing_docs)]

mod allocator;
mod context;
mod convert;
mod decoder;
mod device;
mod error;
mod feature_cache;
mod guidance;
mod latent;
mod limits;
pub mod memory;
mod nn;
pub mod pipeline;
mod preview;
mod progress;
pub mod random;
mod sampler;
pub mod schedule;
mod tokens;
pub mod transform;
mod vae;
mod vision;
mod weights;

pub use convert::{ConvertOptions, ConvertReport, convert};
pub use device::{DeviceChoice, Precision, devices};
pub use error::{Error, Result};
pub use pipeline::{ChatJob, ChatResult, Engine, ImageJob, ImageResult, Item, LoadOptions};
pub use progress::{EngineProgress, Observer};
pub use weights::TensorSource;

/// The parts and kernels of the model, for instruments that compare or time them one at a time.
///
/// [`Engine`] hands out its own. Programs that only want images and answers need none of this.
pub mod parts {
    pub use crate::context::{Context, Segment};
    pub use crate::decoder::{Decoder, ImageRows, Rotations, TextCache};
    pub use crate::latent::{Grid, Latents};
    pub use crate::nn::{AttentionMask, Keys, Linear, attention, attention_by_matmul};
    pub use crate::preview::PreviewMap;
    pub use crate::tokens::Tokens;
    pub use crate::vae::conv::{Conv, Resample};
    pub use crate::vae::{Posterior, Vae};
    pub use crate::vision::Vision;
    pub use crate::weights::ggml_dtype;
}

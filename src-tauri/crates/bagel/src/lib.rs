//! BAGEL-7B-MoT on candle: one model that answers questions about images,
//! paints from text, edits by prompt, and can think first.
//!
//! The crate reads weights, turns requests into images and text, and reports
//! while it works. It knows no file formats of images, no processes, no
//! database and no window, and it never writes to a terminal.
//!
//! Read [`engine`] first (what can be asked), then [`decoder`](self) (the two
//! experts), `context` (what they have read) and `paint` (how an image comes
//! out of noise).

#![warn(missing_docs)]

pub mod bench;
pub mod check;
mod context;
mod convert;
mod decoder;
mod device;
pub mod engine;
mod error;
mod feature_cache;
mod guidance;
mod heap;
mod latent;
pub mod memory;
mod nn;
mod paint;
mod preview;
mod progress;
pub mod random;
mod reading;
mod room;
mod sampler;
pub mod schedule;
mod synthesize;
mod synthetic;
mod tokens;
pub mod transform;
mod vae;
mod vision;
mod weights;
mod writing;

pub use convert::{Conversion, ConvertOptions, convert};
pub use device::{DeviceChoice, Precision, devices};
pub use engine::{ChatJob, ChatResult, Engine, ImageJob, ImageResult, Item, LoadOptions};
pub use error::{Error, Result};
pub use progress::{Observe, Progress};
pub use room::check_weights;
pub use synthesize::synthesize;

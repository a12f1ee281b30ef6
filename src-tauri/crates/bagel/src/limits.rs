//! Bounds on the memory that one operation takes, and on the sizes that a model can make.
//!
//! The estimator counts with the same constants, so that an estimate and a run agree.

use checkpoint::{Config, working};
use protocol::Size;

use crate::{Error, Result};

/// Largest number of attention scores that exist at once (128 MiB in f32).
pub(crate) const MAX_SCORES: usize = working::MAX_SCORES as usize;

/// Largest number of elements in one intermediate of the feed-forward layer; more rows are computed in chunks.
pub(crate) const MAX_MLP_ELEMENTS: usize = working::MAX_MLP_ELEMENTS as usize;

/// Largest size of one convolution strip's columns.
pub(crate) const MAX_COLUMN_BYTES: usize = working::MAX_COLUMN_BYTES as usize;

/// Whether a model of these shapes can make an image of `size`.
///
/// # Errors
/// [`Error::Invalid`] with the nearest size that it can make.
pub(crate) fn check_size(config: &Config, size: Size) -> Result<()> {
    size.check(Some(config.max_side() as u32))?;
    // Published models have tokens of 16 pixels; another model may have larger ones.
    let step = config.pixels_per_token() as u32;
    if size.width.is_multiple_of(step) && size.height.is_multiple_of(step) {
        return Ok(());
    }
    Err(Error::bad_input(format!("this model cannot make {size}: both sides must be multiples of {step}")))
}

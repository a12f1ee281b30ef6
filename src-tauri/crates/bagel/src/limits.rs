//! Bounds on the memory that one operation takes, and on the sizes that a model can make.
//!
//! The estimator counts with the same constants, so that an estimate and a run agree.

use checkpoint::Config;
pub(crate) use checkpoint::estimate::{MAX_COLUMN_BYTES, MAX_MLP_ELEMENTS, MAX_SCORES};
use protocol::Size;

use crate::{Error, Result};

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

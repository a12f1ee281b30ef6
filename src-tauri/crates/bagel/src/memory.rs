//! Memory of requests: an estimate with the model's own tokenizer, and the budget that it must fit into.

mod budget;

use checkpoint::estimate::{Arithmetic, guess_tokens};
use checkpoint::{Checkpoint, Estimator};

pub(crate) use self::budget::check_weights_bytes;
pub use self::budget::{check_request, check_weights};
use crate::Result;
use crate::device::{DeviceChoice, best_precision};
use crate::tokens::Tokens;
use crate::weights::TensorSource;

/// An estimator for `checkpoint` on a device, in the type that the device computes best in.
///
/// # Errors
/// [`crate::Error::Device`] if the device does not exist; else as [`estimator`].
pub fn estimator_on(checkpoint: &Checkpoint, device: DeviceChoice) -> Result<Estimator> {
    let device = device.open()?;
    estimator(checkpoint, best_precision(&device).arithmetic(device.is_cpu()))
}

/// An estimator for the weights of `source`; reads only their headers and the tokenizer.
///
/// # Errors
/// [`crate::Error::Tokenizer`] if the tokenizer cannot be used.
pub fn estimator(source: &dyn TensorSource, arithmetic: Arithmetic) -> Result<Estimator> {
    let tokens = Tokens::load(source)?;
    // A text that cannot be encoded fails in the request itself; its estimate need not.
    let count = move |text: &str| tokens.encode_plain(text).map_or_else(|_| guess_tokens(text), |ids| ids.len() as u64);
    Ok(Estimator::new(source.config().clone(), arithmetic, source.held_bytes(arithmetic), Box::new(count)))
}

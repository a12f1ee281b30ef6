//! The blocks of the autoencoder.

use candle_core::Tensor;

use super::conv::{Conv, Resample, Shortcut};
use super::norm::GroupNorm;
use crate::Result;
use crate::nn::{AttentionMask, Keys, Linear, attention};
use crate::progress::Observer;
use crate::weights::Reader;

/// `shortcut(x) + conv(swish(norm(conv(swish(norm(x))))))`
#[derive(Debug)]
pub(super) struct ResidualBlock {
    norm1: GroupNorm,
    conv1: Conv,
    norm2: GroupNorm,
    conv2: Conv,
    shortcut: Option<Conv>,
}

impl ResidualBlock {
    pub(super) fn load(prefix: &str, reader: &mut Reader<'_, '_>) -> Result<Self> {
        let conv1 = Conv::load(&format!("{prefix}.conv1"), reader)?;
        let shortcut =
            if conv1.changes_width() { Some(Conv::load(&format!("{prefix}.nin_shortcut"), reader)?) } else { None };
        Ok(Self {
            norm1: GroupNorm::load(&format!("{prefix}.norm1"), reader)?,
            conv1,
            norm2: GroupNorm::load(&format!("{prefix}.norm2"), reader)?,
            conv2: Conv::load(&format!("{prefix}.conv2"), reader)?,
            shortcut,
        })
    }

    pub(super) fn forward(&self, x: &Tensor, observe: &mut Observer<'_>) -> Result<Tensor> {
        let h = self.conv1.forward(x, Resample::Keep, Some(&self.norm1), observe)?;
        let shortcut = Shortcut { x, conv: self.shortcut.as_ref() };
        self.conv2.forward_onto(&h, Resample::Keep, Some(&self.norm2), Some(shortcut), observe)
    }
}

/// One head of attention over all pixels.
#[derive(Debug)]
pub(super) struct AttentionBlock {
    norm: GroupNorm,
    q: Linear,
    k: Linear,
    v: Linear,
    out: Linear,
}

impl AttentionBlock {
    pub(super) fn load(prefix: &str, reader: &mut Reader<'_, '_>) -> Result<Self> {
        let mut pointwise = |name: &str| Conv::load(&format!("{prefix}.{name}"), reader)?.into_linear();
        let (q, k, v, out) = (pointwise("q")?, pointwise("k")?, pointwise("v")?, pointwise("proj_out")?);
        Ok(Self { norm: GroupNorm::load(&format!("{prefix}.norm"), reader)?, q, k, v, out })
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (channels, height, width) = x.dims3()?;
        // (channels, height, width) → (pixels, channels)
        let normed = self.norm.forward(x)?.reshape((channels, height * width))?.t()?.contiguous()?;
        let head = |linear: &Linear| linear.forward(&normed)?.unsqueeze(0).map_err(crate::Error::from);
        let keys = Keys { keys: head(&self.k)?, values: head(&self.v)? };
        let attended = attention(&head(&self.q)?, &[keys], AttentionMask::Full)?;
        let out = self.out.forward(&attended)?.t()?.reshape((channels, height, width))?;
        Ok((x + out)?)
    }
}

//! Group normalization, whose statistics span a whole image.

use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;

use crate::Result;
use crate::weights::Reader;

const N_GROUPS: usize = 32;
const EPSILON: f64 = 1e-6;

/// Statistics over channels of a group and the whole image; the swish that follows is the convolution's part.
#[derive(Debug)]
pub struct GroupNorm {
    weight: Tensor,
    bias: Tensor,
}

impl GroupNorm {
    pub(super) fn load(prefix: &str, reader: &mut Reader<'_, '_>) -> Result<Self> {
        Ok(Self {
            weight: reader.tensor(&format!("{prefix}.weight"))?,
            bias: reader.tensor(&format!("{prefix}.bias"))?,
        })
    }

    /// Factor and offset of each channel, both (channels,) in f32: `norm(x) = x · factor + offset`.
    pub(super) fn affine(&self, x: &Tensor) -> Result<(Tensor, Tensor)> {
        let n_channels = x.dim(0)?;
        let (mean, deviation) = match x.device() {
            Device::Cpu => host_statistics(x)?,
            _ => device_statistics(x)?,
        };
        // (groups, 1) → (channels,)
        let per_channel = |t: Tensor| t.broadcast_as((N_GROUPS, n_channels / N_GROUPS))?.flatten_all();
        let factor = (self.weight.to_dtype(DType::F32)? / per_channel(deviation)?)?;
        let offset = (self.bias.to_dtype(DType::F32)? - (&factor * per_channel(mean)?)?)?;
        Ok((factor, offset))
    }

    /// `norm(x)`, same shape and type.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (factor, offset) = self.affine(x)?;
        let shape = (x.dim(0)?, 1, 1);
        let (factor, offset) =
            (factor.to_dtype(x.dtype())?.reshape(shape)?, offset.to_dtype(x.dtype())?.reshape(shape)?);
        Ok(x.broadcast_mul(&factor)?.broadcast_add(&offset)?)
    }
}

/// Mean and standard deviation of each group, (groups, 1), summed in f64.
fn host_statistics(x: &Tensor) -> Result<(Tensor, Tensor)> {
    let x = x.to_dtype(DType::F32)?.contiguous()?;
    let (storage, layout) = x.storage_and_layout();
    let candle_core::Storage::Cpu(storage) = &*storage else {
        return device_statistics(&x);
    };
    let values = &storage.as_slice::<f32>()?[layout.start_offset()..][..x.elem_count()];
    let statistics: Vec<(f32, f32)> = values
        .par_chunks_exact(values.len() / N_GROUPS)
        .map(|group| {
            let n = group.len() as f64;
            let mean = group.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
            let variance = group.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
            (mean as f32, (variance + EPSILON).sqrt() as f32)
        })
        .collect();
    let (mean, deviation): (Vec<f32>, Vec<f32>) = statistics.into_iter().unzip();
    Ok((
        Tensor::from_vec(mean, (N_GROUPS, 1), &Device::Cpu)?,
        Tensor::from_vec(deviation, (N_GROUPS, 1), &Device::Cpu)?,
    ))
}

/// The same on a GPU, a group at a time so that no second activation exists in f32.
fn device_statistics(x: &Tensor) -> Result<(Tensor, Tensor)> {
    let groups = x.reshape((N_GROUPS, x.elem_count() / N_GROUPS))?;
    let mut means = Vec::with_capacity(N_GROUPS);
    let mut deviations = Vec::with_capacity(N_GROUPS);
    for group_idx in 0..N_GROUPS {
        let group = groups.narrow(0, group_idx, 1)?.to_dtype(DType::F32)?;
        let mean = group.mean_keepdim(1)?;
        let variance = group.broadcast_sub(&mean)?.sqr()?.mean_keepdim(1)?;
        deviations.push((variance + EPSILON)?.sqrt()?);
        means.push(mean);
    }
    Ok((Tensor::cat(&means, 0)?, Tensor::cat(&deviations, 0)?))
}

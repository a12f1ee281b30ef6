//! Convolution in strips of rows, with the norm and the swish before it and the resampling around it.
//!
//! On the CPU a strip is normalized, unrolled into columns and multiplied with
//! the weights as one matrix: candle's own convolution is three times slower.

use candle_core::{D, DType, Device, Tensor};
use rayon::prelude::*;

use super::norm::GroupNorm;
use crate::nn::Linear;
use crate::progress::{Observer, tick};
use crate::weights::Reader;
use crate::{Error, Result};

#[cfg(not(test))]
fn max_column_bytes() -> usize {
    crate::limits::MAX_COLUMN_BYTES
}

#[cfg(test)]
fn max_column_bytes() -> usize {
    strips::LIMIT.get()
}

/// Lets tests choose the height of strips, which must not change the result.
#[cfg(test)]
pub(crate) mod strips {
    use std::cell::Cell;

    thread_local! {
        pub(super) static LIMIT: Cell<usize> = const { Cell::new(crate::limits::MAX_COLUMN_BYTES) };
    }

    /// Runs with at most so many bytes of columns at once.
    pub(crate) fn with_limit<T>(max_column_bytes: usize, run: impl FnOnce() -> T) -> T {
        LIMIT.set(max_column_bytes);
        let result = run();
        LIMIT.set(crate::limits::MAX_COLUMN_BYTES);
        result
    }
}

/// How a convolution changes the size of its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resample {
    /// Same size; one pixel of zeros on every side.
    Keep,
    /// Every second pixel; zeros on the right and at the bottom only.
    Halve,
    /// Each pixel doubled before the convolution.
    Double,
}

/// A convolution of 3 × 3, or of 1 × 1 through `Conv::pointwise`.
#[derive(Debug)]
pub struct Conv {
    /// (out, in, rows, columns)
    weight: Tensor,
    bias: Tensor,
}

impl Conv {
    /// Weights (out, in, 3, 3) and bias (out,).
    pub fn new(weight: Tensor, bias: Tensor) -> Self {
        Self { weight, bias }
    }

    pub(super) fn load(prefix: &str, reader: &mut Reader<'_, '_>) -> Result<Self> {
        Ok(Self::new(reader.tensor(&format!("{prefix}.weight"))?, reader.tensor(&format!("{prefix}.bias"))?))
    }

    pub(super) fn changes_width(&self) -> bool {
        self.weight.dims()[0] != self.weight.dims()[1]
    }

    /// A convolution of 1 × 1 as a linear layer over pixels.
    pub(super) fn into_linear(self) -> Result<Linear> {
        let (n_out, n_in, _, _) = self.weight.dims4()?;
        Ok(Linear::float(self.weight.reshape((n_out, n_in))?, Some(self.bias)))
    }

    /// A convolution of 1 × 1: (in, height, width) → (out, height, width)
    pub(super) fn pointwise(&self, x: &Tensor) -> Result<Tensor> {
        let (n_out, n_in, _, _) = self.weight.dims4()?;
        let (_, height, width) = x.dims3()?;
        let x = x.contiguous()?.reshape((n_in, height * width))?;
        let y = self.weight.reshape((n_out, n_in))?.matmul(&x)?;
        Ok(y.broadcast_add(&self.bias.reshape((n_out, 1))?)?.reshape((n_out, height, width))?)
    }

    /// `conv(resample(swish(norm(x))))`: (in, height, width) → (out, …)
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `observe` stops it.
    pub fn forward(
        &self,
        x: &Tensor,
        resample: Resample,
        norm: Option<&GroupNorm>,
        observe: &mut Observer<'_>,
    ) -> Result<Tensor> {
        self.forward_onto(x, resample, norm, None, observe)
    }

    /// The same, added to a shortcut strip by strip.
    pub(super) fn forward_onto(
        &self,
        x: &Tensor,
        resample: Resample,
        norm: Option<&GroupNorm>,
        shortcut: Option<Shortcut<'_>>,
        observe: &mut Observer<'_>,
    ) -> Result<Tensor> {
        let (n_out, n_in, _, _) = self.weight.dims4()?;
        let (_, height, width) = x.dims3()?;
        let (out_height, out_width) = match resample {
            Resample::Keep => (height, width),
            Resample::Halve => (height / 2, width / 2),
            Resample::Double => (height * 2, width * 2),
        };
        let x = x.contiguous()?;
        let affine = norm.map(|norm| norm.affine(&x)).transpose()?;
        let weight = self.weight.reshape((n_out, n_in * 9))?;
        let bias = self.bias.reshape((n_out, 1, 1))?;
        let row_bytes = n_in * 9 * out_width * x.dtype().size_in_bytes();
        let rows_per_strip = (max_column_bytes() / row_bytes).clamp(1, out_height);
        let output = Tensor::zeros((n_out, out_height, out_width), x.dtype(), x.device())?;
        for first_row in (0..out_height).step_by(rows_per_strip) {
            let strip = Strip { first_row, n_rows: rows_per_strip.min(out_height - first_row), out_width, resample };
            let y = match x.device() {
                Device::Cpu if x.dtype() == DType::F32 => {
                    let columns = strip.columns(&x, affine.as_ref())?;
                    weight.matmul(&columns)?.reshape((n_out, strip.n_rows, out_width))?
                }
                _ => strip.convolved(&x, affine.as_ref(), &self.weight)?,
            };
            let mut y = y.broadcast_add(&bias)?;
            if let Some(Shortcut { x, conv }) = &shortcut {
                let rows = x.narrow(1, first_row, strip.n_rows)?;
                y = match conv {
                    Some(conv) => (y + conv.pointwise(&rows)?)?,
                    None => (y + rows)?,
                };
            }
            // Written into its place: joining strips would need the image a second time.
            output.slice_set(&y.contiguous()?, 1, first_row)?;
            tick(observe)?;
        }
        Ok(output)
    }
}

/// The input of a residual block, to which its output is added.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shortcut<'a> {
    pub(super) x: &'a Tensor,
    /// A convolution of 1 × 1 where the width changes.
    pub(super) conv: Option<&'a Conv>,
}

/// Some rows of the output.
#[derive(Clone, Copy, Debug)]
struct Strip {
    first_row: usize,
    n_rows: usize,
    out_width: usize,
    resample: Resample,
}

impl Strip {
    /// Rows and columns of zeros before the image, in pixels of what is convolved.
    fn padding(self) -> usize {
        usize::from(self.resample != Resample::Halve)
    }

    fn stride(self) -> usize {
        if self.resample == Resample::Halve { 2 } else { 1 }
    }

    /// The strip's columns (in · 9, rows · width): the inputs of each output pixel.
    fn columns(self, x: &Tensor, affine: Option<&(Tensor, Tensor)>) -> Result<Tensor> {
        let (n_in, height, width) = x.dims3()?;
        let scale = if self.resample == Resample::Double { 2 } else { 1 };
        let (stride, padding) = (self.stride(), self.padding());
        let n_source_rows = (self.n_rows - 1) * stride + 3;
        let padded_width = (self.out_width - 1) * stride + 3;
        let n_pixels = self.n_rows * self.out_width;
        let affine = match affine {
            Some((factor, offset)) => Some((factor.to_vec1::<f32>()?, offset.to_vec1::<f32>()?)),
            None => None,
        };
        let (storage, layout) = x.storage_and_layout();
        let candle_core::Storage::Cpu(storage) = &*storage else {
            return Err(Error::Device("columns are computed on the CPU only".to_owned()));
        };
        let values = &storage.as_slice::<f32>()?[layout.start_offset()..][..n_in * height * width];
        let mut columns = vec![0f32; n_in * 9 * n_pixels];
        columns
            .par_chunks_exact_mut(9 * n_pixels)
            .zip(values.par_chunks_exact(height * width))
            .enumerate()
            .for_each_init(
                || vec![0f32; n_source_rows * padded_width],
                |padded, (channel, (columns, plane))| {
                    // The channel's rows with zeros around, normalized and activated once.
                    padded.fill(0.0);
                    for (row_idx, row) in padded.chunks_exact_mut(padded_width).enumerate() {
                        let Some(source_row) = (self.first_row * stride + row_idx).checked_sub(padding) else {
                            continue;
                        };
                        if source_row >= height * scale {
                            continue;
                        }
                        let source = &plane[source_row / scale * width..][..width];
                        let n = (width * scale).min(padded_width - padding);
                        let row = &mut row[padding..padding + n];
                        match scale {
                            1 => row.copy_from_slice(&source[..n]),
                            _ => row.iter_mut().enumerate().for_each(|(x, pixel)| *pixel = source[x / scale]),
                        }
                        if let Some((factor, offset)) = &affine {
                            let (factor, offset) = (factor[channel], offset[channel]);
                            for pixel in row {
                                let normed = *pixel * factor + offset;
                                *pixel = normed / (1.0 + (-normed).exp());
                            }
                        }
                    }
                    for (tap, column) in columns.chunks_exact_mut(n_pixels).enumerate() {
                        let (tap_row, tap_column) = (tap / 3, tap % 3);
                        for (row_idx, target) in column.chunks_exact_mut(self.out_width).enumerate() {
                            let source = &padded[(row_idx * stride + tap_row) * padded_width + tap_column..];
                            if stride == 1 {
                                target.copy_from_slice(&source[..self.out_width]);
                            } else {
                                target.iter_mut().zip(source.iter().step_by(stride)).for_each(|(t, s)| *t = *s);
                            }
                        }
                    }
                },
            );
        Ok(Tensor::from_vec(columns, (n_in * 9, n_pixels), &Device::Cpu)?)
    }

    /// The strip through the device's own convolution: (out, rows, width) without the bias.
    fn convolved(self, x: &Tensor, affine: Option<&(Tensor, Tensor)>, weight: &Tensor) -> Result<Tensor> {
        let (n_in, height, width) = x.dims3()?;
        let scale = if self.resample == Resample::Double { 2 } else { 1 };
        let (stride, padding) = (self.stride(), self.padding());
        let virtual_height = height * scale;
        // Rows of the (doubled) image that the strip reads, cut to those there are.
        let top = self.first_row * stride;
        let bottom = top + (self.n_rows - 1) * stride + 3;
        let first = top.saturating_sub(padding);
        let last = (bottom - padding).min(virtual_height);
        let (missing_above, missing_below) = (first + padding - top, bottom - padding - last);
        let (source_first, source_last) = (first / scale, last.div_ceil(scale));
        let mut rows = x.narrow(1, source_first, source_last - source_first)?;
        if let Some((factor, offset)) = affine {
            let shape = (n_in, 1, 1);
            let factor = factor.to_dtype(x.dtype())?.reshape(shape)?;
            let offset = offset.to_dtype(x.dtype())?.reshape(shape)?;
            rows = candle_nn::ops::silu(&rows.broadcast_mul(&factor)?.broadcast_add(&offset)?)?;
        }
        let mut rows = rows.unsqueeze(0)?.contiguous()?;
        if scale == 2 {
            rows = rows.upsample_nearest2d((source_last - source_first) * 2, width * 2)?;
            rows = rows.narrow(2, first - source_first * 2, last - first)?;
        }
        let rows = rows
            .pad_with_zeros(2, missing_above, missing_below)?
            .pad_with_zeros(D::Minus1, padding, 1)?
            .contiguous()?;
        Ok(rows.conv2d(weight, 0, stride, 1, 1)?.squeeze(0)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Generator, RandomStream};

    fn random(shape: (usize, usize, usize)) -> candle_core::Result<Tensor> {
        let numbers = Generator::new(RandomStream::Synthetic, 5).normals(shape.0 * shape.1 * shape.2);
        Tensor::from_vec(numbers, shape, &Device::Cpu)
    }

    /// Both ways of computing a strip give what one convolution of the whole gives.
    #[test]
    fn strips_equal_the_whole_for_every_resampling() -> Result<()> {
        let x = random((4, 12, 10))?;
        let weight = random((5, 4, 9))?.reshape((5, 4, 3, 3))?;
        for resample in [Resample::Keep, Resample::Halve, Resample::Double] {
            let batch = x.unsqueeze(0)?;
            let whole = match resample {
                Resample::Keep => batch.conv2d(&weight, 1, 1, 1, 1)?,
                Resample::Halve => {
                    let padded = batch.pad_with_zeros(2, 0, 1)?.pad_with_zeros(3, 0, 1)?;
                    padded.conv2d(&weight, 0, 2, 1, 1)?
                }
                Resample::Double => batch.upsample_nearest2d(24, 20)?.conv2d(&weight, 1, 1, 1, 1)?,
            }
            .squeeze(0)?;
            let (_, height, out_width) = whole.dims3()?;
            for first_row in 0..height {
                let n_rows = 3.min(height - first_row);
                let strip = Strip { first_row, n_rows, out_width, resample };
                let expected = whole.narrow(1, first_row, n_rows)?;
                let columns = strip.columns(&x, None)?;
                let by_columns = weight.reshape((5, 36))?.matmul(&columns)?.reshape((5, n_rows, out_width))?;
                let by_device = strip.convolved(&x, None, &weight)?;
                for actual in [by_columns, by_device] {
                    let error = (actual - &expected)?.abs()?.max_all()?.to_scalar::<f32>()?;
                    assert!(error < 1e-4, "{resample:?} row {first_row}: {error}");
                }
            }
        }
        Ok(())
    }
}

//! Previews of an image during denoising: latents times a matrix, which costs almost nothing.
//!
//! `rgb = x0 · M + b` for each latent pixel, in -1..1, one pixel for eight of the
//! image. For FLUX.1's autoencoder the published map is used; for any other it
//! is fitted to the decoder by least squares.

use candle_core::{Device, Tensor};
use checkpoint::config::VaeConfig;
use protocol::Image;

use crate::progress::Observer;
use crate::random::{Generator, RandomStream};
use crate::vae::{Vae, shrink_by_8};
use crate::{Error, Result};

/// The linear map of one autoencoder.
#[derive(Clone, Debug)]
pub struct PreviewMap {
    /// (channels, 3)
    matrix: Tensor,
    /// (3,)
    bias: Tensor,
}

/// Published for FLUX.1's latents; one row per latent channel.
const FLUX: [[f32; 3]; 16] = [
    [-0.0346, 0.0244, 0.0681],
    [0.0034, 0.0210, 0.0687],
    [0.0275, -0.0668, -0.0433],
    [-0.0174, 0.0160, 0.0617],
    [0.0859, 0.0721, 0.0329],
    [0.0004, 0.0383, 0.0115],
    [0.0405, 0.0861, 0.0915],
    [-0.0236, -0.0185, -0.0259],
    [-0.0245, 0.0250, 0.1180],
    [0.1008, 0.0755, -0.0421],
    [-0.0515, 0.0201, 0.0011],
    [0.0428, -0.0012, -0.0036],
    [0.0817, 0.0765, 0.0749],
    [-0.1264, -0.0522, -0.1103],
    [-0.0280, -0.0881, -0.0499],
    [-0.1262, -0.0982, -0.0778],
];
const FLUX_BIAS: [f32; 3] = [-0.0329, -0.0718, -0.0851];

/// Side and number of the latents that a map is fitted on.
const FIT_SIDE: usize = 12;
const N_FITS: usize = 4;

impl PreviewMap {
    /// The map for `vae`.
    pub(crate) fn of(vae: &Vae, device: &Device, observe: &mut Observer<'_>) -> Result<Self> {
        if is_flux(vae.config()) {
            return Self::flux(device);
        }
        Self::fit(vae, device, observe)
    }

    /// The published map of FLUX.1's autoencoder.
    ///
    /// # Errors
    /// [`Error::Tensor`] when the device fails.
    pub fn flux(device: &Device) -> Result<Self> {
        Ok(Self { matrix: Tensor::new(&FLUX, device)?, bias: Tensor::new(&FLUX_BIAS, device)? })
    }

    /// Least squares over decoded noise that is smooth enough to have areas of one color.
    fn fit(vae: &Vae, device: &Device, observe: &mut Observer<'_>) -> Result<Self> {
        let n_channels = vae.config().z_channels;
        let n_unknowns = n_channels + 1;
        let mut gram = vec![0f64; n_unknowns * n_unknowns];
        let mut moments = vec![0f64; n_unknowns * 3];
        for fit_idx in 0..N_FITS {
            let coarse = 3;
            let noise = Generator::new(RandomStream::Synthetic, fit_idx as u64).normals(n_channels * coarse * coarse);
            let latent = Tensor::from_vec(noise, (1, n_channels, coarse, coarse), device)?
                .upsample_nearest2d(FIT_SIDE, FIT_SIDE)?
                .squeeze(0)?;
            let pixels = shrink_by_8(&vae.decode_pixels(&latent, observe)?)?;
            let columns = |t: &Tensor| t.flatten_from(1)?.t()?.to_device(&Device::Cpu)?.to_vec2::<f32>();
            for (mut input, output) in columns(&latent)?.into_iter().zip(columns(&pixels)?) {
                input.push(1.0);
                for (row, &a) in input.iter().enumerate() {
                    for (column, &b) in input.iter().enumerate() {
                        gram[row * n_unknowns + column] += f64::from(a) * f64::from(b);
                    }
                    for (channel, &y) in output.iter().enumerate() {
                        moments[row * 3 + channel] += f64::from(a) * f64::from(y);
                    }
                }
            }
        }
        for diagonal in 0..n_unknowns {
            // A little ridge keeps a decoder that ignores a channel from making the system singular.
            gram[diagonal * n_unknowns + diagonal] += 1e-3;
        }
        solve(&mut gram, &mut moments, n_unknowns)?;
        let values: Vec<f32> = moments.iter().map(|&v| v as f32).collect();
        let (matrix, bias) = values.split_at(n_channels * 3);
        Ok(Self {
            matrix: Tensor::from_slice(matrix, (n_channels, 3), device)?,
            bias: Tensor::from_slice(bias, 3, device)?,
        })
    }

    /// Scaled latents (channels, height, width) → height × width pixels; the step's only copy to the host.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when a value is not finite.
    pub fn image(&self, latent: &Tensor) -> Result<Image> {
        let (channels, height, width) = latent.dims3()?;
        let pixels = latent.reshape((channels, height * width))?.t()?.contiguous()?.matmul(&self.matrix)?;
        let pixels = pixels.broadcast_add(&self.bias)?.flatten_all()?.to_vec1::<f32>()?;
        if pixels.iter().any(|value| !value.is_finite()) {
            return Err(Error::NotFinite { stage: "denoising" });
        }
        let bytes = pixels.iter().map(|value| ((value * 0.5 + 0.5).clamp(0.0, 1.0) * 255.0) as u8).collect();
        Image::new(width as u32, height as u32, bytes).ok_or(Error::NotFinite { stage: "preview" })
    }
}

fn is_flux(config: &VaeConfig) -> bool {
    config.ch == 128 && config.ch_mult == [1, 2, 4, 4] && config.n_res_blocks == 2 && config.z_channels == 16
}

/// Solves `a x = b` in place for three right-hand sides, with pivots.
fn solve(a: &mut [f64], b: &mut [f64], n: usize) -> Result<()> {
    for column in 0..n {
        let pivot =
            (column..n).max_by(|&i, &j| a[i * n + column].abs().total_cmp(&a[j * n + column].abs())).unwrap_or(column);
        if !a[pivot * n + column].is_normal() {
            return Err(Error::NotFinite { stage: "the preview's fit" });
        }
        for k in 0..n {
            a.swap(column * n + k, pivot * n + k);
        }
        for k in 0..3 {
            b.swap(column * 3 + k, pivot * 3 + k);
        }
        for row in 0..n {
            if row == column {
                continue;
            }
            let factor = a[row * n + column] / a[column * n + column];
            for k in column..n {
                a[row * n + k] -= factor * a[column * n + k];
            }
            for k in 0..3 {
                b[row * 3 + k] -= factor * b[column * 3 + k];
            }
        }
    }
    for row in 0..n {
        for k in 0..3 {
            b[row * 3 + k] /= a[row * n + row];
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::path::Path;

    use checkpoint::Checkpoint;

    use super::*;
    use crate::pipeline::{Engine, LoadOptions};
    use crate::{DeviceChoice, EngineProgress};

    fn go_on(_: EngineProgress<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// The share of the variation within a decoded image that the map explains: 1 is all, 0 is no more than a mean color.
    fn explained_variation(engine: &Engine, latent: &Tensor) -> f64 {
        let preview = engine.preview().image(latent).expect("a preview");
        let decoded = shrink_by_8(&engine.vae().decode_pixels(latent, &mut go_on).expect("decoded")).expect("shrunk");
        let decoded = decoded.permute((1, 2, 0)).and_then(|t| t.flatten_all()?.to_vec1::<f32>()).expect("numbers");
        let (mut missed, mut varied) = (0.0, 0.0);
        for channel in 0..3 {
            let values = || decoded.iter().skip(channel).step_by(3).map(|&value| f64::from(value));
            let bytes = preview.rgb().iter().skip(channel).step_by(3);
            let mean = values().sum::<f64>() / values().count() as f64;
            missed += values().zip(bytes).map(|(y, &byte)| (y - (f64::from(byte) / 127.5 - 1.0)).powi(2)).sum::<f64>();
            varied += values().map(|y| (y - mean).powi(2)).sum::<f64>();
        }
        1.0 - missed / varied
    }

    #[test]
    fn a_fitted_map_explains_more_than_a_mean_color() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/mini");
        let checkpoint = Checkpoint::open(&golden.join("model"), None).expect("a model");
        let options = LoadOptions { device: DeviceChoice::Cpu, ..LoadOptions::default() };
        let engine = Engine::load(&checkpoint, &options, &mut go_on).expect("loads");
        let n_channels = engine.vae().config().z_channels;
        let noise = Generator::new(RandomStream::Synthetic, 77).normals(n_channels * 16);
        let smooth = Tensor::from_vec(noise, (1, n_channels, 4, 4), &Device::Cpu)
            .and_then(|t| t.upsample_nearest2d(16, 16)?.squeeze(0))
            .expect("latents");
        let image = imagefile::read(&golden.join("images/wide.png")).expect("an image").image;
        let fitted = engine.fit_image(&image);
        let posterior = engine.vae().encode(&fitted, &mut go_on).expect("encoded");
        let encoded = posterior.latent(engine.vae().config(), None).expect("latents");
        // An untrained autoencoder is hardly linear; a useless map would give less than 0.
        for (name, latent, least) in [("areas of one color", smooth, 0.2), ("a photograph", encoded, 0.0)] {
            let share = explained_variation(&engine, &latent);
            println!("{name}: {share:.3} of the variation");
            assert!(share > least, "{name}: {share}");
        }
    }
}

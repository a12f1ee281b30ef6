//! The autoencoder between images and latents (FLUX.1's).
//!
//! Whole activations are kept, one or two at a time; everything between them
//! (normalized values, columns of a convolution, scores of the attention) exists
//! for one strip of rows, so that the peak is that of the largest activation and
//! not that of a convolution unrolled. The statistics of a group norm are taken
//! over the whole image before its strips, so that strips do not show.
//!
//! Reference: `modeling/autoencoder.py` of ByteDance-Seed/Bagel at 056b5fd.

mod block;
pub(crate) mod conv;
mod norm;

use candle_core::{D, DType, Device, Tensor};
use checkpoint::config::{Config, VaeConfig};
use protocol::Image;

use self::block::{AttentionBlock, ResidualBlock};
use self::conv::{Conv, Resample};
use self::norm::GroupNorm;
use crate::progress::{Observer, report};
use crate::random::{Generator, RandomStream};
use crate::vision::normalized;
use crate::weights::Reader;
use crate::{EngineProgress, Error, Result};

/// Encoder and decoder.
#[derive(Debug)]
pub struct Vae {
    encoder: Encoder,
    decoder: Decoder,
    config: VaeConfig,
    device: Device,
    dtype: DType,
}

#[derive(Debug)]
struct Encoder {
    conv_in: Conv,
    levels: Vec<Level>,
    middle: Middle,
    norm_out: GroupNorm,
    conv_out: Conv,
}

#[derive(Debug)]
struct Decoder {
    conv_in: Conv,
    middle: Middle,
    /// From the smallest image to the largest.
    levels: Vec<Level>,
    norm_out: GroupNorm,
    conv_out: Conv,
}

#[derive(Debug)]
struct Level {
    blocks: Vec<ResidualBlock>,
    resample: Option<Conv>,
}

#[derive(Debug)]
struct Middle {
    first: ResidualBlock,
    attention: AttentionBlock,
    second: ResidualBlock,
}

/// Mean and standard deviation of an image's latents, (channels, height, width), before scaling.
pub struct Posterior {
    mean: Tensor,
    log_variance: Tensor,
}

impl Posterior {
    /// The mean, or a sample of it with `seed`; scaled as the model expects it.
    ///
    /// # Errors
    /// [`Error::Tensor`] when the device fails.
    pub fn latent(&self, config: &VaeConfig, seed: Option<u64>) -> Result<Tensor> {
        let latent = match seed {
            None => self.mean.clone(),
            Some(seed) => {
                let noise = Generator::new(RandomStream::Posterior, seed).normals(self.mean.elem_count());
                let noise = Tensor::from_vec(noise, self.mean.shape(), self.mean.device())?;
                (&self.mean + ((&self.log_variance * 0.5)?.exp()? * noise)?)?
            }
        };
        Ok(((latent - config.shift_factor)? * config.scale_factor)?)
    }
}

impl Vae {
    pub(crate) fn load(config: &Config, reader: &mut Reader<'_, '_>, device: &Device, dtype: DType) -> Result<Self> {
        let vae = &config.vae;
        let n_levels = vae.ch_mult.len();
        let encoder = Encoder {
            conv_in: Conv::load("encoder.conv_in", reader)?,
            levels: (0..n_levels)
                .map(|level_idx| {
                    let prefix = format!("encoder.down.{level_idx}");
                    let resample = format!("{prefix}.downsample.conv");
                    Level::load(&prefix, vae.n_res_blocks, (level_idx + 1 < n_levels).then_some(resample), reader)
                })
                .collect::<Result<_>>()?,
            middle: Middle::load("encoder.mid", reader)?,
            norm_out: GroupNorm::load("encoder.norm_out", reader)?,
            conv_out: Conv::load("encoder.conv_out", reader)?,
        };
        let decoder = Decoder {
            conv_in: Conv::load("decoder.conv_in", reader)?,
            middle: Middle::load("decoder.mid", reader)?,
            levels: (0..n_levels)
                .rev()
                .map(|level_idx| {
                    let prefix = format!("decoder.up.{level_idx}");
                    let resample = format!("{prefix}.upsample.conv");
                    Level::load(&prefix, vae.n_res_blocks + 1, (level_idx > 0).then_some(resample), reader)
                })
                .collect::<Result<_>>()?,
            norm_out: GroupNorm::load("decoder.norm_out", reader)?,
            conv_out: Conv::load("decoder.conv_out", reader)?,
        };
        Ok(Self { encoder, decoder, config: vae.clone(), device: device.clone(), dtype })
    }

    /// The autoencoder's shapes.
    pub fn config(&self) -> &VaeConfig {
        &self.config
    }

    /// An image whose sides are multiples of the downsampling → its latents, in f32.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `observe` stops it.
    pub fn encode(&self, image: &Image, observe: &mut Observer<'_>) -> Result<Posterior> {
        self.encode_pixels(&self.pixels(image)?, observe)
    }

    /// Numbers in -1..1, (3, height, width).
    ///
    /// # Errors
    /// [`Error::Tensor`] when the device fails.
    pub fn pixels(&self, image: &Image) -> Result<Tensor> {
        let shape = (image.height() as usize, image.width() as usize, 3);
        let pixels = Tensor::from_vec(normalized(image.rgb()), shape, &Device::Cpu)?;
        Ok(pixels.permute((2, 0, 1))?.contiguous()?.to_device(&self.device)?)
    }

    fn encode_pixels(&self, pixels: &Tensor, observe: &mut Observer<'_>) -> Result<Posterior> {
        let encoder = &self.encoder;
        let mut x = encoder.conv_in.forward(&pixels.to_dtype(self.dtype)?, Resample::Keep, None, observe)?;
        for level in &encoder.levels {
            x = level.forward(x, Resample::Halve, observe)?;
        }
        x = encoder.middle.forward(&x, observe)?;
        x = encoder.conv_out.forward(&x, Resample::Keep, Some(&encoder.norm_out), observe)?;
        let moments = x.to_dtype(DType::F32)?.chunk(2, 0)?;
        Ok(Posterior { mean: moments[0].clone(), log_variance: moments[1].clone() })
    }

    /// Scaled latents (channels, height, width) → numbers around -1..1, (3, 8 · height, 8 · width), in f32.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `observe` stops it.
    pub fn decode_pixels(&self, latent: &Tensor, observe: &mut Observer<'_>) -> Result<Tensor> {
        let latent = ((latent / self.config.scale_factor)? + self.config.shift_factor)?;
        let decoder = &self.decoder;
        let mut x = decoder.conv_in.forward(&latent.to_dtype(self.dtype)?, Resample::Keep, None, observe)?;
        x = decoder.middle.forward(&x, observe)?;
        for level in &decoder.levels {
            x = level.forward(x, Resample::Double, observe)?;
        }
        x = decoder.conv_out.forward(&x, Resample::Keep, Some(&decoder.norm_out), observe)?;
        Ok(x.to_dtype(DType::F32)?)
    }

    /// Scaled latents → an image; values are clamped to 0..1 and truncated to bytes, as the reference does.
    pub(crate) fn decode(&self, latent: &Tensor, observe: &mut Observer<'_>) -> Result<Image> {
        report(observe, EngineProgress::Decoding)?;
        let pixels = self.decode_pixels(latent, observe)?.to_device(&Device::Cpu)?;
        image(&pixels)
    }
}

/// (3, height, width) around -1..1 → bytes.
fn image(pixels: &Tensor) -> Result<Image> {
    let (_, height, width) = pixels.dims3()?;
    let values = pixels.permute((1, 2, 0))?.flatten_all()?.to_vec1::<f32>()?;
    if values.iter().any(|value| !value.is_finite()) {
        return Err(Error::NotFinite { stage: "decoding" });
    }
    let bytes: Vec<u8> = values.iter().map(|value| ((value * 0.5 + 0.5).clamp(0.0, 1.0) * 255.0) as u8).collect();
    Image::new(width as u32, height as u32, bytes)
        .ok_or_else(|| Error::bad_input("the image would have no pixels; choose a size of at least 16 × 16"))
}

impl Level {
    fn load(prefix: &str, n_blocks: usize, resample: Option<String>, reader: &mut Reader<'_, '_>) -> Result<Self> {
        Ok(Self {
            blocks: (0..n_blocks)
                .map(|block_idx| ResidualBlock::load(&format!("{prefix}.block.{block_idx}"), reader))
                .collect::<Result<_>>()?,
            resample: resample.map(|name| Conv::load(&name, reader)).transpose()?,
        })
    }

    fn forward(&self, mut x: Tensor, resample: Resample, observe: &mut Observer<'_>) -> Result<Tensor> {
        for block in &self.blocks {
            x = block.forward(&x, observe)?;
        }
        match &self.resample {
            Some(conv) => conv.forward(&x, resample, None, observe),
            None => Ok(x),
        }
    }
}

impl Middle {
    fn load(prefix: &str, reader: &mut Reader<'_, '_>) -> Result<Self> {
        Ok(Self {
            first: ResidualBlock::load(&format!("{prefix}.block_1"), reader)?,
            attention: AttentionBlock::load(&format!("{prefix}.attn_1"), reader)?,
            second: ResidualBlock::load(&format!("{prefix}.block_2"), reader)?,
        })
    }

    fn forward(&self, x: &Tensor, observe: &mut Observer<'_>) -> Result<Tensor> {
        let x = self.first.forward(x, observe)?;
        self.second.forward(&self.attention.forward(&x)?, observe)
    }
}

/// Whether an image has one flat color, as failed arithmetic leaves it.
pub(crate) fn is_flat(image: &Image) -> bool {
    let channel_is_flat = |channel: usize| {
        let values = || image.rgb().iter().skip(channel).step_by(3);
        let (low, high) = (values().min(), values().max());
        matches!((low, high), (Some(low), Some(high)) if high - low < 2)
    };
    (0..3).all(channel_is_flat)
}

/// Mean of each 8 × 8 block of pixels: (channels, height, width) → (channels, height / 8, width / 8).
pub(crate) fn shrink_by_8(pixels: &Tensor) -> Result<Tensor> {
    let (channels, height, width) = pixels.dims3()?;
    let blocks = pixels.reshape((channels, height / 8, 8, width / 8, 8))?;
    Ok(blocks.mean(D::Minus1)?.mean(2)?)
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use std::collections::BTreeMap;

    use checkpoint::{Kind, Part, TensorHash, TensorView, expected_tensors};

    use super::*;
    use crate::TensorSource;

    /// Random weights of an autoencoder.
    struct RandomWeights {
        config: Config,
        tensors: BTreeMap<String, (Vec<usize>, Vec<u8>)>,
    }

    impl RandomWeights {
        fn new(config: Config) -> Self {
            let normals = Generator::new(RandomStream::Synthetic, 0).normals(1 << 16);
            let pattern: Vec<u8> = normals.iter().flat_map(|number| (number * 0.02).to_le_bytes()).collect();
            let tensors = expected_tensors(&config)
                .into_iter()
                .filter(|tensor| tensor.part == Part::Vae)
                .map(|tensor| {
                    let n_bytes = 4 * tensor.shape.iter().product::<usize>();
                    (tensor.name, (tensor.shape, pattern.iter().copied().cycle().take(n_bytes).collect()))
                })
                .collect();
            Self { config, tensors }
        }
    }

    impl TensorSource for RandomWeights {
        fn name(&self) -> &str {
            "random"
        }

        fn config(&self) -> &Config {
            &self.config
        }

        fn quantization(&self) -> String {
            "f32".to_owned()
        }

        fn tokenizer_json(&self) -> &[u8] {
            &[]
        }

        fn tensor(&self, name: &str) -> Option<TensorView<'_>> {
            let (name, (shape, bytes)) = self.tensors.get_key_value(name)?;
            Some(TensorView { name, kind: Kind::F32, shape, bytes, stored_hash: None })
        }

        fn total_bytes(&self) -> u64 {
            self.tensors.values().map(|(_, bytes)| bytes.len() as u64).sum()
        }

        fn held_bytes(&self, _: checkpoint::estimate::Arithmetic) -> u64 {
            self.total_bytes()
        }

        fn checked_hash(&self, _: &TensorView<'_>) -> Result<Option<TensorHash>> {
            Ok(None)
        }
    }

    fn go_on(_: EngineProgress<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// An autoencoder of few channels with as many levels as the published one.
    fn small() -> Vae {
        let mut config = Config::official();
        (config.vae.ch, config.vae.n_res_blocks, config.vae.ch_mult) = (32, 1, vec![1, 1, 2, 2]);
        let weights = RandomWeights::new(config.clone());
        let mut observe = go_on;
        let mut reader = Reader::new(&weights, Device::Cpu, DType::F32, &mut observe);
        Vae::load(&config, &mut reader, &Device::Cpu, DType::F32).expect("an autoencoder")
    }

    fn noise(shape: (usize, usize, usize)) -> Tensor {
        let numbers = Generator::new(RandomStream::Synthetic, 9).normals(shape.0 * shape.1 * shape.2);
        Tensor::from_vec(numbers, shape, &Device::Cpu).expect("a tensor")
    }

    #[track_caller]
    fn assert_near(strips: &Tensor, whole: &Tensor) {
        let numbers = |t: &Tensor| t.flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("numbers");
        let (strips, whole) = (numbers(strips), numbers(whole));
        assert!(whole.iter().any(|number| number.abs() > 1e-6), "nothing came out");
        let square = |x: f32| f64::from(x * x);
        let difference: f64 = strips.iter().zip(&whole).map(|(a, b)| square(a - b)).sum();
        let error = (difference / whole.iter().map(|&b| square(b)).sum::<f64>()).sqrt();
        assert!(error < 1e-5, "{error}");
    }

    const ONE_STRIP: usize = usize::MAX;
    /// A strip has 7 rows of the largest image's 384.
    const MANY_STRIPS: usize = 7 * 512 * 32 * 9 * 4;

    #[test]
    fn decoding_in_strips_gives_the_same_image_as_decoding_it_whole() {
        let vae = small();
        let latent = noise((16, 48, 64));
        let mut n_ticks = 0;
        let mut decode = |bytes| {
            conv::strips::with_limit(bytes, || {
                vae.decode_pixels(&latent, &mut |_| {
                    n_ticks += 1;
                    ControlFlow::Continue(())
                })
            })
            .expect("decoded")
        };
        let (whole, strips) = (decode(ONE_STRIP), decode(MANY_STRIPS));
        assert_eq!(whole.dims(), [3, 384, 512]);
        assert_near(&strips, &whole);
        assert!(n_ticks > 400, "{n_ticks}: a strip was a chance to stop");
    }

    #[test]
    fn encoding_in_strips_gives_the_same_latents_as_encoding_it_whole() {
        let vae = small();
        let pixels = noise((3, 384, 512));
        let encode =
            |bytes| conv::strips::with_limit(bytes, || vae.encode_pixels(&pixels, &mut go_on)).expect("encoded");
        let (whole, strips) = (encode(ONE_STRIP), encode(MANY_STRIPS));
        assert_eq!(whole.mean.dims(), [16, 48, 64]);
        assert_near(&strips.mean, &whole.mean);
        assert_near(&strips.log_variance, &whole.log_variance);
    }

    #[test]
    fn decoding_stops_at_any_strip() {
        let vae = small();
        let latent = noise((16, 12, 16));
        for stop_at in [1, 10, 40] {
            let mut n_ticks = 0;
            let stopped = conv::strips::with_limit(64 * 1024, || {
                vae.decode_pixels(&latent, &mut |_| {
                    n_ticks += 1;
                    if n_ticks == stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                })
            });
            assert!(matches!(stopped, Err(Error::Cancelled)));
            assert_eq!(n_ticks, stop_at);
        }
    }
}

//! A loaded model and what can be asked of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use checkpoint::{Checkpoint, Config, ResizeRule, expected_tensors};
use protocol::{Image, ImageParameters, ModelDescription, Size, Statistics, TextParameters, Thinking};

use crate::context::{Cache, Chain, Segment};
use crate::decoder::Decoder;
use crate::device::{DeviceChoice, Precision, best_precision, device_id};
use crate::latent::Latents;
use crate::memory::stored_bytes;
use crate::preview::PreviewMap;
use crate::progress::Observe;
use crate::room::check_weights_bytes;
use crate::synthetic::Synthetic;
use crate::tokens::Tokens;
use crate::vae::Vae;
use crate::vision::Vision;
use crate::weights::{Reader, Source};
use crate::{Error, Result, heap};

/// One item of a conversation, in the order the model reads them.
#[derive(Clone, Debug)]
pub enum Item {
    /// A text; special tokens in it are ordinary text.
    Text(String),
    /// An image of any size.
    Image(Arc<Image>),
}

/// An image to be painted: from texts alone, or from texts and images.
///
/// With images it is an edit of the last one, which also gives the size.
#[derive(Clone, Debug)]
pub struct ImageJob {
    /// What the model reads.
    pub inputs: Vec<Item>,
    /// Whether it plans first.
    pub thinking: Thinking,
    /// How the image is sampled.
    pub parameters: ImageParameters,
    /// How the plan is sampled.
    pub text: TextParameters,
    /// The noise itself, (tokens · numbers), in place of a seed's.
    pub noise: Option<Vec<f32>>,
}

/// A text to be written.
#[derive(Clone, Debug)]
pub struct ChatJob {
    /// What the model reads.
    pub inputs: Vec<Item>,
    /// Whether it reasons in `<think> </think>` first.
    pub think: bool,
    /// How the text is sampled.
    pub text: TextParameters,
}

/// A painted image and all it takes to paint it again.
#[derive(Clone, Debug)]
pub struct ImageResult {
    /// The image.
    pub image: Image,
    /// The plan that was painted, written or given.
    pub plan: Option<String>,
    /// Width and height.
    pub size: Size,
    /// The parameters with every seed filled in.
    pub parameters: ImageParameters,
    /// The plan's parameters with the seed filled in.
    pub text: TextParameters,
    /// What it took.
    pub statistics: Statistics,
}

/// A written text.
#[derive(Clone, Debug)]
pub struct ChatResult {
    /// The whole text, a plan included.
    pub text: String,
    /// The parameters with the seed filled in.
    pub parameters: TextParameters,
    /// What it took.
    pub statistics: Statistics,
}

/// How a model is loaded.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadOptions {
    /// Where to.
    pub device: DeviceChoice,
    /// The type to compute in; the device's best when absent.
    pub precision: Option<Precision>,
    /// Most bytes of keys, values and encoded images kept between requests; 512 MiB when absent.
    pub cache_bytes: Option<usize>,
    /// Most bytes that weights and work may take together; what is free when absent.
    pub memory_limit_bytes: Option<u64>,
    /// Whether the numbers of a GGUF of ours are known to have the hashes that it carries; they are compared otherwise.
    pub is_verified: bool,
}

/// A loaded model with what it remembers of earlier requests.
#[derive(Debug)]
pub struct Engine {
    pub(crate) config: Config,
    pub(crate) device: Device,
    pub(crate) tokens: Tokens,
    pub(crate) decoder: Decoder,
    pub(crate) vision: Vision,
    pub(crate) latents: Latents,
    pub(crate) vae: Vae,
    pub(crate) preview: PreviewMap,
    pub(crate) vae_rule: ResizeRule,
    pub(crate) vision_rule: ResizeRule,
    pub(crate) start: Chain,
    pub(crate) segments: Cache<Arc<Segment>>,
    pub(crate) encoded: Cache<Tensor>,
    /// Whether special tokens in an artist's text mean what they say, as in the reference; for checks only.
    pub(crate) is_reference_text: bool,
    pub(crate) memory_limit_bytes: Option<u64>,
    description: ModelDescription,
}

const DEFAULT_CACHE_BYTES: usize = 512 << 20;

impl Engine {
    /// Reads a checkpoint onto a device.
    ///
    /// # Errors
    /// [`Error::Device`] when the device is not there, [`Error::Cancelled`] when `observe` says so,
    /// [`Error::OutOfMemory`] when the weights do not fit, before the first of them is read,
    /// [`Error::Checkpoint`] when a number is not the one that was written, and
    /// [`Error::Tensor`] when the device disagrees.
    pub fn load(checkpoint: &Checkpoint, options: &LoadOptions, observe: &mut Observe<'_>) -> Result<Self> {
        let tokens = Tokens::load(checkpoint)?;
        let mut engine =
            Self::assemble(Source::Checkpoint(checkpoint), checkpoint.config().clone(), tokens, options, observe)?;
        engine.description.name = checkpoint.name().to_owned();
        engine.description.quantization = quantization_name(checkpoint);
        Ok(engine)
    }

    /// Makes an engine of random weights, to time a machine without a model.
    pub(crate) fn synthetic(synthetic: &Synthetic, options: &LoadOptions, observe: &mut Observe<'_>) -> Result<Self> {
        let tokens = Tokens::synthetic()?;
        let mut engine =
            Self::assemble(Source::Synthetic(synthetic), synthetic.config().clone(), tokens, options, observe)?;
        engine.description.name = "synthetic".to_owned();
        engine.description.quantization = synthetic.quantization().to_string();
        Ok(engine)
    }

    fn assemble(
        source: Source<'_>,
        config: Config,
        tokens: Tokens,
        options: &LoadOptions,
        observe: &mut Observe<'_>,
    ) -> Result<Self> {
        heap::keep_small();
        let device = options.device.open()?;
        let precision = options.precision.unwrap_or_else(|| best_precision(&device));
        let dtype = precision.dtype();
        if device.is_cpu() && precision == Precision::BF16 {
            return Err(Error::bad_input("bf16 is not computed on the processor: use f32 or f16, or another device"));
        }
        let weights_bytes = match source {
            Source::Checkpoint(checkpoint) => stored_bytes(checkpoint, precision, device.is_cpu()),
            Source::Synthetic(synthetic) => synthetic.held_bytes(precision, device.is_cpu()),
        };
        check_weights_bytes(weights_bytes, &config, precision, &device, options.memory_limit_bytes, 0)?;
        // f16 overflows in the autoencoder.
        let vae_dtype = if precision == Precision::F16 { Precision::F32.dtype() } else { dtype };

        let mut reader = Reader::new(source, device.clone(), dtype, &mut *observe);
        if options.is_verified {
            reader.trust_hashes();
        }
        let decoder = Decoder::load(&config.text, &mut reader)?;
        let vision = Vision::load(&config, &mut reader)?;
        let latents = Latents::load(&config, &mut reader)?;
        reader.set_dtype(vae_dtype);
        let vae = Vae::load(&config, &mut reader, &device, vae_dtype)?;
        let memory_bytes = reader.held_bytes();
        let hash = reader.weights_hash();
        let preview = PreviewMap::of(&vae, &device, observe)?;

        let cache_bytes = options.cache_bytes.unwrap_or(DEFAULT_CACHE_BYTES);
        let grid_pixels = config.max_side() as u32;
        let description = ModelDescription {
            name: String::new(),
            hash: hash.clone(),
            quantization: String::new(),
            parameters: expected_tensors(&config).iter().map(|t| t.shape.iter().product::<usize>() as u64).sum(),
            memory_bytes,
            device: device_id(&device),
            max_side: grid_pixels,
        };
        tracing::info!(device = description.device, memory_bytes, precision = precision.name(), "model loaded");
        Ok(Self {
            start: Chain::start(&format!("{hash} {}", precision.name())),
            vae_rule: config.vae_transform.rule(),
            vision_rule: config.vision_transform.rule(),
            segments: Cache::new(cache_bytes),
            encoded: Cache::new(cache_bytes / 4),
            is_reference_text: false,
            memory_limit_bytes: options.memory_limit_bytes,
            config,
            device,
            tokens,
            decoder,
            vision,
            latents,
            vae,
            preview,
            description,
        })
    }

    /// What is loaded.
    pub fn description(&self) -> &ModelDescription {
        &self.description
    }

    /// The shapes of the model.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Size of an image made from text alone when none is asked for: the largest square.
    pub fn default_size(&self) -> Size {
        let side = (self.config.vae_transform.max_size as u32).min(self.description.max_side);
        Size { width: side, height: side }
    }

    /// Pixels that both sides of an image must be multiples of.
    pub fn size_step(&self) -> u32 {
        self.config.pixels_per_token() as u32
    }

    /// Whether an image of `size` can be painted.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the nearest size that can.
    pub fn check_size(&self, size: Size) -> Result<()> {
        check_size(&self.config, size)
    }
}

/// Whether a model of these shapes can paint an image of `size`.
///
/// # Errors
/// [`Error::Invalid`] with the nearest size that it can.
pub fn check_size(config: &Config, size: Size) -> Result<()> {
    size.check(Some(config.max_side() as u32))?;
    // Published models have tokens of 16 pixels; nothing keeps another one from having larger ones.
    let step = config.pixels_per_token() as u32;
    if size.width.is_multiple_of(step) && size.height.is_multiple_of(step) {
        return Ok(());
    }
    Err(Error::bad_input(format!("size {size} does not fit this model: its sides are multiples of {step}")))
}

/// The quantization that a converted file names, or the kind that most of a checkpoint's bytes have.
fn quantization_name(checkpoint: &Checkpoint) -> String {
    if let Some(provenance) = checkpoint.provenance() {
        return if provenance.quantization == provenance.generation_quantization {
            provenance.quantization.clone()
        } else {
            format!("{}+{}", provenance.quantization, provenance.generation_quantization)
        };
    }
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for view in checkpoint.tensors() {
        *sizes.entry(view.kind.name()).or_default() += view.bytes.len();
    }
    sizes.into_iter().max_by_key(|(_, n_bytes)| *n_bytes).map(|(name, _)| name.to_lowercase()).unwrap_or_default()
}

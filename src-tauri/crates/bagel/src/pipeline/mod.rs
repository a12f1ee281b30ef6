//! A loaded model and what it can do: generate and edit images, and chat.
//!
//! [`Engine::generate_image`] and [`Engine::chat`] are all that a program needs.
//! Both run the same stages, which can also be called one by one:
//! `prompt` turns texts and images into contexts (prefill), `generate_text`
//! writes a plan or an answer after a context, and `generate_image` denoises
//! latents under contexts and decodes them.

mod generate_image;
mod generate_text;
mod prompt;

use std::sync::Arc;
use std::time::Instant;

use candle_core::{Device, Tensor};
use checkpoint::{Config, ResizeRule, expected_tensors};
use protocol::{Image, ImageParameters, ModelDescription, Size, Statistics, TextParameters, Thinking};

pub use self::generate_image::{Contexts, DenoiseInputs, DenoiseStep, PreparedImage};
pub use self::generate_text::GeneratedText;
pub use self::prompt::Author;
use crate::context::{Cache, Chain, Segment};
use crate::decoder::Decoder;
use crate::device::{DeviceChoice, Precision, best_precision, device_id};
use crate::latent::Latents;
use crate::limits::check_size;
use crate::memory::check_weights_bytes;
use crate::preview::PreviewMap;
use crate::progress::Observer;
use crate::tokens::Tokens;
use crate::vae::Vae;
use crate::vision::Vision;
use crate::weights::{Reader, TensorSource};
use crate::{Error, Result, allocator};

/// One item of a conversation, in the order the model reads them.
#[derive(Clone, Debug)]
pub enum Item {
    /// A text; special tokens in it are ordinary text.
    Text(String),
    /// An image of any size.
    Image(Arc<Image>),
}

/// A request for an image, from texts alone or from texts and images.
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
    /// Noise to start from, (tokens · numbers), instead of the seed's.
    pub noise: Option<Vec<f32>>,
}

/// A request for an answer.
#[derive(Clone, Debug)]
pub struct ChatJob {
    /// What the model reads.
    pub inputs: Vec<Item>,
    /// Whether it reasons in `<think> </think>` first.
    pub think: bool,
    /// How the text is sampled.
    pub text: TextParameters,
}

/// An image and everything needed to make it again.
#[derive(Clone, Debug)]
pub struct ImageResult {
    /// The image.
    pub image: Image,
    /// The plan that was followed, generated or given.
    pub plan: Option<String>,
    /// Width and height.
    pub size: Size,
    /// The parameters with every seed filled in.
    pub parameters: ImageParameters,
    /// The plan's parameters with the seed filled in.
    pub text: TextParameters,
    /// Times and counts of the run.
    pub statistics: Statistics,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct ChatResult {
    /// The whole text, including the reasoning.
    pub text: String,
    /// The parameters with the seed filled in.
    pub parameters: TextParameters,
    /// Times and counts of the run.
    pub statistics: Statistics,
}

/// How a model is loaded.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadOptions {
    /// The device that computes.
    pub device: DeviceChoice,
    /// The type of activations; the device's best when absent.
    pub precision: Option<Precision>,
    /// Largest size of the keys, values and encoded images kept between requests; 512 MiB when absent.
    pub cache_bytes: Option<usize>,
    /// Largest memory for weights and work together; what is free when absent.
    pub memory_limit_bytes: Option<u64>,
    /// Whether the hashes that our own GGUF carries were compared with its bytes before; they are compared otherwise.
    pub is_verified: bool,
}

/// A loaded model, with a cache of what earlier requests computed.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    device: Device,
    precision: Precision,
    tokens: Tokens,
    decoder: Decoder,
    vision: Vision,
    latents: Latents,
    vae: Vae,
    preview: PreviewMap,
    image_rule: ResizeRule,
    vision_rule: ResizeRule,
    start: Chain,
    segments: Cache<Arc<Segment>>,
    encoded: Cache<Tensor>,
    /// Whether special tokens in a user's text take effect, as they do in the reference.
    is_reference_text: bool,
    memory_limit_bytes: Option<u64>,
    description: ModelDescription,
}

const DEFAULT_CACHE_BYTES: usize = 512 << 20;

impl Engine {
    /// Loads the weights of `source`, usually a [`checkpoint::Checkpoint`], onto a device.
    ///
    /// # Errors
    /// [`Error::Device`] when the device is missing, [`Error::Cancelled`] when `observe` stops it,
    /// [`Error::OutOfMemory`] when the weights do not fit, before the first of them is read,
    /// [`Error::Checkpoint`] when a tensor's bytes do not match their hash, and
    /// [`Error::Tensor`] when the device fails.
    pub fn load(source: &dyn TensorSource, options: &LoadOptions, observe: &mut Observer<'_>) -> Result<Self> {
        let started = Instant::now();
        allocator::limit_retained_memory();
        let tokens = Tokens::load(source)?;
        let config = source.config().clone();
        let device = options.device.open()?;
        let precision = options.precision.unwrap_or_else(|| best_precision(&device));
        let dtype = precision.dtype();
        if device.is_cpu() && precision == Precision::BF16 {
            return Err(Error::bad_input("the CPU cannot compute in bf16: use f32 or f16, or another device"));
        }
        let arithmetic = precision.arithmetic(device.is_cpu());
        check_weights_bytes(source, arithmetic, &device, options.memory_limit_bytes)?;
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
        let description = ModelDescription {
            name: source.name().to_owned(),
            hash: hash.clone(),
            quantization: source.quantization(),
            parameters: expected_tensors(&config).iter().map(|t| t.shape.iter().product::<usize>() as u64).sum(),
            memory_bytes,
            device: device_id(&device),
            max_side: config.max_side() as u32,
        };
        let secs = started.elapsed().as_secs_f64();
        tracing::info!(device = description.device, memory_bytes, precision = precision.name(), secs, "model loaded");
        Ok(Self {
            start: Chain::start(&format!("{hash} {}", precision.name())),
            image_rule: config.vae_transform.rule(),
            vision_rule: config.vision_transform.rule(),
            segments: Cache::new(cache_bytes),
            encoded: Cache::new(cache_bytes / 4),
            is_reference_text: false,
            memory_limit_bytes: options.memory_limit_bytes,
            config,
            device,
            precision,
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

    /// Size of an image from text alone when the request names none: the largest square.
    pub fn default_size(&self) -> Size {
        let side = (self.config.vae_transform.max_size as u32).min(self.description.max_side);
        Size { width: side, height: side }
    }

    /// Pixels that both sides of an image must be multiples of.
    pub fn size_step(&self) -> u32 {
        self.config.pixels_per_token() as u32
    }

    /// Whether this model can make an image of `size`.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the nearest size that it can make.
    pub fn check_size(&self, size: Size) -> Result<()> {
        check_size(&self.config, size)
    }

    /// Lets special tokens in a user's text take effect, as they do in the reference; only for comparing with it.
    pub fn use_reference_text(&mut self) {
        self.is_reference_text = true;
    }
}

/// The parts, for instruments.
impl Engine {
    /// The device that computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The number type of activations.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The tokenizer.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The language model with its two experts.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// The vision encoder.
    pub fn vision(&self) -> &Vision {
        &self.vision
    }

    /// The maps between latents and tokens.
    pub fn latents(&self) -> &Latents {
        &self.latents
    }

    /// The autoencoder.
    pub fn vae(&self) -> &Vae {
        &self.vae
    }

    /// Sizes of images for the autoencoder.
    pub fn image_rule(&self) -> ResizeRule {
        self.image_rule
    }

    /// Sizes of images for the vision encoder.
    pub fn vision_rule(&self) -> ResizeRule {
        self.vision_rule
    }

    pub(crate) fn memory_limit_bytes(&self) -> Option<u64> {
        self.memory_limit_bytes
    }

    #[cfg(test)]
    pub(crate) fn preview(&self) -> &PreviewMap {
        &self.preview
    }
}

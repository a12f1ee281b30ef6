//! How much memory a request needs, computed from a model's headers before anything is loaded.
//!
//! The peak is the weights plus the largest of what the stages hold beside them: the keys and values of every
//! context together with the transformer's or the decoder's activations, or the encoder's before there is any
//! context. Token counts come from the function given to [`Estimator::new`]: the engine passes the model's own
//! tokenizer, a caller without one passes [`guess_tokens`].

mod arithmetic;
mod part_sizes;

use std::fmt;

use protocol::{ImageParameters, ImageRequest, Input, MemoryEstimate, Request, Size, Thinking};

pub use self::arithmetic::{Arithmetic, MAX_COLUMN_BYTES, MAX_MLP_ELEMENTS, MAX_SCORES, OVERHEAD_BYTES};
pub use self::part_sizes::{PartSize, PartSizes, planned_sizes, stored_sizes, total_bytes};
use crate::{Checkpoint, Config};

/// Tokens of the fixed prompt that asks for a plan or for reasoning, its markers included.
const THINKING_PROMPT_TOKENS: u64 = 48;

/// Tokens that mark the two ends of a text or an image.
const MARKERS: u64 = 2;

/// Letters of an alphabet that make one token; most texts have more.
const LETTERS_PER_TOKEN: u64 = 3;

/// Shorter sides are not offered in place of a size that does not fit.
const MIN_OFFERED_SIDE: u32 = 128;

/// Counts the tokens of a text, without the markers at its ends.
pub type CountTokens = Box<dyn Fn(&str) -> u64 + Send + Sync>;

/// What a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Bytes of each part and the peak.
    pub memory: MemoryEstimate,
    /// Tokens of the conditional context.
    pub context_tokens: u32,
    /// Size of the image that the request makes.
    pub size: Option<Size>,
}

/// Estimates requests to one model on one kind of device.
pub struct Estimator {
    config: Config,
    arithmetic: Arithmetic,
    weights_bytes: u64,
    count_tokens: CountTokens,
}

/// The inputs of a request, in tokens and pixels.
#[derive(Clone, Copy, Debug, Default)]
struct InputTotals {
    tokens: u64,
    /// The part of `tokens` that belongs to texts: the image guidance branch keeps these once more.
    text_tokens: u64,
    longest_item: u64,
    max_pixels: u64,
}

impl Estimator {
    /// Estimates for weights of these shapes that take `weights_bytes` once loaded.
    pub fn new(config: Config, arithmetic: Arithmetic, weights_bytes: u64, count_tokens: CountTokens) -> Self {
        Self { config, arithmetic, weights_bytes, count_tokens }
    }

    /// Estimates for a checkpoint as it is stored.
    pub fn for_checkpoint(checkpoint: &Checkpoint, arithmetic: Arithmetic, count_tokens: CountTokens) -> Self {
        Self::new(checkpoint.config().clone(), arithmetic, arithmetic.stored_bytes(checkpoint), count_tokens)
    }

    /// Shapes of the model.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How the device computes.
    pub fn arithmetic(&self) -> Arithmetic {
        self.arithmetic
    }

    /// What a request needs; `images` are the sizes of its images, in order.
    pub fn estimate(&self, request: &Request, images: &[Size]) -> Estimate {
        match request {
            Request::Generate(request) | Request::Edit(request) => self.estimate_image(request, images),
            Request::Chat(request) => {
                let totals = self.input_totals(&request.inputs, images, |_| 0);
                let prompt_tokens = if request.think { THINKING_PROMPT_TOKENS } else { 0 };
                let n_tokens = totals.tokens + prompt_tokens;
                let working_bytes = self.forward_bytes(1, totals.longest_item, n_tokens);
                let limit = u64::from(request.text.limit);
                let context_bytes = self.arithmetic.context_bytes(&self.config, n_tokens + limit);
                let memory = MemoryEstimate {
                    weights_bytes: self.weights_bytes,
                    context_bytes,
                    working_bytes,
                    vae_bytes: 0,
                    peak_bytes: self.weights_bytes + context_bytes + working_bytes + OVERHEAD_BYTES,
                };
                Estimate { memory, context_tokens: saturate(n_tokens), size: None }
            }
        }
    }

    /// The largest request that a model serves: an edit of one image at full size.
    pub fn estimate_largest_edit(&self) -> Estimate {
        let side = saturate(self.config.max_side() as u64);
        let size = Size { width: side, height: side };
        let inputs = vec![Input::Text { text: "a prompt of some words".to_owned() }];
        let parameters = ImageParameters { size: Some(size), ..ImageParameters::edit() };
        let text = protocol::TextParameters::plan();
        self.estimate_image(&ImageRequest { inputs, thinking: Thinking::Off, parameters, text }, &[size])
    }

    /// The largest smaller size of the same shape with which a request fits into `max_bytes`.
    pub fn largest_fitting_size(&self, request: &Request, images: &[Size], max_bytes: u64) -> Option<Size> {
        let size = self.estimate(request, images).size?;
        let step = saturate(self.config.pixels_per_token() as u64);
        // A small model serves only sizes below those that are offered.
        scaled_sizes(size, step)
            .find(|size| self.estimate(&with_size(request, *size), images).memory.peak_bytes <= max_bytes)
    }

    fn estimate_image(&self, request: &ImageRequest, images: &[Size]) -> Estimate {
        let ImageRequest { inputs, thinking, parameters, text } = request;
        let mut totals = self.input_totals(inputs, images, |fitted| self.latent_tokens(fitted));
        let plan_tokens = match thinking {
            Thinking::Off => None,
            Thinking::On => Some(u64::from(text.limit)),
            Thinking::Given { plan } => Some(self.text_tokens(plan)),
        };
        if let Some(plan_tokens) = plan_tokens {
            totals.tokens += THINKING_PROMPT_TOKENS + plan_tokens;
            totals.text_tokens += THINKING_PROMPT_TOKENS;
        }
        let size = self.size(images, parameters.size);
        let is_guided = parameters.text_guidance > 1.0;
        let has_image_branch =
            is_guided && parameters.image_guidance > 1.0 && (!images.is_empty() || plan_tokens.is_some());
        let n_branches = 1 + u64::from(is_guided) + u64::from(has_image_branch);
        let n_kept = totals.tokens + if has_image_branch { totals.text_tokens } else { 0 };
        let working_bytes = self
            .forward_bytes(n_branches, self.latent_tokens(size), totals.tokens)
            .max(self.forward_bytes(1, totals.longest_item, totals.tokens));
        let decode_bytes = self.arithmetic.decode_bytes(&self.config.vae, area(size));
        let encode_bytes = match totals.max_pixels {
            0 => 0,
            pixels => self.arithmetic.encode_bytes(&self.config.vae, pixels),
        };
        let context_bytes = self.arithmetic.context_bytes(&self.config, n_kept);
        // A single image is encoded before the context holds anything of it.
        let before_bytes = if images.len() > 1 { context_bytes } else { 0 };
        let beside_bytes = (context_bytes + working_bytes.max(decode_bytes)).max(before_bytes + encode_bytes);
        let memory = MemoryEstimate {
            weights_bytes: self.weights_bytes,
            context_bytes,
            working_bytes,
            vae_bytes: decode_bytes.max(encode_bytes),
            peak_bytes: self.weights_bytes + beside_bytes + OVERHEAD_BYTES,
        };
        Estimate { memory, context_tokens: saturate(totals.tokens), size: Some(size) }
    }

    /// The size that is made if none is chosen: the last image's as the model reads it, else the largest.
    fn size(&self, images: &[Size], chosen: Option<Size>) -> Size {
        let last = images.last().map(|size| self.config.vae_transform.rule().resized_size(*size));
        chosen.or(last).unwrap_or_else(|| {
            let side = saturate(self.config.vae_transform.max_size.min(self.config.max_side()) as u64);
            Size { width: side, height: side }
        })
    }

    /// `latent_tokens` gives the tokens of an image's latents, which only requests for images read.
    fn input_totals(&self, inputs: &[Input], images: &[Size], latent_tokens: impl Fn(Size) -> u64) -> InputTotals {
        let mut totals = InputTotals::default();
        for input in inputs {
            if let Input::Text { text } = input {
                let n_tokens = self.text_tokens(text);
                totals.tokens += n_tokens;
                totals.text_tokens += n_tokens;
                totals.longest_item = totals.longest_item.max(n_tokens);
            }
        }
        for size in images {
            let fitted = self.config.vae_transform.rule().resized_size(*size);
            let seen = self.config.vision_transform.rule().resized_size(fitted);
            let n_vision = cells(seen, self.config.vision.patch_size) + MARKERS;
            let n_latents = latent_tokens(fitted);
            totals.tokens += n_vision + n_latents;
            totals.longest_item = totals.longest_item.max(n_vision).max(n_latents);
            totals.max_pixels = totals.max_pixels.max(area(fitted));
        }
        totals
    }

    fn text_tokens(&self, text: &str) -> u64 {
        (self.count_tokens)(text) + MARKERS
    }

    /// Tokens of an image's latents, their markers included.
    fn latent_tokens(&self, size: Size) -> u64 {
        cells(size, self.config.pixels_per_token()) + MARKERS
    }

    fn forward_bytes(&self, n_branches: u64, rows: u64, context_tokens: u64) -> u64 {
        self.arithmetic.forward_bytes(&self.config, n_branches, rows, context_tokens)
    }
}

impl fmt::Debug for Estimator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Estimator")
            .field("arithmetic", &self.arithmetic)
            .field("weights_bytes", &self.weights_bytes)
            .finish_non_exhaustive()
    }
}

/// About how many tokens a text has, rather too many: a Chinese character is one, and so are three letters.
pub fn guess_tokens(text: &str) -> u64 {
    let n_ascii = text.bytes().filter(u8::is_ascii).count() as u64;
    let n_others = text.chars().filter(|letter| !letter.is_ascii()).count() as u64;
    n_ascii.div_ceil(LETTERS_PER_TOKEN) + n_others
}

/// Smaller sizes of about the same shape that are worth offering, the largest first: sides shrink by eighths to
/// multiples of `step`.
pub fn smaller_sizes(size: Size, step: u32) -> impl Iterator<Item = Size> {
    scaled_sizes(size, step).filter(|size| size.width.min(size.height) >= MIN_OFFERED_SIDE)
}

fn scaled_sizes(size: Size, step: u32) -> impl Iterator<Item = Size> {
    let scale = move |side: u32, eighths: u64| (u64::from(side) * eighths / 8) as u32 / step * step;
    let sizes = (1..8)
        .rev()
        .map(move |eighths| Size { width: scale(size.width, eighths), height: scale(size.height, eighths) });
    sizes.filter(|size| size.width > 0 && size.height > 0)
}

fn with_size(request: &Request, size: Size) -> Request {
    let mut request = request.clone();
    if let Request::Generate(image) | Request::Edit(image) = &mut request {
        image.parameters.size = Some(size);
    }
    request
}

/// Squares of `side` pixels that an image is cut into.
fn cells(size: Size, side: usize) -> u64 {
    let side = side.max(1) as u64;
    (u64::from(size.width) / side) * (u64::from(size.height) / side)
}

fn area(size: Size) -> u64 {
    u64::from(size.width) * u64::from(size.height)
}

fn saturate(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use protocol::{ChatRequest, TextParameters};

    use super::*;
    use crate::Quantization;

    fn official(arithmetic: Arithmetic, quantization: Quantization) -> Estimator {
        let config = Config::official();
        let weights_bytes = arithmetic.planned_bytes(&config, quantization, quantization);
        Estimator::new(config, arithmetic, weights_bytes, Box::new(guess_tokens))
    }

    fn square(side: u32) -> Size {
        Size { width: side, height: side }
    }

    fn edit(size: Option<Size>, thinking: Thinking) -> Request {
        let inputs = vec![Input::Text { text: "make the sky red".to_owned() }];
        let parameters = ImageParameters { size, ..ImageParameters::edit() };
        Request::Edit(ImageRequest { inputs, thinking, parameters, text: TextParameters::plan() })
    }

    fn chat(text: &str, limit: u32) -> Request {
        let inputs = vec![Input::Text { text: text.to_owned() }];
        Request::Chat(ChatRequest { inputs, think: false, text: TextParameters { limit, ..TextParameters::chat() } })
    }

    fn beside_weights(estimate: &Estimate) -> u64 {
        estimate.memory.peak_bytes - estimate.memory.weights_bytes
    }

    #[test]
    fn largest_edit_needs_about_two_gigabytes_beside_the_weights() {
        let estimate = official(Arithmetic::GPU, Quantization::Q4KM).estimate_largest_edit();
        // 9,032 tokens of context are half a gigabyte, and the autoencoder's largest block is one at 1024².
        assert!((1.0e9..3.0e9).contains(&(beside_weights(&estimate) as f64)), "{estimate:?}");
        assert!((9.6e9..9.8e9).contains(&(estimate.memory.weights_bytes as f64)), "{estimate:?}");
        // 4,096 latents and 4,900 patches of the image, and a few words.
        assert!((8_900..9_200).contains(&estimate.context_tokens), "{estimate:?}");
        assert_eq!(estimate.size, Some(square(1024)));
    }

    #[test]
    fn cpu_needs_more_memory_than_a_gpu() {
        let [cpu, gpu] = [Arithmetic::CPU, Arithmetic::GPU]
            .map(|device| official(device, Quantization::Bf16).estimate_largest_edit());
        assert!(beside_weights(&cpu) > beside_weights(&gpu));
        assert!(cpu.memory.weights_bytes > gpu.memory.weights_bytes * 19 / 10, "{cpu:?} {gpu:?}");
    }

    #[test]
    fn larger_requests_need_more_memory() {
        let estimator = official(Arithmetic::CPU, Quantization::Q8_0);
        let peak = |request: &Request, images: &[Size]| estimator.estimate(request, images).memory.peak_bytes;
        let [small, large] = [square(512), square(1024)];
        let edit_of = |size| edit(Some(size), Thinking::Off);
        assert!(peak(&edit_of(large), &[small]) > peak(&edit_of(small), &[small]));
        assert!(peak(&edit_of(small), &[large]) > peak(&edit_of(small), &[small]));
        assert!(peak(&edit_of(small), &[small, large]) > peak(&edit_of(small), &[small]));
        let planned = edit(Some(small), Thinking::Given { plan: "一".repeat(1000) });
        assert!(peak(&planned, &[small]) > peak(&edit_of(small), &[small]));
        assert!(peak(&chat("why?", 512), &[large]) > peak(&chat("why?", 512), &[]));
        assert!(peak(&chat("why?", 512), &[]) > peak(&chat("why?", 256), &[]));
        assert!(peak(&chat(&"一二三".repeat(2000), 512), &[]) > peak(&chat("一二三", 512), &[]));
    }

    #[test]
    fn edit_keeps_the_size_of_its_last_image() {
        let estimator = official(Arithmetic::GPU, Quantization::Q8_0);
        let images = [square(100), Size { width: 1600, height: 1200 }];
        let size_of = |chosen, images: &[Size]| estimator.estimate(&edit(chosen, Thinking::Off), images).size;
        assert_eq!(size_of(None, &images), Some(Size { width: 1024, height: 768 }));
        assert_eq!(size_of(None, &[]), Some(square(1024)));
        assert_eq!(size_of(Some(square(64)), &images), Some(square(64)));
    }

    #[test]
    fn largest_fitting_size_fits() {
        let estimator = official(Arithmetic::GPU, Quantization::Q4KM);
        let request = edit(Some(Size { width: 1024, height: 768 }), Thinking::Off);
        let memory = estimator.estimate(&request, &[]).memory;
        let max_bytes = memory.peak_bytes - 100_000_000;
        let size = estimator.largest_fitting_size(&request, &[], max_bytes).unwrap();
        assert!(estimator.estimate(&edit(Some(size), Thinking::Off), &[]).memory.peak_bytes <= max_bytes, "{size:?}");
        assert_eq!(estimator.largest_fitting_size(&request, &[], memory.weights_bytes), None);
        assert_eq!(estimator.largest_fitting_size(&chat("why?", 9), &[], 0), None);
    }

    #[test]
    fn smaller_sizes_keep_the_shape_and_the_grid() {
        let sizes: Vec<Size> = smaller_sizes(Size { width: 1024, height: 768 }, 16).collect();
        assert_eq!(sizes[0], Size { width: 896, height: 672 });
        assert!(sizes.iter().all(|size| size.width % 16 == 0 && size.height % 16 == 0 && size.height >= 128));
        assert_eq!(smaller_sizes(square(128), 16).count(), 0);
    }
}

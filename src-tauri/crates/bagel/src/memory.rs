//! What a request will need, before it runs and before a model is loaded.
//!
//! The estimate follows the code: weights as they are held, keys and values of
//! every context, the largest set of activations that a forward has at once,
//! and the largest that the autoencoder has. The peak is the first two and the
//! larger of the last two.

use checkpoint::working::{self, Arithmetic};
use checkpoint::{Checkpoint, Config, Kind, Part, Quantization, expected_tensors};
use protocol::{ImageParameters, MemoryEstimate, Size, TextParameters, Thinking};

use crate::Result;
use crate::decoder::MAX_MLP_ELEMENTS;
use crate::device::{DeviceChoice, Precision, best_precision};
use crate::engine::check_size;
use crate::guidance::Branches;
use crate::nn::MAX_SCORES;
use crate::reading::{PLAN_PROMPT, REASON_PROMPT};
use crate::tokens::Tokens;
use crate::transform::Rule;
use crate::vae::conv::MAX_COLUMN_BYTES;

/// One item of a conversation, as far as memory is concerned.
#[derive(Clone, Debug)]
pub enum PlannedItem {
    /// A text.
    Text(String),
    /// A picture of this size.
    Image(Size),
}

/// What a request will need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Bytes by part.
    pub memory: MemoryEstimate,
    /// Tokens of the conditional context.
    pub context_tokens: u32,
    /// Size of the picture that will be made.
    pub size: Option<Size>,
}

/// Estimates requests to one model on one kind of device.
#[derive(Debug)]
pub struct Planner {
    config: Config,
    tokens: Tokens,
    weights_bytes: u64,
    precision: Precision,
    is_cpu: bool,
    arithmetic: Arithmetic,
}

pub(crate) use checkpoint::working::OVERHEAD_BYTES;

// The limits that the arithmetic counts with are those that the code obeys.
const _: () = assert!(
    working::MAX_SCORES == MAX_SCORES as u64
        && working::MAX_MLP_ELEMENTS == MAX_MLP_ELEMENTS as u64
        && working::MAX_COLUMN_BYTES == MAX_COLUMN_BYTES as u64
);

/// Token counts and pictures of a request.
#[derive(Clone, Copy, Debug, Default)]
struct Reading {
    conditional_tokens: u64,
    text_tokens: u64,
    longest_item: u64,
    largest_picture: Option<Size>,
    last_picture: Option<Size>,
}

impl Planner {
    /// Plans for `checkpoint` in `precision`; only its headers and its tokenizer are read.
    ///
    /// # Errors
    /// [`crate::Error::Tokenizer`] when the tokenizer cannot be used.
    pub fn new(checkpoint: &Checkpoint, precision: Precision, is_cpu: bool) -> Result<Self> {
        Ok(Self {
            config: checkpoint.config().clone(),
            tokens: Tokens::load(checkpoint)?,
            weights_bytes: stored_bytes(checkpoint, precision, is_cpu),
            precision,
            is_cpu,
            arithmetic: arithmetic(precision, is_cpu),
        })
    }

    /// Plans for `checkpoint` on a device, in the type that the device computes best in.
    ///
    /// # Errors
    /// [`crate::Error::Device`] when the device is not there; else as [`Planner::new`].
    pub fn on(checkpoint: &Checkpoint, device: DeviceChoice) -> Result<Self> {
        let device = device.open()?;
        Self::new(checkpoint, best_precision(&device), device.is_cpu())
    }

    /// Plans for random weights of `config`.
    pub(crate) fn synthetic(
        config: &Config,
        quantization: Quantization,
        precision: Precision,
        is_cpu: bool,
    ) -> Result<Self> {
        Ok(Self {
            config: config.clone(),
            tokens: Tokens::synthetic()?,
            weights_bytes: planned_bytes(config, quantization, quantization, precision, is_cpu),
            precision,
            is_cpu,
            arithmetic: arithmetic(precision, is_cpu),
        })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn precision(&self) -> Precision {
        self.precision
    }

    pub(crate) fn is_cpu(&self) -> bool {
        self.is_cpu
    }

    /// What painting needs.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] when the size cannot be painted.
    pub fn image(
        &self,
        inputs: &[PlannedItem],
        thinking: &Thinking,
        image: &ImageParameters,
        text: &TextParameters,
    ) -> Result<Estimate> {
        let mut reading = self.reading(inputs, true)?;
        if *thinking != Thinking::Off {
            let n_prompt = self.text_tokens(PLAN_PROMPT)?;
            let n_thought = match thinking {
                Thinking::Given { thought } => self.text_tokens(thought)?,
                _ => u64::from(text.limit),
            };
            reading.conditional_tokens += n_prompt + n_thought;
            reading.text_tokens += n_prompt;
        }
        let rule =
            |t: &checkpoint::config::TransformConfig| Rule::new(t.max_size as u32, t.min_size as u32, t.stride as u32);
        let default_side = self.config.vae_transform.max_size.min(self.config.max_side()) as u32;
        let size = image
            .size
            .or(reading.last_picture.map(|size| rule(&self.config.vae_transform).resized_size(size)))
            .unwrap_or(Size { width: default_side, height: default_side });
        check_size(&self.config, size)?;
        let needed = Branches::needed(image, true);
        let has_own_image_branch =
            needed.without_image && (reading.last_picture.is_some() || *thinking != Thinking::Off);
        let n_branches = 1 + u64::from(needed.without_text) + u64::from(has_own_image_branch);
        let n_kept = reading.conditional_tokens + if has_own_image_branch { reading.text_tokens } else { 0 };
        let step = self.config.pixels_per_token() as u64;
        let n_latents = u64::from(size.width) / step * (u64::from(size.height) / step);
        let working_bytes = self
            .forward_bytes(n_branches, n_latents + 2, reading.conditional_tokens)
            .max(self.forward_bytes(1, reading.longest_item, reading.conditional_tokens));
        let vae_bytes = self.vae_bytes(size).max(reading.largest_picture.map_or(0, |size| self.vae_bytes(size)));
        Ok(self.estimate(n_kept, reading.conditional_tokens, working_bytes, vae_bytes, Some(size)))
    }

    /// What an answer needs.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] when the text's parameters are out of range.
    pub fn chat(&self, inputs: &[PlannedItem], think: bool, text: &TextParameters) -> Result<Estimate> {
        text.check()?;
        let mut reading = self.reading(inputs, false)?;
        if think {
            reading.conditional_tokens += self.text_tokens(REASON_PROMPT)?;
        }
        // A row of keys doubles its room while it grows.
        let n_tokens = reading.conditional_tokens + u64::from(text.limit);
        let working_bytes = self.forward_bytes(1, reading.longest_item, reading.conditional_tokens);
        Ok(self.estimate(n_tokens, reading.conditional_tokens, working_bytes, 0, None))
    }

    fn estimate(
        &self,
        n_kept: u64,
        context_tokens: u64,
        working_bytes: u64,
        vae_bytes: u64,
        size: Option<Size>,
    ) -> Estimate {
        let context_bytes = self.arithmetic.context_bytes(&self.config, n_kept);
        let peak_bytes = self.weights_bytes + context_bytes + working_bytes.max(vae_bytes) + OVERHEAD_BYTES;
        let memory =
            MemoryEstimate { weights_bytes: self.weights_bytes, context_bytes, working_bytes, vae_bytes, peak_bytes };
        Estimate { memory, context_tokens: context_tokens as u32, size }
    }

    fn text_tokens(&self, text: &str) -> Result<u64> {
        Ok(self.tokens.encode_plain(text)?.len() as u64 + 2)
    }

    fn reading(&self, inputs: &[PlannedItem], is_edit: bool) -> Result<Reading> {
        let (vae, vision) = (&self.config.vae_transform, &self.config.vision_transform);
        let vae_rule = Rule::new(vae.max_size as u32, vae.min_size as u32, vae.stride as u32);
        let vision_rule = Rule::new(vision.max_size as u32, vision.min_size as u32, vision.stride as u32);
        let mut reading = Reading::default();
        for item in inputs {
            match item {
                PlannedItem::Text(text) => {
                    let n = self.text_tokens(text)?;
                    reading.conditional_tokens += n;
                    reading.text_tokens += n;
                    reading.longest_item = reading.longest_item.max(n);
                }
                PlannedItem::Image(size) => {
                    let fitted = vae_rule.resized_size(*size);
                    let seen = vision_rule.resized_size(fitted);
                    let cells = |size: Size, side: usize| {
                        (u64::from(size.width) / side as u64) * (u64::from(size.height) / side as u64) + 2
                    };
                    let n_vision = cells(seen, self.config.vision.patch_size);
                    let n_latents = if is_edit { cells(fitted, self.config.pixels_per_token()) } else { 0 };
                    reading.conditional_tokens += n_vision + n_latents;
                    reading.longest_item = reading.longest_item.max(n_vision).max(n_latents);
                    reading.last_picture = Some(*size);
                    let area = |size: Size| u64::from(size.width) * u64::from(size.height);
                    if reading.largest_picture.is_none_or(|largest| area(fitted) > area(largest)) {
                        reading.largest_picture = Some(fitted);
                    }
                }
            }
        }
        Ok(reading)
    }

    fn forward_bytes(&self, n_branches: u64, rows: u64, context_tokens: u64) -> u64 {
        self.arithmetic.forward_bytes(&self.config, n_branches, rows, context_tokens)
    }

    fn vae_bytes(&self, size: Size) -> u64 {
        self.arithmetic.vae_bytes(&self.config.vae, u64::from(size.width) * u64::from(size.height))
    }
}

/// Bytes that the weights of `config` hold at a quantisation of each expert.
pub fn planned_bytes(
    config: &Config,
    understanding: Quantization,
    generation: Quantization,
    precision: Precision,
    is_cpu: bool,
) -> u64 {
    arithmetic(precision, is_cpu).planned_bytes(config, understanding, generation)
}

/// f16 is too narrow for the autoencoder, which then computes in 32 bits.
fn arithmetic(precision: Precision, is_cpu: bool) -> Arithmetic {
    let vae_element_bytes = if precision == Precision::BF16 { 2 } else { 4 };
    Arithmetic { element_bytes: precision.dtype().size_in_bytes() as u64, vae_element_bytes, is_cpu }
}

/// Bytes that the weights of a checkpoint will hold, told from its headers.
pub(crate) fn stored_bytes(checkpoint: &Checkpoint, precision: Precision, is_cpu: bool) -> u64 {
    let tensors: Vec<(Part, Kind, Vec<usize>)> = expected_tensors(checkpoint.config())
        .into_iter()
        .filter_map(|t| Some((t.part, checkpoint.tensor(&t.name)?.kind, t.shape)))
        .collect();
    let tensors = tensors.iter().map(|(part, kind, shape)| (*part, *kind, shape.as_slice()));
    arithmetic(precision, is_cpu).held_bytes(tensors)
}

impl Planner {
    /// The largest size of the same shape that fits into `most_bytes`.
    pub(crate) fn smaller_size(&self, estimate: &Estimate, size: Size, most_bytes: u64) -> Option<Size> {
        let step = self.config.pixels_per_token() as u32;
        let fixed_bytes = estimate.memory.weights_bytes + estimate.memory.context_bytes + OVERHEAD_BYTES;
        (1..8).rev().find_map(|eighths| {
            let scaled = |side: u32| (side * eighths / 8 / step * step).max(step);
            let smaller = Size { width: scaled(size.width), height: scaled(size.height) };
            let n_latents = u64::from(smaller.width / step) * u64::from(smaller.height / step);
            let working_bytes = self.forward_bytes(3, n_latents + 2, u64::from(estimate.context_tokens));
            let vae_bytes = self.vae_bytes(smaller);
            (smaller != size && fixed_bytes + working_bytes.max(vae_bytes) <= most_bytes).then_some(smaller)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_compared_by_what_their_largest_edit_is_planned_to_need() {
        let (config, quantization) = (Config::official(), Quantization::Q4KM);
        for (precision, is_cpu, arithmetic) in
            [(Precision::BF16, false, Arithmetic::GPU), (Precision::F32, true, Arithmetic::CPU)]
        {
            let planner = Planner::synthetic(&config, quantization, precision, is_cpu).unwrap();
            let size = Size { width: 1024, height: 1024 };
            let inputs = [PlannedItem::Image(size), PlannedItem::Text("sky".to_owned())];
            let image = ImageParameters { size: Some(size), ..ImageParameters::edit() };
            let planned = planner.image(&inputs, &Thinking::Off, &image, &TextParameters::thought()).unwrap();
            let compared =
                arithmetic.planned_bytes(&config, quantization, quantization) + arithmetic.largest_edit_bytes(&config);
            let planned = planned.memory.peak_bytes;
            // The instruction's length is all that may differ.
            assert!(compared >= planned && compared - planned < 32 << 20, "{compared} {planned}");
        }
    }
}

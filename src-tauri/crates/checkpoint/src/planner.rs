//! What a request will need, told from a model's headers before anything is loaded.
//!
//! The peak is the weights, and the largest of what is held beside them: keys
//! and values of every context with what the transformer or the decoder needs,
//! or the encoder before there is any context. Whoever asks says how many
//! tokens its texts have: the engine counts them, others guess.

use protocol::{ImageParameters, MemoryEstimate, Size};

use crate::working::{Arithmetic, OVERHEAD_BYTES};
use crate::{Checkpoint, Config};

/// Tokens of an prompt of some words, its markers counted.
const PROMPT_TOKENS: u64 = 32;

/// Tokens that mark the ends of an image.
const MARKERS: u64 = 2;

/// One item of a conversation, as far as memory is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlannedItem {
    /// A text of so many tokens, its markers counted.
    Text(u64),
    /// An image of this size.
    Image(Size),
}

/// A plan before painting, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanTokens {
    /// Of the sentence that asks for it.
    pub prompt_tokens: u64,
    /// Of the plan itself: as it is given, or as long as it may become.
    pub tokens: u64,
}

/// What a request will need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Bytes by part.
    pub memory: MemoryEstimate,
    /// Tokens of the conditional context.
    pub context_tokens: u32,
    /// Size of the image that will be made.
    pub size: Option<Size>,
}

/// Foresees requests to one model on one kind of device.
#[derive(Clone, Debug)]
pub struct Planner {
    config: Config,
    arithmetic: Arithmetic,
    weights_bytes: u64,
}

/// What a request reads, in tokens and pixels.
#[derive(Clone, Copy, Debug, Default)]
struct Reading {
    tokens: u64,
    /// Of these, what belongs to texts: guidance by the images keeps it once more.
    text_tokens: u64,
    longest_item: u64,
    n_images: usize,
    max_pixels: u64,
    last_image: Option<Size>,
}

impl Planner {
    /// Plans for weights of these shapes that hold `weights_bytes`.
    pub fn new(config: Config, arithmetic: Arithmetic, weights_bytes: u64) -> Self {
        Self { config, arithmetic, weights_bytes }
    }

    /// Plans for a checkpoint as it is stored.
    pub fn of(checkpoint: &Checkpoint, arithmetic: Arithmetic) -> Self {
        Self::new(checkpoint.config().clone(), arithmetic, arithmetic.stored_bytes(checkpoint))
    }

    /// Shapes of the model.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How the device computes.
    pub fn arithmetic(&self) -> Arithmetic {
        self.arithmetic
    }

    /// The size that is painted when none is chosen: the last image's as it is read, else the model's largest.
    pub fn size(&self, items: &[PlannedItem], chosen: Option<Size>) -> Size {
        let last = items.iter().rev().find_map(|item| match item {
            PlannedItem::Image(size) => Some(self.config.vae_transform.rule().resized_size(*size)),
            PlannedItem::Text(_) => None,
        });
        chosen.or(last).unwrap_or_else(|| {
            let side = self.config.vae_transform.max_size.min(self.config.max_side());
            let side = u32::try_from(side).unwrap_or(u32::MAX);
            Size { width: side, height: side }
        })
    }

    /// What painting needs.
    pub fn image(&self, items: &[PlannedItem], plan: Option<PlanTokens>, parameters: &ImageParameters) -> Estimate {
        let mut reading = self.reading(items, true);
        if let Some(plan) = plan {
            reading.tokens += plan.prompt_tokens + plan.tokens;
            reading.text_tokens += plan.prompt_tokens;
        }
        let size = self.size(items, parameters.size);
        let is_guided = parameters.text_guidance > 1.0;
        let has_image_branch =
            is_guided && parameters.image_guidance > 1.0 && (reading.last_image.is_some() || plan.is_some());
        let n_branches = 1 + u64::from(is_guided) + u64::from(has_image_branch);
        let n_kept = reading.tokens + if has_image_branch { reading.text_tokens } else { 0 };
        let working_bytes = self
            .forward_bytes(n_branches, self.latent_tokens(size), reading.tokens)
            .max(self.forward_bytes(1, reading.longest_item, reading.tokens));
        let decode_bytes = self.arithmetic.decode_bytes(&self.config.vae, area(size));
        let encode_bytes = match reading.max_pixels {
            0 => 0,
            pixels => self.arithmetic.encode_bytes(&self.config.vae, pixels),
        };
        let context_bytes = self.arithmetic.context_bytes(&self.config, n_kept);
        // A lone image is encoded before anything is kept of it.
        let before_bytes = if reading.n_images > 1 { context_bytes } else { 0 };
        let beside_bytes = (context_bytes + working_bytes.max(decode_bytes)).max(before_bytes + encode_bytes);
        let memory = MemoryEstimate {
            weights_bytes: self.weights_bytes,
            context_bytes,
            working_bytes,
            vae_bytes: decode_bytes.max(encode_bytes),
            peak_bytes: self.weights_bytes + beside_bytes + OVERHEAD_BYTES,
        };
        Estimate { memory, context_tokens: whole(reading.tokens), size: Some(size) }
    }

    /// What an answer of at most `limit` tokens needs, with `prompt_tokens` that ask for reasons first.
    pub fn chat(&self, items: &[PlannedItem], prompt_tokens: u64, limit: u64) -> Estimate {
        let reading = self.reading(items, false);
        let n_tokens = reading.tokens + prompt_tokens;
        let working_bytes = self.forward_bytes(1, reading.longest_item, n_tokens);
        let context_bytes = self.arithmetic.context_bytes(&self.config, n_tokens + limit);
        let memory = MemoryEstimate {
            weights_bytes: self.weights_bytes,
            context_bytes,
            working_bytes,
            vae_bytes: 0,
            peak_bytes: self.weights_bytes + context_bytes + working_bytes + OVERHEAD_BYTES,
        };
        Estimate { memory, context_tokens: whole(n_tokens), size: None }
    }

    /// What the largest request needs that a model serves: an edit of one image at full size.
    pub fn largest_edit(&self) -> Estimate {
        let side = u32::try_from(self.config.max_side()).unwrap_or(u32::MAX);
        let size = Size { width: side, height: side };
        let items = [PlannedItem::Image(size), PlannedItem::Text(PROMPT_TOKENS)];
        self.image(&items, None, &ImageParameters { size: Some(size), ..ImageParameters::edit() })
    }

    /// The largest size of the same shape that fits into `max_bytes`.
    pub fn smaller_size(&self, estimate: &Estimate, size: Size, max_bytes: u64) -> Option<Size> {
        let step = u32::try_from(self.config.pixels_per_token()).unwrap_or(u32::MAX);
        let fixed_bytes = estimate.memory.weights_bytes + estimate.memory.context_bytes + OVERHEAD_BYTES;
        (1..8).rev().find_map(|eighths| {
            let scaled = |side: u32| (side * eighths / 8 / step * step).max(step);
            let smaller = Size { width: scaled(size.width), height: scaled(size.height) };
            let n_tokens = u64::from(estimate.context_tokens);
            let working_bytes = self.forward_bytes(3, self.latent_tokens(smaller), n_tokens);
            let vae_bytes = self.arithmetic.decode_bytes(&self.config.vae, area(smaller));
            (smaller != size && fixed_bytes + working_bytes.max(vae_bytes) <= max_bytes).then_some(smaller)
        })
    }

    fn reading(&self, items: &[PlannedItem], is_edit: bool) -> Reading {
        let mut reading = Reading::default();
        for item in items {
            match *item {
                PlannedItem::Text(n_tokens) => {
                    reading.tokens += n_tokens;
                    reading.text_tokens += n_tokens;
                    reading.longest_item = reading.longest_item.max(n_tokens);
                }
                PlannedItem::Image(size) => {
                    let fitted = self.config.vae_transform.rule().resized_size(size);
                    let seen = self.config.vision_transform.rule().resized_size(fitted);
                    let n_vision = cells(seen, self.config.vision.patch_size) + MARKERS;
                    let n_latents = if is_edit { self.latent_tokens(fitted) } else { 0 };
                    reading.tokens += n_vision + n_latents;
                    reading.longest_item = reading.longest_item.max(n_vision).max(n_latents);
                    reading.n_images += 1;
                    reading.max_pixels = reading.max_pixels.max(area(fitted));
                    reading.last_image = Some(size);
                }
            }
        }
        reading
    }

    /// Tokens of an image's latents, their markers counted.
    fn latent_tokens(&self, size: Size) -> u64 {
        cells(size, self.config.pixels_per_token()) + MARKERS
    }

    fn forward_bytes(&self, n_branches: u64, rows: u64, context_tokens: u64) -> u64 {
        self.arithmetic.forward_bytes(&self.config, n_branches, rows, context_tokens)
    }
}

/// Squares of `side` pixels that an image is cut into.
fn cells(size: Size, side: usize) -> u64 {
    let side = side.max(1) as u64;
    (u64::from(size.width) / side) * (u64::from(size.height) / side)
}

fn whole(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn area(size: Size) -> u64 {
    u64::from(size.width) * u64::from(size.height)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quantization;

    fn official(arithmetic: Arithmetic, quantization: Quantization) -> Planner {
        let config = Config::official();
        let weights_bytes = arithmetic.planned_bytes(&config, quantization, quantization);
        Planner::new(config, arithmetic, weights_bytes)
    }

    fn beside_weights(estimate: &Estimate) -> u64 {
        estimate.memory.peak_bytes - estimate.memory.weights_bytes
    }

    #[test]
    fn a_full_edit_beside_the_published_weights_takes_what_is_planned_for() {
        let planner = official(Arithmetic::GPU, Quantization::Q4KM);
        let planned = planner.largest_edit();
        // 9,032 tokens of context are half a gigabyte, and the autoencoder's largest block is one at 1024².
        assert!((1.0e9..3.0e9).contains(&(beside_weights(&planned) as f64)), "{planned:?}");
        assert!((9.6e9..9.8e9).contains(&(planned.memory.weights_bytes as f64)), "{planned:?}");
        // 4,096 latents and 4,900 patches of the image, and a few words.
        assert!((8_900..9_200).contains(&planned.context_tokens), "{planned:?}");
    }

    #[test]
    fn the_processor_needs_more_than_a_card() {
        let [cpu, gpu] =
            [Arithmetic::CPU, Arithmetic::GPU].map(|device| official(device, Quantization::Bf16).largest_edit());
        assert!(beside_weights(&cpu) > beside_weights(&gpu));
        assert!(cpu.memory.weights_bytes > gpu.memory.weights_bytes * 19 / 10, "{cpu:?} {gpu:?}");
    }

    #[test]
    fn more_takes_more() {
        let planner = official(Arithmetic::CPU, Quantization::Q8_0);
        let [small, large] = [512, 1024].map(|side| Size { width: side, height: side });
        let peak = |items: &[PlannedItem], size, plan| {
            let parameters = ImageParameters { size: Some(size), ..ImageParameters::edit() };
            planner.image(items, plan, &parameters).memory.peak_bytes
        };
        let shown = |size| [PlannedItem::Image(size), PlannedItem::Text(9)];
        assert!(peak(&shown(small), large, None) > peak(&shown(small), small, None));
        assert!(peak(&shown(large), small, None) > peak(&shown(small), small, None));
        let plan = PlanTokens { prompt_tokens: 40, tokens: 1000 };
        assert!(peak(&shown(small), small, Some(plan)) > peak(&shown(small), small, None));
        let answer = |items: &[PlannedItem], limit| planner.chat(items, 0, limit).memory.peak_bytes;
        assert!(answer(&shown(large), 512) > answer(&[PlannedItem::Text(9)], 512));
        assert!(answer(&[], 512) > answer(&[], 256));
    }

    #[test]
    fn an_edit_keeps_the_size_of_its_last_image() {
        let planner = official(Arithmetic::GPU, Quantization::Q8_0);
        let size = |width, height| Size { width, height };
        let items = [PlannedItem::Image(size(100, 100)), PlannedItem::Image(size(1600, 1200)), PlannedItem::Text(9)];
        let edit = ImageParameters::edit();
        assert_eq!(planner.image(&items, None, &edit).size, Some(size(1024, 768)));
        assert_eq!(planner.image(&items[2..], None, &edit).size, Some(size(1024, 1024)));
        let chosen = ImageParameters { size: Some(size(64, 64)), ..edit };
        assert_eq!(planner.image(&items, None, &chosen).size, Some(size(64, 64)));
    }

    #[test]
    fn a_smaller_size_is_found_that_fits() {
        let planner = official(Arithmetic::GPU, Quantization::Q4KM);
        let size = Size { width: 1024, height: 768 };
        let parameters = ImageParameters { size: Some(size), ..ImageParameters::generate() };
        let wanted = planner.image(&[PlannedItem::Text(9)], None, &parameters);
        let max_bytes = wanted.memory.peak_bytes - 100_000_000;
        let smaller = planner.smaller_size(&wanted, size, max_bytes).unwrap();
        let parameters = ImageParameters { size: Some(smaller), ..parameters };
        assert!(
            planner.image(&[PlannedItem::Text(9)], None, &parameters).memory.peak_bytes <= max_bytes,
            "{smaller:?}"
        );
        assert_eq!(planner.smaller_size(&wanted, size, wanted.memory.weights_bytes), None);
    }
}

//! What the engine holds while it works: arithmetic on shapes, no tensors.
//!
//! The estimate follows the engine's code: weights as they are held, keys and
//! values of every context, the largest set of activations that a forward has
//! at once, and the largest that the autoencoder has. The engine's own planner
//! and whoever compares models before any is loaded use the same numbers.

use crate::config::VaeConfig;
use crate::{Config, Kind, Part, PlannedTensor, Quantization, plan};

/// Attention scores that exist at once, at most.
pub const MAX_SCORES: u64 = 32 << 20;

/// Numbers inside the feed-forward part that exist at once, at most.
pub const MAX_MLP_ELEMENTS: u64 = 64 << 20;

/// Bytes of columns that a convolution unfolds at once, at most.
pub const MAX_COLUMN_BYTES: u64 = 64 << 20;

/// Threads' stacks, the matrix kernels' packed blocks and the allocator's slack.
pub const OVERHEAD_BYTES: u64 = 32 << 20;

/// Tokens of an instruction of some words, its markers counted.
const INSTRUCTION_TOKENS: u64 = 32;

/// How a device computes, as far as memory is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arithmetic {
    /// Bytes of an activation, and of a weight that is not quantised.
    pub element_bytes: u64,
    /// Bytes of a number in the autoencoder.
    pub vae_element_bytes: u64,
    /// Whether the processor's own kernels multiply, which copy quantised matrices.
    pub is_cpu: bool,
}

impl Arithmetic {
    /// A graphics card that knows bf16.
    pub const GPU: Self = Self { element_bytes: 2, vae_element_bytes: 2, is_cpu: false };

    /// The processor.
    pub const CPU: Self = Self { element_bytes: 4, vae_element_bytes: 4, is_cpu: true };

    /// Whether attention scores exist beyond a core's cache: in 32 bits the processor never holds them.
    fn has_scores(&self, element_bytes: u64) -> bool {
        !(self.is_cpu && element_bytes == 4)
    }

    /// Bytes that weights of these parts, kinds and shapes hold.
    pub fn held_bytes<'a>(&self, tensors: impl Iterator<Item = (Part, Kind, &'a [usize])>) -> u64 {
        tensors
            .map(|(part, kind, shape)| {
                let n = shape.iter().map(|&extent| extent as u64).product::<u64>();
                // A table is never multiplied; the head is, by one row, which 6-bit tiles are not made for.
                let is_tiled = part != Part::Embeddings && !(part == Part::Head && kind == Kind::Q6K);
                match kind.is_quantized() {
                    true if self.is_cpu && is_tiled => kind.size_bytes(n) + repacked_bytes(kind, shape),
                    true => kind.size_bytes(n),
                    false if part == Part::Vae => n * self.vae_element_bytes,
                    false => n * self.element_bytes,
                }
            })
            .sum()
    }

    /// Bytes that the weights of `config` hold at a quantisation of each expert.
    pub fn planned_bytes(&self, config: &Config, understanding: Quantization, generation: Quantization) -> u64 {
        let planned: Vec<PlannedTensor> = plan(config, understanding, generation);
        self.held_bytes(planned.iter().map(|t| (t.part, t.kind, t.shape.as_slice())))
    }

    /// Bytes of keys and values of so many tokens.
    pub fn context_bytes(&self, config: &Config, n_tokens: u64) -> u64 {
        let text = &config.text;
        n_tokens * 2 * (text.n_layers * text.n_kv_heads * text.head_dim) as u64 * self.element_bytes
    }

    /// The larger of a layer's attention and its feed-forward part, over `rows` rows of each branch.
    pub fn forward_bytes(&self, config: &Config, n_branches: u64, rows: u64, context_tokens: u64) -> u64 {
        let text = &config.text;
        let (hidden, inner) = (text.hidden_size as u64, text.intermediate_size as u64);
        let kv = (text.n_kv_heads * text.head_dim) as u64;
        let all_rows = n_branches * rows;
        let n_keys = context_tokens + rows;
        // The processor's attention takes segments as they lie; others join them first.
        let (scores, joined) = match self.has_scores(self.element_bytes) {
            true => ((text.n_heads as u64 * rows * n_keys).min(MAX_SCORES), 2 * n_keys * kv),
            false => (0, 0),
        };
        // Residual, normed copy, queries of all branches; one branch's queries twice; joined keys; output.
        let attention = (3 * all_rows * hidden + 2 * all_rows * kv + 3 * rows * hidden + joined) * self.element_bytes
            + scores * (4 + 4);
        let turn = (MAX_MLP_ELEMENTS / inner.max(1)).min(all_rows);
        let feed_forward = (3 * all_rows * hidden + 3 * turn * inner + turn * hidden) * self.element_bytes;
        attention.max(feed_forward)
    }

    /// The most that a residual block or an upsampling of the decoder (the larger half) holds at once.
    pub fn vae_bytes(&self, vae: &VaeConfig, n_pixels: u64) -> u64 {
        let mut channels_in = vae.level_channels(vae.ch_mult.len().saturating_sub(1)) as u64;
        let mut most = 0;
        let mut columns_bytes = 0;
        for level_idx in (0..vae.ch_mult.len()).rev() {
            let pixels = n_pixels >> (2 * level_idx);
            let channels = vae.level_channels(level_idx) as u64;
            // Input, the first convolution's output and the second's.
            most = most.max((channels_in + 2 * channels) * pixels).max(3 * channels * pixels);
            if level_idx > 0 {
                most = most.max(channels * pixels + channels * pixels * 4);
            }
            columns_bytes = columns_bytes.max(channels_in.max(channels) * 9 * pixels * self.vae_element_bytes);
            channels_in = channels;
        }
        let columns_bytes = columns_bytes.min(MAX_COLUMN_BYTES);
        let pixels = n_pixels >> (2 * vae.ch_mult.len().saturating_sub(1));
        let scores = if self.has_scores(self.vae_element_bytes) { (pixels * pixels).min(MAX_SCORES) * 8 } else { 0 };
        (most * self.vae_element_bytes + 2 * columns_bytes)
            .max(scores + 4 * pixels * channels_in * self.vae_element_bytes)
    }

    /// Bytes beside the weights for the largest request that a model serves: an edit of one picture at full size.
    pub fn largest_edit_bytes(&self, config: &Config) -> u64 {
        let side = config.max_side() as u64;
        let square = |side: u64, cell: usize| (side / cell.max(1) as u64).pow(2);
        let fitted = fitted_side(&config.vae_transform, side);
        let seen = fitted_side(&config.vision_transform, fitted);
        let n_vision = square(seen, config.vision.patch_size) + 2;
        let n_latents = square(fitted, config.pixels_per_token()) + 2;
        let n_painted = square(side, config.pixels_per_token()) + 2;
        let n_context = INSTRUCTION_TOKENS + n_vision + n_latents;
        // Guided by the text and by the picture: three branches, of which the third keeps the text once more.
        let context = self.context_bytes(config, n_context + INSTRUCTION_TOKENS);
        let working = self.forward_bytes(config, 3, n_painted, n_context).max(self.forward_bytes(
            config,
            1,
            n_vision.max(n_latents),
            n_context,
        ));
        let vae = self.vae_bytes(&config.vae, side.max(fitted).pow(2));
        context + working.max(vae) + OVERHEAD_BYTES
    }
}

/// The side that a square picture is brought to, at most.
fn fitted_side(rule: &crate::config::TransformConfig, side: u64) -> u64 {
    let (max, min, stride) = (rule.max_size as u64, rule.min_size as u64, rule.stride.max(1) as u64);
    side.clamp(min.min(max), max).next_multiple_of(stride).min(max.max(stride))
}

/// The second copy of a matrix that the CPU's kernels lay out for themselves at first use.
///
/// Tiles of 16 rows by 256 numbers; from `repack_x86.rs` of candle 0.11.1.
fn repacked_bytes(kind: Kind, shape: &[usize]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        let &[n_out, n_in] = shape else { return 0 };
        let has_vnni = std::arch::is_x86_feature_detected!("avx512vnni");
        if !std::arch::is_x86_feature_detected!("avx2") || !n_out.is_multiple_of(16) || !n_in.is_multiple_of(256) {
            return 0;
        }
        let tiles = (n_out / 16 * (n_in / 256)) as u64;
        match kind {
            Kind::Q4K => tiles * 3072,
            Kind::Q6K => tiles * 5120,
            Kind::Q8_0 if has_vnni => tiles * 8 * 544,
            _ => 0,
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        // Other processors' kernels repack to the same size.
        let n = shape.iter().map(|&extent| extent as u64).product::<u64>();
        if cfg!(target_arch = "aarch64") { kind.size_bytes(n) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_edit_beside_the_published_weights_takes_what_is_planned_for() {
        let official = Config::official();
        let beside = Arithmetic::GPU.largest_edit_bytes(&official);
        // 9,032 tokens of context are half a gigabyte, and the autoencoder's largest block is two at 1024².
        assert!((1.0e9..3.0e9).contains(&(beside as f64)), "{beside}");
        let q4 = Arithmetic::GPU.planned_bytes(&official, Quantization::Q4KM, Quantization::Q4KM);
        assert!((9.6e9..9.8e9).contains(&(q4 as f64)), "{q4}");
    }

    #[test]
    fn the_processor_needs_more_than_a_card() {
        let official = Config::official();
        assert!(Arithmetic::CPU.largest_edit_bytes(&official) > Arithmetic::GPU.largest_edit_bytes(&official));
        let [cpu, gpu] = [Arithmetic::CPU, Arithmetic::GPU]
            .map(|device| device.planned_bytes(&official, Quantization::Bf16, Quantization::Bf16));
        assert!(cpu > gpu * 19 / 10, "{cpu} {gpu}");
    }
}

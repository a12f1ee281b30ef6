//! What the engine holds while it works: arithmetic on shapes, no tensors.
//!
//! The numbers follow the engine's code: weights as they are held, keys and
//! values of every context, the largest set of activations that a forward has
//! at once, and the largest that the autoencoder has. A
//! [`Planner`](crate::Planner) puts them together for a request.

use crate::config::VaeConfig;
use crate::{Checkpoint, Config, Kind, Part, PlannedTensor, Quantization, expected_tensors, plan};

/// Attention scores that exist at once, at most.
pub const MAX_SCORES: u64 = 32 << 20;

/// Numbers inside the feed-forward part that exist at once, at most.
pub const MAX_MLP_ELEMENTS: u64 = 64 << 20;

/// Bytes of columns that a convolution unfolds at once, at most.
pub const MAX_COLUMN_BYTES: u64 = 64 << 20;

/// Threads' stacks, the matrix kernels' packed blocks and the allocator's slack.
pub const OVERHEAD_BYTES: u64 = 16 << 20;

/// Channels of an image.
const RGB: u64 = 3;

/// How a device computes, as far as memory is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arithmetic {
    /// Bytes of an activation, and of a weight that is not quantized.
    pub element_bytes: u64,
    /// Bytes of a number in the autoencoder.
    pub vae_element_bytes: u64,
    /// Whether the processor's own kernels multiply, which copy quantized matrices.
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

    /// Bytes that the weights of `config` hold at a quantization of each expert.
    pub fn planned_bytes(&self, config: &Config, understanding: Quantization, generation: Quantization) -> u64 {
        let planned: Vec<PlannedTensor> = plan(config, understanding, generation);
        self.held_bytes(planned.iter().map(|t| (t.part, t.kind, t.shape.as_slice())))
    }

    /// Bytes that the weights of a checkpoint will hold, told from its headers.
    pub fn stored_bytes(&self, checkpoint: &Checkpoint) -> u64 {
        let tensors: Vec<(Part, Kind, Vec<usize>)> = expected_tensors(checkpoint.config())
            .into_iter()
            .filter_map(|tensor| Some((tensor.part, checkpoint.tensor(&tensor.name)?.kind, tensor.shape)))
            .collect();
        self.held_bytes(tensors.iter().map(|(part, kind, shape)| (*part, *kind, shape.as_slice())))
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

    /// The most that decoding an image of so many pixels holds at once.
    pub fn decode_bytes(&self, vae: &VaeConfig, n_pixels: u64) -> u64 {
        let lowest = vae.ch_mult.len().saturating_sub(1);
        let mut channels = vae.level_channels(lowest) as u64;
        let mut most = self.middle_bytes(channels, n_pixels >> (2 * lowest));
        for level_idx in (0..=lowest).rev() {
            let pixels = n_pixels >> (2 * level_idx);
            let wider = channels;
            channels = vae.level_channels(level_idx) as u64;
            most = most.max(self.block_bytes(wider, channels, pixels));
            if level_idx > 0 {
                most = most.max(self.conv_bytes(channels * pixels, channels, channels, 4 * pixels));
            }
        }
        most
    }

    /// The most that encoding an image of so many pixels holds at once.
    pub fn encode_bytes(&self, vae: &VaeConfig, n_pixels: u64) -> u64 {
        let lowest = vae.ch_mult.len().saturating_sub(1);
        let mut channels = vae.ch as u64;
        let mut most = self.conv_bytes(RGB * n_pixels, RGB, channels, n_pixels);
        for level_idx in 0..=lowest {
            let pixels = n_pixels >> (2 * level_idx);
            let narrower = channels;
            channels = vae.level_channels(level_idx) as u64;
            most = most.max(self.block_bytes(narrower, channels, pixels));
            if level_idx < lowest {
                most = most.max(self.conv_bytes(channels * pixels, channels, channels, pixels / 4));
            }
        }
        most.max(self.middle_bytes(channels, n_pixels >> (2 * lowest)))
    }

    /// A residual block: its input is kept while two convolutions follow one another, and added at the end.
    fn block_bytes(&self, n_in: u64, n_out: u64, pixels: u64) -> u64 {
        let first = self.conv_bytes(n_in * pixels, n_in, n_out, pixels);
        // The shortcut, with its bias where it is a convolution, and both together.
        let n_added = if n_in == n_out { 1 } else { 3 };
        first.max(self.strips_bytes((n_in + n_out) * pixels, n_out, n_out, pixels, n_added))
    }

    /// A convolution beside `n_held` numbers: its output, and a strip of what it is multiplied from.
    fn conv_bytes(&self, n_held: u64, n_in: u64, n_out: u64, pixels: u64) -> u64 {
        self.strips_bytes(n_held, n_in, n_out, pixels, 0)
    }

    /// The same where each strip of the output is there `n_added` times more.
    fn strips_bytes(&self, n_held: u64, n_in: u64, n_out: u64, pixels: u64, n_added: u64) -> u64 {
        let columns = (n_in * 9 * pixels * self.vae_element_bytes).min(MAX_COLUMN_BYTES);
        // The processor's strips: the columns and their product, then that and the same with its bias.
        // A device's own convolution copies the strip's rows several times and unfolds them itself.
        let product = columns * n_out / (9 * n_in);
        let strip = if self.is_cpu { (columns + product).max((2 + n_added) * product) } else { 2 * columns };
        (n_held + n_out * pixels) * self.vae_element_bytes + strip
    }

    /// The attention over the smallest activations: input, normed, queries, keys, values and output.
    fn middle_bytes(&self, channels: u64, pixels: u64) -> u64 {
        let scores = if self.has_scores(self.vae_element_bytes) { (pixels * pixels).min(MAX_SCORES) * 8 } else { 0 };
        (6 * channels * pixels * self.vae_element_bytes + scores).max(self.block_bytes(channels, channels, pixels))
    }
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

//! Memory of the engine's stages, computed from shapes alone.
//!
//! The numbers follow the engine's code: weights as they are held, keys and values of every context, the largest
//! set of activations that one forward pass has at once, and the largest that the autoencoder has. The engine
//! imports the limits below, so that an estimate and a run agree.

use crate::config::VaeConfig;
use crate::{Checkpoint, Config, Kind, Part, PlannedTensor, Quantization, expected_tensors, plan};

/// Most attention scores that exist at once.
pub const MAX_SCORES: usize = 32 << 20;

/// Most numbers of one intermediate of the feed-forward layer that exist at once.
pub const MAX_MLP_ELEMENTS: usize = 64 << 20;

/// Most bytes of columns that a convolution unfolds at once.
pub const MAX_COLUMN_BYTES: usize = 64 << 20;

/// Memory that no stage accounts for: threads' stacks, packed blocks of the matrix kernels, and the allocator's slack.
pub const OVERHEAD_BYTES: u64 = 16 << 20;

/// The properties of a device's arithmetic that decide how much memory it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arithmetic {
    /// Bytes of an activation, and of a weight that is not quantized.
    pub element_bytes: u64,
    /// Bytes of a number in the autoencoder.
    pub vae_element_bytes: u64,
    /// Whether the CPU kernels run, which keep a second copy of quantized matrices.
    pub is_cpu: bool,
}

impl Arithmetic {
    /// A GPU that computes in bf16.
    pub const GPU: Self = Self { element_bytes: 2, vae_element_bytes: 2, is_cpu: false };

    /// The CPU, which computes in f32.
    pub const CPU: Self = Self { element_bytes: 4, vae_element_bytes: 4, is_cpu: true };

    /// Whether attention scores are stored in memory; the fused f32 attention of the CPU keeps them in cache.
    fn has_scores(&self, element_bytes: u64) -> bool {
        !(self.is_cpu && element_bytes == 4)
    }

    /// Bytes of loaded weights of these parts, kinds and shapes.
    fn weights_bytes<'a>(&self, tensors: impl Iterator<Item = (Part, Kind, &'a [usize])>) -> u64 {
        tensors
            .map(|(part, kind, shape)| {
                let n = shape.iter().map(|&extent| extent as u64).product::<u64>();
                // The embedding table is never multiplied; the head is multiplied by one row, for which Q6_K has no tiles.
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

    /// Bytes of the loaded weights of `config` at a quantization of each expert.
    pub fn planned_bytes(&self, config: &Config, understanding: Quantization, generation: Quantization) -> u64 {
        let planned: Vec<PlannedTensor> = plan(config, understanding, generation);
        self.weights_bytes(planned.iter().map(|t| (t.part, t.kind, t.shape.as_slice())))
    }

    /// Bytes that the weights of a checkpoint will take once loaded; only its headers are read.
    pub fn stored_bytes(&self, checkpoint: &Checkpoint) -> u64 {
        let tensors: Vec<(Part, Kind, Vec<usize>)> = expected_tensors(checkpoint.config())
            .into_iter()
            .filter_map(|tensor| Some((tensor.part, checkpoint.tensor(&tensor.name)?.kind, tensor.shape)))
            .collect();
        self.weights_bytes(tensors.iter().map(|(part, kind, shape)| (*part, *kind, shape.as_slice())))
    }

    /// Bytes of the keys and values of `n_tokens`.
    pub fn context_bytes(&self, config: &Config, n_tokens: u64) -> u64 {
        let text = &config.text;
        n_tokens * 2 * (text.n_layers * text.n_kv_heads * text.head_dim) as u64 * self.element_bytes
    }

    /// Bytes of the larger of a layer's attention and feed-forward, over `rows` rows of each guidance branch.
    pub fn forward_bytes(&self, config: &Config, n_branches: u64, rows: u64, context_tokens: u64) -> u64 {
        let text = &config.text;
        let (hidden, inner) = (text.hidden_size as u64, text.intermediate_size as u64);
        let kv = (text.n_kv_heads * text.head_dim) as u64;
        let all_rows = n_branches * rows;
        let n_keys = context_tokens + rows;
        // The fused attention of the CPU reads segments in place; other devices concatenate them first.
        let (scores, joined) = match self.has_scores(self.element_bytes) {
            true => ((text.n_heads as u64 * rows * n_keys).min(MAX_SCORES as u64), 2 * n_keys * kv),
            false => (0, 0),
        };
        // Residual, normed copy and queries of all branches; queries of one branch twice; joined keys; output.
        let attention = (3 * all_rows * hidden + 2 * all_rows * kv + 3 * rows * hidden + joined) * self.element_bytes
            + scores * (4 + 4);
        let turn = (MAX_MLP_ELEMENTS as u64 / inner.max(1)).min(all_rows);
        let feed_forward = (3 * all_rows * hidden + 3 * turn * inner + turn * hidden) * self.element_bytes;
        attention.max(feed_forward)
    }

    /// Peak bytes of decoding an image of `n_pixels`.
    pub fn decode_bytes(&self, vae: &VaeConfig, n_pixels: u64) -> u64 {
        let lowest = vae.ch_mult.len().saturating_sub(1);
        let mut channels = vae.level_channels(lowest) as u64;
        let mut peak = self.middle_bytes(channels, n_pixels >> (2 * lowest));
        for level_idx in (0..=lowest).rev() {
            let pixels = n_pixels >> (2 * level_idx);
            let wider = channels;
            channels = vae.level_channels(level_idx) as u64;
            peak = peak.max(self.block_bytes(wider, channels, pixels));
            if level_idx > 0 {
                peak = peak.max(self.conv_bytes(channels * pixels, channels, channels, 4 * pixels));
            }
        }
        peak
    }

    /// Peak bytes of encoding an image of `n_pixels`.
    pub fn encode_bytes(&self, vae: &VaeConfig, n_pixels: u64) -> u64 {
        let lowest = vae.ch_mult.len().saturating_sub(1);
        let mut channels = vae.ch as u64;
        let mut peak = self.conv_bytes(3 * n_pixels, 3, channels, n_pixels);
        for level_idx in 0..=lowest {
            let pixels = n_pixels >> (2 * level_idx);
            let narrower = channels;
            channels = vae.level_channels(level_idx) as u64;
            peak = peak.max(self.block_bytes(narrower, channels, pixels));
            if level_idx < lowest {
                peak = peak.max(self.conv_bytes(channels * pixels, channels, channels, pixels / 4));
            }
        }
        peak.max(self.middle_bytes(channels, n_pixels >> (2 * lowest)))
    }

    /// A residual block: its input stays in memory during two convolutions and is added at the end.
    fn block_bytes(&self, n_in: u64, n_out: u64, pixels: u64) -> u64 {
        let first = self.conv_bytes(n_in * pixels, n_in, n_out, pixels);
        // The shortcut (with its bias if it is a convolution) and the sum.
        let n_added = if n_in == n_out { 1 } else { 3 };
        first.max(self.strips_bytes((n_in + n_out) * pixels, n_out, n_out, pixels, n_added))
    }

    /// A convolution beside `n_held` numbers: its output, and a strip of what it is multiplied from.
    fn conv_bytes(&self, n_held: u64, n_in: u64, n_out: u64, pixels: u64) -> u64 {
        self.strips_bytes(n_held, n_in, n_out, pixels, 0)
    }

    /// The same, with `n_added` further copies of each strip of the output.
    fn strips_bytes(&self, n_held: u64, n_in: u64, n_out: u64, pixels: u64, n_added: u64) -> u64 {
        let columns = (n_in * 9 * pixels * self.vae_element_bytes).min(MAX_COLUMN_BYTES as u64);
        // On the CPU a strip is its columns and their product, then the product and its sum with the bias.
        // A GPU's convolution copies the strip's rows several times and unfolds them itself.
        let product = columns * n_out / (9 * n_in);
        let strip = if self.is_cpu { (columns + product).max((2 + n_added) * product) } else { 2 * columns };
        (n_held + n_out * pixels) * self.vae_element_bytes + strip
    }

    /// The attention over the smallest activations: input, normed, queries, keys, values and output.
    fn middle_bytes(&self, channels: u64, pixels: u64) -> u64 {
        let scores =
            if self.has_scores(self.vae_element_bytes) { (pixels * pixels).min(MAX_SCORES as u64) * 8 } else { 0 };
        (6 * channels * pixels * self.vae_element_bytes + scores).max(self.block_bytes(channels, channels, pixels))
    }
}

/// Bytes of the second copy of a matrix that the CPU kernels lay out at first use.
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
        // The aarch64 kernels repack to the same size; others do not repack.
        let n = shape.iter().map(|&extent| extent as u64).product::<u64>();
        if cfg!(target_arch = "aarch64") { kind.size_bytes(n) } else { 0 }
    }
}

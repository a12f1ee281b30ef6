//! The shapes of a very small model. Whoever tests with model files includes this one.

use checkpoint::Config;
use checkpoint::config::{LatentConfig, TextConfig, TransformConfig, VaeConfig, VisionConfig};

/// A model with so many words that no arithmetic could use; with many words almost all of its bytes are those.
pub(crate) fn config(vocab_size: usize) -> Config {
    Config {
        text: TextConfig {
            hidden_size: 32,
            intermediate_size: 64,
            n_layers: 2,
            n_heads: 2,
            n_kv_heads: 1,
            head_dim: 16,
            vocab_size,
            rope_theta: 1e6,
            rms_norm_eps: 1e-6,
        },
        vision: VisionConfig {
            hidden_size: 32,
            intermediate_size: 48,
            n_layers: 1,
            n_heads: 2,
            patch_size: 2,
            layer_norm_eps: 1e-6,
            n_channels: 3,
            n_positions: 4,
        },
        latent: LatentConfig { patch_size: 2, grid_side: 2, channels: 4, downsample: 2 },
        vision_grid_side: 2,
        vae: VaeConfig {
            ch: 4,
            ch_mult: vec![1, 2],
            n_res_blocks: 1,
            z_channels: 4,
            in_channels: 3,
            out_ch: 3,
            scale_factor: 0.3611,
            shift_factor: 0.1159,
            downsample: 2,
        },
        vae_transform: TransformConfig { max_size: 8, min_size: 4, stride: 4 },
        vision_transform: TransformConfig { max_size: 4, min_size: 2, stride: 2 },
    }
}

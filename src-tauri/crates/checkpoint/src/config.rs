//! The shapes of a model.
//!
//! [`Config`] is what the rest of the program sees: one document, complete
//! and checked, whatever the files said. Reading the published files with
//! their gaps and their overrides is in [`read`].

pub mod read;

use serde::{Deserialize, Serialize};

/// The language model with its two experts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextConfig {
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width inside the MLP.
    pub intermediate_size: usize,
    /// Layers.
    pub n_layers: usize,
    /// Heads of the queries.
    pub n_heads: usize,
    /// Heads of keys and values.
    pub n_kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Base of the rotary positions.
    pub rope_theta: f64,
    /// Epsilon of the RMS norms.
    pub rms_norm_eps: f64,
}

/// The vision transformer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VisionConfig {
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width inside the MLP.
    pub intermediate_size: usize,
    /// Layers that are used, one less than the published file says.
    pub n_layers: usize,
    /// Heads.
    pub n_heads: usize,
    /// Pixels along the side of a patch.
    pub patch_size: usize,
    /// Epsilon of the layer norms.
    pub layer_norm_eps: f64,
    /// Channels of a pixel.
    pub n_channels: usize,
    /// Rows of the position table; the grid of [`Config::vision_grid_side`] fits in.
    pub n_positions: usize,
}

/// How latents become tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatentConfig {
    /// Latent pixels along the side of a token.
    pub patch_size: usize,
    /// Tokens along the side of the position grid.
    pub grid_side: usize,
    /// Channels of a latent pixel.
    pub channels: usize,
    /// Image pixels along the side of a latent pixel.
    pub downsample: usize,
}

/// The autoencoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VaeConfig {
    /// Channels of the first level.
    pub ch: usize,
    /// Channels of each level, as multiples of `ch`.
    pub ch_mult: Vec<usize>,
    /// Residual blocks a level in the encoder; the decoder has one more.
    pub n_res_blocks: usize,
    /// Channels of the latents.
    pub z_channels: usize,
    /// Channels of the image read.
    pub in_channels: usize,
    /// Channels of the image written.
    pub out_ch: usize,
    /// Factor on the latents.
    pub scale_factor: f64,
    /// What is subtracted from the latents before the factor.
    pub shift_factor: f64,
    /// Image pixels along the side of a latent pixel.
    pub downsample: usize,
}

/// The limits that an image is resized to before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransformConfig {
    /// Longest side, in pixels.
    pub max_size: usize,
    /// Shortest side, in pixels.
    pub min_size: usize,
    /// Both sides become multiples of it.
    pub stride: usize,
}

/// A whole model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// The language model.
    pub text: TextConfig,
    /// The vision transformer.
    pub vision: VisionConfig,
    /// Tokens of images to be painted.
    pub latent: LatentConfig,
    /// Patches along the side of the position grid of images to be seen.
    pub vision_grid_side: usize,
    /// The autoencoder.
    pub vae: VaeConfig,
    /// Resizing before the autoencoder.
    pub vae_transform: TransformConfig,
    /// Resizing before the vision transformer.
    pub vision_transform: TransformConfig,
}

/// Numbers of the sinusoids that embed a timestep.
pub const TIMESTEP_FREQUENCIES: usize = 256;

impl Config {
    /// BAGEL-7B-MoT as published.
    pub fn official() -> Self {
        Self {
            text: TextConfig {
                hidden_size: 3584,
                intermediate_size: 18944,
                n_layers: 28,
                n_heads: 28,
                n_kv_heads: 4,
                head_dim: 128,
                vocab_size: 152_064,
                rope_theta: 1e6,
                rms_norm_eps: 1e-6,
            },
            vision: VisionConfig {
                hidden_size: 1152,
                intermediate_size: 4304,
                n_layers: 26,
                n_heads: 16,
                patch_size: 14,
                layer_norm_eps: 1e-6,
                n_channels: 3,
                n_positions: 4900,
            },
            latent: LatentConfig { patch_size: 2, grid_side: 64, channels: 16, downsample: 8 },
            vision_grid_side: 70,
            vae: VaeConfig {
                ch: 128,
                ch_mult: vec![1, 2, 4, 4],
                n_res_blocks: 2,
                z_channels: 16,
                in_channels: 3,
                out_ch: 3,
                scale_factor: 0.3611,
                shift_factor: 0.1159,
                downsample: 8,
            },
            vae_transform: TransformConfig { max_size: 1024, min_size: 512, stride: 16 },
            vision_transform: TransformConfig { max_size: 980, min_size: 224, stride: 14 },
        }
    }

    /// Numbers of one latent token.
    pub fn latent_token_dim(&self) -> usize {
        self.latent.patch_size * self.latent.patch_size * self.latent.channels
    }

    /// Image pixels along the side of a latent token; sizes are multiples of it.
    pub fn pixels_per_token(&self) -> usize {
        self.latent.patch_size * self.latent.downsample
    }

    /// Longest side of an image that the position grid holds, in pixels.
    pub fn max_side(&self) -> usize {
        self.latent.grid_side * self.pixels_per_token()
    }

    /// Checks that the numbers fit each other and are of a size that can be meant.
    ///
    /// The error names the key and what is wrong with it.
    pub fn validate(&self) -> std::result::Result<(), (&'static str, String)> {
        let (text, vision, vae) = (&self.text, &self.vision, &self.vae);
        let sizes = [
            ("text.hidden_size", text.hidden_size, 1 << 17),
            ("text.intermediate_size", text.intermediate_size, 1 << 20),
            ("text.n_layers", text.n_layers, 512),
            ("text.n_heads", text.n_heads, 1024),
            ("text.n_kv_heads", text.n_kv_heads, 1024),
            ("text.head_dim", text.head_dim, 4096),
            ("text.vocab_size", text.vocab_size, 1 << 24),
            ("vision.hidden_size", vision.hidden_size, 1 << 17),
            ("vision.intermediate_size", vision.intermediate_size, 1 << 20),
            ("vision.n_layers", vision.n_layers, 512),
            ("vision.n_heads", vision.n_heads, 1024),
            ("vision.patch_size", vision.patch_size, 256),
            ("vision.n_channels", vision.n_channels, 64),
            ("vision.n_positions", vision.n_positions, 1 << 24),
            ("vision_grid_side", self.vision_grid_side, 4096),
            ("latent.patch_size", self.latent.patch_size, 64),
            ("latent.grid_side", self.latent.grid_side, 4096),
            ("latent.channels", self.latent.channels, 4096),
            ("latent.downsample", self.latent.downsample, 256),
            ("vae.ch", vae.ch, 1 << 14),
            ("vae.n_res_blocks", vae.n_res_blocks, 16),
            ("vae.z_channels", vae.z_channels, 4096),
            ("vae.in_channels", vae.in_channels, 64),
            ("vae.out_ch", vae.out_ch, 64),
            ("vae.ch_mult", vae.ch_mult.len(), 8),
            ("vae_transform.max_size", self.vae_transform.max_size, 1 << 16),
            ("vae_transform.min_size", self.vae_transform.min_size, self.vae_transform.max_size),
            ("vae_transform.stride", self.vae_transform.stride, 4096),
            ("vision_transform.max_size", self.vision_transform.max_size, 1 << 16),
            ("vision_transform.min_size", self.vision_transform.min_size, self.vision_transform.max_size),
            ("vision_transform.stride", self.vision_transform.stride, 4096),
        ];
        for (key, value, most) in sizes {
            if value == 0 || value > most {
                return Err((key, format!("{value} is not within 1 to {most}")));
            }
        }
        for multiple in &vae.ch_mult {
            if *multiple == 0 || *multiple > 64 {
                return Err(("vae.ch_mult", format!("{multiple} is not within 1 to 64")));
            }
        }
        let positive = [
            ("text.rope_theta", text.rope_theta),
            ("text.rms_norm_eps", text.rms_norm_eps),
            ("vision.layer_norm_eps", vision.layer_norm_eps),
            ("vae.scale_factor", vae.scale_factor),
        ];
        for (key, value) in positive {
            if !(value.is_finite() && value > 0.0) {
                return Err((key, format!("{value} is not a positive number")));
            }
        }
        if !vae.shift_factor.is_finite() {
            return Err(("vae.shift_factor", "not a number".to_owned()));
        }
        let multiples = [
            ("text.n_heads", text.n_heads, text.n_kv_heads, "the key/value heads"),
            ("text.head_dim", text.head_dim, 2, "2"),
            ("vision.hidden_size", vision.hidden_size, vision.n_heads, "the heads"),
        ];
        for (key, value, divisor, of) in multiples {
            if value % divisor != 0 {
                return Err((key, format!("{value} is not a multiple of {of} ({divisor})")));
            }
        }
        if vae.downsample != 1 << (vae.ch_mult.len() - 1) {
            return Err(("vae.downsample", format!("{} does not fit {} levels", vae.downsample, vae.ch_mult.len())));
        }
        if self.latent.channels != vae.z_channels || self.latent.downsample != vae.downsample {
            return Err(("latent", "differs from the autoencoder's latents".to_owned()));
        }
        if vision.n_positions < self.vision_grid_side * self.vision_grid_side {
            return Err((
                "vision.n_positions",
                format!("{} positions do not hold a grid of side {}", vision.n_positions, self.vision_grid_side),
            ));
        }
        Ok(())
    }
}

impl VisionConfig {
    /// Width of a head.
    pub fn head_dim(&self) -> usize {
        self.hidden_size / self.n_heads.max(1)
    }

    /// Numbers of one patch of pixels.
    pub fn patch_dim(&self) -> usize {
        self.patch_size * self.patch_size * self.n_channels
    }
}

impl VaeConfig {
    /// Channels of a level.
    pub fn level_channels(&self, level: usize) -> usize {
        self.ch * self.ch_mult.get(level).copied().unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn official_shapes_are_valid_and_survive_json() {
        let official = Config::official();
        assert_eq!(official.validate(), Ok(()));
        assert_eq!(official.latent_token_dim(), 64);
        assert_eq!(official.max_side(), 1024);
        let text = serde_json::to_string(&official).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), official);
    }

    #[test]
    fn numbers_that_cannot_be_meant_are_named() {
        let mut config = Config::official();
        config.text.n_layers = 1 << 40;
        assert_eq!(config.validate().unwrap_err().0, "text.n_layers");
        let mut config = Config::official();
        config.vae.scale_factor = f64::NAN;
        assert_eq!(config.validate().unwrap_err().0, "vae.scale_factor");
        let mut config = Config::official();
        config.text.n_kv_heads = 3;
        assert_eq!(config.validate().unwrap_err().0, "text.n_heads");
    }
}

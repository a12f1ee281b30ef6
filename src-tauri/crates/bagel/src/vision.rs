//! The vision encoder, with which the model understands an image: SigLIP and the connector.
//!
//! patches → linear + position → layers of full attention → norm → connector → + position in the model's grid.
//!
//! Reference: `modeling/bagel/siglip_navit.py` and `modeling_utils.py` of ByteDance-Seed/Bagel at 056b5fd.

use candle_core::{Device, Tensor};
use checkpoint::config::{Config, VisionConfig};
use protocol::Image;

use crate::Result;
use crate::nn::{AttentionMask, Keys, Linear, attention};
use crate::progress::{Observer, tick};
use crate::weights::Reader;

/// SigLIP and the layers that turn its output into tokens of the language model.
#[derive(Debug)]
pub struct Vision {
    config: VisionConfig,
    grid_side: usize,
    patch_embedding: Linear,
    position_embedding: Tensor,
    layers: Vec<Layer>,
    final_norm: Norm,
    connector: [Linear; 2],
    token_positions: Tensor,
}

#[derive(Debug)]
struct Layer {
    attention_norm: Norm,
    q: Linear,
    k: Linear,
    v: Linear,
    out: Linear,
    mlp_norm: Norm,
    fc1: Linear,
    fc2: Linear,
}

#[derive(Debug)]
struct Norm {
    weight: Tensor,
    bias: Tensor,
    eps: f32,
}

impl Vision {
    pub(crate) fn load(config: &Config, reader: &mut Reader<'_, '_>) -> Result<Self> {
        let model = "vit_model.vision_model";
        let eps = config.vision.layer_norm_eps as f32;
        let layers = (0..config.vision.n_layers)
            .map(|layer_idx| {
                let prefix = format!("{model}.encoder.layers.{layer_idx}");
                Ok(Layer {
                    attention_norm: Norm::load(&format!("{prefix}.layer_norm1"), eps, reader)?,
                    q: reader.linear(&format!("{prefix}.self_attn.q_proj"))?,
                    k: reader.linear(&format!("{prefix}.self_attn.k_proj"))?,
                    v: reader.linear(&format!("{prefix}.self_attn.v_proj"))?,
                    out: reader.linear(&format!("{prefix}.self_attn.out_proj"))?,
                    mlp_norm: Norm::load(&format!("{prefix}.layer_norm2"), eps, reader)?,
                    fc1: reader.linear(&format!("{prefix}.mlp.fc1"))?,
                    fc2: reader.linear(&format!("{prefix}.mlp.fc2"))?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            patch_embedding: reader.patch_embedding(&format!("{model}.embeddings.patch_embedding"))?,
            position_embedding: reader.tensor(&format!("{model}.embeddings.position_embedding.weight"))?,
            layers,
            final_norm: Norm::load(&format!("{model}.post_layernorm"), eps, reader)?,
            connector: [reader.linear("connector.fc1")?, reader.linear("connector.fc2")?],
            token_positions: reader.tensor("vit_pos_embed.pos_embed")?,
            config: config.vision.clone(),
            grid_side: config.vision_grid_side,
        })
    }

    /// An image whose sides are multiples of the patch → (patches, hidden of the language model).
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] when `observe` stops it.
    pub fn encode(&self, image: &Image, observe: &mut Observer<'_>) -> Result<Tensor> {
        let device = self.position_embedding.device();
        let patches = self.patches(image, device)?.to_dtype(self.position_embedding.dtype())?;
        let positions = self.positions(image, device)?;
        let hidden = self.hidden(&patches, &positions, observe)?;
        let connected = self.connect(&hidden)?;
        Ok((connected + self.token_positions.index_select(&positions, 0)?)?)
    }

    /// Patches of numbers in -1..1, ordered (row, column, channel): (patches, patch² · 3).
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] when the device fails.
    pub fn patches(&self, image: &Image, device: &Device) -> Result<Tensor> {
        let side = self.config.patch_size;
        let (width, height) = (image.width() as usize, image.height() as usize);
        let pixels = normalized(image.rgb());
        // (rows, row in patch, columns, column in patch · channel) → (rows, columns, …)
        let pixels = Tensor::from_vec(pixels, (height / side, side, width / side, side * 3), device)?;
        Ok(pixels.transpose(1, 2)?.reshape(((height / side) * (width / side), side * side * 3))?)
    }

    /// Index of each patch in the fixed grid of positions.
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] when the device fails.
    pub fn positions(&self, image: &Image, device: &Device) -> Result<Tensor> {
        let side = self.config.patch_size;
        grid_positions(image.height() as usize / side, image.width() as usize / side, self.grid_side, device)
    }

    /// The encoder's output after its last norm: (patches, hidden of the encoder).
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] when `observe` stops it.
    pub fn hidden(&self, patches: &Tensor, positions: &Tensor, observe: &mut Observer<'_>) -> Result<Tensor> {
        let mut hidden =
            (self.patch_embedding.forward(patches)? + self.position_embedding.index_select(positions, 0)?)?;
        let n_heads = self.config.n_heads;
        let (n_tokens, hidden_size) = hidden.dims2()?;
        for layer in &self.layers {
            let normed = layer.attention_norm.forward(&hidden)?;
            // (tokens, hidden) → (heads, tokens, head_dim)
            let split =
                |x: Tensor| x.reshape((n_tokens, n_heads, hidden_size / n_heads))?.transpose(0, 1)?.contiguous();
            let keys = Keys { keys: split(layer.k.forward(&normed)?)?, values: split(layer.v.forward(&normed)?)? };
            let attended = attention(&split(layer.q.forward(&normed)?)?, &[keys], AttentionMask::Full)?;
            hidden = (hidden + layer.out.forward(&attended)?)?;
            let normed = layer.mlp_norm.forward(&hidden)?;
            let inner = layer.fc1.forward(&normed)?.gelu()?;
            hidden = (hidden + layer.fc2.forward(&inner)?)?;
            tick(observe)?;
        }
        self.final_norm.forward(&hidden)
    }

    /// Two linear layers from the encoder's width to the language model's.
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] when the device fails.
    pub fn connect(&self, hidden: &Tensor) -> Result<Tensor> {
        // candle's `gelu` is the tanh approximation, as both models use it.
        self.connector[1].forward(&self.connector[0].forward(hidden)?.gelu()?)
    }

    /// Position embeddings of the language model's image tokens: (positions, hidden).
    pub fn token_positions(&self) -> &Tensor {
        &self.token_positions
    }
}

impl Norm {
    fn load(prefix: &str, eps: f32, reader: &mut Reader<'_, '_>) -> Result<Self> {
        Ok(Self {
            weight: reader.tensor(&format!("{prefix}.weight"))?,
            bias: reader.tensor(&format!("{prefix}.bias"))?,
            eps,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(candle_nn::ops::layer_norm(x, &self.weight, &self.bias, self.eps)?)
    }
}

/// 0..255 → -1..1, as `ToTensor` and `Normalize(0.5, 0.5)` do it.
pub(crate) fn normalized(rgb: &[u8]) -> Vec<f32> {
    rgb.iter().map(|&value| (f32::from(value) / 255.0 - 0.5) / 0.5).collect()
}

/// `row · side + column` for each cell of a grid of `rows` × `columns`.
pub(crate) fn grid_positions(rows: usize, columns: usize, side: usize, device: &Device) -> Result<Tensor> {
    let positions: Vec<u32> =
        (0..rows).flat_map(|row| (0..columns).map(move |column| (row * side + column) as u32)).collect();
    Ok(Tensor::new(positions, device)?)
}

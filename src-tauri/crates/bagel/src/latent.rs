//! Between the autoencoder's latents and the language model's tokens.
//!
//! A token is a patch of 2 × 2 latent pixels, numbers ordered (row, column,
//! channel); `token = vae2llm(patch) + time(t) + position[row · side + column]`,
//! and back `v = llm2vae(hidden)`.
//!
//! Reference: `modeling/bagel/bagel.py` and `modeling_utils.py` of ByteDance-Seed/Bagel at 056b5fd.

use candle_core::{DType, Device, Tensor};
use checkpoint::config::{Config, LatentConfig};

use crate::Result;
use crate::nn::Linear;
use crate::vision::grid_positions;
use crate::weights::Reader;

/// Sinusoids per timestep.
const N_FREQUENCIES: usize = 128;

/// The maps in and out of the latent space.
#[derive(Debug)]
pub struct Latents {
    config: LatentConfig,
    vae2llm: Linear,
    llm2vae: Linear,
    time: [Linear; 2],
    positions: Tensor,
}

/// Height and width in latent tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Tokens in a column.
    pub rows: usize,
    /// Tokens in a row.
    pub columns: usize,
}

impl Grid {
    /// Tokens of the whole grid.
    pub fn n_tokens(self) -> usize {
        self.rows * self.columns
    }
}

impl Latents {
    pub(crate) fn load(config: &Config, reader: &mut Reader<'_, '_>) -> Result<Self> {
        Ok(Self {
            config: config.latent.clone(),
            vae2llm: reader.linear("vae2llm")?,
            llm2vae: reader.linear("llm2vae")?,
            time: [reader.linear("time_embedder.mlp.0")?, reader.linear("time_embedder.mlp.2")?],
            positions: reader.tensor("latent_pos_embed.pos_embed")?,
        })
    }

    /// Numbers in one token.
    pub fn token_size(&self) -> usize {
        self.config.patch_size * self.config.patch_size * self.config.channels
    }

    /// Position embeddings of a grid's tokens: (tokens, hidden).
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] when the device fails.
    pub fn positions(&self, grid: Grid) -> Result<Tensor> {
        let ids = grid_positions(grid.rows, grid.columns, self.config.grid_side, self.positions.device())?;
        Ok(self.positions.index_select(&ids, 0)?)
    }

    /// All position embeddings: (positions, hidden).
    pub fn position_table(&self) -> &Tensor {
        &self.positions
    }

    /// Embeddings of timesteps: (timesteps, hidden).
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] when the device fails.
    pub fn time(&self, timesteps: &[f32]) -> Result<Tensor> {
        let angles: Vec<f32> = timesteps
            .iter()
            .flat_map(|t| {
                (0..N_FREQUENCIES).map(move |i| t * (-(10_000f32.ln()) * i as f32 / N_FREQUENCIES as f32).exp())
            })
            .collect();
        let angles = Tensor::from_vec(angles, (timesteps.len(), N_FREQUENCIES), &Device::Cpu)?;
        let sinusoids = Tensor::cat(&[angles.cos()?, angles.sin()?], 1)?
            .to_dtype(self.positions.dtype())?
            .to_device(self.positions.device())?;
        self.time[1].forward(&candle_nn::ops::silu(&self.time[0].forward(&sinusoids)?)?)
    }

    /// `patches` (tokens, numbers) and their time and position embeddings (tokens, hidden) → (tokens, hidden).
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] when the device fails.
    pub fn tokens(&self, patches: &Tensor, time_and_position: &Tensor) -> Result<Tensor> {
        let patches = patches.to_dtype(self.positions.dtype())?;
        Ok((self.vae2llm.forward(&patches)? + time_and_position)?)
    }

    /// (rows, hidden) → velocities (rows, numbers) in f32.
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] when the device fails.
    pub fn velocity(&self, hidden: &Tensor) -> Result<Tensor> {
        Ok(self.llm2vae.forward(hidden)?.to_dtype(DType::F32)?)
    }

    /// Latent image (channels, height, width) → patches (tokens, numbers).
    pub(crate) fn patchify(&self, latent: &Tensor) -> Result<Tensor> {
        let p = self.config.patch_size;
        let (channels, height, width) = latent.dims3()?;
        // (channels, rows, p, columns, p) → (rows, columns, p, p, channels)
        let latent = latent.reshape((channels, height / p, p, width / p, p))?.permute((1, 3, 2, 4, 0))?;
        Ok(latent.reshape(((height / p) * (width / p), p * p * channels))?)
    }

    /// Patches (tokens, numbers) → latent image (channels, height, width).
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] when the device fails.
    pub fn unpatchify(&self, patches: &Tensor, grid: Grid) -> Result<Tensor> {
        let p = self.config.patch_size;
        let channels = self.config.channels;
        // (rows, columns, p, p, channels) → (channels, rows, p, columns, p)
        let latent = patches.reshape((grid.rows, grid.columns, p, p, channels))?.permute((4, 0, 2, 1, 3))?;
        Ok(latent.reshape((channels, grid.rows * p, grid.columns * p))?)
    }
}

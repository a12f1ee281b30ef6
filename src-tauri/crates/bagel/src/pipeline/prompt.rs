//! Prefill: texts and images become keys and values of a context, each computed once.

use std::sync::Arc;

use candle_core::Tensor;
use protocol::{Image, Size};

use super::Engine;
use crate::context::{Chain, Context};
use crate::decoder::ImageRows;
use crate::latent::Grid;
use crate::progress::Observer;
use crate::transform::resize;
use crate::{Error, Result};

/// The author of a text, which decides whether its special tokens take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// The user: special tokens are ordinary text.
    User,
    /// The model or this program: special tokens take effect.
    Model,
}

impl Engine {
    /// A context in which nothing has been read.
    pub fn empty_context(&self) -> Context {
        Context::new(self.start)
    }

    /// Appends `start, text, end` and returns how many tokens came from the cache.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `observe` stops it.
    pub fn prefill_text(
        &mut self,
        context: &mut Context,
        text: &str,
        author: Author,
        observe: &mut Observer<'_>,
    ) -> Result<usize> {
        let mut ids = vec![self.tokens.text_start];
        ids.extend(match author {
            Author::User if !self.is_reference_text => self.tokens.encode_plain(text)?,
            _ => self.tokens.encode_special(text)?,
        });
        ids.push(self.tokens.text_end);
        self.prefill_ids(context, &ids, observe)
    }

    /// Appends token ids and returns how many came from the cache.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `observe` stops it.
    pub fn prefill_ids(&mut self, context: &mut Context, ids: &[u32], observe: &mut Observer<'_>) -> Result<usize> {
        let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        let chain = context.chain().then("text", &bytes);
        if let Some(segment) = self.segments.get(chain) {
            context.push(segment, chain);
            return Ok(ids.len());
        }
        let hidden = self.decoder.embed(ids, &self.device)?;
        let segment = self.decoder.prefill_text(context, hidden, observe)?;
        self.segments.insert(chain, Arc::clone(&segment), segment.size_bytes());
        context.push(segment, chain);
        Ok(0)
    }

    /// The image resized to sides that the autoencoder accepts.
    pub fn fit_image(&self, image: &Image) -> Image {
        resize(image, self.image_rule.resized_size(image.size()))
    }

    /// Appends a fitted image's latents and returns how many tokens came from the cache.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `observe` stops it.
    pub fn prefill_latents(
        &mut self,
        context: &mut Context,
        image: &Image,
        posterior_seed: Option<u64>,
        observe: &mut Observer<'_>,
    ) -> Result<usize> {
        let content = posterior_content(image, posterior_seed);
        let chain = context.chain().then("latents", &content);
        if let Some(segment) = self.segments.get(chain) {
            let n_tokens = segment.n_tokens;
            context.push(segment, chain);
            return Ok(n_tokens);
        }
        let patches = self.encode_latents(image, posterior_seed, observe)?;
        let grid = self.grid(image.size())?;
        let time_and_position = self.latents.positions(grid)?.broadcast_add(&self.latents.time(&[0.0])?)?;
        let latents = self.latents.tokens(&patches, &time_and_position)?;
        let markers = self.markers()?;
        let rows = ImageRows { markers: &markers, latents: &latents };
        let segment = self.decoder.prefill_latents(context, &rows, observe)?;
        self.segments.insert(chain, Arc::clone(&segment), segment.size_bytes());
        context.push(segment, chain);
        Ok(0)
    }

    /// Appends a fitted image as the vision encoder sees it and returns how many tokens came from the cache.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `observe` stops it.
    pub fn prefill_vision(
        &mut self,
        context: &mut Context,
        image: &Image,
        observe: &mut Observer<'_>,
    ) -> Result<usize> {
        let content = image_content(image);
        let chain = context.chain().then("vision", &content);
        if let Some(segment) = self.segments.get(chain) {
            let n_tokens = segment.n_tokens;
            context.push(segment, chain);
            return Ok(n_tokens);
        }
        let key = self.start.then("vision tokens", &content);
        let tokens = match self.encoded.get(key) {
            Some(tokens) => tokens,
            None => {
                let resized = resize(image, self.vision_rule.resized_size(image.size()));
                let tokens = self.vision.encode(&resized, observe)?;
                self.cache_encoded(key, &tokens);
                tokens
            }
        };
        let markers = self.markers()?;
        let hidden = Tensor::cat(&[&markers.narrow(0, 0, 1)?, &tokens, &markers.narrow(0, 1, 1)?], 0)?;
        let segment = self.decoder.prefill_image(context, hidden, observe)?;
        self.segments.insert(chain, Arc::clone(&segment), segment.size_bytes());
        context.push(segment, chain);
        Ok(0)
    }

    /// A fitted image's latent patches (tokens, numbers) in f32.
    pub(crate) fn encode_latents(
        &mut self,
        image: &Image,
        posterior_seed: Option<u64>,
        observe: &mut Observer<'_>,
    ) -> Result<Tensor> {
        let key = self.start.then("latent patches", &posterior_content(image, posterior_seed));
        if let Some(patches) = self.encoded.get(key) {
            return Ok(patches);
        }
        let posterior = self.vae.encode(image, observe)?;
        let patches = self.latents.patchify(&posterior.latent(self.vae.config(), posterior_seed)?)?;
        self.cache_encoded(key, &patches);
        Ok(patches)
    }

    /// Embeddings of the two markers of an image: (2, hidden).
    ///
    /// # Errors
    /// [`Error::Tensor`] when the device fails.
    pub fn markers(&self) -> Result<Tensor> {
        self.decoder.embed(&[self.tokens.image_start, self.tokens.image_end], &self.device)
    }

    /// The latent grid of a size that has been checked.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the size is too large for the model.
    pub fn grid(&self, size: Size) -> Result<Grid> {
        let step = self.size_step();
        let grid = Grid { rows: (size.height / step) as usize, columns: (size.width / step) as usize };
        let side = self.config.latent.grid_side;
        if grid.rows > side || grid.columns > side {
            return Err(Error::bad_input(format!(
                "{} × {} exceeds the model's grid of {side} × {side} tokens",
                size.width, size.height
            )));
        }
        Ok(grid)
    }

    fn cache_encoded(&mut self, key: Chain, tensor: &Tensor) {
        let size_bytes = tensor.elem_count() * tensor.dtype().size_in_bytes();
        self.encoded.insert(key, tensor.clone(), size_bytes);
    }
}

fn image_content(image: &Image) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&image.width().to_le_bytes());
    hasher.update(&image.height().to_le_bytes());
    hasher.update(image.rgb());
    hasher.finalize().as_bytes().to_vec()
}

fn posterior_content(image: &Image, posterior_seed: Option<u64>) -> Vec<u8> {
    let mut content = image_content(image);
    if let Some(seed) = posterior_seed {
        content.extend(seed.to_le_bytes());
    }
    content
}

//! The mixture of two transformers: two experts that meet in one attention.
//!
//! `h ← h + o(attention(rope(norm(q(n))), rope(norm(k(n))), v(n)))`, `n = norm(h)`;
//! `h ← h + down(silu(gate(m)) · up(m))`, `m = norm(h)`; every matrix and norm
//! belongs to the expert of the token. Text, ViT tokens and the two markers of
//! an image go to the understanding expert, latents to the generation expert.
//!
//! Reference: `modeling/bagel/qwen2_navit.py` of ByteDance-Seed/Bagel at 056b5fd.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use checkpoint::config::TextConfig;

use crate::Result;
use crate::context::{Context, Segment};
use crate::limits::MAX_MLP_ELEMENTS;
use crate::nn::{AttentionMask, Embedding, Keys, Linear, attention};
use crate::progress::{Observer, tick};
use crate::weights::Reader;

/// The language model with its two experts.
#[derive(Debug)]
pub struct Decoder {
    config: TextConfig,
    embedding: Embedding,
    layers: Vec<Layer>,
    understanding_norm: Tensor,
    generation_norm: Tensor,
    head: Linear,
    rope: Rope,
}

#[derive(Debug)]
struct Layer {
    understanding: Expert,
    generation: Expert,
}

#[derive(Debug)]
struct Expert {
    input_norm: Tensor,
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    q_norm: Tensor,
    k_norm: Tensor,
    mlp_norm: Tensor,
    gate: Linear,
    up: Linear,
    down: Linear,
}

/// Rows of one expert for all branches: (branches · rows, hidden).
#[derive(Clone, Debug)]
struct Stream {
    hidden: Tensor,
    n_rows: usize,
}

/// Queries, keys and values of one expert: (branches, heads, rows, head_dim).
struct Projection {
    q: Tensor,
    k: Tensor,
    v: Tensor,
}

/// Embeddings of an image's tokens, the same for every context.
pub struct ImageRows<'a> {
    /// Embeddings of the start and end marker: (2, hidden).
    pub markers: &'a Tensor,
    /// Latent tokens: (tokens, hidden).
    pub latents: &'a Tensor,
}

/// Rotary tables for the contexts of a denoising run; the same at every step.
pub struct Rotations {
    latents: (Tensor, Tensor),
    markers: (Tensor, Tensor),
}

impl Decoder {
    pub(crate) fn load(config: &TextConfig, reader: &mut Reader<'_, '_>) -> Result<Self> {
        let model = "language_model.model";
        let embedding = reader.embedding(&format!("{model}.embed_tokens.weight"))?;
        let layers = (0..config.n_layers)
            .map(|layer_idx| {
                let prefix = format!("{model}.layers.{layer_idx}");
                Ok(Layer {
                    understanding: Expert::load(&prefix, "", reader)?,
                    generation: Expert::load(&prefix, "_moe_gen", reader)?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            embedding,
            layers,
            understanding_norm: reader.tensor(&format!("{model}.norm.weight"))?,
            generation_norm: reader.tensor(&format!("{model}.norm_moe_gen.weight"))?,
            head: reader.linear("language_model.lm_head")?,
            rope: Rope::new(config),
            config: config.clone(),
        })
    }

    /// Layers of the model.
    pub fn n_layers(&self) -> usize {
        self.layers.len()
    }

    /// Token ids → (ids, hidden)
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] when an id is unknown.
    pub fn embed(&self, ids: &[u32], device: &Device) -> Result<Tensor> {
        self.embedding.forward(ids, device)
    }

    /// Keys and values of a text's embeddings (tokens, hidden) with causal attention.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] when `observe` stops it.
    pub fn prefill_text(&self, context: &Context, hidden: Tensor, observe: &mut Observer<'_>) -> Result<Arc<Segment>> {
        let n_tokens = hidden.dim(0)?;
        let positions: Vec<usize> = (context.position()..context.position() + n_tokens).collect();
        self.prefill_understanding(context, hidden, &positions, AttentionMask::Causal, n_tokens, observe)
    }

    /// Keys and values of an image to understand: marker, ViT tokens, marker (tokens, hidden), with full attention.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] when `observe` stops it.
    pub fn prefill_image(&self, context: &Context, hidden: Tensor, observe: &mut Observer<'_>) -> Result<Arc<Segment>> {
        let positions = vec![context.position(); hidden.dim(0)?];
        self.prefill_understanding(context, hidden, &positions, AttentionMask::Full, 1, observe)
    }

    fn prefill_understanding(
        &self,
        context: &Context,
        hidden: Tensor,
        positions: &[usize],
        mask: AttentionMask,
        n_positions: usize,
        observe: &mut Observer<'_>,
    ) -> Result<Arc<Segment>> {
        let rotation = self.rope.tables(positions, 1, &hidden)?;
        let n_rows = positions.len();
        let mut stream = Stream { hidden, n_rows };
        let mut layers = Vec::with_capacity(self.layers.len());
        for (layer_idx, layer) in self.layers.iter().enumerate() {
            let expert = &layer.understanding;
            let projection = expert.project(&self.config, &stream, 1, &rotation)?;
            let own = Keys { keys: projection.k.squeeze(0)?, values: projection.v.squeeze(0)? };
            let is_last = layer_idx + 1 == self.layers.len();
            if !is_last {
                let mut segments = context.layer(layer_idx);
                segments.push(own.clone());
                let attended = attention(&projection.q.squeeze(0)?, &segments, mask)?;
                stream = expert.finish(&self.config, &stream, &attended)?;
            }
            // The last layer's output is not needed: an item only leaves its keys and values.
            layers.push(own);
            tick(observe)?;
        }
        Ok(Arc::new(Segment { layers, n_tokens: n_rows, n_positions }))
    }

    /// Keys and values of an image to edit: marker, latents, marker.
    pub(crate) fn prefill_latents(
        &self,
        context: &Context,
        rows: &ImageRows<'_>,
        observe: &mut Observer<'_>,
    ) -> Result<Arc<Segment>> {
        let n_latents = rows.latents.dim(0)?;
        let rotations = self.rotations(&[context], rows)?;
        let mut layers = Vec::with_capacity(self.layers.len());
        self.forward_image(&[context], rows, &rotations, Some(&mut layers), observe)?;
        Ok(Arc::new(Segment { layers, n_tokens: n_latents + 2, n_positions: 1 }))
    }

    /// Rotary tables for an image at the next position of each context.
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] when the device fails.
    pub fn rotations(&self, contexts: &[&Context], rows: &ImageRows<'_>) -> Result<Rotations> {
        let positions = |n_rows: usize| -> Vec<usize> {
            contexts.iter().flat_map(|context| std::iter::repeat_n(context.position(), n_rows)).collect()
        };
        Ok(Rotations {
            latents: self.rope.tables(&positions(rows.latents.dim(0)?), contexts.len(), rows.latents)?,
            markers: self.rope.tables(&positions(2), contexts.len(), rows.latents)?,
        })
    }

    /// The latents' hidden state after each of `contexts`, before the final norm: (branches, tokens, hidden).
    ///
    /// All branches go through each matrix together.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] when `observe` stops it.
    pub fn denoise(
        &self,
        contexts: &[&Context],
        rows: &ImageRows<'_>,
        rotations: &Rotations,
        observe: &mut Observer<'_>,
    ) -> Result<Tensor> {
        let hidden = self.forward_image(contexts, rows, rotations, None, observe)?;
        Ok(hidden.reshape((contexts.len(), rows.latents.dim(0)?, self.config.hidden_size))?)
    }

    /// The generation expert's final norm.
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] when the device fails.
    pub fn generation_norm(&self, hidden: &Tensor) -> Result<Tensor> {
        self.norm(hidden, &self.generation_norm)
    }

    /// The latents' hidden state; with `kept`, collects each layer's keys and stops after those of the last layer.
    fn forward_image(
        &self,
        contexts: &[&Context],
        rows: &ImageRows<'_>,
        rotations: &Rotations,
        mut kept: Option<&mut Vec<Keys>>,
        observe: &mut Observer<'_>,
    ) -> Result<Tensor> {
        let n_branches = contexts.len();
        let n_latents = rows.latents.dim(0)?;
        let mut latents = Stream { hidden: repeat_rows(rows.latents, n_branches)?, n_rows: n_latents };
        let mut markers = Stream { hidden: repeat_rows(rows.markers, n_branches)?, n_rows: 2 };
        for (layer_idx, layer) in self.layers.iter().enumerate() {
            let generation = layer.generation.project(&self.config, &latents, n_branches, &rotations.latents)?;
            let understanding = layer.understanding.project(&self.config, &markers, n_branches, &rotations.markers)?;
            let is_last = layer_idx + 1 == self.layers.len();
            let mut attended_latents = Vec::with_capacity(n_branches);
            let mut attended_markers = Vec::with_capacity(n_branches);
            for (branch_idx, context) in contexts.iter().enumerate() {
                let own = Keys {
                    keys: enclose(&understanding.k.get(branch_idx)?, &generation.k.get(branch_idx)?)?,
                    values: enclose(&understanding.v.get(branch_idx)?, &generation.v.get(branch_idx)?)?,
                };
                let mut segments = context.layer(layer_idx);
                segments.push(own.clone());
                if let Some(kept) = kept.as_deref_mut() {
                    kept.push(own);
                    if is_last {
                        continue;
                    }
                }
                // Queries in any order: full attention, one position.
                let q = Tensor::cat(&[&generation.q.get(branch_idx)?, &understanding.q.get(branch_idx)?], 1)?;
                let attended = attention(&q, &segments, AttentionMask::Full)?;
                attended_latents.push(attended.narrow(0, 0, n_latents)?);
                attended_markers.push(attended.narrow(0, n_latents, 2)?);
            }
            if attended_latents.is_empty() {
                tick(observe)?;
                break;
            }
            latents = layer.generation.finish(&self.config, &latents, &join_rows(attended_latents)?)?;
            if !is_last {
                markers = layer.understanding.finish(&self.config, &markers, &join_rows(attended_markers)?)?;
            }
            tick(observe)?;
        }
        Ok(latents.hidden)
    }

    /// Logits (vocabulary,) of the token after `context`, `cache` and `id`, whose keys are added to `cache`.
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] when the device fails.
    pub fn next_logits(&self, context: &Context, cache: &mut TextCache, id: u32, device: &Device) -> Result<Tensor> {
        let hidden = self.embed(&[id], device)?;
        let rotation = self.rope.tables(&[context.position() + cache.n_tokens], 1, &hidden)?;
        let mut stream = Stream { hidden, n_rows: 1 };
        for (layer_idx, layer) in self.layers.iter().enumerate() {
            let expert = &layer.understanding;
            let projection = expert.project(&self.config, &stream, 1, &rotation)?;
            let mut segments = context.layer(layer_idx);
            segments.push(cache.append(layer_idx, &projection.k.squeeze(0)?, &projection.v.squeeze(0)?)?);
            let attended = attention(&projection.q.squeeze(0)?, &segments, AttentionMask::Full)?;
            stream = expert.finish(&self.config, &stream, &attended)?;
        }
        cache.n_tokens += 1;
        let hidden = self.norm(&stream.hidden, &self.understanding_norm)?;
        Ok(self.head.forward(&hidden)?.squeeze(0)?.to_dtype(DType::F32)?)
    }

    fn norm(&self, hidden: &Tensor, weight: &Tensor) -> Result<Tensor> {
        Ok(candle_nn::ops::rms_norm(&hidden.contiguous()?, weight, self.config.rms_norm_eps as f32)?)
    }
}

impl Expert {
    fn load(prefix: &str, suffix: &str, reader: &mut Reader<'_, '_>) -> Result<Self> {
        let attention = format!("{prefix}.self_attn");
        let mlp = format!("{prefix}.mlp{suffix}");
        Ok(Self {
            input_norm: reader.tensor(&format!("{prefix}.input_layernorm{suffix}.weight"))?,
            q: reader.linear(&format!("{attention}.q_proj{suffix}"))?,
            k: reader.linear(&format!("{attention}.k_proj{suffix}"))?,
            v: reader.linear(&format!("{attention}.v_proj{suffix}"))?,
            o: reader.linear(&format!("{attention}.o_proj{suffix}"))?,
            q_norm: reader.tensor(&format!("{attention}.q_norm{suffix}.weight"))?,
            k_norm: reader.tensor(&format!("{attention}.k_norm{suffix}.weight"))?,
            mlp_norm: reader.tensor(&format!("{prefix}.post_attention_layernorm{suffix}.weight"))?,
            gate: reader.linear(&format!("{mlp}.gate_proj"))?,
            up: reader.linear(&format!("{mlp}.up_proj"))?,
            down: reader.linear(&format!("{mlp}.down_proj"))?,
        })
    }

    fn project(
        &self,
        config: &TextConfig,
        stream: &Stream,
        n_branches: usize,
        (cos, sin): &(Tensor, Tensor),
    ) -> Result<Projection> {
        let eps = config.rms_norm_eps as f32;
        let normed = candle_nn::ops::rms_norm(&stream.hidden, &self.input_norm, eps)?;
        // (branches · rows, heads · head_dim) → (branches, heads, rows, head_dim)
        let split = |x: Tensor, n_heads: usize| {
            x.reshape((n_branches, stream.n_rows, n_heads, config.head_dim))?.transpose(1, 2)?.contiguous()
        };
        let q = split(self.q.forward(&normed)?, config.n_heads)?;
        let k = split(self.k.forward(&normed)?, config.n_kv_heads)?;
        let v = split(self.v.forward(&normed)?, config.n_kv_heads)?;
        let q = candle_nn::ops::rms_norm(&q, &self.q_norm, eps)?;
        let k = candle_nn::ops::rms_norm(&k, &self.k_norm, eps)?;
        Ok(Projection {
            q: candle_nn::rotary_emb::rope(&q, cos, sin)?,
            k: candle_nn::rotary_emb::rope(&k, cos, sin)?,
            v,
        })
    }

    fn finish(&self, config: &TextConfig, stream: &Stream, attended: &Tensor) -> Result<Stream> {
        let hidden = (&stream.hidden + self.o.forward(attended)?)?;
        Ok(Stream { hidden: self.mlp(config, &hidden)?, n_rows: stream.n_rows })
    }

    /// `h + down(silu(gate(m)) · up(m))` in chunks of rows.
    fn mlp(&self, config: &TextConfig, hidden: &Tensor) -> Result<Tensor> {
        let eps = config.rms_norm_eps as f32;
        let n_rows = hidden.dim(0)?;
        let rows_per_chunk = (MAX_MLP_ELEMENTS / config.intermediate_size).clamp(1, n_rows.max(1));
        let mut chunks = Vec::with_capacity(n_rows.div_ceil(rows_per_chunk));
        for start in (0..n_rows).step_by(rows_per_chunk) {
            let hidden = hidden.narrow(0, start, rows_per_chunk.min(n_rows - start))?;
            let normed = candle_nn::ops::rms_norm(&hidden, &self.mlp_norm, eps)?;
            let gate = candle_nn::ops::silu(&self.gate.forward(&normed)?)?;
            let inner = (gate * self.up.forward(&normed)?)?;
            chunks.push((hidden + self.down.forward(&inner)?)?);
        }
        join_rows(chunks)
    }
}

/// Keys and values of a text while it is generated; grows in place.
#[derive(Debug)]
pub struct TextCache {
    layers: Vec<Option<Keys>>,
    n_tokens: usize,
    capacity: usize,
}

impl TextCache {
    /// A cache for up to `capacity` tokens in `n_layers` layers, allocated on first use.
    pub fn new(n_layers: usize, capacity: usize) -> Self {
        Self { layers: vec![None; n_layers], n_tokens: 0, capacity }
    }

    /// Adds one token's keys (kv_heads, 1, head_dim) and returns all of them.
    fn append(&mut self, layer_idx: usize, keys: &Tensor, values: &Tensor) -> Result<Keys> {
        let (n_kv_heads, _, head_dim) = keys.dims3()?;
        let buffer = match self.layers[layer_idx].take() {
            Some(buffer) if buffer.keys.dim(1)? > self.n_tokens => buffer,
            full => {
                // Doubling keeps the memory of a short answer small and the copies few.
                let n_reserved = (self.n_tokens * 2).max(64).min(self.capacity.max(self.n_tokens + 1));
                let buffer = Tensor::zeros((n_kv_heads, n_reserved, head_dim), keys.dtype(), keys.device())?;
                let buffer = Keys { values: buffer.zeros_like()?, keys: buffer };
                if let Some(full) = full {
                    buffer.keys.slice_set(&full.keys, 1, 0)?;
                    buffer.values.slice_set(&full.values, 1, 0)?;
                }
                buffer
            }
        };
        buffer.keys.slice_set(&keys.contiguous()?, 1, self.n_tokens)?;
        buffer.values.slice_set(&values.contiguous()?, 1, self.n_tokens)?;
        let n = self.n_tokens + 1;
        let all = Keys { keys: buffer.keys.narrow(1, 0, n)?, values: buffer.values.narrow(1, 0, n)? };
        self.layers[layer_idx] = Some(buffer);
        Ok(all)
    }
}

/// Rotary position embedding over the whole head, halves rotated (Qwen2).
#[derive(Debug)]
struct Rope {
    inverse_frequencies: Vec<f32>,
}

impl Rope {
    fn new(config: &TextConfig) -> Self {
        let inverse_frequencies = (0..config.head_dim / 2)
            .map(|i| 1.0 / (config.rope_theta as f32).powf((2 * i) as f32 / config.head_dim as f32))
            .collect();
        Self { inverse_frequencies }
    }

    /// cos and sin (branches, rows, head_dim / 2) in the type and on the device of `like`.
    fn tables(&self, positions: &[usize], n_branches: usize, like: &Tensor) -> Result<(Tensor, Tensor)> {
        let angles: Vec<f32> = positions
            .iter()
            .flat_map(|&position| self.inverse_frequencies.iter().map(move |frequency| position as f32 * frequency))
            .collect();
        let shape = (n_branches, positions.len() / n_branches, self.inverse_frequencies.len());
        let angles = Tensor::from_vec(angles, shape, &Device::Cpu)?;
        let table = |t: Tensor| t.to_dtype(like.dtype())?.to_device(like.device());
        Ok((table(angles.cos()?)?, table(angles.sin()?)?))
    }
}

/// marker | latents | marker, along the tokens of (kv_heads, tokens, head_dim).
fn enclose(markers: &Tensor, latents: &Tensor) -> Result<Tensor> {
    Ok(Tensor::cat(&[&markers.narrow(1, 0, 1)?, latents, &markers.narrow(1, 1, 1)?], 1)?)
}

fn repeat_rows(rows: &Tensor, n: usize) -> Result<Tensor> {
    if n == 1 { Ok(rows.clone()) } else { Ok(rows.repeat((n, 1))?) }
}

fn join_rows(mut parts: Vec<Tensor>) -> Result<Tensor> {
    if parts.len() == 1 { Ok(parts.remove(0).contiguous()?) } else { Ok(Tensor::cat(&parts, 0)?) }
}

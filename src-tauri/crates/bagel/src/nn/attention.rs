//! Attention over a list of key segments.
//!
//! `softmax(q kᵀ / √d) v` with grouped queries: the heads that share a key head
//! are stacked as rows of one matrix, so that every key is read once per group.
//! On the CPU only the scores of a small block exist at a time; elsewhere those of
//! a chunk of queries, never more than [`MAX_SCORES`].

mod fused;

use candle_core::{D, DType, Tensor};

use crate::Result;
use crate::limits::MAX_SCORES;

/// With this many rows or fewer, scores of each segment are joined rather than the segments' keys.
const FEW_ROWS: usize = 16;

/// Keys and values of some tokens, both (kv_heads, tokens, head_dim).
#[derive(Clone, Debug)]
pub struct Keys {
    /// (kv_heads, tokens, head_dim)
    pub keys: Tensor,
    /// (kv_heads, tokens, head_dim)
    pub values: Tensor,
}

/// The keys that a query attends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttentionMask {
    /// All keys.
    Full,
    /// All keys of earlier segments; in the last segment, which holds the queries' own tokens, those up to itself.
    Causal,
}

/// `queries` (heads, rows, head_dim) over `segments` → (rows, heads · head_dim).
///
/// # Errors
/// [`crate::Error::Tensor`] when shapes do not match or the device fails.
pub fn attention(queries: &Tensor, segments: &[Keys], mask: AttentionMask) -> Result<Tensor> {
    // The kernels need compute capability 8, and GPUs before it compute in f16, so f16 never comes here.
    #[cfg(feature = "flash-attn")]
    if queries.device().is_cuda() && queries.dtype() == DType::BF16 {
        return by_flash_attention(queries, segments, mask);
    }
    if queries.device().is_cpu() && queries.dtype() == DType::F32 {
        let (n_heads, n_rows, head_dim) = queries.dims3()?;
        // (heads, rows, head_dim) → (rows, heads · head_dim)
        let output = fused::attention(queries, segments, mask)?.transpose(0, 1)?;
        return Ok(output.reshape((n_rows, n_heads * head_dim))?);
    }
    attention_by_matmul(queries, segments, mask)
}

/// [`attention`] as two matrix products with the scores between them, in chunks of queries.
///
/// # Errors
/// As [`attention`].
pub fn attention_by_matmul(queries: &Tensor, segments: &[Keys], mask: AttentionMask) -> Result<Tensor> {
    let (n_heads, n_rows, head_dim) = queries.dims3()?;
    let n_kv_heads = segments[0].keys.dim(0)?;
    let group = n_heads / n_kv_heads;
    let n_keys = segments.iter().map(|s| s.keys.dim(1)).sum::<candle_core::Result<usize>>()?;
    let queries = (queries * (1.0 / (head_dim as f64).sqrt()))?;

    let joined;
    let segments = if n_rows > FEW_ROWS && segments.len() > 1 {
        let keys: Vec<&Tensor> = segments.iter().map(|s| &s.keys).collect();
        let values: Vec<&Tensor> = segments.iter().map(|s| &s.values).collect();
        joined = [Keys { keys: Tensor::cat(&keys, 1)?, values: Tensor::cat(&values, 1)? }];
        &joined[..]
    } else {
        segments
    };
    let rows_per_chunk = (MAX_SCORES / (n_heads * n_keys)).clamp(1, n_rows);
    let mut chunks = Vec::with_capacity(n_rows.div_ceil(rows_per_chunk));
    for start in (0..n_rows).step_by(rows_per_chunk) {
        let rows = rows_per_chunk.min(n_rows - start);
        // (kv_heads, group · rows, head_dim)
        let q = queries.narrow(1, start, rows)?.contiguous()?.reshape((n_kv_heads, group * rows, head_dim))?;
        // A causal chunk ends at its last row's own key; later keys are not even scored.
        let n_visible = match mask {
            AttentionMask::Full => n_keys,
            AttentionMask::Causal => n_keys - n_rows + start + rows,
        };
        let mut scores = Vec::with_capacity(segments.len());
        let mut visible = Vec::with_capacity(segments.len());
        let mut n_seen = 0;
        for segment in segments {
            let n = segment.keys.dim(1)?.min(n_visible - n_seen);
            if n == 0 {
                break;
            }
            scores.push(q.matmul(&segment.keys.narrow(1, 0, n)?.transpose(1, 2)?)?);
            visible.push(n);
            n_seen += n;
        }
        let scores = if scores.len() == 1 { scores.remove(0) } else { Tensor::cat(&scores, D::Minus1)? };
        let mut scores = scores.to_dtype(DType::F32)?;
        if mask == AttentionMask::Causal && rows > 1 {
            scores = hide_later_keys(&scores, rows, n_visible)?;
        }
        // (kv_heads, group · rows, keys)
        let weights = candle_nn::ops::softmax_last_dim(&scores)?.to_dtype(q.dtype())?;
        drop(scores);
        let mut offset = 0;
        let mut output: Option<Tensor> = None;
        for (segment, &n) in segments.iter().zip(&visible) {
            let part = if visible.len() == 1 { weights.clone() } else { weights.narrow(2, offset, n)?.contiguous()? };
            let values = segment.values.narrow(1, 0, n)?;
            let product = part.matmul(&values)?;
            output = Some(match output {
                None => product,
                Some(sum) => (sum + product)?,
            });
            offset += n;
        }
        if let Some(output) = output {
            // (kv_heads, group · rows, head_dim) → (rows, heads · head_dim)
            let output = output.reshape((n_heads, rows, head_dim))?.transpose(0, 1)?;
            chunks.push(output.reshape((rows, n_heads * head_dim))?);
        }
    }
    if chunks.len() == 1 { Ok(chunks.remove(0)) } else { Ok(Tensor::cat(&chunks, 0)?) }
}

/// [`attention`] in one kernel that never stores the scores; bf16 on CUDA only.
#[cfg(feature = "flash-attn")]
fn by_flash_attention(queries: &Tensor, segments: &[Keys], mask: AttentionMask) -> Result<Tensor> {
    let (n_heads, n_rows, head_dim) = queries.dims3()?;
    // (heads, tokens, head_dim) → (1, tokens, heads, head_dim)
    let lay_out = |parts: Vec<&Tensor>| Tensor::cat(&parts, 1)?.transpose(0, 1)?.contiguous()?.unsqueeze(0);
    let q = lay_out(vec![queries])?;
    let k = lay_out(segments.iter().map(|s| &s.keys).collect())?;
    let v = lay_out(segments.iter().map(|s| &s.values).collect())?;
    let scale = 1.0 / (head_dim as f32).sqrt();
    let output = candle_flash_attn::flash_attn(&q, &k, &v, scale, mask == AttentionMask::Causal)?;
    Ok(output.reshape((n_rows, n_heads * head_dim))?)
}

/// Row `i` of each head sees all keys but the last `rows − 1 − i`.
fn hide_later_keys(scores: &Tensor, rows: usize, n_visible: usize) -> Result<Tensor> {
    let (n_kv_heads, grouped_rows, _) = scores.dims3()?;
    let mut mask = vec![0f32; rows * rows];
    for (row_idx, row) in mask.chunks_exact_mut(rows).enumerate() {
        row[row_idx + 1..].fill(f32::NEG_INFINITY);
    }
    let mask = Tensor::from_vec(mask, (1, 1, rows, rows), scores.device())?;
    let group = grouped_rows / rows;
    let before = n_visible - rows;
    let scores = scores.reshape((n_kv_heads, group, rows, n_visible))?;
    let recent = scores.narrow(3, before, rows)?.broadcast_add(&mask)?;
    let scores = if before == 0 { recent } else { Tensor::cat(&[&scores.narrow(3, 0, before)?, &recent], 3)? };
    Ok(scores.reshape((n_kv_heads, grouped_rows, n_visible))?)
}

//! Attention on the CPU without storing all scores: one block of queries and one block of keys at a time.
//!
//! `o ← o · e^(m − m') + e^(s − m') v` with `m' = max(m, max s)` for each row, where
//! `s = q kᵀ / √d` of one block; at the end `o / Σ e^(s − m)`. Only one
//! block's scores exist per core, and segments of keys are read in place.

use candle_core::{Device, Storage, Tensor};
use rayon::prelude::*;

use super::{AttentionMask, Keys};
use crate::{Error, Result};

/// Queries and keys of one block; its scores stay in a core's own cache. With fewer queries, the matrix
/// kernel would pack the same keys more often.
const BLOCK_ROWS: usize = 256;
const BLOCK_KEYS: usize = 512;

/// With this many rows or fewer, packing keys for the matrix kernel takes longer than multiplying them.
const FEW_ROWS: usize = 16;

/// Numbers that are reduced in parallel lanes.
const LANES: usize = 32;

/// Keys that are accumulated together when there are few rows.
const QUAD: usize = 4;

/// (heads, tokens, head_dim) in memory: tokens are contiguous, heads have any stride.
#[derive(Clone, Copy)]
struct Heads<'a> {
    values: &'a [f32],
    head_stride: usize,
    n_tokens: usize,
    head_dim: usize,
}

impl<'a> Heads<'a> {
    /// Tokens `start..start + n` of a head.
    fn tokens(&self, head_idx: usize, start: usize, n: usize) -> &'a [f32] {
        &self.values[head_idx * self.head_stride + start * self.head_dim..][..n * self.head_dim]
    }
}

/// `queries` (heads, rows, head_dim) over `segments` → (heads, rows, head_dim), in 32 bits on the CPU.
pub(super) fn attention(queries: &Tensor, segments: &[Keys], mask: AttentionMask) -> Result<Tensor> {
    let (n_heads, n_rows, head_dim) = queries.dims3()?;
    let queries = queries.contiguous()?;
    let mut tensors = vec![queries];
    for Keys { keys, values } in segments {
        tensors.extend([token_major(keys)?, token_major(values)?]);
    }
    let guards: Vec<_> = tensors.iter().map(|tensor| (tensor.storage_and_layout(), tensor)).collect();
    let heads = guards
        .iter()
        .map(|((storage, layout), tensor)| {
            let Storage::Cpu(storage) = &**storage else {
                return Err(Error::Device("fused attention is for the CPU".to_owned()));
            };
            let values = &storage.as_slice::<f32>()?[layout.start_offset()..];
            Ok(Heads { values, head_stride: tensor.stride()[0], n_tokens: tensor.dim(1)?, head_dim })
        })
        .collect::<Result<Vec<_>>>()?;
    let (queries, segments) = heads.split_first().ok_or_else(|| Error::bad_input("attention without queries"))?;
    let n_kv_heads = tensors.get(1).map_or(Ok(1), |keys| keys.dim(0))?;
    // The heads that share a key head are adjacent: one head of group · rows rows.
    let grouped_rows = n_heads / n_kv_heads * n_rows;
    let job = Job { queries: queries.values, segments, mask, n_rows, grouped_rows, head_dim };
    let mut output = vec![0f32; n_heads * n_rows * head_dim];
    output
        .par_chunks_mut(grouped_rows * head_dim)
        .enumerate()
        .flat_map(|(head_idx, output)| {
            output
                .par_chunks_mut(BLOCK_ROWS * head_dim)
                .enumerate()
                .map(move |(block_idx, block)| (head_idx, block_idx * BLOCK_ROWS, block))
        })
        .for_each_init(Scratch::default, |scratch, (head_idx, first_row, block)| {
            job.block(head_idx, first_row, block, scratch);
        });
    Ok(Tensor::from_vec(output, (n_heads, n_rows, head_dim), &Device::Cpu)?)
}

/// The tensor itself if its tokens are contiguous, else a copy.
fn token_major(tensor: &Tensor) -> Result<Tensor> {
    let (_, _, head_dim) = tensor.dims3()?;
    if tensor.stride()[1..] == [head_dim, 1] { Ok(tensor.clone()) } else { Ok(tensor.contiguous()?) }
}

/// Buffers of one core.
#[derive(Default)]
struct Scratch {
    scores: Vec<f32>,
}

/// What all blocks have in common.
struct Job<'a> {
    queries: &'a [f32],
    /// Keys and values, alternating.
    segments: &'a [Heads<'a>],
    mask: AttentionMask,
    n_rows: usize,
    grouped_rows: usize,
    head_dim: usize,
}

/// Calls a function compiled for AVX2 where the CPU has it; everything it calls must be `#[inline(always)]`.
macro_rules! vectorized {
    ($function:ident, $($argument:expr),+) => {{
        #[cfg(target_arch = "x86_64")]
        let is_wide = std::arch::is_x86_feature_detected!("avx2");
        #[cfg(target_arch = "x86_64")]
        if is_wide {
            #[expect(unsafe_code, reason = "not every CPU has AVX2")]
            // SAFETY: the CPU was just checked for AVX2.
            unsafe { wide::$function($($argument),+) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let is_wide = false;
        if !is_wide {
            $function($($argument),+);
        }
    }};
}

/// Largest score and sum of one row so far.
#[derive(Clone, Copy)]
struct Row {
    max: f32,
    sum: f32,
}

impl Job<'_> {
    /// Computes some rows of one key head.
    fn block(&self, head_idx: usize, first_row: usize, output: &mut [f32], scratch: &mut Scratch) {
        let d = self.head_dim;
        let n_rows = output.len() / d;
        let queries = &self.queries[(head_idx * self.grouped_rows + first_row) * d..][..n_rows * d];
        let scale = 1.0 / (d as f32).sqrt();
        let mut rows = [Row { max: f32::NEG_INFINITY, sum: 0.0 }; BLOCK_ROWS];
        scratch.scores.resize(BLOCK_ROWS * BLOCK_KEYS, 0.0);
        let n_segments = self.segments.len() / 2;
        for (segment_idx, pair) in self.segments.chunks_exact(2).enumerate() {
            let (keys, values) = (&pair[0], &pair[1]);
            let is_own = self.mask == AttentionMask::Causal && segment_idx + 1 == n_segments;
            // In the last segment a row attends to the tokens up to its own.
            let n_seen = |row: usize| keys.n_tokens - self.n_rows + (first_row + row) % self.n_rows + 1;
            let n_visible = if is_own { (0..n_rows).map(n_seen).max().unwrap_or(0) } else { keys.n_tokens };
            for start in (0..n_visible).step_by(BLOCK_KEYS) {
                let n_keys = BLOCK_KEYS.min(n_visible - start);
                let scores = &mut scratch.scores[..n_rows * n_keys];
                let (keys, values) = (keys.tokens(head_idx, start, n_keys), values.tokens(head_idx, start, n_keys));
                if n_rows <= FEW_ROWS {
                    vectorized!(score_rows, scores, queries, keys, d, scale);
                } else {
                    multiply_transposed(scores, queries, keys, d, scale);
                }
                if is_own {
                    for (row_idx, scores) in scores.chunks_exact_mut(n_keys).enumerate() {
                        let n_seen = n_seen(row_idx).saturating_sub(start).min(n_keys);
                        scores[n_seen..].fill(f32::NEG_INFINITY);
                    }
                }
                vectorized!(weigh, scores, n_keys, &mut rows, output, d);
                if n_rows <= FEW_ROWS {
                    vectorized!(accumulate_rows, output, scores, values, d);
                } else {
                    multiply_onto(output, scores, values, d);
                }
            }
        }
        for (output, row) in output.chunks_exact_mut(d).zip(&rows) {
            let factor = 1.0 / row.sum;
            output.iter_mut().for_each(|value| *value *= factor);
        }
    }
}

/// Turns scores into weights relative to each row's largest score, and rescales `output` to match.
#[inline(always)]
fn weigh(scores: &mut [f32], n_keys: usize, rows: &mut [Row], output: &mut [f32], head_dim: usize) {
    for ((scores, row), output) in scores.chunks_exact_mut(n_keys).zip(rows).zip(output.chunks_exact_mut(head_dim)) {
        let max = largest(scores, row.max);
        for score in scores.iter_mut() {
            *score = exp(*score - max);
        }
        let sum = sum(scores);
        if max > row.max {
            let factor = exp(row.max - max);
            output.iter_mut().for_each(|value| *value *= factor);
            row.sum *= factor;
            row.max = max;
        }
        row.sum += sum;
    }
}

#[inline(always)]
fn largest(values: &[f32], least: f32) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [least; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = if chunk[lane] > lanes[lane] { chunk[lane] } else { lanes[lane] };
        }
    }
    let mut largest = least;
    for values in [&lanes[..], rest] {
        for &value in values {
            largest = if value > largest { value } else { largest };
        }
    }
    largest
}

#[inline(always)]
fn sum(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0f32; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += chunk[lane];
        }
    }
    let mut sum = tree_sum(lanes);
    for value in rest {
        sum += value;
    }
    sum
}

/// `e^x` for `x ≤ 0` within two units in the last place, without branches or calls, so that it vectorizes. `x = n · ln 2 + r`; the polynomial in `r` is that of the Cephes library.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding it leaves the nearest integer in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    // NaN passes through, so that failed arithmetic is noticed.
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 in two parts; the first has so few digits that its product with n is exact.
    let r = x - n * (355.0 / 512.0) + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p * r + coefficient;
    }
    let mantissa = p * r * r + r + 1.0;
    mantissa * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

/// `scores = scale · queries keysᵀ` for a few queries, each key read once.
#[inline(always)]
fn score_rows(scores: &mut [f32], queries: &[f32], keys: &[f32], head_dim: usize, scale: f32) {
    let n_keys = keys.len() / head_dim;
    for (key_idx, key) in keys.chunks_exact(head_dim).enumerate() {
        for (query_idx, query) in queries.chunks_exact(head_dim).enumerate() {
            scores[query_idx * n_keys + key_idx] = scale * dot(query, key);
        }
    }
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let mut rest = 0.0;
    for (a, b) in a_rest.iter().zip(b_rest) {
        rest += a * b;
    }
    tree_sum(sums) + rest
}

/// The sum of all lanes in few dependent steps.
#[inline(always)]
fn tree_sum(mut lanes: [f32; LANES]) -> f32 {
    const HALF: usize = LANES / 2;
    for lane in 0..HALF {
        lanes[lane] += lanes[lane + HALF];
    }
    for lane in 0..HALF / 2 {
        lanes[lane] += lanes[lane + HALF / 2];
    }
    let mut sum = 0.0;
    for lane in &lanes[..HALF / 2] {
        sum += lane;
    }
    sum
}

/// `output += weights values` for a few rows, each value read once.
#[inline(always)]
fn accumulate_rows(output: &mut [f32], weights: &[f32], values: &[f32], head_dim: usize) {
    let n_keys = values.len() / head_dim;
    for (output, weights) in output.chunks_exact_mut(head_dim).zip(weights.chunks_exact(n_keys)) {
        let (quads, rest) = weights.as_chunks::<QUAD>();
        let (quad_values, rest_values) = values.split_at(quads.len() * QUAD * head_dim);
        for (weights, values) in quads.iter().zip(quad_values.chunks_exact(QUAD * head_dim)) {
            accumulate_4(output, *weights, values);
        }
        for (weight, value) in rest.iter().zip(rest_values.chunks_exact(head_dim)) {
            for (sum, value) in output.iter_mut().zip(value) {
                *sum += weight * value;
            }
        }
    }
}

#[inline(always)]
fn accumulate_4(output: &mut [f32], [a, b, c, d]: [f32; QUAD], values: &[f32]) {
    let n = output.len();
    let (v_a, values) = values.split_at(n);
    let (v_b, values) = values.split_at(n);
    let (v_c, v_d) = values.split_at(n);
    for idx in 0..n {
        output[idx] += (a * v_a[idx] + b * v_b[idx]) + (c * v_c[idx] + d * v_d[idx]);
    }
}

/// `scores = scale · queries keysᵀ`: (rows, head_dim) by (keys, head_dim).
fn multiply_transposed(scores: &mut [f32], queries: &[f32], keys: &[f32], head_dim: usize, scale: f32) {
    let (n_rows, n_keys) = (queries.len() / head_dim, keys.len() / head_dim);
    product(
        scores,
        Matrix { values: queries, row_stride: head_dim, column_stride: 1 },
        Matrix { values: keys, row_stride: 1, column_stride: head_dim },
        (n_rows, head_dim, n_keys),
        scale,
        false,
    );
}

/// `output += weights values`: (rows, keys) by (keys, head_dim).
fn multiply_onto(output: &mut [f32], weights: &[f32], values: &[f32], head_dim: usize) {
    let (n_rows, n_keys) = (output.len() / head_dim, values.len() / head_dim);
    product(
        output,
        Matrix { values: weights, row_stride: n_keys, column_stride: 1 },
        Matrix { values, row_stride: head_dim, column_stride: 1 },
        (n_rows, n_keys, head_dim),
        1.0,
        true,
    );
}

#[derive(Clone, Copy)]
struct Matrix<'a> {
    values: &'a [f32],
    row_stride: usize,
    column_stride: usize,
}

impl Matrix<'_> {
    /// Whether a matrix of this shape lies within its values.
    fn holds(&self, n_rows: usize, n_columns: usize) -> bool {
        (n_rows - 1) * self.row_stride + (n_columns - 1) * self.column_stride < self.values.len()
    }
}

/// `target = scale · a b`, or added to it: (m, k) by (k, n) into rows of n, on one core.
fn product(
    target: &mut [f32],
    a: Matrix<'_>,
    b: Matrix<'_>,
    (m, k, n): (usize, usize, usize),
    scale: f32,
    is_added: bool,
) {
    assert!(m > 0 && k > 0 && n > 0 && target.len() == m * n && a.holds(m, k) && b.holds(k, n), "shapes of a product");
    #[expect(unsafe_code, reason = "the matrix kernel takes pointers")]
    // SAFETY: the assertion above holds every element that the strides reach within its slice.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            target.as_mut_ptr(),
            1,
            n as isize,
            is_added,
            a.values.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.values.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            1.0,
            scale,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// The same functions compiled for registers of 256 bits.
#[cfg(target_arch = "x86_64")]
mod wide {
    use super::Row;

    #[target_feature(enable = "avx2")]
    pub(super) fn weigh(scores: &mut [f32], n_keys: usize, rows: &mut [Row], output: &mut [f32], head_dim: usize) {
        super::weigh(scores, n_keys, rows, output, head_dim);
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn score_rows(scores: &mut [f32], queries: &[f32], keys: &[f32], head_dim: usize, scale: f32) {
        super::score_rows(scores, queries, keys, head_dim, scale);
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn accumulate_rows(output: &mut [f32], weights: &[f32], values: &[f32], head_dim: usize) {
        super::accumulate_rows(output, weights, values, head_dim);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::attention::attention_by_matmul;
    use crate::random::{Generator, RandomStream};

    fn random(shape: (usize, usize, usize), seed: u64) -> Tensor {
        let numbers = Generator::new(RandomStream::Synthetic, seed).normals(shape.0 * shape.1 * shape.2);
        Tensor::from_vec(numbers, shape, &Device::Cpu).expect("a tensor")
    }

    fn segments(n_kv_heads: usize, lengths: &[usize], head_dim: usize) -> Vec<Keys> {
        let segment = |(idx, &n): (usize, &usize)| Keys {
            keys: random((n_kv_heads, n, head_dim), 2 * idx as u64 + 1),
            values: random((n_kv_heads, n, head_dim), 2 * idx as u64 + 2),
        };
        lengths.iter().enumerate().map(segment).collect()
    }

    #[track_caller]
    fn check(
        n_heads: usize,
        n_kv_heads: usize,
        n_rows: usize,
        lengths: &[usize],
        head_dim: usize,
        mask: AttentionMask,
    ) {
        let queries = random((n_heads, n_rows, head_dim), 0);
        let segments = segments(n_kv_heads, lengths, head_dim);
        let expected = attention_by_matmul(&queries, &segments, mask).expect("the long way");
        let actual = super::super::attention(&queries, &segments, mask).expect("the short way");
        assert_eq!(actual.dims(), expected.dims());
        let error = (actual - expected).and_then(|t| t.abs()?.max_all()?.to_scalar::<f32>()).expect("a number");
        assert!(error < 2e-6, "{error}");
    }

    #[test]
    fn it_gives_what_scores_and_softmax_give() {
        check(1, 1, 1, &[1], 4, AttentionMask::Full);
        check(4, 2, 1, &[300, 7], 64, AttentionMask::Full);
        check(4, 2, 70, &[513], 128, AttentionMask::Full);
        check(6, 3, 130, &[5, 260, 130], 72, AttentionMask::Full);
        check(1, 1, 200, &[200], 512, AttentionMask::Full);
    }

    #[test]
    fn a_token_sees_the_past_and_itself_only() {
        check(2, 1, 1, &[1], 8, AttentionMask::Causal);
        check(4, 2, 300, &[300], 16, AttentionMask::Causal);
        check(4, 2, 90, &[270, 90], 64, AttentionMask::Causal);
        check(3, 1, 65, &[3, 1, 65], 32, AttentionMask::Causal);
    }

    #[test]
    fn keys_with_room_behind_them_are_read_where_they_lie() {
        let queries = random((4, 1, 16), 0);
        let room = segments(2, &[64], 16).remove(0);
        let narrow = |t: &Tensor| t.narrow(1, 0, 9).expect("a part");
        let part = Keys { keys: narrow(&room.keys), values: narrow(&room.values) };
        let copy = |t: &Tensor| t.contiguous().expect("a copy");
        let copied = Keys { keys: copy(&part.keys), values: copy(&part.values) };
        let numbers = |keys: Keys| {
            let output = attention(&queries, &[keys], AttentionMask::Full).expect("computed");
            output.flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("numbers")
        };
        assert_eq!(numbers(part), numbers(copied));
    }

    #[test]
    fn the_exponential_is_near_and_keeps_what_is_no_number() {
        let mut x = -87.0f32;
        while x <= 0.0 {
            let expected = f64::from(x).exp();
            let error = (f64::from(exp(x)) - expected).abs() / expected;
            assert!(error < 2.5e-7, "{x}: {error}");
            x += 0.001_7;
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn scores_that_are_not_numbers_show_in_the_result() {
        let queries = (random((1, 2, 8), 0) * f64::NAN).expect("numbers");
        let output = attention(&queries, &segments(1, &[5], 8), AttentionMask::Full).expect("computed");
        let numbers = output.flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("numbers");
        assert!(numbers.iter().all(|number| number.is_nan()));
    }
}

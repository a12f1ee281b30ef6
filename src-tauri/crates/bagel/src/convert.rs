//! Converts a checkpoint of any layout to one quantized GGUF file.
//!
//! Rows are read, widened to 32 bits, quantized on all cores and written in
//! chunks, so that memory does not grow with the model.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::path::Path;

use candle_core::quantized::{QStorage, QTensor};
use candle_core::{Device, Tensor};
use checkpoint::{Checkpoint, Declared, Kind, PlannedTensor, Provenance, Quantization, TensorView, Writer, plan};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use rayon::prelude::*;

use crate::progress::{EngineProgress, Observer, report};
use crate::tokens::Tokens;
use crate::weights::ggml_dtype;
use crate::{Error, Result};

/// Numbers converted between two writes.
const CHUNK_NUMBERS: usize = 16 << 20;

/// Numbers that one thread converts at a time.
const SHARE_NUMBERS: usize = 1 << 18;

/// How a model is converted.
#[derive(Clone, Copy, Debug)]
pub struct ConvertOptions {
    /// Kind of the understanding expert, the embeddings and the head.
    pub understanding: Quantization,
    /// Kind of the generation expert, which decides the image's quality.
    pub generation: Quantization,
}

/// The result of a conversion.
#[derive(Clone, Debug, Default)]
pub struct ConvertReport {
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Tensors whose rows cannot hold the requested kind: name, requested kind, kind used.
    pub fallbacks: Vec<(String, Kind, Kind)>,
}

/// Writes `checkpoint` to `destination`, which appears only once it is complete, synced and verified.
///
/// Progress counts bytes of the source and then of the new file, which is read back. An existing file is replaced
/// at the end.
///
/// # Errors
/// [`Error::Checkpoint`] when the disk is full, the folder cannot be written or the source is damaged,
/// [`Error::Tokenizer`] when its tokenizer is invalid, [`Error::Cancelled`] when `observe` stops it;
/// then no file is left behind.
pub fn convert(
    checkpoint: &Checkpoint,
    destination: &Path,
    options: ConvertOptions,
    observe: &mut Observer<'_>,
) -> Result<ConvertReport> {
    // A file with an invalid tokenizer could not be opened.
    Tokens::load(checkpoint)?;
    let planned = plan(checkpoint.config(), options.understanding, options.generation);
    let declared: Vec<Declared> = planned
        .iter()
        .map(|tensor| Declared { name: tensor.name.clone(), kind: tensor.kind, shape: tensor.shape.clone() })
        .collect();
    let provenance = Provenance {
        name: checkpoint.name().to_owned(),
        quantization: options.understanding.name().to_owned(),
        generation_quantization: options.generation.name().to_owned(),
        converter: format!("bagel {}", env!("CARGO_PKG_VERSION")),
    };
    let mut writer =
        Writer::create(destination, checkpoint.config(), checkpoint.tokenizer_json(), &provenance, &declared)?;
    let mut result = ConvertReport { file_bytes: writer.file_bytes(), fallbacks: Vec::new() };
    let source_bytes = checkpoint.total_bytes();
    let total_bytes = source_bytes + writer.file_bytes();
    let mut bytes = 0;
    for tensor in &planned {
        let view = checkpoint
            .tensor(&tensor.name)
            .ok_or_else(|| Error::bad_input(format!("the checkpoint lacks {}", tensor.name)))?;
        if view.stored_hash.is_some() {
            checkpoint.checked_hash(&view)?;
        }
        write_tensor(&view, tensor, &mut writer, &mut |part_bytes| {
            report(observe, EngineProgress::Loading { bytes: bytes + part_bytes, total_bytes })
        })?;
        bytes += view.bytes.len() as u64;
        if let Some(requested) = tensor.fallback_from {
            result.fallbacks.push((tensor.name.clone(), requested, tensor.kind));
        }
    }
    let mut last = Ok(());
    let finished = writer.finish_observed(&mut |bytes, _| {
        last = report(observe, EngineProgress::Loading { bytes: source_bytes + bytes, total_bytes });
        if last.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    last?;
    finished?;
    Ok(result)
}

fn write_tensor(
    view: &TensorView<'_>,
    tensor: &PlannedTensor,
    writer: &mut Writer,
    on_part: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<()> {
    if view.kind == tensor.kind && view.shape == tensor.shape {
        let part_bytes = CHUNK_NUMBERS / view.kind.block_len() * view.kind.block_bytes();
        for (idx, part) in view.bytes.chunks(part_bytes).enumerate() {
            writer.write(&tensor.name, part)?;
            on_part((idx * part_bytes + part.len()) as u64)?;
        }
        return Ok(());
    }
    let row_len = view.shape.last().copied().unwrap_or(1).max(1);
    if view.shape.len() == 4 && tensor.shape.len() == 2 {
        // The patch embedding as a convolution: small, and its columns change their order.
        let &[n_out, n_channels, n_rows, n_columns] = view.shape else {
            return Err(Error::bad_input(format!("{} has an unknown shape", view.name)));
        };
        let numbers = Tensor::from_vec(widen(view.kind, view.bytes)?, view.shape, &Device::Cpu)?
            .permute((0, 2, 3, 1))?
            .reshape((n_out, n_rows * n_columns * n_channels))?;
        writer.write(&tensor.name, &narrow(tensor.kind, numbers.flatten_all()?.to_vec1()?)?)?;
        return on_part(view.bytes.len() as u64);
    }
    let rows_per_chunk = (CHUNK_NUMBERS / row_len).max(1);
    let row_bytes = view.kind.size_bytes(row_len as u64) as usize;
    let rows_per_share = (SHARE_NUMBERS / row_len).max(1);
    for (idx, chunk) in view.bytes.chunks(rows_per_chunk * row_bytes).enumerate() {
        let shares = chunk
            .par_chunks(rows_per_share * row_bytes)
            .map(|share| narrow(tensor.kind, widen(view.kind, share)?))
            .collect::<Result<Vec<_>>>()?;
        for share in shares {
            writer.write(&tensor.name, &share)?;
        }
        on_part((idx * rows_per_chunk * row_bytes + chunk.len()) as u64)?;
    }
    Ok(())
}

/// Whole rows of `kind` as 32-bit numbers.
fn widen(kind: Kind, bytes: &[u8]) -> Result<Vec<f32>> {
    let pairs = || bytes.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
    Ok(match kind {
        Kind::F32 => {
            bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect()
        }
        Kind::F16 => pairs().map(|pair| f16::from_le_bytes(pair).to_f32()).collect(),
        Kind::BF16 => pairs().map(|pair| bf16::from_le_bytes(pair).to_f32()).collect(),
        _ => {
            let n = bytes.len() / kind.block_bytes() * kind.block_len();
            let storage = QStorage::from_data(Cow::Borrowed(bytes), &Device::Cpu, ggml_dtype(kind))?;
            QTensor::new(storage, n)?.dequantize(&Device::Cpu)?.to_vec1()?
        }
    })
}

/// Numbers as whole rows of `kind`.
fn narrow(kind: Kind, numbers: Vec<f32>) -> Result<Vec<u8>> {
    Ok(match kind {
        Kind::F32 => numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
        Kind::F16 => {
            let mut halves = vec![f16::ZERO; numbers.len()];
            halves.convert_from_f32_slice(&numbers);
            halves.iter().flat_map(|half| half.to_le_bytes()).collect()
        }
        Kind::BF16 => {
            let mut halves = vec![bf16::ZERO; numbers.len()];
            halves.convert_from_f32_slice(&numbers);
            halves.iter().flat_map(|half| half.to_le_bytes()).collect()
        }
        _ => {
            let n = numbers.len();
            QTensor::quantize(&Tensor::from_vec(numbers, n, &Device::Cpu)?, ggml_dtype(kind))?.data()?.into_owned()
        }
    })
}

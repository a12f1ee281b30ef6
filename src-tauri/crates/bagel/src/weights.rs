//! From a checkpoint's bytes to tensors on a device.
//!
//! One reader for safetensors and GGUF: float tensors are converted to the
//! type that is computed in, quantized matrices stay as they are. A tensor at a
//! time leaves the mapped file, so that reading needs no more memory than the
//! loaded form and one tensor.

use std::borrow::Cow;

use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{DType, Device, Tensor};
use checkpoint::{Checkpoint, Kind, TensorHasher, TensorView};

use crate::nn::{Embedding, Linear};
use crate::progress::{Observe, Progress, report};
use crate::synthetic::Synthetic;
use crate::{Error, Result};

/// Where weights come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a> {
    /// Files.
    Checkpoint(&'a Checkpoint),
    /// Random numbers of the right shapes and kinds.
    Synthetic(&'a Synthetic),
}

/// Reads tensors by their published names and reports the bytes read.
pub(crate) struct Reader<'a, 'o> {
    source: Source<'a>,
    hasher: TensorHasher,
    device: Device,
    dtype: DType,
    bytes: u64,
    total_bytes: u64,
    held_bytes: u64,
    is_verified: bool,
    observe: &'o mut Observe<'o>,
}

impl<'a, 'o> Reader<'a, 'o> {
    pub(crate) fn new(source: Source<'a>, device: Device, dtype: DType, observe: &'o mut Observe<'o>) -> Self {
        let total_bytes = match source {
            Source::Checkpoint(checkpoint) => checkpoint.total_bytes(),
            Source::Synthetic(synthetic) => synthetic.total_bytes(),
        };
        Self {
            source,
            hasher: TensorHasher::new(),
            device,
            dtype,
            bytes: 0,
            total_bytes,
            held_bytes: 0,
            is_verified: false,
            observe,
        }
    }

    /// The model's hash, once every tensor has been read.
    pub(crate) fn weights_hash(&self) -> String {
        self.hasher.finish()
    }

    /// Takes the hashes that a file carries for those of its bytes, because they were compared before.
    pub(crate) fn trust_hashes(&mut self) {
        self.is_verified = true;
    }

    /// Reads on in another type: the autoencoder may compute in a wider one.
    pub(crate) fn set_dtype(&mut self, dtype: DType) {
        self.dtype = dtype;
    }

    /// Bytes of weights on the device so far.
    pub(crate) fn held_bytes(&self) -> u64 {
        self.held_bytes
    }

    /// A tensor in the type that is computed in.
    pub(crate) fn tensor(&mut self, name: &str) -> Result<Tensor> {
        let view = self.view(name)?;
        let tensor = self.float(&view)?;
        self.advance(&view, (tensor.elem_count() * tensor.dtype().size_in_bytes()) as u64)?;
        Ok(tensor)
    }

    /// A linear layer `prefix.weight`, with `prefix.bias` where there is one.
    pub(crate) fn linear(&mut self, prefix: &str) -> Result<Linear> {
        let bias_name = format!("{prefix}.bias");
        let bias = if self.contains(&bias_name) { Some(self.tensor(&bias_name)?) } else { None };
        let view = self.view(&format!("{prefix}.weight"))?;
        if view.kind.is_quantized() {
            let weight = self.quantized(&view)?;
            self.advance(&view, view.bytes.len() as u64)?;
            Ok(Linear::quantized(weight, bias))
        } else {
            let weight = self.float(&view)?;
            self.advance(&view, (weight.elem_count() * weight.dtype().size_in_bytes()) as u64)?;
            Ok(Linear::float(weight, bias))
        }
    }

    /// The patch embedding: a linear layer over (row, column, channel), or a convolution whose
    /// weights (out, channel, row, column) say the same.
    pub(crate) fn patch_embedding(&mut self, prefix: &str) -> Result<Linear> {
        let view = self.view(&format!("{prefix}.weight"))?;
        let &[n_out, n_channels, n_rows, n_columns] = view.shape else {
            return self.linear(prefix);
        };
        let weight = self.float(&view)?.permute((0, 2, 3, 1))?.reshape((n_out, n_rows * n_columns * n_channels))?;
        self.advance(&view, (weight.elem_count() * weight.dtype().size_in_bytes()) as u64)?;
        let bias = self.tensor(&format!("{prefix}.bias"))?;
        Ok(Linear::float(weight.contiguous()?, Some(bias)))
    }

    /// A table of rows by id.
    pub(crate) fn embedding(&mut self, name: &str) -> Result<Embedding> {
        let view = self.view(name)?;
        if view.kind.is_quantized() {
            let table = self.quantized(&view)?;
            self.advance(&view, view.bytes.len() as u64)?;
            Ok(Embedding::quantized(table, self.dtype))
        } else {
            Ok(Embedding::float(self.tensor(name)?))
        }
    }

    fn contains(&self, name: &str) -> bool {
        match self.source {
            Source::Checkpoint(checkpoint) => checkpoint.tensor(name).is_some(),
            Source::Synthetic(synthetic) => synthetic.tensor(name).is_some(),
        }
    }

    fn view(&self, name: &str) -> Result<TensorView<'a>> {
        let view = match self.source {
            Source::Checkpoint(checkpoint) => checkpoint.tensor(name),
            Source::Synthetic(synthetic) => synthetic.tensor(name),
        };
        view.ok_or_else(|| Error::bad_input(format!("the checkpoint lacks {name}")))
    }

    fn float(&self, view: &TensorView<'_>) -> Result<Tensor> {
        let tensor = match view.kind {
            Kind::F32 => Tensor::from_raw_buffer(view.bytes, DType::F32, view.shape, &self.device)?,
            Kind::F16 => Tensor::from_raw_buffer(view.bytes, DType::F16, view.shape, &self.device)?,
            Kind::BF16 => Tensor::from_raw_buffer(view.bytes, DType::BF16, view.shape, &self.device)?,
            _ => self.quantized(view)?.dequantize(&self.device)?,
        };
        Ok(tensor.to_dtype(self.dtype)?)
    }

    fn quantized(&self, view: &TensorView<'_>) -> Result<QTensor> {
        let storage = QStorage::from_data(Cow::Borrowed(view.bytes), &self.device, ggml_dtype(view.kind))?;
        Ok(QTensor::new(storage, view.shape)?)
    }

    fn advance(&mut self, view: &TensorView<'_>, held_bytes: u64) -> Result<()> {
        if let Source::Checkpoint(checkpoint) = self.source {
            // The bytes are in the page cache now; hashing them here reads the disk once instead of twice.
            let hash = match view.stored_hash.filter(|_| self.is_verified) {
                Some(hash) => hash,
                None => checkpoint.checked_hash(view)?,
            };
            self.hasher.add(view.name, view.kind, view.shape, hash);
        }
        self.bytes += view.bytes.len() as u64;
        self.held_bytes += held_bytes;
        report(self.observe, Progress::Loading { bytes: self.bytes, total_bytes: self.total_bytes })
    }
}

pub(crate) fn ggml_dtype(kind: Kind) -> GgmlDType {
    match kind {
        Kind::F32 => GgmlDType::F32,
        Kind::F16 => GgmlDType::F16,
        Kind::BF16 => GgmlDType::BF16,
        Kind::Q4_0 => GgmlDType::Q4_0,
        Kind::Q4_1 => GgmlDType::Q4_1,
        Kind::Q5_0 => GgmlDType::Q5_0,
        Kind::Q5_1 => GgmlDType::Q5_1,
        Kind::Q8_0 => GgmlDType::Q8_0,
        Kind::Q4K => GgmlDType::Q4K,
        Kind::Q5K => GgmlDType::Q5K,
        Kind::Q6K => GgmlDType::Q6K,
    }
}

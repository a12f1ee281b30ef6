//! Loads tensors onto a device, from a checkpoint or any other [`TensorSource`].
//!
//! Float tensors are converted to the type of the activations; quantized
//! matrices stay as they are. One tensor at a time is copied from the mapped
//! file, so that loading takes no more memory than the loaded form and one tensor.

use std::borrow::Cow;
use std::collections::BTreeMap;

use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{DType, Device, Tensor};
use checkpoint::estimate::Arithmetic;
use checkpoint::{Checkpoint, Config, Kind, TensorHash, TensorHasher, TensorView};

use crate::nn::{Embedding, Linear};
use crate::progress::{EngineProgress, Observer, report};
use crate::{Error, Result};

/// A model's weights by their published names, with what else loading needs.
pub trait TensorSource {
    /// The model's name.
    fn name(&self) -> &str;

    /// The shapes of the model.
    fn config(&self) -> &Config;

    /// The quantization, as people name it.
    fn quantization(&self) -> String;

    /// The contents of `tokenizer.json`.
    fn tokenizer_json(&self) -> &[u8];

    /// A tensor by its published name.
    fn tensor(&self, name: &str) -> Option<TensorView<'_>>;

    /// Bytes of all tensors as stored.
    fn total_bytes(&self) -> u64;

    /// Bytes of all tensors once they are loaded.
    fn held_bytes(&self, arithmetic: Arithmetic) -> u64;

    /// The hash of a tensor's bytes, compared with the stored one; nothing where weights have no identity.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when the bytes do not match the stored hash.
    fn checked_hash(&self, tensor: &TensorView<'_>) -> Result<Option<TensorHash>>;
}

impl TensorSource for Checkpoint {
    fn name(&self) -> &str {
        self.name()
    }

    fn config(&self) -> &Config {
        self.config()
    }

    /// The quantization that a converted file names, or the kind of most of a checkpoint's bytes.
    fn quantization(&self) -> String {
        if let Some(provenance) = self.provenance() {
            return if provenance.quantization == provenance.generation_quantization {
                provenance.quantization.clone()
            } else {
                format!("{}+{}", provenance.quantization, provenance.generation_quantization)
            };
        }
        let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
        for view in self.tensors() {
            *sizes.entry(view.kind.name()).or_default() += view.bytes.len();
        }
        sizes.into_iter().max_by_key(|(_, n_bytes)| *n_bytes).map(|(name, _)| name.to_lowercase()).unwrap_or_default()
    }

    fn tokenizer_json(&self) -> &[u8] {
        self.tokenizer_json()
    }

    fn tensor(&self, name: &str) -> Option<TensorView<'_>> {
        self.tensor(name)
    }

    fn total_bytes(&self) -> u64 {
        self.total_bytes()
    }

    fn held_bytes(&self, arithmetic: Arithmetic) -> u64 {
        arithmetic.stored_bytes(self)
    }

    fn checked_hash(&self, tensor: &TensorView<'_>) -> Result<Option<TensorHash>> {
        Ok(Some(self.checked_hash(tensor)?))
    }
}

/// Reads tensors by their published names and reports the bytes read.
pub(crate) struct Reader<'a, 'o> {
    source: &'a dyn TensorSource,
    hasher: TensorHasher,
    device: Device,
    dtype: DType,
    bytes: u64,
    total_bytes: u64,
    held_bytes: u64,
    is_verified: bool,
    observe: &'o mut Observer<'o>,
}

impl<'a, 'o> Reader<'a, 'o> {
    pub(crate) fn new(
        source: &'a dyn TensorSource,
        device: Device,
        dtype: DType,
        observe: &'o mut Observer<'o>,
    ) -> Self {
        Self {
            source,
            hasher: TensorHasher::new(),
            device,
            dtype,
            bytes: 0,
            total_bytes: source.total_bytes(),
            held_bytes: 0,
            is_verified: false,
            observe,
        }
    }

    /// The model's hash, once every tensor has been read.
    pub(crate) fn weights_hash(&self) -> String {
        self.hasher.finish()
    }

    /// Uses the hashes that a file carries without comparing its bytes, because that was done before.
    pub(crate) fn trust_hashes(&mut self) {
        self.is_verified = true;
    }

    /// Sets the type of the tensors to come: the autoencoder may compute in a wider one.
    pub(crate) fn set_dtype(&mut self, dtype: DType) {
        self.dtype = dtype;
    }

    /// Bytes of weights on the device so far.
    pub(crate) fn held_bytes(&self) -> u64 {
        self.held_bytes
    }

    /// A tensor in the type of the activations.
    pub(crate) fn tensor(&mut self, name: &str) -> Result<Tensor> {
        let view = self.view(name)?;
        let tensor = self.float(&view)?;
        self.advance(&view, (tensor.elem_count() * tensor.dtype().size_in_bytes()) as u64)?;
        Ok(tensor)
    }

    /// A linear layer `prefix.weight`, with `prefix.bias` where it exists.
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
    /// weights (out, channel, row, column) mean the same.
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
        self.source.tensor(name).is_some()
    }

    fn view(&self, name: &str) -> Result<TensorView<'a>> {
        self.source.tensor(name).ok_or_else(|| Error::bad_input(format!("the checkpoint lacks {name}")))
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
        // The bytes are in the page cache now; hashing them here reads the disk once instead of twice.
        let hash = match view.stored_hash.filter(|_| self.is_verified) {
            Some(hash) => Some(hash),
            None => self.source.checked_hash(view)?,
        };
        if let Some(hash) = hash {
            self.hasher.add(view.name, view.kind, view.shape, hash);
        }
        self.bytes += view.bytes.len() as u64;
        self.held_bytes += held_bytes;
        report(self.observe, EngineProgress::Loading { bytes: self.bytes, total_bytes: self.total_bytes })
    }
}

/// candle's name of a kind.
pub fn ggml_dtype(kind: Kind) -> GgmlDType {
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

//! Weights that nobody trained, of any shape and quantization, to time a machine with.
//!
//! Each kind's bytes are those of normal numbers, quantized once and repeated:
//! zeros would flatter some hardware, and quantizing billions of numbers would
//! take longer than what is to be timed.

use std::collections::BTreeMap;

use candle_core::quantized::QTensor;
use candle_core::{DType, Device, Tensor};
use checkpoint::{Config, Kind, PlannedTensor, Quantization, TensorView, plan};
use half::{bf16, f16};

use crate::Result;
use crate::device::Precision;
use crate::memory::planned_bytes;
use crate::random::{Generator, Purpose};
use crate::weights::ggml_dtype;

/// Standard deviation of the weights, about that of a trained model's.
const DEVIATION: f32 = 0.02;

/// Numbers in one repeated pattern; a multiple of every kind's block.
const N_PATTERN: usize = 1 << 16;

/// The weights of a model of given shapes.
#[derive(Debug)]
pub(crate) struct Synthetic {
    config: Config,
    quantization: Quantization,
    planned: BTreeMap<String, PlannedTensor>,
    /// For each kind, as many bytes as its largest tensor has.
    bytes: Vec<(Kind, Vec<u8>)>,
}

impl Synthetic {
    /// Plans the tensors of `config` and makes the bytes they share.
    pub(crate) fn new(config: Config, quantization: Quantization) -> Result<Self> {
        let planned = plan(&config, quantization, quantization);
        let mut largest: Vec<(Kind, u64)> = Vec::new();
        for tensor in &planned {
            match largest.iter_mut().find(|(kind, _)| *kind == tensor.kind) {
                Some((_, n)) => *n = (*n).max(tensor.n_parameters()),
                None => largest.push((tensor.kind, tensor.n_parameters())),
            }
        }
        let bytes = largest.into_iter().map(|(kind, n)| Ok((kind, pattern(kind, n)?))).collect::<Result<_>>()?;
        let planned = planned.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect();
        Ok(Self { config, quantization, planned, bytes })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn quantization(&self) -> Quantization {
        self.quantization
    }

    pub(crate) fn total_bytes(&self) -> u64 {
        self.planned.values().map(PlannedTensor::size_bytes).sum()
    }

    /// Bytes that the weights hold on a device.
    pub(crate) fn held_bytes(&self, precision: Precision, is_cpu: bool) -> u64 {
        planned_bytes(&self.config, self.quantization, self.quantization, precision, is_cpu)
    }

    pub(crate) fn tensor(&self, name: &str) -> Option<TensorView<'_>> {
        let (name, tensor) = self.planned.get_key_value(name)?;
        let (_, bytes) = self.bytes.iter().find(|(kind, _)| *kind == tensor.kind)?;
        let bytes = &bytes[..tensor.size_bytes() as usize];
        Some(TensorView { name, kind: tensor.kind, shape: &tensor.shape, bytes, stored_hash: None })
    }
}

/// Bytes of `n` normal numbers in `kind`, every [`N_PATTERN`] of them the same.
fn pattern(kind: Kind, n: u64) -> Result<Vec<u8>> {
    let numbers = Generator::new(Purpose::Synthetic, 0).normals(N_PATTERN);
    let numbers: Vec<f32> = numbers.into_iter().map(|number| number * DEVIATION).collect();
    let pattern: Vec<u8> = match kind {
        Kind::F32 => numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Kind::F16 => numbers.iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect(),
        Kind::BF16 => numbers.iter().flat_map(|x| bf16::from_f32(*x).to_le_bytes()).collect(),
        _ => {
            let numbers = Tensor::from_vec(numbers, N_PATTERN, &Device::Cpu)?.to_dtype(DType::F32)?;
            QTensor::quantize(&numbers, ggml_dtype(kind))?.data()?.into_owned()
        }
    };
    let n_bytes = kind.size_bytes(n) as usize;
    Ok(pattern.iter().copied().cycle().take(n_bytes).collect())
}

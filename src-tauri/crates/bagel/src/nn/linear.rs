//! One linear layer for float and quantized weights.

use std::sync::Arc;

use candle_core::quantized::QTensor;
use candle_core::{DType, Device, Module, Tensor};

use crate::Result;

/// Above this many rows a quantized matrix is dequantized once and multiplied
/// as floats on a GPU: the kernels for many rows round activations to 8 bits.
const FEW_ROWS: usize = 8;

/// `y = x Wᵀ + b`, rows of `x` being tokens.
#[derive(Clone, Debug)]
pub struct Linear {
    weight: Matrix,
    bias: Option<Tensor>,
}

#[derive(Clone, Debug)]
enum Matrix {
    /// (out, in), in the activations' type.
    Float(Tensor),
    /// (out, in), kept as stored.
    Quantized(Arc<QTensor>),
}

impl Linear {
    /// Float weights (out, in) in the type of the activations.
    pub fn float(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight: Matrix::Float(weight), bias }
    }

    /// Quantized weights (out, in).
    pub fn quantized(weight: QTensor, bias: Option<Tensor>) -> Self {
        Self { weight: Matrix::Quantized(Arc::new(weight)), bias }
    }

    /// (rows, in) → (rows, out)
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] when shapes do not match or the device fails.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = match &self.weight {
            Matrix::Float(weight) => x.matmul(&weight.t()?)?,
            Matrix::Quantized(weight) => quantized_matmul(weight, x)?,
        };
        match &self.bias {
            Some(bias) => Ok(y.broadcast_add(bias)?),
            None => Ok(y),
        }
    }
}

fn quantized_matmul(weight: &Arc<QTensor>, x: &Tensor) -> Result<Tensor> {
    let dtype = x.dtype();
    let n_rows = x.dim(0)?;
    match x.device() {
        // The CPU's kernels read the blocks directly and are faster than floats at any number of rows.
        Device::Cpu => Ok(x.contiguous()?.apply_op1_no_bwd(weight.as_ref())?),
        Device::Cuda(_) if n_rows <= FEW_ROWS => {
            let y = x.to_dtype(DType::F32)?.contiguous()?.apply_op1_no_bwd(weight.as_ref())?;
            Ok(y.to_dtype(dtype)?)
        }
        Device::Cuda(_) => {
            let weight = weight.dequantize_f16(x.device())?.to_dtype(dtype)?;
            Ok(x.matmul(&weight.t()?)?)
        }
        // Metal's quantized matmul accumulates in half precision, which ruins images.
        Device::Metal(_) => {
            let weight = weight.dequantize(x.device())?.to_dtype(dtype)?;
            Ok(x.matmul(&weight.t()?)?)
        }
    }
}

/// Rows of a table by token id.
#[derive(Clone, Debug)]
pub(crate) struct Embedding {
    table: Matrix,
    dtype: DType,
}

impl Embedding {
    pub(crate) fn float(table: Tensor) -> Self {
        let dtype = table.dtype();
        Self { table: Matrix::Float(table), dtype }
    }

    pub(crate) fn quantized(table: QTensor, dtype: DType) -> Self {
        Self { table: Matrix::Quantized(Arc::new(table)), dtype }
    }

    /// `ids` → (ids, hidden)
    pub(crate) fn forward(&self, ids: &[u32], device: &Device) -> Result<Tensor> {
        let ids = Tensor::new(ids, device)?;
        match &self.table {
            Matrix::Float(table) => Ok(candle_nn::Embedding::new(table.clone(), table.dim(1)?).forward(&ids)?),
            Matrix::Quantized(table) => Ok(table.embedding(&ids)?.to_dtype(self.dtype)?),
        }
    }
}

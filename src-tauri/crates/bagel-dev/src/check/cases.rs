//! One pair of files with golden values.

use std::path::Path;

use bagel::{Error, Result};
use candle_core::{DType, Device, Tensor};

/// Values by name, and what they were computed from.
pub(super) struct Cases {
    tensors: std::collections::HashMap<String, Tensor>,
    pub(super) facts: serde_json::Value,
}

impl Cases {
    /// Reads `name.safetensors` and, where there is one, `name.json`.
    pub(super) fn open(folder: &Path, name: &str) -> Result<Self> {
        let facts = folder.join(format!("{name}.json"));
        let facts = if facts.exists() { read_json(&facts)? } else { serde_json::Value::Null };
        let path = folder.join(format!("{name}.safetensors"));
        let tensors = candle_core::safetensors::load(&path, &Device::Cpu)
            .map_err(|error| Error::BadInput(format!("{}: {error}", path.display())))?;
        Ok(Self { tensors, facts })
    }

    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.tensors.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    pub(super) fn tensor(&self, name: &str) -> Result<&Tensor> {
        self.tensors.get(name).ok_or_else(|| Error::BadInput(format!("the golden cases lack {name}")))
    }

    pub(super) fn numbers(&self, name: &str) -> Result<Vec<f32>> {
        Ok(self.tensor(name)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
    }

    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>> {
        Ok(self.tensor(name)?.flatten_all()?.to_vec1()?)
    }
}

pub(super) fn read_json(path: &Path) -> Result<serde_json::Value> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|error| Error::BadInput(format!("{}: {error}", path.display())))
}

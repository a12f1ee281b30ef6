//! The small model that ships with the studio.

use std::fs;
use std::path::{Path, PathBuf};

use checkpoint::{Checkpoint, Config, Quantization};

use crate::{Error, Result};

/// One file of the bundled model.
#[derive(Debug)]
pub(crate) struct Bundled {
    pub(crate) path: PathBuf,
    pub(crate) quantization: Quantization,
    pub(crate) config: Config,
    pub(crate) bytes: u64,
}

impl Bundled {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let checkpoint = Checkpoint::open(path, None)?;
        let quantization = match checkpoint.provenance() {
            Some(provenance) => provenance.quantization.parse()?,
            None => Quantization::Bf16,
        };
        let bytes = fs::metadata(path).map_err(Error::io(path))?.len();
        Ok(Self { path: path.to_path_buf(), quantization, config: checkpoint.config().clone(), bytes })
    }
}

/// The weights in the folder, by name.
pub(crate) fn find_bundled(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_model = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "gguf");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_model).collect();
    files.sort();
    files
}

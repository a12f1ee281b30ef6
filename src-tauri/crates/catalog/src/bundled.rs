//! The small model that ships with the studio.

use std::fs;
use std::path::{Path, PathBuf};

use checkpoint::{Checkpoint, Config, Quantization};
use protocol::{LocalText, ModelDefaults};
use serde::Deserialize;

use crate::manifest::Entry;
use crate::{Error, Result};

/// Beside the bundled model: what it is called and how requests to it are made.
const FACTS_FILE: &str = "pocket.toml";

const MAX_FACTS_BYTES: u64 = 1 << 16;

/// One file of the bundled model.
#[derive(Debug)]
pub(crate) struct Bundled {
    pub(crate) path: PathBuf,
    pub(crate) quantization: Quantization,
    pub(crate) config: Config,
    pub(crate) bytes: u64,
}

/// What the bundled model says of itself; anything else in its file is for others.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Facts {
    name: Option<LocalText>,
    summary: Option<LocalText>,
    licence: Option<String>,
    defaults: Option<ModelDefaults>,
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

impl Facts {
    pub(crate) fn apply(self, entry: &mut Entry) {
        entry.name = self.name.unwrap_or_else(|| entry.name.clone());
        entry.summary = self.summary.unwrap_or_else(|| entry.summary.clone());
        entry.licence = self.licence.or_else(|| entry.licence.clone());
        entry.defaults = self.defaults.unwrap_or_else(|| entry.defaults.clone());
    }
}

/// Reads what lies beside the bundled model; nothing when it cannot be understood.
pub(crate) fn read_facts(folder: &Path) -> Facts {
    let path = folder.join(FACTS_FILE);
    let is_fine = fs::metadata(&path).is_ok_and(|about| about.is_file() && about.len() <= MAX_FACTS_BYTES);
    let text = if is_fine { fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
    toml::from_str(&text).unwrap_or_else(|error| {
        tracing::warn!(%error, path = %path.display(), "the bundled model's facts cannot be read");
        Facts::default()
    })
}

/// The weights in the folder, by name.
pub(crate) fn find_bundled(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_model = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "gguf");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_model).collect();
    files.sort();
    files
}

//! Models that the user has already.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use checkpoint::{Checkpoint, Kind, ObserveBytes, Quantization, WeightsFormat};
use protocol::{LocalText, ModelId};

use crate::catalog::Catalog;
use crate::layout::STAGING_PREFIX;
use crate::manifest::check_id;
use crate::record::{Imported, Record};
use crate::{Error, Result};

/// Read and written at once.
const COPY_BYTES: usize = 4 << 20;

/// Companions of published weights that belong to the model.
const COMPANIONS: [&str; 4] = ["config.json", "llm_config.json", "vit_config.json", "tokenizer.json"];

/// What happens to the files of an imported model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportMode {
    /// They stay where they are and are only remembered; removing the model leaves them.
    Link,
    /// They are copied into the models' folder; removing the model removes the copy.
    Copy,
}

impl Catalog {
    /// Takes up a model that lies at `path`: an official folder, a safetensors file or a GGUF of ours.
    ///
    /// What it is, is decided by the tensors in it. `now_ms` is milliseconds since 1970. The observer
    /// is called with bytes copied and bytes in all.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when it is no model or lacks tensors that no installed base supplies,
    /// [`Error::DiskFull`] when a copy does not fit, [`Error::Cancelled`]; nothing is left behind then.
    #[tracing::instrument(skip_all, fields(?how))]
    pub fn import(&self, path: &Path, how: ImportMode, now_ms: i64, observe: &mut ObserveBytes<'_>) -> Result<ModelId> {
        let path = std::path::absolute(path).map_err(Error::io(path))?;
        let (checkpoint, base) = self.open_with_any_base(&path)?;
        let own_files = own_files(&checkpoint, &path, base.as_ref().map(|(_, path)| path.as_path()));
        let bytes = own_files.iter().filter_map(|it| fs::metadata(it).ok()).map(|it| it.len()).sum();
        let mut imported = Imported {
            name: LocalText { en: checkpoint.name().to_owned(), zh: checkpoint.name().to_owned() },
            path: path.clone(),
            is_link: how == ImportMode::Link,
            at_ms: now_ms,
            quantization: stored_quantization(&checkpoint)?.name().to_owned(),
            is_gguf: checkpoint.format() == WeightsFormat::Gguf,
            bytes,
            base: base.map(|(id, _)| id.0),
            config: checkpoint.config().clone(),
        };
        drop(checkpoint);
        let id = self.free_id(&imported.name.en);
        let _claim = self.claim(&id)?;
        fs::create_dir_all(self.folder()).map_err(Error::io(self.folder()))?;
        let builder = tempfile::Builder::new().prefix(STAGING_PREFIX).tempdir_in(self.folder());
        let staging = builder.map_err(Error::io(self.folder()))?;
        if how == ImportMode::Copy {
            Error::check_free_space(self.folder(), bytes)?;
            let source = staging.path().join(&id.0);
            fs::create_dir(&source).map_err(Error::io(&source))?;
            copy_all(&own_files, &source, bytes, observe)?;
            let final_source = self.source_folder(&id);
            // The file itself is opened where a file was given: its neighbors may be another model.
            imported.path = match own_files.first().and_then(|it| it.file_name()) {
                Some(name) if path.is_file() => final_source.join(path.file_name().unwrap_or(name)),
                _ => final_source,
            };
        }
        Record { imported: Some(imported), ..Record::default() }.write(staging.path())?;
        let destination = self.model_folder(&id);
        durable::rename(&staging.keep(), &destination).map_err(Error::io(&destination))?;
        Ok(id)
    }

    /// Opens a model, with the files of an installed one where it lacks tensors or a tokenizer.
    fn open_with_any_base(&self, path: &Path) -> Result<(Checkpoint, Option<(ModelId, PathBuf)>)> {
        let first = match Checkpoint::open(path, None) {
            Ok(checkpoint) => return Ok((checkpoint, None)),
            Err(error) => error,
        };
        if matches!(first, checkpoint::Error::Tensors { .. } | checkpoint::Error::TokenizerMissing { .. }) {
            let bases = self.manifest.entries.iter().filter(|entry| !entry.bundled && entry.base.is_none());
            for entry in bases {
                let Ok(base) = self.base_of(&entry.id, &entry.id) else { continue };
                if let Ok(checkpoint) = Checkpoint::open(path, Some(&base)) {
                    return Ok((checkpoint, Some((entry.id.clone(), base))));
                }
            }
        }
        Err(first.into())
    }

    /// An id made of the model's name that nothing else has.
    fn free_id(&self, name: &str) -> ModelId {
        let mut stem: String = name
            .to_lowercase()
            .chars()
            .map(|it| if it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.') { it } else { '-' })
            .take(48)
            .collect();
        stem = stem.trim_matches(['-', '.', '_']).to_owned();
        if check_id(&stem).is_err() {
            stem = "model".to_owned();
        }
        let is_taken = |id: &ModelId| self.manifest.entry(id).is_some() || self.model_folder(id).exists();
        let mut id = ModelId(stem.clone());
        let mut n = 2;
        while is_taken(&id) {
            id = ModelId(format!("{stem}-{n}"));
            n += 1;
        }
        id
    }
}

/// How most of the weights are stored.
pub(crate) fn stored_quantization(checkpoint: &Checkpoint) -> Result<Quantization> {
    if let Some(provenance) = checkpoint.provenance() {
        return Ok(provenance.quantization.parse()?);
    }
    let largest = checkpoint.tensors().max_by_key(|tensor| tensor.bytes.len());
    Ok(match largest.map(|tensor| tensor.kind) {
        Some(Kind::F32) => Quantization::F32,
        _ => Quantization::Bf16,
    })
}

/// The files that the model is read from and that are its own, not its base's.
fn own_files(checkpoint: &Checkpoint, path: &Path, base: Option<&Path>) -> Vec<PathBuf> {
    let base = base.map(|it| if it.is_dir() { it.to_path_buf() } else { it.parent().unwrap_or(it).to_path_buf() });
    let is_own = |file: &Path| base.as_deref().is_none_or(|base| !file.starts_with(base));
    let mut files: Vec<PathBuf> = checkpoint.files().iter().filter(|file| is_own(file)).cloned().collect();
    if checkpoint.format() == WeightsFormat::Safetensors {
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
        files.extend(COMPANIONS.iter().map(|name| folder.join(name)).filter(|file| file.is_file()));
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        files.extend(entries.filter(|it| it.to_string_lossy().ends_with(".safetensors.index.json") && path.is_dir()));
    }
    files
}

/// Copies files, each synced, and says how far it is.
fn copy_all(files: &[PathBuf], folder: &Path, total_bytes: u64, observe: &mut ObserveBytes<'_>) -> Result<()> {
    let mut done_bytes = 0;
    let mut buffer = vec![0; COPY_BYTES];
    for file in files {
        let destination = folder.join(file.file_name().unwrap_or_default());
        let mut from = File::open(file).map_err(Error::io(file))?;
        let mut to = File::create_new(&destination).map_err(Error::io(&destination))?;
        loop {
            let n_read = from.read(&mut buffer).map_err(Error::io(file))?;
            if n_read == 0 {
                break;
            }
            to.write_all(buffer.get(..n_read).unwrap_or_default()).map_err(Error::io(&destination))?;
            done_bytes += n_read as u64;
            if observe(done_bytes, total_bytes).is_break() {
                return Err(Error::Cancelled);
            }
        }
        to.sync_all().map_err(Error::io(&destination))?;
    }
    durable::sync_folder(folder).map_err(Error::io(folder))
}

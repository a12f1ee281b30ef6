//! What is remembered of a model on this machine: one small file in its folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use checkpoint::Config;
use durable::Overwrite;
use protocol::LocalText;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The record's name in a model's folder.
pub(crate) const RECORD_FILE: &str = "model.json";

const MAX_RECORD_BYTES: u64 = 1 << 20;

/// Everything that is remembered of one model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Record {
    /// The commit that its files are taken from.
    pub(crate) revision: Option<String>,
    /// Published files by name.
    pub(crate) files: BTreeMap<String, FileRecord>,
    /// Its shapes, once its files have been opened.
    pub(crate) config: Option<Config>,
    /// Forms that were converted here, by quantization.
    pub(crate) forms: BTreeMap<String, Stamp>,
    /// Where it was imported from, for a model that no catalog lists.
    pub(crate) imported: Option<Imported>,
    /// What it is on the way to become.
    pub(crate) install: Option<InstallPlan>,
    /// Why its files cannot be used, found when they were last checked.
    pub(crate) damage: Option<String>,
}

/// What is known of one published file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FileRecord {
    /// What the server called the bytes that have arrived so far.
    pub(crate) etag: Option<String>,
    /// Its length, once the server has told it.
    pub(crate) bytes: Option<u64>,
    /// Its SHA-256, as published, as the server has told it, or as it was when it was complete.
    pub(crate) sha256: Option<String>,
    /// Whether the repository has no such file.
    pub(crate) absent: bool,
    /// The file as it was when its bytes were last compared with the hash.
    pub(crate) checked: Option<Stamp>,
}

/// A file's length and time of change: as long as both stay, it counts as unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) bytes: u64,
    /// Nanoseconds since 1970 as text, because JSON numbers are not wide enough.
    pub(crate) modified: String,
}

/// A model that the user had already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Imported {
    pub(crate) name: LocalText,
    /// What is opened: the user's own path, or the copy.
    pub(crate) path: PathBuf,
    /// Whether removing the model leaves the files where they are.
    pub(crate) is_link: bool,
    /// Milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// How its weights are stored.
    pub(crate) quantization: String,
    /// Whether it is one file of ours rather than published ones.
    pub(crate) is_gguf: bool,
    /// Bytes of its files.
    pub(crate) bytes: u64,
    /// The listed model that supplies what it lacks.
    pub(crate) base: Option<String>,
    pub(crate) config: Config,
}

/// An installation that was begun and is not complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallPlan {
    /// What the model becomes.
    pub quantization: String,
    /// Whether the published files go away once they are converted.
    pub removes_source: bool,
}

impl Record {
    /// Reads the record of a model's folder; one that is absent or cannot be understood is empty.
    ///
    /// Nothing is lost with it: files are checked again, and hashes asked for again.
    pub(crate) fn read(folder: &Path) -> Self {
        let path = folder.join(RECORD_FILE);
        let Ok(about) = fs::metadata(&path) else { return Self::default() };
        if !about.is_file() || about.len() > MAX_RECORD_BYTES {
            return Self::default();
        }
        let read = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        read.unwrap_or_else(|| {
            tracing::warn!(path = %path.display(), "the record of a model cannot be read and is begun anew");
            Self::default()
        })
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(RECORD_FILE);
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| Error::io(&path)(error.into()))?;
        durable::write(&path, &bytes, Overwrite::Replace).map_err(Error::io(&path))
    }
}

impl Stamp {
    /// The stamp of a regular file; nothing when there is none.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let about = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        let modified = match about.modified().ok()?.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_nanos().to_string(),
            Err(before) => format!("-{}", before.duration().as_nanos()),
        };
        Some(Self { bytes: about.len(), modified })
    }
}

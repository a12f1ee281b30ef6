//! Remembers which files have had every number checked.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::{Checkpoint, Error, ObserveBytes, Result};

/// Records of checks, a small file each, in a folder that the caller chooses.
///
/// A record holds for as long as a file's path, size and time of change stay the same.
#[derive(Clone, Debug)]
pub struct Verified {
    folder: PathBuf,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    /// For people; the record's name tells paths apart.
    path: String,
    size_bytes: u64,
    /// Nanoseconds since 1970, before it negative; as text, since JSON numbers are not wide enough.
    modified: String,
}

impl Verified {
    /// Uses this folder; it need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Checks every number of a GGUF of ours, unless that was done since it last changed.
    ///
    /// A record that cannot be kept is no error: the next time checks again.
    pub fn ensure(&self, checkpoint: &Checkpoint, observe: &mut ObserveBytes<'_>) -> Result<()> {
        if checkpoint.provenance().is_none() || self.contains(checkpoint) {
            return Ok(());
        }
        checkpoint.verify(observe)?;
        let _ = self.record(checkpoint);
        Ok(())
    }

    /// Whether all files of the checkpoint are as they were when they were checked.
    pub fn contains(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.files().iter().all(|file| {
            let Ok(now) = Record::of(file) else { return false };
            let Ok(bytes) = fs::read(self.place(file)) else { return false };
            serde_json::from_slice::<Record>(&bytes).is_ok_and(|then| then == now)
        })
    }

    /// Records that all files of the checkpoint have been checked.
    pub fn record(&self, checkpoint: &Checkpoint) -> Result<()> {
        fs::create_dir_all(&self.folder).map_err(|source| Error::io(&self.folder, source))?;
        for file in checkpoint.files() {
            let record = Record::of(file)?;
            let place = self.place(file);
            let failed = |source| Error::io(&place, source);
            let json = serde_json::to_vec(&record).map_err(|error| failed(error.into()))?;
            durable::write_unsynced(&place, &json).map_err(failed)?;
        }
        Ok(())
    }

    fn place(&self, file: &Path) -> PathBuf {
        let path = fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf());
        let key = blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex();
        self.folder.join(format!("{key}.json"))
    }
}

impl Record {
    fn of(file: &Path) -> Result<Self> {
        let failed = |source| Error::io(file, source);
        let path = fs::canonicalize(file).map_err(failed)?.to_string_lossy().into_owned();
        let about = fs::metadata(file).map_err(failed)?;
        let modified = about.modified().map_err(failed)?;
        let modified = match modified.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_nanos().to_string(),
            Err(before) => format!("-{}", before.duration().as_nanos()),
        };
        Ok(Self { path, size_bytes: about.len(), modified })
    }
}

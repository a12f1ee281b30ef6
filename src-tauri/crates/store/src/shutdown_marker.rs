//! The marker of a clean shutdown, and the one of a suspected damage.
//!
//! Closing a library writes the hash of its database. If that still matches at
//! the next start, no check is needed, and a single bit that changed on disk in
//! between is noticed.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use imagefile::{Overwrite, write_bytes};
use serde::{Deserialize, Serialize};

use crate::files::{database_path, remove_file};
use crate::{Error, Result};

const CLEAN: &str = "clean.json";
const SUSPECT: &str = "suspect";

/// State of the library when it was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShutdownMarker {
    /// BLAKE3 of the database file.
    database_hash: String,
    /// Whether the newest backup has the same content.
    pub(crate) is_backed_up: bool,
}

impl ShutdownMarker {
    /// Whether the database file has not changed since it was closed.
    pub(crate) fn matches(&self, folder: &Path) -> bool {
        let log = folder.join("library.db-wal");
        let has_log = fs::metadata(log).is_ok_and(|log| log.len() > 0);
        !has_log && hash_file(&database_path(folder)).is_ok_and(|hash| hash == self.database_hash)
    }
}

/// Reads the marker; `None` if the library was not closed.
pub(crate) fn read(folder: &Path) -> Option<ShutdownMarker> {
    serde_json::from_slice(&fs::read(folder.join(CLEAN)).ok()?).ok()
}

pub(crate) fn write(folder: &Path, is_backed_up: bool) -> Result<()> {
    let database = database_path(folder);
    let database_hash = hash_file(&database).map_err(Error::disk("read", database))?;
    let bytes = serde_json::to_vec(&ShutdownMarker { database_hash, is_backed_up }).unwrap_or_default();
    let path = folder.join(CLEAN);
    write_bytes(&path, &bytes, Overwrite::Replace).map_err(Error::placing(&path, bytes.len()))
}

/// Must come before the first change of the library.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    remove_file(&folder.join(CLEAN))
}

/// Makes the next start check every row.
pub(crate) fn mark_suspect(folder: &Path) -> Result<()> {
    let path = folder.join(SUSPECT);
    File::create(&path).map(drop).map_err(Error::disk("write", path))
}

pub(crate) fn is_suspect(folder: &Path) -> bool {
    folder.join(SUSPECT).exists()
}

pub(crate) fn clear_suspect(folder: &Path) -> Result<()> {
    remove_file(&folder.join(SUSPECT))
}

fn hash_file(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

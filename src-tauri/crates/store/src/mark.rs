//! What one run of the program tells the next.
//!
//! A library that was closed carries a mark with the hash of its database: while
//! it agrees, nothing needs to be looked for, and a single bit that changed on
//! the disk since then is noticed.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use imagefile::{Overwrite, write_bytes};
use serde::{Deserialize, Serialize};

use crate::files::remove_file;
use crate::store::database_path;
use crate::{Error, Result};

const CLEAN: &str = "clean.json";
const SUSPECT: &str = "suspect";

/// How the library was left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// BLAKE3 of the database.
    database: String,
    /// Whether the newest backup holds the same.
    pub(crate) is_backed_up: bool,
}

impl Mark {
    /// Whether the database is bit for bit as it was left.
    pub(crate) fn agrees(&self, folder: &Path) -> bool {
        let log = folder.join("library.db-wal");
        let has_log = fs::metadata(log).is_ok_and(|log| log.len() > 0);
        !has_log && hash(&database_path(folder)).is_ok_and(|hash| hash == self.database)
    }
}

/// The mark that the last run left, if it closed the library.
pub(crate) fn read(folder: &Path) -> Option<Mark> {
    serde_json::from_slice(&fs::read(folder.join(CLEAN)).ok()?).ok()
}

/// Marks the library as closed.
pub(crate) fn write(folder: &Path, is_backed_up: bool) -> Result<()> {
    let database = database_path(folder);
    let mark = Mark { database: hash(&database).map_err(Error::disk("read", database))?, is_backed_up };
    let bytes = serde_json::to_vec(&mark).unwrap_or_default();
    let path = folder.join(CLEAN);
    write_bytes(&path, &bytes, Overwrite::Replace).map_err(Error::placing(&path, bytes.len()))
}

/// Takes the mark away, before anything changes.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    remove_file(&folder.join(CLEAN))
}

/// Has the next start look at every row, because something was wrong.
pub(crate) fn suspect(folder: &Path) -> Result<()> {
    let path = folder.join(SUSPECT);
    File::create(&path).map(drop).map_err(Error::disk("write", path))
}

/// Whether something was wrong when the library was used last.
pub(crate) fn is_suspect(folder: &Path) -> bool {
    folder.join(SUSPECT).exists()
}

/// Takes the suspicion away, once it was looked into.
pub(crate) fn clear(folder: &Path) -> Result<()> {
    remove_file(&folder.join(SUSPECT))
}

fn hash(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

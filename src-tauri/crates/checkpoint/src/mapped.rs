//! Files mapped into memory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::{Error, Result};

/// A whole file, mapped read-only for as long as this lives.
#[derive(Debug)]
pub(crate) struct Mapped {
    path: PathBuf,
    map: Mmap,
}

impl Mapped {
    /// Maps a regular file that is not empty.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let about = fs::metadata(path).map_err(|source| Error::io(path, source))?;
        if !about.is_file() {
            return Err(Error::not_a_model(path, "not a regular file"));
        }
        if about.len() == 0 {
            return Err(Error::not_a_model(path, "the file is empty; download it again"));
        }
        let file = File::open(path).map_err(|source| Error::io(path, source))?;
        #[expect(unsafe_code, reason = "weights of 29 GB are mapped, not read into memory")]
        // SAFETY: the map is read-only and never aliased mutably by this process. Another
        // process that truncates the file while it is mapped ends this one with SIGBUS, which
        // the process boundary around the engine is there for; files are replaced by renaming,
        // which leaves an existing map alone.
        let map = unsafe { Mmap::map(&file) }.map_err(|source| Error::io(path, source))?;
        Ok(Self { path: path.to_path_buf(), map })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.map
    }
}

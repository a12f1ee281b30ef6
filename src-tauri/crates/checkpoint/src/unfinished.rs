//! Files that are being written, for a program that must end at once.
//!
//! A writer that is dropped removes its file; a process that is ended by a
//! second Ctrl-C drops nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

static PATHS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A file that is noted for as long as this exists.
#[derive(Debug)]
pub(crate) struct Unfinished(PathBuf);

impl Unfinished {
    /// Notes a file that is not complete.
    pub(crate) fn note(path: &Path) -> Self {
        paths().push(path.to_path_buf());
        Self(path.to_path_buf())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        paths().retain(|path| *path != self.0);
    }
}

/// Removes every file that is not complete; the process must end after this.
pub fn remove_unfinished() {
    for path in paths().drain(..) {
        let _ = fs::remove_file(path);
    }
}

fn paths() -> MutexGuard<'static, Vec<PathBuf>> {
    PATHS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_still_unfinished_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let [done, half] = ["done", "half"].map(|name| folder.path().join(name));
        fs::write(&done, "1").unwrap();
        fs::write(&half, "2").unwrap();
        drop(Unfinished::note(&done));
        let _half = Unfinished::note(&half);
        remove_unfinished();
        assert!(done.exists() && !half.exists());
    }
}

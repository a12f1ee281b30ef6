//! Small files that appear only when they are complete and on the disk.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use crate::{Error, Result};

/// Writes a file: a temporary one in the same folder, synced, renamed, and the folder synced.
pub(crate) fn place(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let failed = || Error::io(path);
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(failed())?;
    temporary.write_all(bytes).map_err(failed())?;
    temporary.as_file().sync_all().map_err(failed())?;
    temporary.persist(path).map_err(|error| failed()(error.error))?;
    sync_folder(folder)
}

/// Gives a complete file its name, durably.
pub(crate) fn promote(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(Error::io(to))?;
    sync_folder(to.parent().unwrap_or(Path::new(".")))
}

/// Makes renames and removals in a folder last.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    // Windows has no such call; its journal orders names by itself.
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io(folder))?;
    }
    Ok(())
}

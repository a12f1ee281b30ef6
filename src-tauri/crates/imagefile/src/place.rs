//! Putting a file under a name: whole, synced, or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::read::kind_of;
use crate::{Error, Result};

/// What happens to a file that has the name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// It stays, and writing fails; also when it appears while we write.
    Refuse,
    /// It is replaced at once.
    Replace,
}

/// Checks, before any work is done for it, that a file can be written under a name.
///
/// A name that is free now may be taken later: [`place_bytes`] finds that too.
pub fn check_destination(path: &Path, overwrite: Overwrite) -> Result<()> {
    check_name(path, overwrite)?;
    // Only trying shows whether a folder takes files.
    temporary(path).map(drop)
}

/// Writes bytes under a name: a temporary file in the same folder, synced, then renamed, then the folder synced.
///
/// When this returns an error nothing has changed under the name; when it
/// returns, the file survives a loss of power.
pub fn place_bytes(path: &Path, bytes: &[u8], overwrite: Overwrite) -> Result<()> {
    check_name(path, overwrite)?;
    let mut file = temporary(path)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(|error| Error::write(path, error))?;
    let placed = match overwrite {
        Overwrite::Refuse => file.persist_noclobber(path),
        Overwrite::Replace => file.persist(path),
    };
    placed.map_err(|failed| match failed.error.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists { path: path.to_owned() },
        _ => Error::write(path, failed.error),
    })?;
    sync_folder(&folder_of(path)).map_err(|error| Error::write(path, error))
}

fn check_name(path: &Path, overwrite: Overwrite) -> Result<()> {
    if path.file_name().is_none() {
        return Err(Error::NoName { path: path.to_owned() });
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(Error::NoFolder { path: folder });
    }
    match (fs::symlink_metadata(path), overwrite) {
        (Err(_), _) => Ok(()),
        // A name that ends in a slash asks for a folder; renaming onto a device would remove it.
        (Ok(found), _) if !found.is_file() && !found.is_symlink() => {
            Err(Error::NotReplaceable { path: path.to_owned(), what: kind_of(found.file_type()) })
        }
        (Ok(_), Overwrite::Refuse) => Err(Error::Exists { path: path.to_owned() }),
        (Ok(_), Overwrite::Replace) => Ok(()),
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A temporary file beside the destination, which goes away unless it is renamed.
fn temporary(path: &Path) -> Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".bagel-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As for any new file: what the umask leaves, not the owner alone.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder_of(path)).map_err(|error| Error::write(path, error))
}

/// Makes the name itself survive a loss of power.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

/// Windows offers no such call; its file systems keep a journal of names.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

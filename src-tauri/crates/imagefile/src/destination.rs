//! Saving a file whose name a person chose: names that cannot be used are refused with a message that says why.

use std::fs;
use std::io;
use std::path::Path;

use durable::{Overwrite, PendingFile, folder_of};

use crate::read::kind_of;
use crate::{Error, Result};

/// Checks, before any work is done for it, that a file can be written under a name.
///
/// A name that is free now may be taken later: [`write_bytes`] finds that too.
pub fn check_destination(path: &Path, overwrite: Overwrite) -> Result<()> {
    check_name(path, overwrite)?;
    // Only trying shows whether a folder takes files.
    PendingFile::create(path).map(drop).map_err(|error| Error::write(path, error))
}

/// Saves bytes under a name; see [`durable::write()`] for what an error leaves behind.
pub fn write_bytes(path: &Path, bytes: &[u8], overwrite: Overwrite) -> Result<()> {
    check_name(path, overwrite)?;
    durable::write(path, bytes, overwrite).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists { path: path.to_owned() },
        _ => Error::write(path, error),
    })
}

fn check_name(path: &Path, overwrite: Overwrite) -> Result<()> {
    if path.file_name().is_none() {
        return Err(Error::NoName { path: path.to_owned() });
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(Error::NoFolder { path: folder.to_owned() });
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

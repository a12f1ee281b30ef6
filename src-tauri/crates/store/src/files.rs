//! The layout of a library's folder, and changes of its files.
//!
//! ```text
//! library.db              the database, with its log beside it while it is open
//! images/ab/<hash>.png    images by the hash of their bytes; never changed
//! images/ab/<hash>.<node>.json   sidecar of an imported image
//! thumbnails/ab/<hash>.jpg       made on demand
//! backups/<number>.db     copies of the database
//! damaged/<number>/       damaged databases that were replaced
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use imagefile::{Format, Overwrite, write_bytes};
use protocol::{NodeId, Size};
use rusqlite::Transaction;

use crate::table::pending_delete;
use crate::{Error, Result};

pub(crate) const DATABASE: &str = "library.db";
pub(crate) const IMAGES: &str = "images";
pub(crate) const THUMBNAILS: &str = "thumbnails";
pub(crate) const BACKUPS: &str = "backups";
pub(crate) const DAMAGED: &str = "damaged";

pub(crate) fn database_path(folder: &Path) -> PathBuf {
    folder.join(DATABASE)
}

/// Format of an image file, written as its extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ImageFormat(pub(crate) Format);

impl ImageFormat {
    pub(crate) fn extension(self) -> &'static str {
        match self.0 {
            Format::Png => "png",
            Format::Jpeg => "jpg",
            Format::WebP => "webp",
        }
    }
}

impl FromStr for ImageFormat {
    type Err = ();

    fn from_str(extension: &str) -> std::result::Result<Self, ()> {
        match extension {
            "png" => Ok(Self(Format::Png)),
            "jpg" => Ok(Self(Format::Jpeg)),
            "webp" => Ok(Self(Format::WebP)),
            _ => Err(()),
        }
    }
}

/// An immutable image file of the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImageFile {
    /// BLAKE3 of its bytes.
    pub(crate) hash: String,
    pub(crate) format: ImageFormat,
    pub(crate) size_bytes: u64,
    pub(crate) size: Size,
    /// [`imagefile::image_hash`] of the decoded image.
    pub(crate) pixel_hash: String,
}

impl ImageFile {
    pub(crate) fn new(bytes: &[u8], format: Format, image: &protocol::Image) -> Self {
        Self {
            hash: blake3::hash(bytes).to_hex().to_string(),
            format: ImageFormat(format),
            size_bytes: bytes.len() as u64,
            size: image.size(),
            pixel_hash: imagefile::image_hash(image),
        }
    }

    /// Path relative to the library, as are the others.
    pub(crate) fn path(&self) -> String {
        format!("{IMAGES}/{}/{}.{}", shard(&self.hash), self.hash, self.format.extension())
    }

    pub(crate) fn thumbnail_path(&self) -> String {
        format!("{THUMBNAILS}/{}/{}.jpg", shard(&self.hash), self.hash)
    }

    pub(crate) fn sidecar_path(&self, node: NodeId) -> String {
        format!("{IMAGES}/{}/{}.{node}.json", shard(&self.hash), self.hash)
    }
}

/// The folder of a hash, its first two digits: folders with thousands of files are slow.
pub(crate) fn shard(hash: &str) -> &str {
    hash.get(..2).unwrap_or("00")
}

/// Creates all folders, including those for images, so that adding an image never has to create and sync one.
pub(crate) fn make_folders(root: &Path) -> Result<()> {
    let make = |folder: PathBuf| fs::create_dir_all(&folder).map_err(Error::disk("make the folder", folder));
    let images = root.join(IMAGES);
    let is_complete = images.join("ff").is_dir();
    for name in [IMAGES, THUMBNAILS, BACKUPS, DAMAGED] {
        make(root.join(name))?;
    }
    if !is_complete {
        for shard in 0..=255_u8 {
            make(images.join(format!("{shard:02x}")))?;
        }
        sync_folder(&images)?;
        sync_folder(root)?;
    }
    Ok(())
}

/// Makes the names in a folder survive a loss of power.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    durable::sync_folder(folder).map_err(Error::disk("sync the folder", folder))
}

/// Removes a file; a missing one is not an error.
pub(crate) fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::disk("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Files that a change of the database adds before its commit and deletes after it.
#[derive(Debug)]
pub(crate) struct FileChanges<'a> {
    root: &'a Path,
    placed: Vec<PathBuf>,
    pub(crate) pending_deletes: Vec<String>,
}

impl<'a> FileChanges<'a> {
    pub(crate) fn new(root: &'a Path) -> Self {
        Self { root, placed: Vec::new(), pending_deletes: Vec::new() }
    }

    /// Writes and syncs an immutable file, which [`Self::undo`] removes again.
    pub(crate) fn place(&mut self, tx: &Transaction<'_>, path: &str, bytes: &[u8]) -> Result<()> {
        pending_delete::cancel(tx, path)?;
        let full = self.root.join(path);
        if !full.exists() {
            self.placed.push(full.clone());
        }
        // Also replaces an existing file: after a crash its name may not be synced.
        write_bytes(&full, bytes, Overwrite::Replace).map_err(Error::placing(&full, bytes.len()))
    }

    /// Deletes a file after the commit.
    pub(crate) fn schedule_delete(&mut self, tx: &Transaction<'_>, path: String) -> Result<()> {
        pending_delete::add(tx, &path)?;
        self.pending_deletes.push(path);
        Ok(())
    }

    /// Removes the placed files after a failed change.
    pub(crate) fn undo(&self) {
        for path in &self.placed {
            // The next start finds files that cannot be removed now.
            let _ = fs::remove_file(path);
        }
    }
}

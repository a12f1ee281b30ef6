//! Where things lie in a library's folder, and putting them there.
//!
//! ```text
//! library.db              the database, with its log beside it while it is open
//! images/ab/<hash>.png    images by the hash of their bytes; never changed
//! images/ab/<hash>.<node>.json   where an imported image belongs
//! thumbnails/ab/<hash>.jpg       made when they are missing
//! backups/<number>.db     copies of the database
//! damaged/<number>/       databases that were set aside
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use imagefile::{Format, Overwrite, write_bytes};
use protocol::{NodeId, Size};
use rusqlite::Transaction;

use crate::table::doomed;
use crate::{Error, Result};

pub(crate) const DATABASE: &str = "library.db";
pub(crate) const IMAGES: &str = "images";
pub(crate) const THUMBNAILS: &str = "thumbnails";
pub(crate) const BACKUPS: &str = "backups";
pub(crate) const DAMAGED: &str = "damaged";

/// The kind of an image's file.
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

/// An image's file, which never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImageFile {
    /// BLAKE3 of its bytes.
    pub(crate) hash: String,
    /// What it is.
    pub(crate) format: ImageFormat,
    /// Its length.
    pub(crate) size_bytes: u64,
    /// Pixels of the image.
    pub(crate) size: Size,
    /// Hash of the image that it shows.
    pub(crate) pixels: String,
}

impl ImageFile {
    /// What is known of a file from its bytes and from the image in it.
    pub(crate) fn new(bytes: &[u8], format: Format, image: &protocol::Image) -> Self {
        Self {
            hash: blake3::hash(bytes).to_hex().to_string(),
            format: ImageFormat(format),
            size_bytes: bytes.len() as u64,
            size: image.size(),
            pixels: imagefile::image_hash(image),
        }
    }

    /// Its path in the library.
    pub(crate) fn path(&self) -> String {
        format!("{IMAGES}/{}/{}.{}", shard(&self.hash), self.hash, self.format.extension())
    }

    /// The path of its thumbnail.
    pub(crate) fn thumbnail(&self) -> String {
        format!("{THUMBNAILS}/{}/{}.jpg", shard(&self.hash), self.hash)
    }

    /// The path of the note that says where one of its images belongs.
    pub(crate) fn sidecar(&self, node: NodeId) -> String {
        format!("{IMAGES}/{}/{}.{node}.json", shard(&self.hash), self.hash)
    }
}

/// The first two digits of a hash: folders of thousands of files are slow.
pub(crate) fn shard(hash: &str) -> &str {
    hash.get(..2).unwrap_or("00")
}

/// Makes all folders, those for images at once so that none has to be made and synced later.
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

/// Removes a file, which may be gone already.
pub(crate) fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::disk("remove", path)(error)),
        _ => Ok(()),
    }
}

/// What a change of the database puts on the disk before it is committed and takes from it after that.
#[derive(Debug)]
pub(crate) struct FileChanges<'a> {
    root: &'a Path,
    placed: Vec<PathBuf>,
    pub(crate) doomed: Vec<String>,
}

impl<'a> FileChanges<'a> {
    pub(crate) fn new(root: &'a Path) -> Self {
        Self { root, placed: Vec::new(), doomed: Vec::new() }
    }

    /// Puts a file of immutable content under its name, synced; goes away again if the change does not come about.
    pub(crate) fn place(&mut self, tx: &Transaction<'_>, path: &str, bytes: &[u8]) -> Result<()> {
        doomed::spare(tx, path)?;
        let full = self.root.join(path);
        if !full.exists() {
            self.placed.push(full.clone());
        }
        // Also over a file that is there: a crash may have left it without a synced name.
        write_bytes(&full, bytes, Overwrite::Replace).map_err(Error::placing(&full, bytes.len()))
    }

    /// Has a file removed as soon as the change is committed.
    pub(crate) fn doom(&mut self, tx: &Transaction<'_>, path: String) -> Result<()> {
        doomed::add(tx, &path)?;
        self.doomed.push(path);
        Ok(())
    }

    /// Removes what was put there.
    pub(crate) fn undo(&self) {
        for path in &self.placed {
            // What stays is found when the library is opened next.
            let _ = fs::remove_file(path);
        }
    }
}

//! Small images for lists: made when they are missing, and never missed when they are gone.

use std::fs;
use std::path::{Path, PathBuf};

use image::imageops::{self, FilterType};
use image::{ImageBuffer, Rgb};
use imagefile::Encoding;
use protocol::{Image, NodeId, Size};

use crate::files::{THUMBNAILS, shard};
use crate::store::lock;
use crate::table::image::find_by_node;
use crate::{Error, Result, Store};

/// Longest side of a thumbnail, enough for twice the pixels of the largest one shown.
const SIDE: u32 = 256;

const QUALITY: u8 = 85;

impl Store {
    /// Where an image's thumbnail lies: a JPEG of at most 256 pixels a side. The first call for an image makes it.
    ///
    /// One is made at a time, however many threads ask: a gallery asks for hundreds at once, and a whole image is
    /// in memory for each.
    pub fn thumbnail(&self, id: NodeId) -> Result<PathBuf> {
        let file = self.read(|db| find_by_node(db, &id.to_string())?.ok_or(Error::NoNode(id)))?;
        let root = self.copy.as_ref().map_or(self.folder(), |copy| copy.path());
        let path = root.join(file.thumbnail_path());
        if is_whole(&path) {
            return Ok(path);
        }
        let _reducing = lock(&self.reducing);
        // Somebody else may have made it meanwhile.
        if is_whole(&path) {
            return Ok(path);
        }
        let image = imagefile::read(&self.file_path(&file.path()))?.image;
        let bytes = imagefile::encode(&path, &reduce(image), Encoding::Jpeg { quality: QUALITY }, None)?;
        let folder = root.join(THUMBNAILS).join(shard(&file.hash));
        let place = || {
            fs::create_dir_all(&folder)?;
            durable::write_unsynced(&path, &bytes)
        };
        place().map_err(Error::disk("write", &path))?;
        Ok(path)
    }
}

/// Whether a thumbnail is there from its first bytes to its last: a loss of power may have left less.
fn is_whole(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\xff\xd8") && bytes.ends_with(b"\xff\xd9"))
}

fn reduce(image: Image) -> Image {
    let Size { width, height } = image.size();
    let longest = width.max(height);
    if longest <= SIDE {
        return image;
    }
    let scaled = |side: u32| ((u64::from(side) * u64::from(SIDE)) / u64::from(longest)).max(1) as u32;
    let small = ImageBuffer::<Rgb<u8>, &[u8]>::from_raw(width, height, image.rgb())
        .map(|whole| imageops::resize(&whole, scaled(width), scaled(height), FilterType::Triangle));
    small.and_then(|small| Image::new(small.width(), small.height(), small.into_raw())).unwrap_or(image)
}

//! Small pictures for lists: made when they are missing, and never missed when they are gone.

use std::path::PathBuf;

use image::RgbImage;
use image::imageops::{self, FilterType};
use imagefile::{Encoding, Overwrite, place_bytes};
use protocol::{NodeId, Picture, Size};

use crate::files::shard;
use crate::table::image::of_node;
use crate::{Error, Result, Store};

/// Longest side of a thumbnail, enough for twice the pixels of the largest one shown.
const SIDE: u32 = 256;

const QUALITY: u8 = 85;

impl Store {
    /// Where a picture's thumbnail lies: a JPEG of at most 256 pixels a side. The first call for a picture makes it.
    pub fn thumbnail(&self, id: NodeId) -> Result<PathBuf> {
        let file = self.read(|db| of_node(db, &id.to_string())?.ok_or(Error::NoNode(id)))?;
        let root = self.copy.as_ref().map_or(self.folder(), |copy| copy.path());
        let path = root.join(file.thumbnail());
        // An empty one is left when the power fails: it is not worth a sync.
        if std::fs::metadata(&path).is_ok_and(|thumbnail| thumbnail.len() > 0) {
            return Ok(path);
        }
        let picture = imagefile::read(&self.file(&file.path()))?.picture;
        let bytes = imagefile::encode(&path, &reduce(&picture), Encoding::Jpeg { quality: QUALITY }, None)?;
        let folder = root.join(crate::files::THUMBNAILS).join(shard(&file.hash));
        std::fs::create_dir_all(&folder).map_err(Error::disk("make the folder", folder))?;
        place_bytes(&path, &bytes, Overwrite::Replace).map_err(Error::placing(&path, bytes.len()))?;
        Ok(path)
    }
}

fn reduce(picture: &Picture) -> Picture {
    let Size { width, height } = picture.size();
    let longest = width.max(height);
    if longest <= SIDE {
        return picture.clone();
    }
    let scaled = |side: u32| ((u64::from(side) * u64::from(SIDE)) / u64::from(longest)).max(1) as u32;
    let small = RgbImage::from_raw(width, height, picture.rgb().to_vec())
        .map(|whole| imageops::resize(&whole, scaled(width), scaled(height), FilterType::Triangle));
    small
        .and_then(|small| Picture::new(small.width(), small.height(), small.into_raw()))
        .unwrap_or_else(|| picture.clone())
}

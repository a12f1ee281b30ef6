//! Decoders, each behind a check of the file's structure.
//!
//! Structure is checked by walking the file's own framing: it finds cut files,
//! animations and false sizes before a decoder allocates anything for them.

mod jpeg;
pub(crate) mod png;
mod webp;

use image::metadata::Orientation;

use crate::pixels::Decoded;
use crate::{EmbeddedRecipe, Format, Problem};

/// Decodes a file of a known format, with the recipe that it carries.
pub(crate) fn decode(format: Format, bytes: &[u8]) -> Result<(Decoded, EmbeddedRecipe), Problem> {
    match format {
        Format::Png => png::decode(bytes),
        Format::Jpeg => jpeg::decode(bytes).map(|decoded| (decoded, EmbeddedRecipe::Absent)),
        Format::WebP => webp::decode(bytes).map(|decoded| (decoded, EmbeddedRecipe::Absent)),
    }
}

/// The orientation in a block of EXIF; upright when there is none or it makes no sense.
fn orientation(exif: Option<&[u8]>) -> Orientation {
    let tiff = exif.map(|exif| exif.strip_prefix(b"Exif\0\0").unwrap_or(exif));
    tiff.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms)
}

/// `count` bytes at `offset`, when the file has them.
fn slice(bytes: &[u8], offset: usize, count: usize) -> Option<&[u8]> {
    bytes.get(offset..)?.get(..count)
}

/// A big-endian 16-bit number at `offset`.
fn u16_be(bytes: &[u8], offset: usize) -> Option<u16> {
    slice(bytes, offset, 2)?.try_into().ok().map(u16::from_be_bytes)
}

/// A little-endian 16-bit number at `offset`.
fn u16_le(bytes: &[u8], offset: usize) -> Option<u16> {
    slice(bytes, offset, 2)?.try_into().ok().map(u16::from_le_bytes)
}

/// A big-endian 32-bit number at `offset`.
fn u32_be(bytes: &[u8], offset: usize) -> Option<u32> {
    slice(bytes, offset, 4)?.try_into().ok().map(u32::from_be_bytes)
}

/// A little-endian 32-bit number at `offset`.
fn u32_le(bytes: &[u8], offset: usize) -> Option<u32> {
    slice(bytes, offset, 4)?.try_into().ok().map(u32::from_le_bytes)
}

//! WebP.

use std::io::Cursor;

use image_webp::WebPDecoder;
use protocol::Size;

use super::{orientation, slice, u16_le, u32_le};
use crate::Problem;
use crate::limits::{MAX_FILE_BYTES, check_memory, check_size, n_pixels};
use crate::pixels::{Decoded, Layout};

/// Decodes a still WebP.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, Problem> {
    let coding = walk(bytes)?;

    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(Problem::damaged)?;
    decoder.set_memory_limit(MAX_FILE_BYTES as usize);
    if decoder.is_animated() {
        return Err(Problem::Animated);
    }
    let (width, height) = decoder.dimensions();
    let size = Size { width, height };
    if size != coding.size() {
        return Err(Problem::damaged("two different sizes"));
    }
    let layout = if decoder.has_alpha() { Layout::Rgba } else { Layout::Rgb };
    // What the decoder holds at once: planes at half resolution, the alpha's own
    // four-channel image, or a four-channel image beside the result.
    let bytes_per_pixel = match (coding, layout.has_alpha()) {
        (Coding::Lossy(_), false) => 2 + 3,
        (Coding::Lossy(_), true) => 2 + 4 + 5,
        (Coding::Lossless(_), false) => 4 + 3,
        (Coding::Lossless(_), true) => 4,
    };
    check_memory(n_pixels(size) * bytes_per_pixel)?;

    let exif = decoder.exif_metadata().map_err(Problem::damaged)?;
    let mut samples = vec![0; width as usize * height as usize * layout.n_channels()];
    decoder.read_image(&mut samples).map_err(Problem::damaged)?;
    Ok(Decoded { size, layout, samples, orientation: orientation(exif.as_deref()) })
}

/// How the one frame is coded, and its size.
#[derive(Clone, Copy)]
enum Coding {
    Lossy(Size),
    Lossless(Size),
}

impl Coding {
    fn size(self) -> Size {
        match self {
            Self::Lossy(size) | Self::Lossless(size) => size,
        }
    }
}

/// Walks all chunks: the file must be whole, still, and hold one frame of a bounded size.
fn walk(bytes: &[u8]) -> Result<Coding, Problem> {
    let n_bytes = u32_le(bytes, 4).ok_or(Problem::Truncated)? as usize;
    let riff = slice(bytes, 8, n_bytes).ok_or(Problem::Truncated)?;
    let mut offset = 4;
    let mut coding = None;
    while offset < riff.len() {
        let kind = slice(riff, offset, 4).ok_or(Problem::Truncated)?;
        let n_bytes = u32_le(riff, offset + 4).ok_or(Problem::Truncated)? as usize;
        let data = slice(riff, offset + 8, n_bytes).ok_or(Problem::Truncated)?;
        // Chunks begin at even offsets.
        offset += 8 + n_bytes + n_bytes % 2;
        let found = match kind {
            b"ANIM" | b"ANMF" => return Err(Problem::Animated),
            b"VP8 " => lossy_size(data).map(Coding::Lossy),
            b"VP8L" => lossless_size(data).map(Coding::Lossless),
            _ => continue,
        };
        let found = found.ok_or_else(|| Problem::damaged("a frame without a header"))?;
        check_size(found.size())?;
        if coding.replace(found).is_some() {
            return Err(Problem::damaged("two frames"));
        }
    }
    coding.ok_or_else(|| Problem::damaged("no frame"))
}

/// Three bytes of flags, three of a start code, then both sides with two bits of scaling each.
fn lossy_size(data: &[u8]) -> Option<Size> {
    let side = |offset| u16_le(data, offset).map(|value| u32::from(value & 0x3fff));
    Some(Size { width: side(6)?, height: side(8)? })
}

/// A signature byte, then fourteen bits a side, each less one.
fn lossless_size(data: &[u8]) -> Option<Size> {
    let bits = u32_le(data, 1)?;
    Some(Size { width: (bits & 0x3fff) + 1, height: (bits >> 14 & 0x3fff) + 1 })
}

//! JPEG.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::{ColorType, ImageDecoder, Limits};
use protocol::Size;

use super::{orientation, slice, u16_be};
use crate::Problem;
use crate::limits::{MAX_DECODE_BYTES, MAX_SIDE, check_memory, check_size, n_pixels};
use crate::pixels::{Decoded, Layout};

/// What the segments of a file say.
struct Structure<'a> {
    size: Size,
    /// Memory for coefficients, where the decoder must keep them all at once.
    coefficient_bytes: u64,
    exif: Option<&'a [u8]>,
}

/// Decodes a JPEG; CMYK becomes RGB without a profile.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, Problem> {
    let structure = walk(bytes)?;
    check_memory(3 * n_pixels(structure.size) + structure.coefficient_bytes)?;

    let mut decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(Problem::damaged)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODE_BYTES);
    decoder.set_limits(limits).map_err(Problem::damaged)?;

    let (width, height) = decoder.dimensions();
    let size = Size { width, height };
    if size != structure.size {
        return Err(Problem::damaged("two different sizes"));
    }
    let layout = match decoder.color_type() {
        ColorType::L8 => Layout::Gray,
        ColorType::La8 => Layout::GrayAlpha,
        ColorType::Rgba8 => Layout::Rgba,
        _ => Layout::Rgb,
    };
    let mut samples = vec![0; width as usize * height as usize * layout.n_channels()];
    decoder.read_image(&mut samples).map_err(Problem::damaged)?;
    Ok(Decoded { size, layout, samples, orientation: orientation(structure.exif) })
}

/// Walks all segments and past all scans to the end marker.
fn walk(bytes: &[u8]) -> Result<Structure<'_>, Problem> {
    let mut frame: Option<Frame> = None;
    let mut scans_are_partial = false;
    let mut exif = None;
    let mut offset = 2;
    loop {
        let marker = next_marker(bytes, &mut offset).ok_or(Problem::Truncated)?;
        let n_bytes = match marker {
            // Markers without a length: TEM, the restarts, a second start.
            0x01 | 0xd0..=0xd8 => continue,
            0xd9 => break,
            _ => usize::from(u16_be(bytes, offset).ok_or(Problem::Truncated)?),
        };
        let segment = slice(bytes, offset, n_bytes).ok_or(Problem::Truncated)?;
        let data = segment.get(2..).ok_or_else(|| Problem::damaged("a segment of a wrong length"))?;
        offset += n_bytes;
        match marker {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                if frame.is_some() {
                    return Err(Problem::damaged("two frames"));
                }
                let parsed = Frame::parse(marker, data).ok_or_else(|| Problem::damaged("a frame cut short"))?;
                check_size(parsed.size)?;
                frame = Some(parsed);
            }
            0xe1 if data.starts_with(b"Exif\0\0") => exif = exif.or(Some(data)),
            0xda => {
                let n_components = frame.as_ref().map(|frame| frame.n_components);
                scans_are_partial |= data.first().copied() != n_components;
            }
            _ => {}
        }
    }
    let frame = frame.ok_or_else(|| Problem::damaged("no frame"))?;
    let keeps_coefficients = frame.is_progressive || scans_are_partial;
    // Two bytes a coefficient, as many coefficients as samples.
    let coefficient_bytes = if keeps_coefficients { 2 * frame.n_samples } else { 0 };
    Ok(Structure { size: frame.size, coefficient_bytes, exif })
}

/// The next marker at or behind `offset`, which then points behind it.
///
/// Between scans this passes over the entropy-coded data, in which 0xFF is
/// followed by a zero.
fn next_marker(bytes: &[u8], offset: &mut usize) -> Option<u8> {
    loop {
        let rest = bytes.get(*offset..)?;
        let found = rest.iter().position(|byte| *byte == 0xff)?;
        let marker = *rest.get(found + 1)?;
        // A run of 0xFF is padding: the last one counts.
        *offset += found + if marker == 0xff { 1 } else { 2 };
        if marker != 0 && marker != 0xff {
            return Some(marker);
        }
    }
}

/// The frame header.
struct Frame {
    size: Size,
    n_components: u8,
    /// Samples of all components together.
    n_samples: u64,
    is_progressive: bool,
}

impl Frame {
    fn parse(marker: u8, data: &[u8]) -> Option<Self> {
        let size = Size { width: u16_be(data, 3)?.into(), height: u16_be(data, 1)?.into() };
        let n_components = *data.get(5)?;
        // Id, sampling (horizontal in the upper half), table: three bytes a component.
        let samplings = slice(data, 6, 3 * usize::from(n_components))?;
        let areas: Vec<u64> = samplings
            .chunks_exact(3)
            .filter_map(|component| component.get(1))
            .map(|sampling| u64::from(sampling >> 4) * u64::from(sampling & 15))
            .collect();
        let largest = areas.iter().copied().max().unwrap_or(0).max(1);
        let n_samples = (n_pixels(size) * areas.iter().sum::<u64>()).div_ceil(largest);
        let is_progressive = matches!(marker, 0xc2 | 0xc6 | 0xca | 0xce);
        Some(Self { size, n_components, n_samples, is_progressive })
    }
}

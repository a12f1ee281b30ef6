//! PNG.

use std::io::Cursor;

use png::{ColorType, Limits, Transformations};
use protocol::Size;

use super::{orientation, slice, u32_be};
use crate::limits::{MAX_DECODE_BYTES, check_memory, check_size, n_pixels};
use crate::pixels::{Decoded, Layout};
use crate::recipe::TextChunks;
use crate::{EmbeddedRecipe, Problem};

/// What the chunks of a file say.
#[derive(Debug)]
struct Structure<'a> {
    size: Size,
    exif: Option<&'a [u8]>,
    text: TextChunks<'a>,
}

/// Decodes a PNG, sixteen bits by their upper byte as the reference does.
pub(super) fn decode(bytes: &[u8]) -> Result<(Decoded, EmbeddedRecipe), Problem> {
    let structure = walk(bytes)?;

    let limits = Limits { bytes: MAX_DECODE_BYTES as usize };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info().map_err(Problem::damaged)?;

    let size = Size { width: reader.info().width, height: reader.info().height };
    if size != structure.size {
        return Err(Problem::damaged("two different sizes"));
    }
    let layout = match reader.output_color_type().0 {
        ColorType::Grayscale => Layout::Gray,
        ColorType::GrayscaleAlpha => Layout::GrayAlpha,
        ColorType::Rgb => Layout::Rgb,
        ColorType::Rgba => Layout::Rgba,
        ColorType::Indexed => return Err(Problem::damaged("no palette")),
    };
    // Gray is spread into a second image, alpha is taken out of the first.
    let bytes_per_pixel = match layout {
        Layout::Gray => 1 + 3,
        Layout::GrayAlpha => 2 + 3,
        Layout::Rgb => 3,
        Layout::Rgba => 4,
    };
    check_memory(n_pixels(size) * bytes_per_pixel)?;

    let samples = read_rows(&mut reader, size, layout)?;
    let orientation = orientation(structure.exif);
    Ok((Decoded { size, layout, samples, orientation }, structure.text.recipe()))
}

/// Reads only as many rows as there are: asking for one more would inflate
/// whatever follows the last, and that is as long as a bomb wants.
fn read_rows(reader: &mut png::Reader<Cursor<&[u8]>>, size: Size, layout: Layout) -> Result<Vec<u8>, Problem> {
    let n_row_bytes = size.width as usize * layout.n_channels();
    let mut samples = vec![0; n_row_bytes * size.height as usize];
    let too_few = || Problem::damaged("too few rows");
    if reader.info().interlaced {
        let n_bits = 8 * layout.n_channels() as u8;
        for _ in 0..n_interlaced_rows(size) {
            let row = reader.next_interlaced_row().map_err(Problem::damaged)?.ok_or_else(too_few)?;
            let png::InterlaceInfo::Adam7(pass) = row.interlace() else { return Err(too_few()) };
            png::expand_interlaced_row(&mut samples, n_row_bytes, row.data(), pass, n_bits);
        }
    } else {
        for row in samples.chunks_exact_mut(n_row_bytes) {
            reader.read_row(row).map_err(Problem::damaged)?.ok_or_else(too_few)?;
        }
    }
    Ok(samples)
}

/// Rows of all seven passes together.
fn n_interlaced_rows(size: Size) -> u32 {
    // First column, first row and the step between rows, a pass each.
    const PASSES: [(u32, u32, u32); 7] = [(0, 0, 8), (4, 0, 8), (0, 4, 8), (2, 0, 4), (0, 2, 4), (1, 0, 2), (0, 1, 2)];
    PASSES
        .iter()
        .filter(|(column, ..)| *column < size.width)
        .map(|(_, row, step)| size.height.saturating_sub(*row).div_ceil(*step))
        .sum()
}

/// Walks all chunks: the file must be whole, and every chunk that makes pixels undamaged.
fn walk(bytes: &[u8]) -> Result<Structure<'_>, Problem> {
    const SIGNATURE_BYTES: usize = 8;
    let mut offset = SIGNATURE_BYTES;
    let mut size = None;
    let mut exif = None;
    let mut text = TextChunks::default();
    let mut image_data_seen = false;

    loop {
        let n_bytes = u32_be(bytes, offset).ok_or(Problem::Truncated)? as usize;
        let kind = slice(bytes, offset + 4, 4).ok_or(Problem::Truncated)?;
        let data = slice(bytes, offset + 8, n_bytes).ok_or(Problem::Truncated)?;
        let checksum = u32_be(bytes, offset + 8 + n_bytes).ok_or(Problem::Truncated)?;
        let is_whole = || crc32(kind, data) == checksum;
        offset += 12 + n_bytes;

        if (size.is_none()) != (kind == b"IHDR") {
            return Err(Problem::damaged("its header is missing or comes twice"));
        }
        if matches!(kind, b"IHDR" | b"PLTE" | b"IDAT" | b"tRNS") && !is_whole() {
            return Err(Problem::damaged(format_args!("wrong checksum in {}", String::from_utf8_lossy(kind))));
        }
        match kind {
            b"IHDR" => {
                let (Some(width), Some(height)) = (u32_be(data, 0), u32_be(data, 4)) else {
                    return Err(Problem::damaged("a header of a wrong length"));
                };
                let claimed = Size { width, height };
                check_size(claimed)?;
                size = Some(claimed);
            }
            b"IDAT" => image_data_seen = true,
            b"acTL" if !image_data_seen => return Err(Problem::Animated),
            b"eXIf" => exif = exif.or(is_whole().then_some(data)),
            b"tEXt" | b"zTXt" => text.count(data),
            b"iTXt" => text.count_international(data, is_whole()),
            b"IEND" => break,
            _ => {}
        }
    }
    match size {
        Some(size) if image_data_seen => Ok(Structure { size, exif, text }),
        _ => Err(Problem::damaged("no image data")),
    }
}

fn crc32(kind: &[u8], data: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(kind);
    hasher.update(data);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interlaced_rows_are_counted() {
        let check = |width, height, expected| assert_eq!(n_interlaced_rows(Size { width, height }), expected);
        check(1, 1, 1);
        check(8, 8, 15);
        check(5, 1, 4);
        check(2, 9, 14);
    }
}

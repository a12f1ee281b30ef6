//! What an image file may ask of this machine.

use protocol::Size;

use crate::Problem;

/// Longest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 100_000_000;

/// Longest side of an image, in pixels.
pub const MAX_SIDE: u32 = 16_384;

/// Largest area of an image, in pixels.
pub const MAX_PIXELS: u64 = 100_000_000;

/// Most memory that decoding one image may take, in bytes, the file itself not counted.
pub const MAX_DECODE_BYTES: u64 = 512 << 20;

/// Most text in a PNG with a recipe, in bytes, stored and unpacked together.
pub const MAX_TEXT_BYTES: usize = 2 << 20;

/// Most text chunks in a PNG with a recipe.
pub const MAX_TEXT_CHUNKS: usize = 64;

/// Deepest nesting of a recipe's JSON.
pub const MAX_JSON_DEPTH: usize = 32;

/// Holds a claimed size against the bounds, before anything is allocated for it.
pub(crate) fn check_size(size: Size) -> Result<(), Problem> {
    let Size { width, height } = size;
    if width == 0 || height == 0 {
        return Err(Problem::Empty { width, height });
    }
    if width > MAX_SIDE || height > MAX_SIDE || n_pixels(size) > MAX_PIXELS {
        return Err(Problem::TooManyPixels { width, height });
    }
    Ok(())
}

/// Pixels of an image.
pub(crate) fn n_pixels(size: Size) -> u64 {
    u64::from(size.width) * u64::from(size.height)
}

/// Holds the memory that a decoder will need against the bound.
pub(crate) fn check_memory(needed_bytes: u64) -> Result<(), Problem> {
    if needed_bytes > MAX_DECODE_BYTES {
        return Err(Problem::TooMuchMemory { needed_mib: needed_bytes >> 20 });
    }
    Ok(())
}

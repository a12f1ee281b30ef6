//! Texts inside a PNG, put in and taken out without touching its pixels.
//!
//! The crate that keeps a library writes where an image belongs beside its
//! recipe; what leaves the library leaves without that. Only the head of a file
//! is read, so that thousands of them take seconds.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use protocol::Size;

use crate::limits::{MAX_TEXT_BYTES, check_size};
use crate::recipe::TextChunks;
use crate::{EmbeddedRecipe, Error, Format, Problem, Result};

/// What every PNG begins with.
const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";

/// Signature and header: what any text comes behind.
const HEADER_BYTES: usize = 8 + 12 + 13;

/// Most chunks before the pixels; a file with more of them is not one of ours.
const MAX_HEAD_CHUNKS: usize = 4096;

/// What stands in a PNG before its pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct PngHead {
    /// Its size in pixels as stored.
    pub size: Size,
    /// The recipe that it carries.
    pub recipe: EmbeddedRecipe,
    /// The text under the keyword that was asked for.
    pub text: Option<String>,
}

/// The bytes of a PNG with one more text, before its pixels; `None` when they are no PNG.
///
/// The keyword must be 1 to 79 Latin letters, digits or hyphens.
pub fn with_text(png: &[u8], keyword: &str, text: &str) -> Option<Vec<u8>> {
    let (head, rest) = png.split_at_checked(HEADER_BYTES).filter(|(head, _)| head.starts_with(SIGNATURE))?;
    // Not packed, no language, no translated keyword.
    let data = [keyword.as_bytes(), b"\0\0\0\0\0", text.as_bytes()].concat();
    let n_bytes = u32::try_from(data.len()).ok()?;
    let kind = b"iTXt";
    Some([head, &n_bytes.to_be_bytes(), kind, &data, &crc32(kind, &data).to_be_bytes(), rest].concat())
}

/// The bytes of a PNG without any text under a keyword; `None` when they are no whole PNG.
pub fn without_text(png: &[u8], keyword: &str) -> Option<Vec<u8>> {
    let mut kept = png.strip_prefix(SIGNATURE).map(|_| SIGNATURE.to_vec())?;
    let mut rest = png.get(SIGNATURE.len()..)?;
    while !rest.is_empty() {
        let n_bytes = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?) as usize;
        let (chunk, behind) = rest.split_at_checked(n_bytes.checked_add(12)?)?;
        let kind = chunk.get(4..8)?;
        let is_text = matches!(kind, b"iTXt" | b"tEXt" | b"zTXt");
        if !(is_text && text_behind(chunk.get(8..)?, keyword).is_some()) {
            kept.extend_from_slice(chunk);
        }
        if kind == b"IEND" {
            // What some programs hide behind the end is no part of the image.
            break;
        }
        rest = behind;
    }
    Some(kept)
}

/// Reads what stands before the pixels of a PNG file; the pixels are neither read nor checked.
pub fn read_head(path: &Path, keyword: &str) -> Result<PngHead> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => Error::Missing { path: path.to_owned() },
        io::ErrorKind::UnexpectedEof => unusable(path, Problem::Truncated),
        _ => Error::Read { path: path.to_owned(), source },
    };
    let file = File::open(path).map_err(failed)?;
    let mut reader = BufReader::new(file);
    let mut signature = [0; 8];
    reader.read_exact(&mut signature).map_err(failed)?;
    if &signature != SIGNATURE {
        return Err(Error::Foreign { path: path.to_owned(), what: "no PNG" });
    }

    let mut size = None;
    // The data of text chunks, whether its checksum agreed, and whether it is international text.
    let mut texts: Vec<(Vec<u8>, bool, bool)> = Vec::new();
    let mut n_text_bytes = 0;
    for _ in 0..MAX_HEAD_CHUNKS {
        let mut start = [0; 8];
        reader.read_exact(&mut start).map_err(failed)?;
        let [a, b, c, d, kind @ ..] = start;
        let n_bytes = u32::from_be_bytes([a, b, c, d]) as usize;
        match &kind {
            b"IDAT" | b"IEND" => break,
            b"IHDR" | b"iTXt" | b"tEXt" | b"zTXt" if n_text_bytes + n_bytes <= MAX_TEXT_BYTES => {
                let mut data = vec![0; n_bytes + 4];
                reader.read_exact(&mut data).map_err(failed)?;
                let checksum = data.split_off(n_bytes);
                let is_whole = crc32(&kind, &data).to_be_bytes() == checksum.as_slice();
                if &kind == b"IHDR" {
                    size = parse_size(&data).filter(|_| is_whole);
                } else {
                    n_text_bytes += n_bytes;
                    texts.push((data, is_whole, &kind == b"iTXt"));
                }
            }
            _ => {
                reader.seek_relative(n_bytes as i64 + 4).map_err(failed)?;
            }
        }
    }
    let size = size.ok_or_else(|| unusable(path, Problem::damaged("no header")))?;
    check_size(size).map_err(|problem| unusable(path, problem))?;

    let mut chunks = TextChunks::default();
    for (data, is_whole, is_international) in &texts {
        if *is_international { chunks.count_international(data, *is_whole) } else { chunks.count(data) }
    }
    let text = texts.iter().filter(|(_, is_whole, is_international)| *is_whole && *is_international).find_map(
        |(data, _, _)| text_behind(data, keyword).and_then(|rest| rest.strip_prefix(b"\0\0\0\0")).map(<[u8]>::to_vec),
    );
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(PngHead { size, recipe: chunks.recipe(), text })
}

/// What follows a keyword and its end, if a text chunk begins with them.
fn text_behind<'a>(data: &'a [u8], keyword: &str) -> Option<&'a [u8]> {
    data.strip_prefix(keyword.as_bytes())?.strip_prefix(b"\0")
}

fn parse_size(header: &[u8]) -> Option<Size> {
    let number = |offset: usize| header.get(offset..offset + 4)?.try_into().ok().map(u32::from_be_bytes);
    Some(Size { width: number(0)?, height: number(4)? })
}

fn unusable(path: &Path, problem: Problem) -> Error {
    Error::Unusable { path: path.to_owned(), format: Format::Png, problem }
}

fn crc32(kind: &[u8], data: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(kind);
    hasher.update(data);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use protocol::Image;

    use super::*;
    use crate::{Encoding, encode, read_bytes};

    fn png() -> Vec<u8> {
        let image = Image::new(3, 2, (0..18).collect()).unwrap();
        encode(Path::new("a.png"), &image, Encoding::Png, None).unwrap()
    }

    #[test]
    fn a_text_comes_back_and_goes_away() {
        let plain = png();
        let noted = with_text(&plain, "key", "画 {\"a\": 1}").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        std::fs::write(&path, &noted).unwrap();

        let head = read_head(&path, "key").unwrap();
        assert_eq!(head.text.as_deref(), Some("画 {\"a\": 1}"));
        assert_eq!(head.size, Size { width: 3, height: 2 });
        assert_eq!(head.recipe, EmbeddedRecipe::Absent);
        assert_eq!(read_head(&path, "ke").unwrap().text, None);

        assert_eq!(read_bytes(&path, &noted).unwrap().image, read_bytes(&path, &plain).unwrap().image);
        assert_eq!(without_text(&noted, "key").unwrap(), plain);
        assert_eq!(without_text(&noted, "other").unwrap(), noted);
    }

    #[test]
    fn damage_in_a_text_hides_the_text_only() {
        let mut noted = with_text(&png(), "key", "value").unwrap();
        let position = noted.windows(5).position(|window| window == b"value").unwrap();
        noted[position] ^= 1;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        std::fs::write(&path, &noted).unwrap();
        assert_eq!(read_head(&path, "key").unwrap().text, None);
    }

    #[test]
    fn cut_files_are_refused_without_a_panic() {
        let noted = with_text(&png(), "key", "value").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let behind_text = HEADER_BYTES + 12 + "key".len() + 5 + "value".len();
        for n_bytes in 0..behind_text + 8 {
            std::fs::write(&path, &noted[..n_bytes]).unwrap();
            assert!(read_head(&path, "key").is_err(), "{n_bytes} bytes were taken");
            assert!(without_text(&noted[..n_bytes], "key").is_none_or(|kept| kept.len() <= n_bytes));
        }
    }

    #[test]
    fn what_is_no_png_gets_no_text() {
        assert_eq!(with_text(b"\xff\xd8\xff", "key", "value"), None);
        assert_eq!(without_text(b"", "key"), None);
    }
}

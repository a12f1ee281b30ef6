//! Files made by hand, so that they can be wrong in one chosen way.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use imagefile::{Error, ReadImage, image_input, read_bytes};
use protocol::{Image, ImageParameters, Kind, Recipe, RecipeInput, RecipeModel, Size, TextParameters, Thinking};

/// One chunk of a PNG with a good checksum.
pub(crate) fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(kind);
    hasher.update(data);
    [&(data.len() as u32).to_be_bytes(), kind.as_slice(), data, &hasher.finalize().to_be_bytes()].concat()
}

/// A PNG of these chunks.
pub(crate) fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
    [b"\x89PNG\r\n\x1a\n".as_slice(), &chunks.concat()].concat()
}

/// The header chunk; `color` is the PNG's number of a color type.
pub(crate) fn header(width: u32, height: u32, depth: u8, color: u8, interlace: u8) -> Vec<u8> {
    let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
    chunk(b"IHDR", &[&sides, [depth, color, 0, 0, interlace].as_slice()].concat())
}

/// The data chunk of rows that each begin with their filter.
pub(crate) fn data(rows: &[u8]) -> Vec<u8> {
    chunk(b"IDAT", &zlib(rows))
}

pub(crate) fn end() -> Vec<u8> {
    chunk(b"IEND", b"")
}

pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A PNG of one white pixel with further chunks before its data.
pub(crate) fn pixel_with(chunks: &[Vec<u8>]) -> Vec<u8> {
    png(&[vec![header(1, 1, 8, 2, 0)], chunks.to_vec(), vec![data(&[0, 255, 255, 255]), end()]].concat())
}

/// An international text chunk, packed or not.
pub(crate) fn text(keyword: &str, is_packed: bool, text: &[u8]) -> Vec<u8> {
    let packed = if is_packed { zlib(text) } else { text.to_vec() };
    chunk(b"iTXt", &[keyword.as_bytes(), &[0, is_packed.into(), 0, 0, 0], &packed].concat())
}

/// The image that most files of the corpus hold.
pub(crate) fn gradient() -> Image {
    let rgb = (0..16u8).flat_map(|y| (0..24u8).flat_map(move |x| [x * 10, y * 15, 128])).collect();
    Image::new(24, 16, rgb).unwrap()
}

pub(crate) fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/read")
}

pub(crate) fn corpus_file(name: &str) -> Vec<u8> {
    fs::read(corpus().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn read_named(bytes: &[u8]) -> Result<ReadImage, Error> {
    read_bytes(Path::new("some/image.png"), bytes)
}

/// The message of a refusal: one line that names the file.
pub(crate) fn refusal(bytes: &[u8]) -> String {
    let message = read_named(bytes).expect_err("must be refused").to_string();
    assert!(message.starts_with("some/image.png: ") && !message.contains('\n'), "{message}");
    message
}

/// Largest difference between two images of one size.
pub(crate) fn difference(one: &Image, other: &Image) -> u8 {
    assert_eq!(one.size(), other.size());
    one.rgb().iter().zip(other.rgb()).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

pub(crate) fn recipe() -> Recipe {
    Recipe {
        version: 1,
        kind: Kind::Edit,
        inputs: vec![
            image_input(&gradient(), Path::new("/home/someone/photos/狐狸 🦊.jpg")),
            RecipeInput::Text { text: "make the fox 红色, please 🎨\n\u{202e}and\0 more \"quotes\"".into() },
        ],
        thinking: Thinking::On,
        plan: Some("<think>a red fox</think>".into()),
        parameters: ImageParameters { seed: Some(u64::MAX), ..ImageParameters::edit() },
        text: TextParameters { stop: vec!["<|im_end|>".into()], ..TextParameters::plan() },
        size: Size { width: 24, height: 16 },
        noise: None,
        model: RecipeModel { name: "BAGEL-7B-MoT".into(), hash: "ab".repeat(32), quantization: "q4_k_m".into() },
        engine: "0.1.0".into(),
    }
}

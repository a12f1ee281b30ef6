//! What is not read, and what is said about it.

use std::fs;
use std::io::{Seek, SeekFrom, Write};

use crate::support::*;
use imagefile::{Error, Problem, read};
use protocol::ErrorCode;

#[test]
fn other_formats_are_named() {
    let check = |bytes: &[u8], what: &str| {
        let message = refusal(bytes);
        assert_eq!(
            message,
            format!("some/image.png: is {what}, which is not read; save the image as PNG, JPEG or WebP")
        );
    };
    check(b"", "an empty file");
    check(b"GIF89a/*\x01\0\x01\0*/=1;alert(1)", "a GIF");
    check(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG or XML document");
    check(b"\xef\xbb\xbf<?xml version='1.0'?><svg/>", "an SVG or XML document");
    check(b"\n  <!DOCTYPE html><html>", "an HTML page");
    check(b"<!-- --><img>", "an HTML page");
    check(b"\x80\x04\x95\x10\0\0\0\0\0\0\0cos\nsystem", "a Python pickle");
    check(b"PK\x03\x04archive/data.pkl", "a ZIP archive");
    check(b"BM\x3a\0\0\0", "a BMP");
    check(b"II*\0\x08\0\0\0", "a TIFF or a camera's raw file");
    check(b"\0\0\0\x20ftypavif", "an AVIF");
    check(b"\0\0\0\x18ftypheic", "a HEIC");
    check(b"\0\0\0\x18ftypisom", "a video");
    check(b"8BPS\0\x01", "a Photoshop document");
    check(b"%PDF-1.7", "a PDF");
    check(b"GGUF\x03\0\0\0", "a file of weights");
    check(b"just words", "no image that is known here");
    check(&[0; 64], "no image that is known here");
}

#[test]
fn missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nothing.png");
    let error = read(&path).unwrap_err();
    assert!(matches!(&error, Error::Missing { path: named } if *named == path));
    assert_eq!(error.code(), ErrorCode::FileUnusable);
}

#[test]
fn folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = read(folder.path()).unwrap_err();
    assert!(matches!(error, Error::NotAFile { what: "a folder", .. }));
    assert_eq!(error.code(), ErrorCode::NotAnImage);
}

#[cfg(unix)]
#[test]
fn pipes_sockets_and_devices_are_refused_without_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.png");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    assert!(matches!(read(&pipe), Err(Error::NotAFile { what: "a pipe", .. })));

    let socket = folder.path().join("socket.png");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert!(matches!(read(&socket), Err(Error::NotAFile { what: "a socket", .. })));

    for device in ["/dev/zero", "/dev/full", "/dev/null"] {
        assert!(matches!(read(device.as_ref()), Err(Error::NotAFile { what: "a device", .. })), "{device}");
    }

    let looped = folder.path().join("loop.png");
    std::os::unix::fs::symlink(&looped, &looped).unwrap();
    assert!(matches!(read(&looped), Err(Error::Read { .. })));
    let dangling = folder.path().join("dangling.png");
    std::os::unix::fs::symlink(folder.path().join("gone"), &dangling).unwrap();
    assert!(matches!(read(&dangling), Err(Error::Missing { .. })));
}

#[test]
fn endless_files_are_refused_by_their_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sparse.png");
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(&corpus_file("plain.png")).unwrap();
    file.seek(SeekFrom::Start(1 << 40)).unwrap();
    file.set_len(1 << 40).unwrap();
    assert!(matches!(read(&path), Err(Error::TooLong { size_bytes, .. }) if size_bytes == 1 << 40));

    file.set_len(100_000_001).unwrap();
    assert!(matches!(read(&path), Err(Error::TooLong { .. })));
    file.set_len(100_000_000).unwrap();
    assert_eq!(read(&path).unwrap().image, gradient());
}

#[test]
fn claimed_sizes_are_refused_before_anything_is_allocated() {
    let claims = [
        (100_000, 100_000),
        (1, 1_000_000_000),
        (1_000_000_000, 1),
        (16_385, 1),
        (10_001, 10_000),
        (u32::MAX, u32::MAX),
    ];
    for (width, height) in claims {
        let bomb = png(&[header(width, height, 8, 6, 0), data(&[]), end()]);
        assert!(bomb.len() < 100);
        let error = read_named(&bomb).unwrap_err();
        let Error::Unusable { problem: Problem::TooManyPixels { width: w, height: h }, .. } = error else {
            panic!("{width} x {height}: {error}");
        };
        assert_eq!((w, h), (width, height));
    }
    let line =
        "some/image.png: this PNG claims 100000 x 100000, more than 16384 a side or 100 megapixels; save it smaller";
    assert_eq!(refusal(&png(&[header(100_000, 100_000, 8, 2, 0), data(&[]), end()])), line);
}

#[test]
fn claimed_sizes_of_other_formats_are_refused() {
    let mut jpeg = corpus_file("baseline.jpg");
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    assert!(refusal(&jpeg).contains("claims 65535 x 65535"));

    let mut webp = corpus_file("lossless.webp");
    webp[21..25].copy_from_slice(&0x0fff_ffffu32.to_le_bytes());
    assert!(refusal(&webp).contains("claims 16384 x 16384"));

    let mut webp = corpus_file("lossy.webp");
    let start = webp.windows(3).position(|code| code == [0x9d, 0x01, 0x2a]).unwrap() + 3;
    webp[start..start + 4].copy_from_slice(&[0xff; 4]);
    assert!(refusal(&webp).contains("claims 16383 x 16383"));
}

#[test]
fn large_claims_without_data_are_damaged_files() {
    for color in [0, 2, 3, 4, 6] {
        refusal(&png(&[header(10_000, 10_000, 8, color, 0), data(&[0; 64]), end()]));
        refusal(&png(&[header(9_999, 9_999, 16, color, 1), data(&[0; 64]), end()]));
    }
}

#[test]
fn progressive_images_that_need_too_much_memory_are_refused() {
    let mut jpeg = corpus_file("progressive.jpg");
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc2]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x27, 0x10, 0x27, 0x10]);
    assert!(refusal(&jpeg).contains("MiB to decode"));
}

#[test]
fn images_without_pixels_are_refused() {
    for (width, height) in [(0, 5), (5, 0), (0, 0)] {
        let message = refusal(&png(&[header(width, height, 8, 2, 0), data(&[]), end()]));
        assert!(message.contains(&format!("is {width} x {height} and has no pixels")), "{message}");
    }
    let mut jpeg = corpus_file("baseline.jpg");
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 7].copy_from_slice(&[0; 2]);
    assert!(refusal(&jpeg).contains("has no pixels"));
}

#[test]
fn animations_are_refused() {
    for (name, format) in [("animated.png", "PNG"), ("animated.webp", "WebP")] {
        let expected = format!("some/image.png: this {format} is animated; save one frame of it as a still image");
        assert_eq!(refusal(&corpus_file(name)), expected);
    }
}

#[test]
fn files_cut_anywhere_are_refused() {
    let names = [
        "plain.png",
        "palette.png",
        "alpha.png",
        "baseline.jpg",
        "progressive.jpg",
        "turned.jpg",
        "lossy.webp",
        "lossless.webp",
        "alpha_lossy.webp",
        "turned.webp",
    ];
    for name in names {
        let bytes = corpus_file(name);
        for length in 0..bytes.len() {
            let message = refusal(&bytes[..length]);
            assert!(message.len() < 400, "{name} cut at {length}: {message}");
        }
    }
}

#[test]
fn every_flipped_bit_of_a_png_that_changes_pixels_is_found() {
    let bytes = corpus_file("plain.png");
    let expected = gradient();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            if let Ok(read) = read_named(&flipped) {
                assert!(read.image == expected, "byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn data_behind_the_last_row_is_not_inflated() {
    // Whoever inflates to the end meets a block of a kind that does not exist.
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&[0, 1, 2, 3]).unwrap();
    packed.write_all(&vec![0; 16 << 20]).unwrap();
    packed.flush().unwrap();
    let mut bytes = packed.get_ref().clone();
    bytes.extend([0b110; 64]);
    let file = png(&[header(1, 1, 8, 2, 0), chunk(b"IDAT", &bytes), end()]);
    assert_eq!(read_named(&file).unwrap().image.rgb(), [1, 2, 3]);
}

#[test]
fn disordered_chunks_are_refused() {
    let [head, body, tail] = [header(1, 1, 8, 2, 0), data(&[0, 1, 2, 3]), end()];
    refusal(&png(&[body.clone(), tail.clone()]));
    refusal(&png(&[head.clone(), tail.clone()]));
    refusal(&png(&[head.clone(), head.clone(), body.clone(), tail.clone()]));
    refusal(&png(&[head.clone(), body.clone()]));
    refusal(&png(&[chunk(b"tEXt", b"a\0b"), head, body, tail]));
    refusal(&png(&[chunk(b"IHDR", b"short"), end()]));
    refusal(&png(&[header(1, 1, 3, 2, 0), data(&[0; 9]), end()]));
    refusal(&png(&[header(1, 1, 8, 3, 0), data(&[0, 0]), end()]));
    refusal(b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR");
    refusal(b"RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff");
    refusal(b"\xff\xd8\xff\xd9");
    refusal(b"\xff\xd8\xff\xc0\0\x02\xff\xd9");
    refusal(b"\xff\xd8\xff\xe0\0\x00\xff\xd9");
}

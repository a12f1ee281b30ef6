//! What good files give.

use std::path::Path;

use crate::support::*;
use image::metadata::Orientation;
use imagefile::{EmbeddedRecipe, Format, read};
use protocol::Image;
use safetensors::SafeTensors;

/// Test data of the model's crate: what the reference makes of the same files.
fn golden() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bagel/tests/golden/mini")
}

#[test]
fn images_equal_the_reference() {
    let bytes = std::fs::read(golden().join("cases/components.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    for name in ["alpha", "big", "grey", "wide"] {
        let image = read(&golden().join(format!("images/{name}.png"))).unwrap().image;
        let expected = tensors.tensor(&format!("image.{name}.rgb")).unwrap();
        assert_eq!(expected.shape(), [image.height() as usize, image.width() as usize, 3], "{name}");
        assert!(image.rgb() == expected.data(), "{name}");
    }
}

#[test]
fn every_kind_of_file_gives_the_image() {
    let check = |name: &str, format: Format, tolerance: u8| {
        let read = read_named(&corpus_file(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read.source.format, format, "{name}");
        assert_eq!(read.source.orientation, 1, "{name}");
        assert_eq!(read.recipe, EmbeddedRecipe::Absent, "{name}");
        let off = difference(&read.image, &gradient());
        assert!(off <= tolerance, "{name} is off by {off}");
    };
    check("plain.png", Format::Png, 0);
    check("palette.png", Format::Png, 60);
    check("baseline.jpg", Format::Jpeg, 16);
    check("progressive.jpg", Format::Jpeg, 16);
    check("subsampled_444.jpg", Format::Jpeg, 8);
    check("cmyk.jpg", Format::Jpeg, 8);
    check("lossless.webp", Format::WebP, 0);
    check("lossy.webp", Format::WebP, 24);
}

#[test]
fn gray_becomes_three_equal_channels() {
    for name in ["gray.png", "gray.jpg", "bilevel.png", "gray_alpha.png"] {
        let image = read_named(&corpus_file(name)).unwrap().image;
        assert!(image.rgb().chunks_exact(3).all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]), "{name}");
    }
}

#[test]
fn alpha_is_composited_on_white_in_every_format() {
    let expected: Vec<u8> = gradient()
        .rgb()
        .chunks_exact(3)
        .enumerate()
        .flat_map(|(at, pixel)| {
            let alpha = (at % 256) as f64 / 255.0;
            [0, 1, 2].map(|channel| (f64::from(pixel[channel]) * alpha + 255.0 * (1.0 - alpha)).round() as u8)
        })
        .collect();
    let expected = Image::new(24, 16, expected).unwrap();
    for (name, tolerance) in [("alpha.png", 0), ("alpha_lossless.webp", 0), ("alpha_lossy.webp", 24)] {
        let read = read_named(&corpus_file(name)).unwrap();
        assert!(read.source.had_alpha, "{name}");
        let off = difference(&read.image, &expected);
        assert!(off <= tolerance, "{name} is off by {off}");
    }
}

#[test]
fn transparent_color_of_a_palette_becomes_white() {
    let opaque = read_named(&corpus_file("palette.png")).unwrap().image;
    let read = read_named(&corpus_file("palette_transparent.png")).unwrap();
    assert!(read.source.had_alpha);
    let white = [255; 3];
    let mut n_white = 0;
    for (before, after) in opaque.rgb().chunks_exact(3).zip(read.image.rgb().chunks_exact(3)) {
        assert!(after == before || after == white);
        n_white += usize::from(after == white);
    }
    assert!(n_white > 0);
}

#[test]
fn sixteen_bits_keep_their_upper_byte() {
    let check = |color, samples: &[u16], expected: &[u8]| {
        let row: Vec<u8> = std::iter::once(0).chain(samples.iter().flat_map(|sample| sample.to_be_bytes())).collect();
        let file = png(&[header(1, 1, 16, color, 0), data(&row), end()]);
        assert_eq!(read_named(&file).unwrap().image.rgb(), expected, "color type {color}");
    };
    check(0, &[0x12ff], &[0x12; 3]);
    check(2, &[0x01ff, 0x8000, 0xfffe], &[0x01, 0x80, 0xff]);
    check(4, &[0x30ff, 0xff00], &[0x30; 3]);
    check(6, &[0x01ff, 0x8000, 0xfffe, 0xffff], &[0x01, 0x80, 0xff]);
    check(6, &[0x01ff, 0x8000, 0xfffe, 0x0000], &[0xff; 3]);
}

#[test]
fn few_bits_are_stretched_to_the_full_range() {
    let check = |depth, byte, expected: [u8; 2]| {
        let file = png(&[header(2, 1, depth, 0, 0), data(&[0, byte]), end()]);
        let image = read_named(&file).unwrap().image;
        assert_eq!([image.rgb()[0], image.rgb()[3]], expected, "{depth} bits");
    };
    check(1, 0b0100_0000, [0, 255]);
    check(2, 0b0110_0000, [85, 170]);
    check(4, 0x3c, [51, 204]);
}

#[test]
fn transparent_color_of_a_true_color_image_becomes_white() {
    let transparent = chunk(b"tRNS", &[0, 10, 0, 20, 0, 30]);
    let rows = data(&[0, 10, 20, 30, 10, 20, 31]);
    let file = png(&[header(2, 1, 8, 2, 0), transparent, rows, end()]);
    assert_eq!(read_named(&file).unwrap().image.rgb(), [255, 255, 255, 10, 20, 31]);
}

#[test]
fn interlaced_images_are_put_together() {
    let image = gradient();
    // First column, first row, steps between columns and between rows, a pass each.
    let passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];
    let mut rows = Vec::new();
    for (x, y, x_step, y_step) in passes {
        for row in (y..16).step_by(y_step) {
            rows.push(0);
            for column in (x..24).step_by(x_step) {
                rows.extend_from_slice(&image.rgb()[(row * 24 + column) * 3..][..3]);
            }
        }
    }
    let file = png(&[header(24, 16, 8, 2, 1), data(&rows), end()]);
    assert_eq!(read_named(&file).unwrap().image, image);
}

#[test]
fn orientation_is_applied_in_every_format() {
    for (name, tolerance) in [("turned.png", 0), ("turned.webp", 0), ("turned.jpg", 16)] {
        let read = read_named(&corpus_file(name)).unwrap();
        assert_eq!((read.source.orientation, read.source.stored), (6, gradient().size()), "{name}");
        assert_eq!((read.image.width(), read.image.height()), (16, 24), "{name}");
        // Turned clockwise: the first stored column, read upwards, is the first row.
        let stored = gradient();
        for column in 0..16 {
            let expected = &stored.rgb()[(15 - column) * 24 * 3..][..3];
            let found = &read.image.rgb()[column * 3..][..3];
            let off = found.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(off <= tolerance, "{name}, column {column}: {found:?} for {expected:?}");
        }
    }
}

#[test]
fn all_eight_orientations_are_found_in_exif() {
    for orientation in 1..=8u8 {
        for big_endian in [false, true] {
            let (order, numbers): (&[u8], [[u8; 2]; 5]) = if big_endian {
                (b"MM\0*\0\0\0\x08", [1, 0x112, 3, 0, u16::from(orientation)].map(u16::to_be_bytes))
            } else {
                (b"II*\0\x08\0\0\0", [1, 0x112, 3, 0, u16::from(orientation)].map(u16::to_le_bytes))
            };
            let count = if big_endian { 1u32.to_be_bytes() } else { 1u32.to_le_bytes() };
            let [entries, tag, kind, _, value] = numbers;
            let exif = [order, &entries, &tag, &kind, &count, &value, &[0, 0], &[0; 4]].concat();
            let read = read_named(&pixel_with(&[chunk(b"eXIf", &exif)])).unwrap();
            assert_eq!(read.source.orientation, orientation);
            assert!(Orientation::from_exif(orientation).is_some());
        }
    }
}

#[test]
fn senseless_exif_is_ignored() {
    for exif in [b"".as_slice(), b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"nonsense"] {
        let read = read_named(&pixel_with(&[chunk(b"eXIf", exif)])).unwrap();
        assert_eq!(read.source.orientation, 1);
    }
}

#[test]
fn color_profiles_are_ignored() {
    let profile = chunk(b"iCCP", &[b"name\0\0".as_slice(), &zlib(b"not a profile")].concat());
    let gamma = chunk(b"gAMA", &100_000u32.to_be_bytes());
    assert_eq!(read_named(&pixel_with(&[profile, gamma])).unwrap().image.rgb(), [255; 3]);
}

#[test]
fn what_follows_the_end_is_ignored() {
    for name in ["plain.png", "baseline.jpg", "lossless.webp"] {
        let mut bytes = corpus_file(name);
        bytes.extend_from_slice(b"<script>alert(1)</script>");
        assert_eq!(read_named(&bytes).unwrap().image.size(), gradient().size(), "{name}");
    }
}

#[test]
fn file_names_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["image", "image.gif", "画 🦊 é.png", "a b\tc.jpg"] {
        let path = folder.path().join(name);
        std::fs::write(&path, corpus_file("lossless.webp")).unwrap();
        let read = read(&path).unwrap();
        assert_eq!((read.image, read.source.path), (gradient(), path));
    }
}

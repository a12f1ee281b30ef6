//! What is written, and what happens to what was there.

use std::fs;
use std::path::Path;

use crate::support::*;
use imagefile::{
    EmbeddedRecipe, Encoding, Error, Overwrite, Problem, check_destination, encode, read, write, write_bytes,
    write_jpeg, write_png, write_webp,
};
use protocol::Image;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    for (name, tolerance) in [("a.png", 0), ("b.webp", 0), ("c.jpg", 24), ("d.JPEG", 24), ("狐狸 🦊 é.PNG", 0)] {
        let path = folder.path().join(name);
        write(&path, &gradient(), None, Overwrite::Refuse).unwrap();
        let read = read(&path).unwrap();
        assert_eq!(read.recipe, EmbeddedRecipe::Absent, "{name}");
        let off = difference(&read.image, &gradient());
        assert!(off <= tolerance, "{name} is off by {off}");
    }
    assert_eq!(names(folder.path()).len(), 5);
}

#[test]
fn odd_shapes_are_read_back() {
    let folder = tempfile::tempdir().unwrap();
    for (width, height) in [(1, 1), (1, 300), (300, 1), (17, 3)] {
        let rgb = (0..width * height * 3).map(|value| (value * 7 % 256) as u8).collect();
        let image = Image::new(width, height, rgb).unwrap();
        for extension in ["png", "webp"] {
            let path = folder.path().join(format!("{width}x{height}.{extension}"));
            write(&path, &image, Some(&recipe()), Overwrite::Refuse).unwrap();
            assert_eq!(read(&path).unwrap().image, image);
        }
    }
}

#[test]
fn the_format_can_differ_from_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.tmp");
    write_webp(&path, &gradient(), None, Overwrite::Refuse).unwrap();
    write_png(&path, &gradient(), None, Overwrite::Replace).unwrap();
    assert!(fs::read(&path).unwrap().starts_with(b"\x89PNG"));
    write_jpeg(&path, &gradient(), 80, None, Overwrite::Replace).unwrap();
    assert!(fs::read(&path).unwrap().starts_with(b"\xff\xd8\xff"));
}

#[test]
fn quality_decides_the_length_of_a_jpeg() {
    let length = |quality| encode(Path::new("a.jpg"), &gradient(), Encoding::Jpeg { quality }, None).unwrap().len();
    assert!(length(10) < length(95));
    for quality in [0, 101, 255] {
        let error = encode(Path::new("a.jpg"), &gradient(), Encoding::Jpeg { quality }, None).unwrap_err();
        assert_eq!(error.to_string(), format!("JPEG quality {quality} is outside 1 to 100"));
    }
}

#[test]
fn images_of_a_model_are_labelled_in_every_format() {
    let label = b"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
    let contains = |bytes: &[u8]| bytes.windows(label.len()).any(|window| window == label);
    for name in ["a.png", "a.jpg", "a.webp"] {
        let path = Path::new(name);
        let encoding = Encoding::for_path(path).unwrap();
        let labelled = encode(path, &gradient(), encoding, Some(&recipe())).unwrap();
        assert!(contains(&labelled), "{name}");
        assert!(difference(&read_named(&labelled).unwrap().image, &gradient()) <= 24, "{name}");
        assert!(!contains(&encode(path, &gradient(), encoding, None).unwrap()), "{name}");
    }
}

#[test]
fn existing_file_is_kept_unless_replacing_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    fs::write(&path, b"mine").unwrap();
    let error = write(&path, &gradient(), None, Overwrite::Refuse).unwrap_err();
    assert!(matches!(error, Error::Exists { .. }));
    assert!(check_destination(&path, Overwrite::Refuse).is_err());
    assert_eq!(fs::read(&path).unwrap(), b"mine");

    write(&path, &gradient(), None, Overwrite::Replace).unwrap();
    assert_eq!(read(&path).unwrap().image, gradient());
    assert_eq!(names(folder.path()), ["a.png"]);
}

#[test]
fn one_of_many_writers_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    let n_won = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..16u8)
            .map(|writer| {
                scope.spawn({
                    let path = &path;
                    move || write_bytes(path, &vec![writer; 100_000], Overwrite::Refuse)
                })
            })
            .collect();
        let results = writers.into_iter().map(|writer| writer.join().unwrap());
        results
            .filter(|result| match result {
                Ok(()) => true,
                Err(Error::Exists { .. }) => false,
                Err(error) => panic!("{error}"),
            })
            .count()
    });
    assert_eq!(n_won, 1);
    let bytes = fs::read(&path).unwrap();
    assert!(bytes.len() == 100_000 && bytes.iter().all(|byte| *byte == bytes[0]));
    assert_eq!(names(folder.path()), ["a.bin"]);
}

#[test]
fn readers_never_see_half_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    write_bytes(&path, &vec![0; 200_000], Overwrite::Refuse).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for value in 1..40u8 {
                write_bytes(&path, &vec![value; 200_000], Overwrite::Replace).unwrap();
            }
        });
        while !writer.is_finished() {
            let bytes = fs::read(&path).unwrap();
            assert!(bytes.len() == 200_000 && bytes.iter().all(|byte| *byte == bytes[0]));
        }
    });
}

#[test]
fn impossible_names_are_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, expected: &str| {
        let error = write(&folder.path().join(name), &gradient(), None, Overwrite::Replace).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(expected) && !message.contains('\n'), "{name}: {message}");
    };
    check("a.gif", "the name must end in .png, .jpg, .jpeg or .webp");
    check("a", "the name must end in .png");
    check(".png", "the name must end in .png");
    check("gone/a.png", "no such folder");
    fs::create_dir(folder.path().join("folder.png")).unwrap();
    check("folder.png", "is a folder and cannot be replaced");
    fs::write(folder.path().join("file"), b"").unwrap();
    check("file/a.png", "no such folder");
    assert!(matches!(write_bytes(Path::new("/"), b"", Overwrite::Replace), Err(Error::NoName { .. })));
    assert_eq!(names(folder.path()), ["file", "folder.png"]);
}

#[cfg(unix)]
#[test]
fn devices_and_pipes_are_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.png");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let error = write(&pipe, &gradient(), None, Overwrite::Replace).unwrap_err();
    assert!(matches!(error, Error::NotReplaceable { what: "a pipe", .. }));
    let error = write_bytes(Path::new("/dev/null"), b"", Overwrite::Replace).unwrap_err();
    assert!(matches!(error, Error::NotReplaceable { what: "a device", .. }));
}

#[cfg(unix)]
#[test]
fn new_files_have_the_usual_permissions() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plain"), b"").unwrap();
    write_bytes(&folder.path().join("placed"), b"", Overwrite::Refuse).unwrap();
    let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
    assert_eq!(mode("placed"), mode("plain"));
}

#[cfg(target_os = "linux")]
#[test]
fn failing_folder_leaves_nothing() {
    // Nobody may make files here, not even an administrator.
    let error = write_bytes(Path::new("/proc/a.png"), b"x", Overwrite::Refuse).unwrap_err();
    assert!(matches!(error, Error::Write { .. }), "{error}");
    assert!(matches!(check_destination(Path::new("/proc/a.png"), Overwrite::Refuse), Err(Error::Write { .. })));
}

#[test]
fn checking_a_destination_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    check_destination(&folder.path().join("a.png"), Overwrite::Refuse).unwrap();
    assert!(names(folder.path()).is_empty());
}

#[test]
fn images_too_wide_for_webp_are_refused() {
    let wide = Image::new(16_384, 1, vec![0; 16_384 * 3]).unwrap();
    let error = encode(Path::new("a.webp"), &wide, Encoding::WebP, None).unwrap_err();
    assert_eq!(error.to_string(), "a.webp: 16384 x 1 is too large for a WebP; save it as PNG");
    let png = encode(Path::new("a.png"), &wide, Encoding::Png, None).unwrap();
    assert_eq!(read_named(&png).unwrap().image, wide);
    let wider = Image::new(16_385, 1, vec![0; 16_385 * 3]).unwrap();
    let png = encode(Path::new("a.png"), &wider, Encoding::Png, None).unwrap();
    assert!(matches!(read_named(&png), Err(Error::Unusable { problem: Problem::TooManyPixels { .. }, .. })));
}

//! Models converted into one file: what goes in comes out, and nothing half-written stays.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use checkpoint::{
    Checkpoint, Config, Declared, Error, Kind, TensorHasher, Verified, WeightsFormat, Writer, hash_tensor,
};
use tempfile::TempDir;

use crate::scene::{
    PATCH_EMBEDDING, go_on, hash, mini, noise, provenance, size_of, tiny_config, tiny_declared, write_copy, write_tiny,
};

fn file_names(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    fs::read_dir(folder).unwrap().map(name).collect()
}

fn begin(path: &Path) -> Writer {
    Writer::create(path, &tiny_config(), b"{}", &provenance(), &tiny_declared()).unwrap()
}

#[test]
fn everything_that_goes_in_comes_out() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mini.gguf");
    let original = Checkpoint::open(&mini(), None).unwrap();
    write_copy(&original, &path);
    assert_eq!(file_names(folder.path()), ["mini.gguf"]);

    let converted = Checkpoint::open(&path, None).unwrap();
    assert_eq!(converted.format(), WeightsFormat::Gguf);
    assert_eq!(converted.name(), "model");
    assert_eq!(converted.config(), original.config());
    assert_eq!(converted.tokenizer_json(), original.tokenizer_json());
    assert_eq!(converted.provenance().unwrap().quantization, "q8_0");
    assert_eq!(converted.unused(), &[] as &[String]);
    for (before, after) in original.tensors().zip(converted.tensors()) {
        assert_eq!((before.name, before.kind, before.shape), (after.name, after.kind, after.shape));
        assert!(before.bytes == after.bytes, "{}", before.name);
        assert_eq!(after.stored_hash, Some(hash_tensor(before.bytes)));
    }
    converted.verify(&mut go_on).unwrap();
    assert_eq!(hash(&converted), hash(&original));
}

#[test]
fn folder_with_one_converted_file_opens() {
    let folder = TempDir::new().unwrap();
    write_tiny(&folder.path().join("tiny.gguf"));
    assert_eq!(Checkpoint::open(folder.path(), None).unwrap().format(), WeightsFormat::Gguf);
    write_tiny(&folder.path().join("other.gguf"));
    let refusal = Checkpoint::open(folder.path(), None).unwrap_err().to_string();
    assert!(refusal.contains("give one of them"), "{refusal}");
}

#[test]
fn quantized_kinds_come_out_as_planned() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tiny.gguf");
    write_tiny(&path);
    let checkpoint = Checkpoint::open(&path, None).unwrap();
    for (position, declared) in tiny_declared().iter().enumerate() {
        let tensor = checkpoint.tensor(&declared.name).unwrap();
        assert_eq!((tensor.kind, tensor.shape), (declared.kind, declared.shape.as_slice()));
        assert!(tensor.bytes == noise(position as u64, size_of(declared)), "{}", declared.name);
    }
    assert!(checkpoint.tensors().any(|tensor| tensor.kind == Kind::Q8_0));
    assert_eq!(checkpoint.config(), &tiny_config());
}

#[test]
fn tensors_may_come_in_parts() {
    let folder = TempDir::new().unwrap();
    let (whole, parts) = (folder.path().join("whole.gguf"), folder.path().join("parts.gguf"));
    write_tiny(&whole);
    let declared = tiny_declared();
    let mut writer = Writer::create(&parts, &tiny_config(), b"{\"tiny\": true}", &provenance(), &declared).unwrap();
    for (position, tensor) in declared.iter().enumerate() {
        for part in noise(position as u64, size_of(tensor)).chunks(100) {
            writer.write(&tensor.name, part).unwrap();
        }
    }
    assert_eq!(writer.file_bytes(), fs::metadata(&whole).unwrap().len());
    writer.finish().unwrap();
    assert!(fs::read(whole).unwrap() == fs::read(parts).unwrap());
}

#[test]
fn convolution_keeps_its_shape() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tiny.gguf");
    let mut declared = tiny_declared();
    declared.iter_mut().find(|it| it.name == PATCH_EMBEDDING).unwrap().shape = vec![32, 3, 2, 2];
    let mut writer = Writer::create(&path, &tiny_config(), b"{}", &provenance(), &declared).unwrap();
    for tensor in &declared {
        writer.write(&tensor.name, &vec![0; size_of(tensor)]).unwrap();
    }
    writer.finish().unwrap();
    let checkpoint = Checkpoint::open(&path, None).unwrap();
    assert_eq!(checkpoint.tensor(PATCH_EMBEDDING).unwrap().shape, [32, 3, 2, 2]);
}

#[test]
fn writer_dropped_half_way_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tiny.gguf");
    let mut writer = begin(&path);
    let first = &tiny_declared()[0];
    writer.write(&first.name, &noise(0, size_of(first))).unwrap();
    assert!(!path.exists());
    drop(writer);
    assert_eq!(file_names(folder.path()), [] as [String; 0]);
}

#[cfg(unix)]
#[test]
fn what_the_disk_spoiled_never_gets_its_name() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tiny.gguf");
    fs::write(&path, b"before").unwrap();
    let mut writer = begin(&path);
    for (position, tensor) in tiny_declared().iter().enumerate() {
        writer.write(&tensor.name, &noise(position as u64, size_of(tensor))).unwrap();
    }
    let part = file_names(folder.path()).into_iter().find(|name| name.ends_with(".part")).unwrap();
    let file = fs::File::options().write(true).open(folder.path().join(part)).unwrap();
    let end = file.metadata().unwrap().len();
    std::os::unix::fs::FileExt::write_all_at(&file, b"spoiled", end - 64).unwrap();
    let error = writer.finish().unwrap_err();
    assert!(matches!(&error, Error::Damaged { path: named, .. } if *named == path), "{error}");
    assert_eq!(file_names(folder.path()), ["tiny.gguf"]);
    assert_eq!(fs::read(&path).unwrap(), b"before");
}

#[test]
fn file_of_the_same_name_stays_until_the_new_one_is_finished() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tiny.gguf");
    fs::write(&path, b"before").unwrap();
    let writer = begin(&path);
    assert_eq!(fs::read(&path).unwrap(), b"before");
    drop(writer);
    assert_eq!(fs::read(&path).unwrap(), b"before");
    write_tiny(&path);
    Checkpoint::open(&path, None).unwrap();
}

#[test]
fn what_was_not_declared_is_not_written() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tiny.gguf");
    let first = &tiny_declared()[0];
    let check = |refusal: Error, wanted: &str| {
        assert!(matches!(refusal, Error::Write { .. }) && refusal.to_string().contains(wanted), "{refusal}");
    };
    check(begin(&path).write("vae2llm.bias", &[0]).unwrap_err(), "vae2llm.bias came where");
    check(begin(&path).write(&first.name, &vec![0; size_of(first) + 1]).unwrap_err(), "more than");
    check(begin(&path).finish().unwrap_err(), "not complete");
    let create = |declared: &[Declared]| Writer::create(&path, &tiny_config(), b"{}", &provenance(), declared);
    let declared = |name: &str, kind, shape: &[usize]| Declared { name: name.to_owned(), kind, shape: shape.to_vec() };
    check(create(&[declared("no.such.tensor", Kind::F32, &[1])]).unwrap_err(), "no.such.tensor");
    check(create(&[declared("vae2llm.weight", Kind::Q4K, &[2, 64])]).unwrap_err(), "q4_k");
    check(create(&[declared("vae2llm.weight", Kind::F32, &[])]).unwrap_err(), "shape");
    check(create(&[declared("vae2llm.weight", Kind::F32, &[usize::MAX, 2])]).unwrap_err(), "too large");
    check(create(&[first.clone(), first.clone()]).unwrap_err(), "twice");
    assert_eq!(file_names(folder.path()), [] as [String; 0]);
}

#[cfg(unix)]
#[test]
fn disk_that_cannot_hold_the_file_is_known_before_it_is_written() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("huge.gguf");
    let huge = Declared { name: "vae2llm.weight".to_owned(), kind: Kind::F32, shape: vec![1 << 28, 1 << 28] };
    let refusal = Writer::create(&path, &tiny_config(), b"{}", &provenance(), &[huge]).unwrap_err();
    assert!(matches!(refusal, Error::DiskFull { needed_bytes, .. } if needed_bytes > 1 << 58), "{refusal}");
    assert_eq!(file_names(folder.path()), [] as [String; 0]);
}

#[test]
fn missing_folder_is_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("none/tiny.gguf");
    let refusal = Writer::create(&path, &tiny_config(), b"{}", &provenance(), &tiny_declared()).unwrap_err();
    assert!(matches!(&refusal, Error::NotFound { path } if path.ends_with("none")), "{refusal}");
}

#[test]
fn check_of_all_numbers_is_remembered_until_the_file_changes() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tiny.gguf");
    write_tiny(&path);
    let verified = Verified::new(folder.path().join("verified"));
    let checkpoint = Checkpoint::open(&path, None).unwrap();
    assert!(!verified.contains(&checkpoint));
    verified.record(&checkpoint).unwrap();
    assert!(verified.contains(&checkpoint));

    let then = fs::metadata(&path).unwrap().modified().unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(then + std::time::Duration::from_nanos(1_000)).unwrap();
    assert!(!verified.contains(&checkpoint));
    file.set_modified(then).unwrap();
    assert!(verified.contains(&checkpoint));
}

#[test]
fn second_check_reads_nothing_and_a_failed_one_is_not_remembered() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tiny.gguf");
    write_tiny(&path);
    let verified = Verified::new(folder.path().join("verified"));
    let calls_of = |checkpoint: &Checkpoint| {
        let mut calls = 0;
        let mut count = |_, _| {
            calls += 1;
            ControlFlow::Continue(())
        };
        verified.ensure(checkpoint, &mut count).map(|()| calls)
    };
    let checkpoint = Checkpoint::open(&path, None).unwrap();
    assert_eq!(calls_of(&checkpoint).unwrap(), tiny_declared().len());
    assert_eq!(calls_of(&checkpoint).unwrap(), 0);
    drop(checkpoint);

    let mut bytes = fs::read(&path).unwrap();
    let middle_of_the_tensors = bytes.len() - 4096;
    bytes[middle_of_the_tensors] ^= 1;
    fs::write(&path, bytes).unwrap();
    let damaged = Checkpoint::open(&path, None).unwrap();
    for _ in 0..2 {
        assert!(matches!(calls_of(&damaged), Err(Error::Damaged { .. })));
    }
    assert_eq!(calls_of(&Checkpoint::open(&mini(), None).unwrap()).unwrap(), 0);
}

#[test]
fn long_work_can_be_stopped() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tiny.gguf");
    write_tiny(&path);
    let mut calls = 0;
    let mut stop_at_the_third = |done: u64, total: u64| {
        assert!(done <= total);
        calls += 1;
        if calls == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let converted = Checkpoint::open(&path, None).unwrap();
    assert!(matches!(converted.verify(&mut stop_at_the_third), Err(Error::Cancelled)));
    assert_eq!(calls, 3);
    let published = Checkpoint::open(&mini(), None).unwrap();
    let mut stop_at_once = |_, _| ControlFlow::Break(());
    assert!(matches!(checkpoint::weights_hash(&published, &mut stop_at_once), Err(Error::Cancelled)));
}

#[test]
fn progress_ends_at_the_total() {
    let published = Checkpoint::open(&mini(), None).unwrap();
    let mut last = (0, 0);
    let mut observe = |done, total| {
        assert!(done > last.0);
        last = (done, total);
        ControlFlow::Continue(())
    };
    checkpoint::weights_hash(&published, &mut observe).unwrap();
    assert_eq!(last, (published.total_bytes(), published.total_bytes()));
}

#[test]
fn hash_of_a_model_does_not_depend_on_the_order_and_sees_every_difference() {
    let a = ("a", Kind::F32, [2, 3], [1; 32]);
    let b = ("b", Kind::F32, [2, 3], [2; 32]);
    let hash = |tensors: &[(&str, Kind, [usize; 2], [u8; 32])]| {
        let mut hasher = TensorHasher::new();
        for (name, kind, shape, hash) in tensors {
            hasher.add(name, *kind, shape, *hash);
        }
        hasher.finish()
    };
    let original = hash(&[a, b]);
    assert_eq!(original, hash(&[b, a]));
    for changed in [("c", a.1, a.2, a.3), ("a", Kind::F16, a.2, a.3), ("a", a.1, [3, 2], a.3), ("a", a.1, a.2, [3; 32])]
    {
        assert_ne!(original, hash(&[changed, b]));
    }
    assert_ne!(original, hash(&[a]));
    assert_eq!(original.len(), 64);
}

#[test]
fn shapes_in_a_converted_file_are_checked_like_any_other() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tiny.gguf");
    let config = Config { vision_grid_side: 1 << 20, ..tiny_config() };
    let mut writer = Writer::create(&path, &config, b"{}", &provenance(), &tiny_declared()[..1]).unwrap();
    let first = &tiny_declared()[0];
    writer.write(&first.name, &noise(0, size_of(first))).unwrap();
    // It is opened before it gets its name.
    let refusal = writer.finish().unwrap_err();
    assert!(matches!(&refusal, Error::Config { key, .. } if key == "vision_grid_side"), "{refusal}");
    assert!(!path.exists());
}

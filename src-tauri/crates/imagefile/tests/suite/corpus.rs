//! Replays the fuzz corpus: whatever was found once stays found.

use crate::support::*;
use imagefile::read_bytes;

#[test]
fn no_file_of_the_corpus_panics() {
    let mut n_files = 0;
    for entry in std::fs::read_dir(corpus()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if let Err(error) = read_bytes(&path, &bytes) {
            assert!(!error.to_string().contains('\n'), "{error}");
        }
        n_files += 1;
    }
    assert!(n_files > 20);
}

#[test]
fn no_mutation_of_the_corpus_panics() {
    // A fixed generator: the same mutations in every run.
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut paths: Vec<_> = std::fs::read_dir(corpus()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let original = std::fs::read(&path).unwrap();
        if original.is_empty() {
            continue;
        }
        for _ in 0..200 {
            let mut bytes = original.clone();
            for _ in 0..=next(4) {
                let at = next(bytes.len());
                bytes[at] = [0, 0xff, 0x7f, next(256) as u8][next(4)];
            }
            let _ = read_bytes(&path, &bytes);
        }
    }
}

//! The fuzzer's seeds, replayed as plain tests.

use std::fs;
use std::path::{Path, PathBuf};

use checkpoint::check_safetensors;
use checkpoint::gguf::preflight;
use safetensors::Dtype;
use tempfile::TempDir;

use crate::crafted::{cases, good};
use crate::refusals::hostile_safetensors;
use crate::scene::Tensors;

const MAX_SEED_BYTES: usize = 512;

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

fn seeds(target: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(corpus(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn seeds_of_the_gguf_fuzzer_are_answered_without_a_panic() {
    let seeds = seeds("gguf_preflight");
    assert!(seeds.len() >= 100, "{}", seeds.len());
    for seed in seeds {
        let bytes = fs::read(&seed).unwrap();
        let is_good = seed.file_name().unwrap().to_string_lossy().starts_with("good");
        assert_eq!(preflight(&bytes).is_ok(), is_good, "{}", seed.display());
    }
}

#[test]
fn seeds_of_the_safetensors_fuzzer_are_answered_without_a_panic() {
    let seeds = seeds("safetensors_header");
    assert!(seeds.len() >= 15, "{}", seeds.len());
    for seed in seeds {
        let bytes = fs::read(&seed).unwrap();
        let is_good = seed.file_name().unwrap().to_string_lossy().starts_with("good");
        assert_eq!(check_safetensors(&bytes).is_ok(), is_good, "{}", seed.display());
    }
}

/// Run by hand after the generators have changed: `cargo test -p checkpoint -- --ignored write_the_seeds`.
#[test]
#[ignore = "writes into the source tree"]
fn write_the_seeds() {
    let write = |target: &str, seeds: Vec<(String, Vec<u8>)>| {
        fs::create_dir_all(corpus(target)).unwrap();
        for (name, content) in seeds.into_iter().filter(|(_, content)| content.len() <= MAX_SEED_BYTES) {
            fs::write(corpus(target).join(name), content).unwrap();
        }
    };
    let crafted = cases().into_iter().map(|case| (case.name, case.file));
    write("gguf_preflight", crafted.chain([("good".to_owned(), good())]).collect());
    let hostile = hostile_safetensors().into_iter().map(|(name, content)| (name.to_owned(), content));
    write("safetensors_header", hostile.chain([("good".to_owned(), small_safetensors())]).collect());
}

fn small_safetensors() -> Vec<u8> {
    let mut tensors = Tensors::default();
    tensors.0.insert("vae2llm.bias".to_owned(), (Dtype::F32, vec![2], vec![0; 8]));
    let folder = TempDir::new().unwrap();
    tensors.save(&folder.path().join("small"));
    fs::read(folder.path().join("small")).unwrap()
}

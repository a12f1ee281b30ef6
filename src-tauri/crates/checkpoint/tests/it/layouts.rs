//! Every form in which people have the model opens, and says the same.

use std::fs;
use std::path::Path;

use checkpoint::{Checkpoint, Error, Kind, WeightsFormat};
use safetensors::Dtype;
use tempfile::TempDir;

use crate::scene::{PATCH_EMBEDDING, Tensors, copy_documents, hash, kinds, mini, write_copy};

/// A folder with mini's configuration and tokenizer, to be given weights.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    copy_documents(folder.path());
    folder
}

fn ema() -> Tensors {
    Tensors::of_mini("ema.safetensors")
}

fn ae() -> Tensors {
    Tensors::of_mini("ae.safetensors")
}

fn is_seen(name: &str) -> bool {
    name.starts_with("vit_model.") || name.starts_with("connector.") || name.starts_with("vit_pos_embed.")
}

fn open(path: &Path) -> Checkpoint {
    Checkpoint::open(path, None).unwrap()
}

/// Opens and compares with the official folder, number by number.
fn check_same(path: &Path, base: Option<&Path>) -> Checkpoint {
    let checkpoint = Checkpoint::open(path, base).unwrap();
    let official = open(&mini());
    assert_eq!(checkpoint.config(), official.config());
    assert_eq!(checkpoint.tokenizer_json(), official.tokenizer_json());
    assert_eq!(hash(&checkpoint), hash(&official));
    checkpoint
}

#[test]
fn official_folder_opens() {
    let checkpoint = open(&mini());
    assert_eq!(checkpoint.format(), WeightsFormat::Safetensors);
    assert_eq!(checkpoint.name(), "model");
    let config = checkpoint.config();
    assert_eq!((config.text.n_layers, config.text.head_dim, config.text.vocab_size), (3, 16, 512));
    assert_eq!((config.vision.n_layers, config.vision_grid_side, config.latent.grid_side), (2, 7, 8));
    let embeddings = checkpoint.tensor("language_model.model.embed_tokens.weight").unwrap();
    assert_eq!((embeddings.kind, embeddings.shape), (Kind::F32, [512, 64].as_slice()));
    assert_eq!(embeddings.bytes.len(), 512 * 64 * 4);
    assert!(checkpoint.tensors().is_sorted_by_key(|tensor| tensor.name));
    assert_eq!(checkpoint.unused(), &[] as &[String]);
    assert_eq!(checkpoint.files().len(), 2);
    assert_eq!(checkpoint.total_bytes(), checkpoint.n_parameters() * 4);
    assert!(checkpoint.tensor("language_model.model.nothing").is_none());
}

#[test]
fn both_16_bit_floats_open() {
    for (dtype, kind) in [(Dtype::F16, Kind::F16), (Dtype::BF16, Kind::BF16)] {
        let folder = folder();
        ema().halved(dtype).save(&folder.path().join("ema.safetensors"));
        ae().save(&folder.path().join("ae.safetensors"));
        let checkpoint = open(folder.path());
        assert_eq!(kinds(&checkpoint), [Kind::F32, kind]);
        assert_eq!(checkpoint.tensor("vae2llm.bias").unwrap().bytes.len(), 128);
    }
}

#[test]
fn patch_embedding_may_be_a_convolution() {
    let folder = folder();
    let mut ema = ema();
    ema.0.get_mut(PATCH_EMBEDDING).unwrap().1 = vec![48, 3, 14, 14];
    ema.save(&folder.path().join("ema.safetensors"));
    ae().save(&folder.path().join("ae.safetensors"));
    assert_eq!(open(folder.path()).tensor(PATCH_EMBEDDING).unwrap().shape, [48, 3, 14, 14]);
}

#[test]
fn prefixes_of_training_frameworks_are_taken_off() {
    for prefix in ["module.", "model.", "module.model."] {
        let folder = folder();
        ema().renamed(|name| format!("{prefix}{name}")).save(&folder.path().join("ema.safetensors"));
        ae().save(&folder.path().join("ae.safetensors"));
        check_same(folder.path(), None);
    }
}

#[test]
fn autoencoder_may_lie_in_the_same_file() {
    for prefix in ["", "vae.", "vae_model.", "module.vae_model."] {
        let folder = folder();
        let merged = ema().merged(ae().renamed(|name| format!("{prefix}{name}")));
        merged.save(&folder.path().join("everything.safetensors"));
        assert_eq!(check_same(folder.path(), None).files().len(), 1);
    }
}

/// Three shards and their index.
fn save_shards(folder: &Path) {
    let shard_of = |name: &str| name.bytes().map(usize::from).sum::<usize>() % 3;
    let file = |shard: usize| format!("model-{:05}-of-00003.safetensors", shard + 1);
    let mut weight_map = serde_json::Map::new();
    for name in ema().0.keys() {
        weight_map.insert(name.clone(), file(shard_of(name)).into());
    }
    for shard in 0..3 {
        ema().filtered(|name| shard_of(name) == shard).save(&folder.join(file(shard)));
    }
    let index = serde_json::json!({"metadata": {"total_size": 1}, "weight_map": weight_map});
    fs::write(folder.join("model.safetensors.index.json"), index.to_string()).unwrap();
}

#[test]
fn shards_with_an_index_open_as_folder_index_or_any_shard() {
    let folder = folder();
    save_shards(folder.path());
    ae().save(&folder.path().join("ae.safetensors"));
    assert_eq!(check_same(folder.path(), None).files().len(), 4);
    // Named alone, the set still finds the autoencoder beside it.
    check_same(&folder.path().join("model.safetensors.index.json"), None);
    check_same(&folder.path().join("model-00002-of-00003.safetensors"), None);
}

#[test]
fn shards_without_an_index_open_as_a_folder() {
    let folder = folder();
    save_shards(folder.path());
    fs::remove_file(folder.path().join("model.safetensors.index.json")).unwrap();
    ae().save(&folder.path().join("ae.safetensors"));
    check_same(folder.path(), None);
}

#[test]
fn files_may_have_other_names() {
    let folder = folder();
    ema().save(&folder.path().join("model_bf16.safetensors"));
    ae().save(&folder.path().join("flux-vae.safetensors"));
    check_same(folder.path(), None);
    let by_file = check_same(&folder.path().join("model_bf16.safetensors"), None);
    assert_eq!(by_file.name(), "model_bf16");
}

#[test]
fn vision_tensors_come_from_the_base() {
    let folder = folder();
    ema().filtered(|name| !is_seen(name)).save(&folder.path().join("model.safetensors"));
    ae().save(&folder.path().join("ae.safetensors"));
    let refusal = Checkpoint::open(folder.path(), None).unwrap_err().to_string();
    assert!(refusal.contains("base checkpoint"), "{refusal}");
    let checkpoint = check_same(folder.path(), Some(&mini()));
    assert_eq!(checkpoint.files().len(), 3);
    check_same(&folder.path().join("model.safetensors"), Some(&mini()));
}

#[test]
fn bare_file_takes_everything_else_from_the_base() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("fine-tune.safetensors");
    ema().filtered(|name| !is_seen(name)).save(&file);
    check_same(&file, Some(&mini()));
}

#[test]
fn converted_file_serves_as_base() {
    let folder = TempDir::new().unwrap();
    let base = folder.path().join("base.gguf");
    write_copy(&open(&mini()), &base);
    let file = folder.path().join("fine-tune.safetensors");
    ema().filtered(|name| !is_seen(name)).save(&file);
    let checkpoint = check_same(&file, Some(&base));
    assert!(checkpoint.provenance().is_none());
}

#[test]
fn own_tensors_win_over_those_of_the_base() {
    let folder = folder();
    let mut tuned = ema();
    tuned.0.get_mut("vae2llm.bias").unwrap().2.fill(0);
    tuned.save(&folder.path().join("ema.safetensors"));
    let checkpoint = Checkpoint::open(folder.path(), Some(&mini())).unwrap();
    assert!(checkpoint.tensor("vae2llm.bias").unwrap().bytes.iter().all(|byte| *byte == 0));
    assert_ne!(hash(&checkpoint), hash(&open(&mini())));
}

#[test]
fn complete_file_is_taken_alone_where_two_models_lie_in_a_folder() {
    let folder = folder();
    let mut other = ema().filtered(|name| !is_seen(name));
    other.0.get_mut("vae2llm.bias").unwrap().2.fill(0);
    other.save(&folder.path().join("a.safetensors"));
    ema().save(&folder.path().join("z.safetensors"));
    ae().save(&folder.path().join("ae.safetensors"));
    check_same(folder.path(), None);
}

#[test]
fn tensors_without_a_place_are_listed_and_left_out() {
    let folder = folder();
    let mut ema = ema();
    ema.0.insert("vit_model.vision_model.head.probe".to_owned(), (Dtype::I64, vec![1], vec![0; 8]));
    ema.save(&folder.path().join("ema.safetensors"));
    ae().save(&folder.path().join("ae.safetensors"));
    let checkpoint = check_same(folder.path(), None);
    assert_eq!(checkpoint.unused(), ["vit_model.vision_model.head.probe"]);
}

#[test]
fn damaged_neighbor_that_is_not_needed_does_not_matter() {
    let folder = folder();
    ema().merged(ae()).save(&folder.path().join("model.safetensors"));
    fs::write(folder.path().join("half.safetensors"), b"half a downl").unwrap();
    check_same(folder.path(), None);
}

#[test]
fn damaged_file_that_is_needed_is_named() {
    let folder = folder();
    ema().save(&folder.path().join("ema.safetensors"));
    fs::write(folder.path().join("ae.safetensors"), b"half a downl").unwrap();
    let refusal = Checkpoint::open(folder.path(), None).unwrap_err();
    assert!(matches!(&refusal, Error::Safetensors { path, .. } if path.ends_with("ae.safetensors")), "{refusal}");
}

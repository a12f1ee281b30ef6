//! Every form in which people have the model opens, and says the same.

use std::path::{Path, PathBuf};

use checkpoint::{Checkpoint, Format, Kind};

fn mini() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bagel/tests/golden/mini/model")
}

#[test]
fn official_folder_opens() {
    let checkpoint = Checkpoint::open(&mini(), None).unwrap();
    assert_eq!(checkpoint.format(), Format::Safetensors);
    assert_eq!(checkpoint.name(), "model");
    let config = checkpoint.config();
    assert_eq!((config.text.n_layers, config.text.head_dim, config.text.vocab_size), (3, 16, 512));
    assert_eq!((config.vision.n_layers, config.vision_grid_side, config.latent.grid_side), (2, 7, 8));
    let embeddings = checkpoint.tensor("language_model.model.embed_tokens.weight").unwrap();
    assert_eq!((embeddings.kind, embeddings.shape, embeddings.bytes.len()), (Kind::F32, [512, 64].as_slice(), 131_072));
    assert!(checkpoint.tensors().is_sorted_by_key(|tensor| tensor.name));
    assert_eq!(checkpoint.unused(), &[] as &[String]);
    assert_eq!(checkpoint.files().len(), 2);
}

//! Published configuration files vary; what is absent is known, and what is wrong is named.

use std::fs;
use std::path::Path;

use checkpoint::config::read::Documents;
use checkpoint::{Config, Error};
use tempfile::TempDir;

fn read(files: &[(&str, &str)]) -> Result<Config, Error> {
    let folder = TempDir::new().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    Documents::read(folder.path())?.complete(&Config::official())
}

#[test]
fn absent_files_and_keys_take_the_official_values() {
    assert_eq!(read(&[]).unwrap(), Config::official());
    assert_eq!(read(&[("llm_config.json", "{}"), ("vit_config.json", "{}")]).unwrap(), Config::official());
}

#[test]
fn one_vision_layer_less_than_the_file_says_is_used() {
    let config = read(&[("vit_config.json", r#"{"num_hidden_layers": 27}"#)]).unwrap();
    assert_eq!(config.vision.n_layers, 26);
    let config = read(&[("vit_config.json", r#"{"num_hidden_layers": 5}"#)]).unwrap();
    assert_eq!(config.vision.n_layers, 4);
}

#[test]
fn nested_sections_and_whole_floats_are_read() {
    let text = r#"{"llm_config": {"hidden_size": 128.0, "num_attention_heads": 4},
                   "vae_config": {"ch_mult": [1, 2]}, "vit_transform": {"max_image_size": 98}}"#;
    let config = read(&[("config.json", text)]).unwrap();
    assert_eq!((config.text.hidden_size, config.text.head_dim), (128, 32));
    assert_eq!(config.vae.ch_mult, [1, 2]);
    assert_eq!(config.vision_transform.max_size, 98);
}

#[test]
fn wrong_values_are_named_with_file_and_key() {
    let check = |file: &str, content: &str, wanted: &str| {
        let refusal = read(&[(file, content)]).unwrap_err();
        assert!(matches!(&refusal, Error::Config { path, .. } if path.ends_with(Path::new(file))), "{refusal}");
        assert!(refusal.to_string().contains(wanted), "{refusal}");
    };
    check("llm_config.json", r#"{"hidden_size": "wide"}"#, "hidden_size");
    check("llm_config.json", r#"{"num_hidden_layers": -1}"#, "num_hidden_layers");
    check("llm_config.json", r#"{"num_hidden_layers": 2.5}"#, "num_hidden_layers");
    check("llm_config.json", r#"{"rope_theta": [1]}"#, "rope_theta");
    check("config.json", r#"{"vae_config": 7}"#, "vae_config");
    check("config.json", r#"{"vae_config": {"ch_mult": [1, "two"]}}"#, "vae_config.ch_mult");
    check("vit_config.json", r#"{"patch_size": 14,}"#, "JSON");
    check("vit_config.json", "[]", "JSON");
    check("vit_config.json", "", "JSON");
}

//! What is no model, or not all of one, is refused with one line that says why and what to do.

use std::fs;
use std::path::{Path, PathBuf};

use checkpoint::{Checkpoint, Error, Mismatch, check_safetensors};
use safetensors::Dtype;
use tempfile::TempDir;

use crate::scene::{Tensors, copy_documents, mini};

fn refusal(path: &Path) -> Error {
    let error = Checkpoint::open(path, None).unwrap_err();
    let line = error.to_string();
    assert!(!line.contains('\n'), "{line}");
    error
}

fn check_line(path: &Path, wanted: &[&str]) {
    let line = refusal(path).to_string();
    for part in wanted {
        assert!(line.contains(part), "{part:?} is not in {line:?}");
    }
}

/// Mini with changed weights.
fn model(change: impl FnOnce(&mut Tensors)) -> TempDir {
    let folder = TempDir::new().unwrap();
    copy_documents(folder.path());
    let mut ema = Tensors::of_mini("ema.safetensors");
    change(&mut ema);
    ema.save(&folder.path().join("ema.safetensors"));
    fs::copy(mini().join("ae.safetensors"), folder.path().join("ae.safetensors")).unwrap();
    folder
}

fn file(folder: &TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn nothing_there() {
    assert!(matches!(refusal(Path::new("/no/such/model")), Error::NotFound { .. }));
    let folder = TempDir::new().unwrap();
    check_line(folder.path(), &["no .safetensors or .gguf file"]);
}

#[test]
fn pickles_and_archives_are_refused_with_advice() {
    let folder = TempDir::new().unwrap();
    for name in ["pytorch_model.bin", "ema.pt", "ema.PTH", "model.ckpt", "model.pkl", "model.zip"] {
        let path = file(&folder, name, b"PK\x03\x04 or \x80\x02 or anything");
        assert!(matches!(refusal(&path), Error::Unsafe { .. }), "{name}");
        check_line(&path, &["can run code", ".safetensors"]);
    }
    check_line(folder.path(), &["can run code"]);
}

#[test]
fn content_must_be_what_the_name_says() {
    let folder = TempDir::new().unwrap();
    for content in [b"PK\x03\x04................".as_slice(), b"\x80\x02}q.............", b"GGUF", b"hello", b"\0"] {
        let path = file(&folder, "renamed.safetensors", content);
        assert!(matches!(refusal(&path), Error::Safetensors { .. }), "{content:?}");
        let path = file(&folder, "renamed.gguf", &[b"PK", content].concat());
        assert!(matches!(refusal(&path), Error::Gguf { .. }), "{content:?}");
    }
    check_line(&file(&folder, "notes.txt", b"hello"), &["not a model"]);
    check_line(&file(&folder, "empty.safetensors", b""), &["empty"]);
    check_line(&file(&folder, "empty.gguf", b""), &["empty"]);
}

#[cfg(unix)]
#[test]
fn things_that_are_no_files_are_not_opened() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pipe.safetensors");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    check_line(&path, &["not a regular file"]);
}

#[test]
fn missing_tensors_are_listed_ten_at_most() {
    let folder = model(|ema| ema.0.retain(|name, _| !name.contains("layers.1.self_attn")));
    let Error::Tensors { mismatches, .. } = refusal(folder.path()) else { panic!("another error") };
    // Of each expert q, k, v with biases, o, and the norms of q and k; of the vision transformer four with biases.
    assert_eq!(mismatches.missing().count(), 2 * 9 + 8);
    check_line(folder.path(), &["26 missing", "and 16 more", "[64, 64] is missing"]);
}

#[test]
fn misshapen_and_unsupported_tensors_are_listed_with_both_shapes() {
    let folder = model(|ema| {
        ema.0.get_mut("vae2llm.weight").unwrap().1 = vec![32, 128];
        ema.0.insert("vae2llm.bias".to_owned(), (Dtype::I8, vec![64], vec![0; 64]));
        ema.0.insert("llm2vae.bias".to_owned(), (Dtype::F8_E4M3, vec![64], vec![0; 64]));
        ema.0.remove("llm2vae.weight");
    });
    check_line(folder.path(), &["1 missing", "1 of another shape", "2 of an unsupported kind"]);
    check_line(folder.path(), &["vae2llm.weight is [32, 128] instead of [64, 64]", "stored as I8", "F8_E4M3"]);
    let Error::Tensors { mismatches, .. } = refusal(folder.path()) else { panic!("another error") };
    assert!(mismatches.all.contains(&Mismatch::Kind { name: "vae2llm.bias".to_owned(), found: "I8".to_owned() }));
}

#[test]
fn hole_in_the_vision_layers_is_a_missing_layer() {
    let folder = model(|ema| ema.0.retain(|name, _| !name.contains("vision_model.encoder.layers.0.")));
    check_line(folder.path(), &["16 missing", "base checkpoint"]);
}

#[test]
fn autoencoder_that_is_missing_is_asked_for() {
    let folder = model(|_| {});
    fs::remove_file(folder.path().join("ae.safetensors")).unwrap();
    check_line(folder.path(), &["ae.safetensors"]);
    check_line(&mini().join("ae.safetensors"), &["only the autoencoder"]);
}

#[test]
fn unrelated_weights_are_no_model() {
    let folder = TempDir::new().unwrap();
    let mut other = Tensors::default();
    other.0.insert("transformer.h.0.weight".to_owned(), (Dtype::F32, vec![1], vec![0; 4]));
    other.save(&folder.path().join("model.safetensors"));
    check_line(folder.path(), &["none of BAGEL's tensors"]);
}

#[test]
fn tokenizer_that_is_missing_is_asked_for() {
    let folder = model(|_| {});
    fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    assert!(matches!(refusal(folder.path()), Error::TokenizerMissing { .. }));
}

#[test]
fn configuration_that_is_no_json_is_named() {
    let folder = model(|_| {});
    file(&folder, "vit_config.json", b"{\"patch_size\": 14,}");
    check_line(folder.path(), &["vit_config.json", "not valid JSON", "official values"]);
}

#[test]
fn absurd_configuration_is_refused_before_a_table_is_made_of_it() {
    let folder = model(|_| {});
    file(&folder, "llm_config.json", b"{\"num_hidden_layers\": 1000000000000}");
    check_line(folder.path(), &["text.n_layers", "1000000000000"]);
}

#[test]
fn one_tensor_under_two_prefixes_is_refused() {
    let folder = model(|ema| {
        let bias = ema.0["vae2llm.bias"].clone();
        ema.0.insert("module.vae2llm.bias".to_owned(), bias);
    });
    check_line(folder.path(), &["vae2llm.bias", "twice"]);
}

#[test]
fn index_cannot_lead_out_of_its_folder() {
    for name in ["../ema.safetensors", "/etc/passwd", "a/b.safetensors", "..\\\\b.safetensors", "ema.bin", ".."] {
        let folder = TempDir::new().unwrap();
        let index = format!("{{\"weight_map\": {{\"vae2llm.bias\": \"{name}\"}}}}");
        let path = file(&folder, "model.safetensors.index.json", index.as_bytes());
        check_line(&path, &["weight_map", "in this folder"]);
        check_line(folder.path(), &["weight_map"]);
    }
    let folder = TempDir::new().unwrap();
    let index = b"{\"weight_map\": {\"vae2llm.bias\": \"model-1.safetensors\"}}";
    check_line(&file(&folder, "model.safetensors.index.json", index), &["model-1.safetensors", "no such file"]);
    check_line(&file(&folder, "model.safetensors.index.json", b"[1, 2]"), &["weight_map"]);
}

/// A safetensors file of any header and this many bytes of data.
fn safetensors(header: &str, n_data_bytes: usize) -> Vec<u8> {
    [(header.len() as u64).to_le_bytes().as_slice(), header.as_bytes(), &vec![0; n_data_bytes]].concat()
}

/// Safetensors files that are each wrong in one way.
pub(crate) fn hostile_safetensors() -> Vec<(&'static str, Vec<u8>)> {
    let one = |dtype: &str, shape: &str, offsets: &str| {
        format!("{{\"a\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":{offsets}}}}}")
    };
    let claiming = |length: u64| [&length.to_le_bytes(), b"{}".as_slice()].concat();
    let entry = "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}";
    // Each tensor is of a size that can be, their sum wraps around.
    let most = (1u64 << 61) - 1;
    let wrap: Vec<String> = (0..8)
        .map(|n| {
            let (start, end) = (n * most, (n + 1) * most);
            format!("\"{n}\":{{\"dtype\":\"U8\",\"shape\":[{most}],\"data_offsets\":[{start},{end}]}}")
        })
        .collect();
    vec![
        ("length-of-all-ones", claiming(u64::MAX)),
        ("length-with-a-sign", claiming(1 << 63)),
        ("length-that-the-crate-refuses", claiming(100_000_001)),
        ("length-just-too-long", claiming((16 << 20) + 1)),
        ("length-behind-the-file", claiming(1 << 20)),
        ("long-header", safetensors(&format!("{{{}}}", " ".repeat(16 << 20)), 0)),
        ("shorter-than-a-length", b"\x02\0\0".to_vec()),
        ("empty-header", safetensors("", 0)),
        ("header-that-is-a-list", safetensors("[]", 0)),
        ("header-not-utf8", [&2u64.to_le_bytes(), b"{\xff".as_slice()].concat()),
        ("deep-header", safetensors(&format!("{{\"a\":{}", "[".repeat(100_000)), 0)),
        ("deep-metadata", safetensors(&format!("{{\"__metadata__\":{}", "{\"a\":".repeat(100_000)), 0)),
        ("hole-before", safetensors(&one("F32", "[1]", "[4,8]"), 8)),
        ("bytes-behind", safetensors(&one("F32", "[1]", "[0,4]"), 8)),
        ("outside", safetensors(&one("F32", "[2]", "[0,8]"), 4)),
        ("backwards", safetensors(&one("F32", "[1]", "[4,0]"), 4)),
        ("negative", safetensors(&one("F32", "[1]", "[-4,0]"), 4)),
        ("shape-of-another-size", safetensors(&one("F32", "[3]", "[0,4]"), 4)),
        ("product-that-wraps", safetensors(&one("F32", "[4294967296,4294967296]", "[0,0]"), 0)),
        ("product-that-wraps-with-its-kind", safetensors(&one("F32", "[4611686018427387904]", "[0,0]"), 0)),
        ("extent-beyond-64-bits", safetensors(&one("F32", "[99999999999999999999]", "[0,0]"), 0)),
        ("unknown-kind", safetensors(&one("F12", "[1]", "[0,4]"), 4)),
        ("no-shape", safetensors("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4)),
        ("twice", safetensors(&format!("{{\"a\":{entry},\"a\":{entry}}}"), 4)),
        ("overlap", safetensors(&format!("{{\"a\":{entry},\"b\":{entry}}}"), 4)),
        ("sum-that-wraps", safetensors(&format!("{{{}}}", wrap.join(",")), 0)),
    ]
}

#[test]
fn hostile_safetensors_are_refused() {
    let folder = TempDir::new().unwrap();
    for (name, content) in hostile_safetensors() {
        let error = refusal(&file(&folder, "hostile.safetensors", &content));
        assert!(matches!(error, Error::Safetensors { .. }), "{name}: {error}");
        assert!(check_safetensors(&content).is_err(), "{name}");
    }
}

#[test]
fn every_cut_of_published_weights_is_found() {
    let folder = TempDir::new().unwrap();
    let whole = fs::read(mini().join("ema.safetensors")).unwrap();
    let header_len = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    for cut in (0..header_len).step_by(1009).chain((header_len..whole.len()).step_by(100_003)).chain([whole.len() - 1])
    {
        let path = file(&folder, "ema.safetensors", &whole[..cut]);
        assert!(Checkpoint::open(&path, Some(&mini())).is_err(), "{cut}");
    }
}

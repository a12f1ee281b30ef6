//! A model of a few megabytes that no arithmetic could use, and a catalog that lists it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use catalog::{Catalog, DownloadOptions, DownloadTimeouts};
use checkpoint::{Config, Declared, Provenance, Quantization, Writer, expected_tensors, plan};
use protocol::ModelId;

use super::tiny::config;

/// The model's files by name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The name of the file that holds the weights.
pub(crate) const WEIGHTS: &str = "model.safetensors";

/// The commit that the server names.
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Numbers that look like nothing in particular, the same every time (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    pub(crate) fn bytes(&mut self, n_bytes: usize) -> Vec<u8> {
        let n_words = n_bytes.div_ceil(8);
        let mut bytes: Vec<u8> = (0..n_words).flat_map(|_| self.next().to_le_bytes()).collect();
        bytes.truncate(n_bytes);
        bytes
    }
}

/// The published files of a model of about so many bytes.
pub(crate) fn published(n_bytes: usize, seed: u64) -> Files {
    let config = config((n_bytes / 128).max(64));
    let text = &config.text;
    let llm = format!(
        "{{\"hidden_size\":{},\"intermediate_size\":{},\"num_hidden_layers\":{},\"num_attention_heads\":{},\
         \"num_key_value_heads\":{},\"head_dim\":{},\"vocab_size\":{}}}",
        text.hidden_size,
        text.intermediate_size,
        text.n_layers,
        text.n_heads,
        text.n_kv_heads,
        text.head_dim,
        text.vocab_size
    );
    let vit = "{\"hidden_size\":32,\"intermediate_size\":48,\"num_hidden_layers\":2,\"num_attention_heads\":2,\
               \"patch_size\":2,\"num_channels\":3,\"image_size\":4}";
    let model = "{\"latent_patch_size\":2,\"max_latent_size\":2,\"vit_max_num_patch_per_side\":2,\
                 \"vae_config\":{\"ch\":4,\"ch_mult\":[1,2],\"num_res_blocks\":1,\"z_channels\":4,\"in_channels\":3,\
                 \"out_ch\":3,\"downsample\":2},\
                 \"vae_transform\":{\"max_image_size\":8,\"min_image_size\":4,\"image_stride\":4},\
                 \"vit_transform\":{\"max_image_size\":4,\"min_image_size\":2,\"image_stride\":2}}";
    Files::from([
        ("llm_config.json".to_owned(), llm.into_bytes()),
        ("vit_config.json".to_owned(), vit.as_bytes().to_vec()),
        ("config.json".to_owned(), model.as_bytes().to_vec()),
        ("tokenizer.json".to_owned(), b"{\"tiny\": true}".to_vec()),
        (WEIGHTS.to_owned(), safetensors(&config, seed)),
    ])
}

/// All tensors of a model in 16 bits, in one file.
fn safetensors(config: &Config, seed: u64) -> Vec<u8> {
    let mut end = 0;
    let mut lines = Vec::new();
    for tensor in expected_tensors(config) {
        let start = end;
        end += 2 * tensor.shape.iter().product::<usize>();
        let shape = format!("{:?}", tensor.shape);
        lines.push(format!(
            "\"{}\":{{\"dtype\":\"BF16\",\"shape\":{shape},\"data_offsets\":[{start},{end}]}}",
            tensor.name
        ));
    }
    let header = format!("{{{}}}", lines.join(","));
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend_from_slice(&Numbers(seed).bytes(end));
    file
}

/// Writes files into a folder, which is made.
pub(crate) fn write_files(folder: &Path, files: &Files) {
    fs::create_dir_all(folder).unwrap();
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

/// A GGUF of a small model.
pub(crate) fn write_gguf(path: &Path, quantization: Quantization) {
    let config = config(64);
    let declared: Vec<Declared> = plan(&config, quantization, quantization)
        .into_iter()
        .map(|it| Declared { name: it.name, kind: it.kind, shape: it.shape })
        .collect();
    let provenance = Provenance {
        name: "tiny".to_owned(),
        quantization: quantization.name().to_owned(),
        generation_quantization: quantization.name().to_owned(),
        converter: "test".to_owned(),
    };
    let mut writer = Writer::create(path, &config, b"{\"tiny\": true}", &provenance, &declared).unwrap();
    let mut numbers = Numbers(7);
    for tensor in &declared {
        let n_bytes = tensor.kind.size_bytes(tensor.shape.iter().product::<usize>() as u64);
        writer.write(&tensor.name, &numbers.bytes(usize::try_from(n_bytes).unwrap())).unwrap();
    }
    writer.finish().unwrap();
}

/// How much a catalog file says of the files it lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Facts {
    /// Lengths, hashes and the commit.
    All,
    /// Nothing but names.
    None,
}

/// A catalog file that lists a model.
pub(crate) fn manifest(id: &str, files: &Files, facts: Facts) -> String {
    let name = |key: &str| format!("{key} = {{ en = \"{id}\", zh = \"{id}\" }}\n");
    let revision = if facts == Facts::All { COMMIT } else { "unknown" };
    let mut text = format!(
        "[[model]]\nid = \"{id}\"\nrepository = \"owner/{id}\"\nrevision = \"{revision}\"\nmax_side = 8\n{}{}",
        name("name"),
        name("summary")
    );
    for (path, bytes) in files {
        text.push_str(&format!("[[model.file]]\npath = \"{path}\"\n"));
        if facts == Facts::All {
            text.push_str(&format!("bytes = {}\nsha256 = \"{}\"\n", bytes.len(), sha256(bytes)));
        }
    }
    text
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn id(text: &str) -> ModelId {
    ModelId(text.to_owned())
}

/// A folder of models whose catalog lists one more.
pub(crate) struct Scene {
    pub(crate) folder: PathBuf,
    pub(crate) files: Files,
    _kept: Option<tempfile::TempDir>,
}

impl Scene {
    pub(crate) fn new(files: Files, facts: Facts) -> Self {
        let kept = tempfile::tempdir().unwrap();
        let folder = kept.path().to_path_buf();
        fs::write(folder.join("models.toml"), format!("version = 1\n{}", manifest("small", &files, facts))).unwrap();
        Self { folder, files, _kept: Some(kept) }
    }

    pub(crate) fn models(&self) -> PathBuf {
        self.folder.join("models")
    }

    pub(crate) fn catalog(&self) -> Catalog {
        Catalog::open(self.models(), Some(self.folder.join("models.toml")), None).unwrap()
    }

    pub(crate) fn source(&self) -> PathBuf {
        self.models().join("small/small")
    }

    /// Files that have their own names and other bytes than were published.
    pub(crate) fn wrong_files(&self) -> Vec<String> {
        let is_wrong = |(name, bytes): &(&String, &Vec<u8>)| {
            fs::read(self.source().join(name)).is_ok_and(|found| found != **bytes)
        };
        self.files.iter().filter(is_wrong).map(|(name, _)| name.clone()).collect()
    }

    /// Whether every file is there and as published.
    pub(crate) fn is_whole(&self) -> bool {
        self.files.iter().all(|(name, bytes)| fs::read(self.source().join(name)).is_ok_and(|found| found == *bytes))
    }
}

/// Downloads from `mirror` that wait milliseconds where the world would wait seconds.
pub(crate) fn hurried(mirror: &str, seed: u64) -> DownloadOptions {
    DownloadOptions {
        mirror: Some(mirror.to_owned()),
        token: None,
        timeouts: DownloadTimeouts {
            tries: 5,
            stall: Duration::from_millis(150),
            first_wait: Duration::from_millis(1),
            longest_wait: Duration::from_millis(4),
            seed: Some(seed),
        },
    }
}

//! Models on disk to open: the golden one taken apart, and a very small one made up.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use checkpoint::{Checkpoint, Config, Declared, Kind, Provenance, Quantization, Writer, plan};
use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

pub(crate) const PATCH_EMBEDDING: &str = "vit_model.vision_model.embeddings.patch_embedding.weight";

pub(crate) fn mini() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bagel/tests/golden/mini/model")
}

/// Tensors in memory, to be changed and saved under any name.
#[derive(Clone, Default)]
pub(crate) struct Tensors(pub(crate) BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>);

impl Tensors {
    pub(crate) fn of_mini(file: &str) -> Self {
        let bytes = fs::read(mini().join(file)).unwrap();
        let content = SafeTensors::deserialize(&bytes).unwrap();
        let copy = |(name, view): (String, TensorView<'_>)| {
            (name, (view.dtype(), view.shape().to_vec(), view.data().to_vec()))
        };
        Self(content.tensors().into_iter().map(copy).collect())
    }

    pub(crate) fn save(&self, path: &Path) {
        let views = self
            .0
            .iter()
            .map(|(name, (dtype, shape, bytes))| (name, TensorView::new(*dtype, shape.clone(), bytes).unwrap()));
        fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
    }

    pub(crate) fn renamed(self, rename: impl Fn(&str) -> String) -> Self {
        Self(self.0.into_iter().map(|(name, tensor)| (rename(&name), tensor)).collect())
    }

    pub(crate) fn filtered(self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.0.into_iter().filter(|(name, _)| keep(name)).collect())
    }

    pub(crate) fn merged(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The same numbers as 16-bit floats of either form.
    pub(crate) fn halved(mut self, dtype: Dtype) -> Self {
        for (found, _, bytes) in self.0.values_mut() {
            *found = dtype;
            let numbers = bytes.chunks_exact(4).map(|number| f32::from_le_bytes(number.try_into().unwrap()));
            *bytes = match dtype {
                Dtype::F16 => numbers.flat_map(|number| f16::from_f32(number).to_le_bytes()).collect(),
                _ => numbers.flat_map(|number| bf16::from_f32(number).to_le_bytes()).collect(),
            };
        }
        self
    }
}

/// Copies of mini's files that are no weights.
pub(crate) fn copy_documents(folder: &Path) {
    for name in ["llm_config.json", "vit_config.json", "config.json", "tokenizer.json"] {
        fs::copy(mini().join(name), folder.join(name)).unwrap();
    }
}

/// A model of a few kilobytes; no arithmetic could use it.
pub(crate) fn tiny_config() -> Config {
    crate::tiny::config(64)
}

pub(crate) fn provenance() -> Provenance {
    Provenance {
        name: "tiny".to_owned(),
        quantization: "q8_0".to_owned(),
        generation_quantization: "q8_0".to_owned(),
        converter: "test".to_owned(),
    }
}

pub(crate) fn tiny_declared() -> Vec<Declared> {
    declared_of(&tiny_config())
}

fn declared_of(config: &Config) -> Vec<Declared> {
    let planned = plan(config, Quantization::Q8_0, Quantization::Q8_0);
    planned.into_iter().map(|it| Declared { name: it.name, kind: it.kind, shape: it.shape }).collect()
}

/// Bytes that look like nothing in particular, the same every time.
pub(crate) fn noise(seed: u64, n_bytes: usize) -> Vec<u8> {
    let mut bytes = vec![0; n_bytes];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

pub(crate) fn size_of(declared: &Declared) -> usize {
    declared.kind.size_bytes(declared.shape.iter().product::<usize>() as u64) as usize
}

/// A GGUF of the tiny model.
pub(crate) fn write_tiny(path: &Path) {
    write_of(path, &tiny_config());
}

/// The same for other shapes.
pub(crate) fn write_of(path: &Path, config: &Config) {
    let declared = declared_of(config);
    let mut writer = Writer::create(path, config, b"{\"tiny\": true}", &provenance(), &declared).unwrap();
    for (position, tensor) in declared.iter().enumerate() {
        writer.write(&tensor.name, &noise(position as u64, size_of(tensor))).unwrap();
    }
    writer.finish().unwrap();
}

/// A GGUF with the tensors of a checkpoint as they are.
pub(crate) fn write_copy(checkpoint: &Checkpoint, path: &Path) {
    let declare =
        |it: checkpoint::TensorView<'_>| Declared { name: it.name.to_owned(), kind: it.kind, shape: it.shape.to_vec() };
    let declared: Vec<Declared> = checkpoint.tensors().map(declare).collect();
    let provenance = Provenance { name: checkpoint.name().to_owned(), ..provenance() };
    let tokenizer = checkpoint.tokenizer_json();
    let mut writer = Writer::create(path, checkpoint.config(), tokenizer, &provenance, &declared).unwrap();
    for tensor in checkpoint.tensors() {
        writer.write(tensor.name, tensor.bytes).unwrap();
    }
    writer.finish().unwrap();
}

pub(crate) fn go_on(_: u64, _: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

pub(crate) fn hash(checkpoint: &Checkpoint) -> String {
    checkpoint::weights_hash(checkpoint, &mut go_on).unwrap()
}

pub(crate) fn kinds(checkpoint: &Checkpoint) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = checkpoint.tensors().map(|tensor| tensor.kind).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

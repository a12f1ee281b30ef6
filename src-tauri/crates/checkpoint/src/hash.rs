//! Hashes of tensors, and the one of a whole model that recipes carry.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::{Checkpoint, Error, Kind, Result, TensorView};

/// blake3 of a tensor's bytes.
pub type TensorHash = [u8; 32];

/// What long work calls with bytes done and bytes in all; `Break` ends it with [`Error::Cancelled`].
pub type ObserveBytes<'a> = dyn FnMut(u64, u64) -> ControlFlow<()> + 'a;

/// From here on, hashing with all cores pays.
pub(crate) const PARALLEL_HASH_BYTES: usize = 1 << 20;
/// Between two calls of the observer.
const CHUNK_BYTES: usize = 64 << 20;
/// Distinguishes this hash from any other use of blake3, and versions it.
const CONTEXT: &str = "bagel weights 1";

/// Hashes a tensor's bytes, with all cores where it is large.
pub fn hash_tensor(bytes: &[u8]) -> TensorHash {
    let mut hasher = blake3::Hasher::new();
    if bytes.len() >= PARALLEL_HASH_BYTES {
        hasher.update_rayon(bytes);
    } else {
        hasher.update(bytes);
    }
    *hasher.finalize().as_bytes()
}

/// Combines the hashes of a model's tensors, given in any order, into the model's.
#[derive(Debug, Default)]
pub struct TensorHasher {
    tensors: BTreeMap<String, (Kind, Vec<usize>, TensorHash)>,
}

impl TensorHasher {
    /// Begins without tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one tensor by the hash of its bytes.
    pub fn add(&mut self, name: &str, kind: Kind, shape: &[usize], hash: TensorHash) {
        self.tensors.insert(name.to_owned(), (kind, shape.to_vec(), hash));
    }

    /// The model's hash in hexadecimal.
    pub fn finish(&self) -> String {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        for (name, (kind, shape, hash)) in &self.tensors {
            // Lengths first, so that no two models have the same stream.
            hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
            hasher.update(&kind.ggml_id().to_le_bytes()).update(&(shape.len() as u64).to_le_bytes());
            for extent in shape {
                hasher.update(&(*extent as u64).to_le_bytes());
            }
            hasher.update(hash);
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// The hash of a model's weights: names, kinds, shapes and every number.
///
/// A GGUF of ours answers at once from the hashes that it carries; safetensors are read whole.
pub fn weights_hash(checkpoint: &Checkpoint, observe: &mut ObserveBytes<'_>) -> Result<String> {
    let total_bytes = checkpoint.total_bytes();
    let mut done_bytes = 0;
    let mut hasher = TensorHasher::new();
    for tensor in checkpoint.tensors() {
        let hash = match tensor.stored_hash {
            Some(hash) => hash,
            None => hash_observed(&tensor, done_bytes, total_bytes, observe)?,
        };
        done_bytes += tensor.bytes.len() as u64;
        hasher.add(tensor.name, tensor.kind, tensor.shape, hash);
    }
    Ok(hasher.finish())
}

/// Hashes a tensor in chunks, telling the observer after each.
pub(crate) fn hash_observed(
    tensor: &TensorView<'_>,
    mut done_bytes: u64,
    total_bytes: u64,
    observe: &mut ObserveBytes<'_>,
) -> Result<TensorHash> {
    let mut hasher = blake3::Hasher::new();
    for chunk in tensor.bytes.chunks(CHUNK_BYTES) {
        if chunk.len() >= PARALLEL_HASH_BYTES {
            hasher.update_rayon(chunk);
        } else {
            hasher.update(chunk);
        }
        done_bytes += chunk.len() as u64;
        if observe(done_bytes, total_bytes).is_break() {
            return Err(Error::Cancelled);
        }
    }
    Ok(*hasher.finalize().as_bytes())
}

pub(crate) fn to_hex(hash: &TensorHash) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}

pub(crate) fn from_hex(hex: &[u8]) -> Option<TensorHash> {
    blake3::Hash::from_hex(hex).ok().map(|hash| *hash.as_bytes())
}

//! What makes a GGUF file a model of ours.

use std::ops::Range;
use std::sync::Arc;

use super::preflight::{Header, TensorInfo, Value};
use super::{ARCHITECTURE, Defect, HASH_HEX_LEN, key, preflight};
use crate::Config;
use crate::hash::{TensorHash, from_hex};
use crate::mapped::Mapped;

/// Where a converted file comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// Name of the model.
    pub name: String,
    /// Name of the quantization of the understanding expert, embeddings and head.
    pub quantization: String,
    /// Name of the quantization of the generation expert.
    pub generation_quantization: String,
    /// Program and version that wrote it.
    pub converter: String,
}

/// What only a GGUF of ours supplies.
#[derive(Debug)]
pub(crate) struct Converted {
    pub(crate) file: Arc<Mapped>,
    pub(crate) provenance: Provenance,
    /// Bytes between the tensors and behind the last, all zero when written.
    pub(crate) paddings: Vec<Range<usize>>,
}

/// The content of a GGUF of ours, checked but for the numbers.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) config: Config,
    pub(crate) tokenizer_json: Vec<u8>,
    pub(crate) provenance: Provenance,
    pub(crate) tensors: Vec<(TensorInfo, TensorHash)>,
    pub(crate) paddings: Vec<Range<usize>>,
}

impl Document {
    pub(crate) fn read(file: &[u8]) -> std::result::Result<Self, Defect> {
        let header = preflight(file)?;
        check_identity(file, &header)?;
        let config: Config = serde_json::from_str(text(&header, key::CONFIG)?)
            .map_err(|error| Defect::KeyContent { key: key::CONFIG, reason: error.to_string() })?;
        let hashes = tensor_hashes(&header)?;
        let paddings = paddings(&header, file.len());
        Ok(Self {
            config,
            tokenizer_json: text(&header, key::TOKENIZER)?.as_bytes().to_vec(),
            provenance: Provenance {
                name: text(&header, key::NAME)?.to_owned(),
                quantization: text(&header, key::QUANTIZATION)?.to_owned(),
                generation_quantization: text(&header, key::GENERATION_QUANTIZATION)?.to_owned(),
                converter: text(&header, key::CONVERTER)?.to_owned(),
            },
            tensors: header.tensors.into_iter().zip(hashes).collect(),
            paddings,
        })
    }
}

/// Architecture, size and hash of the header.
fn check_identity(file: &[u8], header: &Header<'_>) -> std::result::Result<(), Defect> {
    let architecture = header.metadata.get(key::ARCHITECTURE).and_then(Value::as_text).unwrap_or("");
    if architecture != ARCHITECTURE {
        return Err(Defect::Architecture(architecture.chars().take(40).collect()));
    }
    let (hash, hash_start) = match header.metadata.get(key::HEADER_HASH) {
        Some(Value::Text { text, start }) if text.len() == HASH_HEX_LEN => (*text, *start),
        Some(_) => return Err(bad(key::HEADER_HASH, "not a hash")),
        None => return Err(Defect::KeyMissing(key::HEADER_HASH)),
    };
    let whole = file.get(..header.data_start).unwrap_or(file);
    if header_hash(whole, hash_start) != hash {
        return Err(Defect::HeaderHash);
    }
    let expected = header.metadata.get(key::FILE_BYTES).ok_or(Defect::KeyMissing(key::FILE_BYTES))?;
    let expected = expected.as_unsigned().ok_or_else(|| bad(key::FILE_BYTES, "not a number without a sign"))?;
    if expected != file.len() as u64 {
        return Err(Defect::FileSize { expected, found: file.len() as u64 });
    }
    Ok(())
}

/// blake3 of the header, in hexadecimal, with the place of the hash itself taken as zeros.
pub(crate) fn header_hash(header: &[u8], hash_start: usize) -> String {
    let (before, rest) = header.split_at_checked(hash_start).unwrap_or((header, &[]));
    let after = rest.get(HASH_HEX_LEN..).unwrap_or_default();
    let mut hasher = blake3::Hasher::new();
    hasher.update(before).update(&[b'0'; HASH_HEX_LEN]).update(after);
    hasher.finalize().to_hex().to_string()
}

fn tensor_hashes(header: &Header<'_>) -> std::result::Result<Vec<TensorHash>, Defect> {
    let hashes = text(header, key::TENSOR_HASHES)?.as_bytes();
    if hashes.len() != header.tensors.len() * HASH_HEX_LEN {
        return Err(bad(key::TENSOR_HASHES, "not one hash a tensor"));
    }
    let hashes: Option<Vec<TensorHash>> = hashes.chunks_exact(HASH_HEX_LEN).map(from_hex).collect();
    hashes.ok_or_else(|| bad(key::TENSOR_HASHES, "not in hexadecimal"))
}

fn paddings(header: &Header<'_>, file_len: usize) -> Vec<Range<usize>> {
    let starts = header.tensors.iter().skip(1).map(|it| it.range.start).chain([file_len]);
    let between = header.tensors.iter().zip(starts).map(|(tensor, next)| tensor.range.end..next);
    between.filter(|range| !range.is_empty()).collect()
}

fn text<'a>(header: &Header<'a>, key: &'static str) -> std::result::Result<&'a str, Defect> {
    let value = header.metadata.get(key).ok_or(Defect::KeyMissing(key))?;
    value.as_text().ok_or_else(|| bad(key, "not a text"))
}

fn bad(key: &'static str, reason: &str) -> Defect {
    Defect::KeyContent { key, reason: reason.to_owned() }
}

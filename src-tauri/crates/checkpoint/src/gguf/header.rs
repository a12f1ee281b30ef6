//! Writing the front of a GGUF file.

use std::ops::Range;

use super::document::header_hash;
use super::{ARCHITECTURE, HASH_HEX_LEN, MAGIC, Provenance, key, type_id};
use crate::Kind;
use crate::hash::{TensorHash, to_hex};

const VERSION: u32 = 3;
const QUANTIZATION_VERSION: u32 = 2;
pub(crate) const ALIGNMENT: u64 = 32;

/// A tensor's line in the table.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Name in the file.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Outermost first.
    pub(crate) shape: Vec<usize>,
    /// From the start of the tensors.
    pub(crate) offset: u64,
    pub(crate) n_bytes: u64,
}

/// The front of a file, complete but for the hashes, whose places it knows.
#[derive(Debug)]
pub(crate) struct FileHeader {
    bytes: Vec<u8>,
    tensor_hashes: Range<usize>,
    header_hash: Range<usize>,
    /// Size of the whole file.
    pub(crate) file_bytes: u64,
}

impl FileHeader {
    pub(crate) fn new(config_json: &str, tokenizer_json: &str, provenance: &Provenance, lines: &[Line]) -> Self {
        let data_bytes = lines.last().map_or(0, |line| (line.offset + line.n_bytes).next_multiple_of(ALIGNMENT));
        let mut front = Front::default();
        front.text(key::ARCHITECTURE, ARCHITECTURE);
        front.text(key::NAME, &provenance.name);
        front.u32(key::ALIGNMENT, ALIGNMENT as u32);
        front.u32(key::QUANTIZATION_VERSION, QUANTIZATION_VERSION);
        front.text(key::CONFIG, config_json);
        front.text(key::QUANTIZATION, &provenance.quantization);
        front.text(key::GENERATION_QUANTIZATION, &provenance.generation_quantization);
        front.text(key::CONVERTER, &provenance.converter);
        front.text(key::TOKENIZER, tokenizer_json);
        let tensor_hashes = front.text(key::TENSOR_HASHES, &"0".repeat(lines.len() * HASH_HEX_LEN));
        let header_hash = front.text(key::HEADER_HASH, &"0".repeat(HASH_HEX_LEN));
        let file_bytes = front.u64(key::FILE_BYTES, 0);
        let bytes = front.finish(lines);
        let total = bytes.len() as u64 + data_bytes;
        let mut header = Self { bytes, tensor_hashes, header_hash, file_bytes: total };
        header.patch(file_bytes, &total.to_le_bytes());
        header
    }

    /// Puts the hashes in their places.
    pub(crate) fn seal(&mut self, hashes: &[TensorHash]) {
        let hex: String = hashes.iter().map(to_hex).collect();
        self.patch(self.tensor_hashes.clone(), hex.as_bytes());
        let hash = header_hash(&self.bytes, self.header_hash.start);
        self.patch(self.header_hash.clone(), hash.as_bytes());
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn patch(&mut self, place: Range<usize>, content: &[u8]) {
        if let Some(place) = self.bytes.get_mut(place) {
            place.copy_from_slice(content);
        }
    }
}

/// Metadata being written, behind room for what precedes it.
#[derive(Default)]
struct Front {
    metadata: Vec<u8>,
    n_keys: u64,
}

/// Magic, version and the two counts.
const PREFIX_BYTES: usize = 24;

impl Front {
    /// Appends a text and says where in the file its content will be.
    fn text(&mut self, key: &str, text: &str) -> Range<usize> {
        self.key(key, type_id::TEXT);
        self.metadata.extend((text.len() as u64).to_le_bytes());
        self.content(text.as_bytes())
    }

    fn u32(&mut self, key: &str, value: u32) {
        self.key(key, type_id::U32);
        self.content(&value.to_le_bytes());
    }

    fn u64(&mut self, key: &str, value: u64) -> Range<usize> {
        self.key(key, type_id::U64);
        self.content(&value.to_le_bytes())
    }

    fn key(&mut self, key: &str, type_id: u32) {
        self.n_keys += 1;
        self.metadata.extend((key.len() as u64).to_le_bytes());
        self.metadata.extend(key.as_bytes());
        self.metadata.extend(type_id.to_le_bytes());
    }

    fn content(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = PREFIX_BYTES + self.metadata.len();
        self.metadata.extend(bytes);
        start..start + bytes.len()
    }

    fn finish(self, lines: &[Line]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PREFIX_BYTES + self.metadata.len() + lines.len() * 128);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((lines.len() as u64).to_le_bytes());
        bytes.extend(self.n_keys.to_le_bytes());
        bytes.extend(self.metadata);
        for line in lines {
            bytes.extend((line.name.len() as u64).to_le_bytes());
            bytes.extend(line.name.as_bytes());
            bytes.extend((line.shape.len() as u32).to_le_bytes());
            for extent in line.shape.iter().rev() {
                bytes.extend((*extent as u64).to_le_bytes());
            }
            bytes.extend(line.kind.ggml_id().to_le_bytes());
            bytes.extend(line.offset.to_le_bytes());
        }
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT as usize), 0);
        bytes
    }
}

//! One file that holds a whole model.
//!
//! The format is GGUF version 3, little-endian, so that other readers can
//! list and read it; the content is BAGEL's alone:
//!
//! | key | value |
//! |---|---|
//! | `general.architecture` | `bagel` |
//! | `general.name` | name of the model |
//! | `general.alignment` | 32 |
//! | `general.quantization_version` | 2 |
//! | `tokenizer.huggingface.json` | tokenizer.json, whole |
//! | `bagel.config` | [`Config`](crate::Config) as JSON |
//! | `bagel.quantization`, `bagel.generation_quantization` | names of the quantizations of the two experts |
//! | `bagel.converter` | program and version that wrote it |
//! | `bagel.file_bytes` | size of the file |
//! | `bagel.tensor_hashes` | blake3 of each tensor's bytes, in hexadecimal, in the order of the tensors |
//! | `bagel.header_hash` | blake3 of everything before the tensors, with this value taken as zeros |
//!
//! Reading has three stages, each trusting only what the one before has
//! established: [`preflight`](mod@preflight) checks the structure of any GGUF,
//! `document` checks what makes it a model of ours, and
//! [`Checkpoint::verify`](crate::Checkpoint::verify) checks the numbers themselves.

mod cursor;
pub mod defect;
pub(crate) mod document;
mod header;
pub mod names;
pub mod preflight;
pub mod writer;

pub use defect::Defect;
pub use document::Provenance;
pub use preflight::{Header, TensorInfo, Value, preflight};
pub use writer::{Declared, Writer};

/// Keys of the metadata.
pub(crate) mod key {
    pub(crate) const ARCHITECTURE: &str = "general.architecture";
    pub(crate) const NAME: &str = "general.name";
    pub(crate) const ALIGNMENT: &str = "general.alignment";
    pub(crate) const QUANTIZATION_VERSION: &str = "general.quantization_version";
    pub(crate) const TOKENIZER: &str = "tokenizer.huggingface.json";
    pub(crate) const CONFIG: &str = "bagel.config";
    pub(crate) const QUANTIZATION: &str = "bagel.quantization";
    pub(crate) const GENERATION_QUANTIZATION: &str = "bagel.generation_quantization";
    pub(crate) const CONVERTER: &str = "bagel.converter";
    pub(crate) const FILE_BYTES: &str = "bagel.file_bytes";
    pub(crate) const TENSOR_HASHES: &str = "bagel.tensor_hashes";
    pub(crate) const HEADER_HASH: &str = "bagel.header_hash";
}

/// The architecture that our files name.
pub(crate) const ARCHITECTURE: &str = "bagel";

/// Numbers that the format gives to types of metadata.
pub(crate) mod type_id {
    pub(crate) const U8: u32 = 0;
    pub(crate) const I8: u32 = 1;
    pub(crate) const U16: u32 = 2;
    pub(crate) const I16: u32 = 3;
    pub(crate) const U32: u32 = 4;
    pub(crate) const I32: u32 = 5;
    pub(crate) const F32: u32 = 6;
    pub(crate) const BOOL: u32 = 7;
    pub(crate) const TEXT: u32 = 8;
    pub(crate) const LIST: u32 = 9;
    pub(crate) const U64: u32 = 10;
    pub(crate) const I64: u32 = 11;
    pub(crate) const F64: u32 = 12;
}

/// The first bytes of every GGUF file.
pub const MAGIC: [u8; 4] = *b"GGUF";
/// Length of a hash in hexadecimal.
pub(crate) const HASH_HEX_LEN: usize = 64;
/// Longest name of a tensor, in bytes; ggml's limit.
pub const MAX_NAME_BYTES: usize = 63;
/// Most tensors in a file.
pub const MAX_TENSORS: u64 = 4096;
/// Most keys of metadata.
pub const MAX_KEYS: u64 = 4096;
/// Longest key, in bytes.
pub const MAX_KEY_BYTES: u64 = 256;
/// Longest text, in bytes; tokenizer.json is 7 MB.
pub const MAX_TEXT_BYTES: u64 = 16 << 20;
/// All metadata, in bytes.
pub const MAX_METADATA_BYTES: u64 = 64 << 20;

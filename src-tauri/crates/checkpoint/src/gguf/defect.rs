//! What a GGUF file can be refused for.

/// One reason; each names the key or the tensor that it was found at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// The first bytes are others.
    #[error("it does not begin with GGUF")]
    Magic,
    /// Written by a machine of the other byte order.
    #[error("it is big-endian; only little-endian files are read")]
    BigEndian,
    /// A version that is not read.
    #[error("version {0} (2 and 3 are read)")]
    Version(u32),
    /// The file ends inside its header.
    #[error("the file ends inside {0}")]
    Ends(String),
    /// More keys than allowed.
    #[error("{0} keys of metadata (at most 4096)")]
    TooManyKeys(u64),
    /// More tensors than allowed.
    #[error("{0} tensors (at most 4096)")]
    TooManyTensors(u64),
    /// The metadata takes more than allowed.
    #[error("more than 64 MiB of metadata, at {0}")]
    MetadataTooLarge(String),
    /// A key that is empty or too long.
    #[error("a key of {0} bytes (1 to 256)")]
    KeyLength(u64),
    /// A key that is not text.
    #[error("key number {0} is not UTF-8")]
    KeyText(u64),
    /// A key that comes twice.
    #[error("key {0:?} comes twice")]
    DuplicateKey(String),
    /// A text longer than allowed.
    #[error("key {key:?} holds a text of {len} bytes (at most 16 MiB)")]
    TextTooLong {
        /// The key.
        key: String,
        /// The length it claims.
        len: u64,
    },
    /// A text that is not UTF-8.
    #[error("key {0:?} holds a text that is not UTF-8")]
    NotText(String),
    /// A type that the format does not have.
    #[error("key {key:?} is of unknown type {id}")]
    UnknownType {
        /// The key.
        key: String,
        /// The number of the type.
        id: u32,
    },
    /// A list of lists.
    #[error("key {0:?} holds a list of lists")]
    NestedList(String),
    /// A boolean that is neither 0 nor 1.
    #[error("key {key:?} holds {value} as a truth value")]
    NotABool {
        /// The key.
        key: String,
        /// The byte.
        value: u8,
    },
    /// An alignment that is not a power of two from 8 to 4096.
    #[error("alignment {0} (a power of two from 8 to 4096)")]
    Alignment(String),
    /// A tensor's name that is empty, too long or of other characters than letters, digits, `.`, `_`, `-`.
    #[error("tensor number {0} has an unusable name (1 to 63 letters, digits, dots, dashes)")]
    TensorName(u64),
    /// A tensor that comes twice.
    #[error("tensor {0} comes twice")]
    DuplicateTensor(String),
    /// A number of dimensions that is not 1 to 4.
    #[error("tensor {tensor} has {n} dimensions (1 to 4)")]
    Dimensions {
        /// The tensor.
        tensor: String,
        /// How many it claims.
        n: u32,
    },
    /// A dimension that is zero or absurd.
    #[error("tensor {tensor} has a dimension of {extent} (1 to 2147483648)")]
    Extent {
        /// The tensor.
        tensor: String,
        /// The dimension.
        extent: u64,
    },
    /// A kind of numbers that is not read.
    #[error("tensor {tensor} is of unsupported kind {id}")]
    TensorKind {
        /// The tensor.
        tensor: String,
        /// ggml's number of the kind.
        id: u32,
    },
    /// Rows that are no multiple of the kind's block.
    #[error("tensor {tensor} has rows of {row_len}, which {kind} cannot hold")]
    RowLength {
        /// The tensor.
        tensor: String,
        /// Length of its rows.
        row_len: u64,
        /// The kind.
        kind: &'static str,
    },
    /// An offset that is no multiple of the alignment.
    #[error("tensor {tensor} begins at {offset}, which is not aligned to {alignment}")]
    Misaligned {
        /// The tensor.
        tensor: String,
        /// Where it says it begins.
        offset: u64,
        /// The file's alignment.
        alignment: u64,
    },
    /// A tensor that does not begin where the one before it ends.
    #[error("tensor {tensor} begins at {offset} instead of {expected}: tensors overlap or leave a gap")]
    Offset {
        /// The tensor.
        tensor: String,
        /// Where it says it begins.
        offset: u64,
        /// Where the tensor before it ends.
        expected: String,
    },
    /// A tensor that ends behind the file.
    #[error("tensor {tensor} ends at byte {end} and the file at {file_bytes}")]
    OutsideFile {
        /// The tensor.
        tensor: String,
        /// Where it ends.
        end: String,
        /// Size of the file.
        file_bytes: u64,
    },
    /// Bytes behind the last tensor.
    #[error("{0} bytes follow the last tensor")]
    Trailing(u64),
    /// Some other model.
    #[error("it holds a model of architecture {0:?}, not a BAGEL converted by this program")]
    Architecture(String),
    /// A key that our files have.
    #[error("key {0} is missing: it was not converted by this program")]
    KeyMissing(&'static str),
    /// A key of another type or form than our files have.
    #[error("key {key}: {reason}")]
    KeyContent {
        /// The key.
        key: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
    /// The size differs from the one it was written with.
    #[error("it has {found} bytes and was written with {expected}")]
    FileSize {
        /// Size it was written with.
        expected: u64,
        /// Size it has.
        found: u64,
    },
    /// The header differs from the one it was written with.
    #[error("its header differs from what was written")]
    HeaderHash,
    /// Bytes between tensors are not zero.
    #[error("bytes between tensors differ from what was written")]
    Padding,
}

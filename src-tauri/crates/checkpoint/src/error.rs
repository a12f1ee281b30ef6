//! What can be wrong with a file of weights.

use std::io;
use std::path::{Path, PathBuf};

use crate::check::Mismatches;
use crate::gguf::Defect;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Each message is one line that names the file and, where there is one, the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing lies at the path.
    #[error("{}: no such file or folder", path.display())]
    NotFound {
        /// Where nothing was found.
        path: PathBuf,
    },
    /// The system refused to read or write.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The path is readable, but no model.
    #[error("{}: not a model: {reason}", path.display())]
    NotAModel {
        /// The file or folder.
        path: PathBuf,
        /// Why, and what would be one.
        reason: String,
    },
    /// A format that can run code when it is read.
    #[error(
        "{}: {format} files can run code when they are opened and are not read; \
         use the model's .safetensors version, or convert it with its author's tools",
        path.display()
    )]
    Unsafe {
        /// The file.
        path: PathBuf,
        /// What it is.
        format: &'static str,
    },
    /// A safetensors header that does not hold.
    #[error("{}: damaged safetensors file: {reason}; download it again", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// What does not hold.
        reason: String,
    },
    /// A GGUF file that does not hold, or is no model of ours.
    #[error("{}: damaged or unknown GGUF file: {defect}; download or convert it again", path.display())]
    Gguf {
        /// The file.
        path: PathBuf,
        /// What does not hold.
        defect: Defect,
    },
    /// Numbers that differ from what was written.
    #[error("{}: {n_tensors} of its tensors are damaged, the first is {first}; download or convert it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Published name of the first.
        first: String,
        /// How many.
        n_tensors: usize,
    },
    /// The disk cannot hold the file.
    #[error("{}: the disk is full: the file needs {needed_bytes} bytes; free some space or choose another folder", path.display())]
    DiskFull {
        /// The file to be written.
        path: PathBuf,
        /// Its size.
        needed_bytes: u64,
    },
    /// What was to be written does not fit the format or what was declared.
    #[error("{}: cannot be written: {reason}", path.display())]
    Write {
        /// The file to be written.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A name that is no quantization.
    #[error("{name:?} is not a quantization; choose one of {choices}")]
    Quantization {
        /// The name.
        name: String,
        /// All there are.
        choices: String,
    },
    /// A configuration file that is not JSON, or a value in it that cannot be.
    #[error("{}: {key}: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The key, or `JSON` for the file as a whole.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No tokenizer lies beside the weights.
    #[error("{}: tokenizer.json is missing; put the model's tokenizer.json into this folder", path.display())]
    TokenizerMissing {
        /// The folder that lacks it.
        path: PathBuf,
    },
    /// Tensors are missing, misshapen or of a kind that cannot be read.
    #[error("{}: {mismatches}", path.display())]
    Tensors {
        /// The checkpoint.
        path: PathBuf,
        /// All that does not fit.
        mismatches: Mismatches,
    },
    /// The caller's callback said stop.
    #[error("cancelled")]
    Cancelled,
}

impl Error {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::NotFound {
            Self::NotFound { path: path.to_path_buf() }
        } else {
            Self::Io { path: path.to_path_buf(), source }
        }
    }

    pub(crate) fn not_a_model(path: &Path, reason: &str) -> Self {
        Self::NotAModel { path: path.to_path_buf(), reason: reason.to_owned() }
    }
}

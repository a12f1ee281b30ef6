//! Errors of the catalog, each with a message of one line.

use std::io;
use std::path::{Path, PathBuf};

use protocol::{ErrorCode, Failure, ModelId};

use crate::hardware::free_disk_bytes;

/// Space that stays free beside what is written.
const RESERVE_BYTES: u64 = 1 << 30;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Each message is one line that says what failed and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A catalog file that cannot be understood.
    #[error("{place}: {reason}; correct it or remove it")]
    Manifest {
        /// The file, or `models.toml` for the one that is compiled in.
        place: String,
        /// What is wrong, with its line where known.
        reason: String,
    },
    /// A model of this name is neither listed nor imported.
    #[error("there is no model named {0}; `bagel models list` shows all models")]
    Unknown(ModelId),
    /// The model has no such form.
    #[error("{model} has no form {quantization}; choose one of {choices}")]
    UnknownForm {
        /// The model.
        model: ModelId,
        /// What was asked for.
        quantization: String,
        /// All there are.
        choices: String,
    },
    /// The model is known, but not here in this form.
    #[error("{model} is not installed as {quantization}; install it first")]
    NotInstalled {
        /// The model.
        model: ModelId,
        /// The form.
        quantization: String,
    },
    /// A fine-tune lacks what only its base holds, and the base is not here.
    #[error("{model} needs files of {base}; install {base} first")]
    BaseMissing {
        /// The model.
        model: ModelId,
        /// The base.
        base: ModelId,
    },
    /// Something else on disk still needs what should be removed.
    #[error("{model} is still needed by {by}; remove {by} first or convert it")]
    Needed {
        /// What should be removed.
        model: ModelId,
        /// Who needs it.
        by: ModelId,
    },
    /// The request does not fit this model.
    #[error("{model}: {reason}")]
    Unsuitable {
        /// The model.
        model: ModelId,
        /// Why not.
        reason: String,
    },
    /// The files are not a model, or are damaged.
    #[error(transparent)]
    Checkpoint(#[from] checkpoint::Error),
    /// A file differs from what was published.
    #[error("{}: its SHA-256 is {found} instead of {expected}; the copy was removed; download it again or from another mirror", path.display())]
    Hash {
        /// The file.
        path: PathBuf,
        /// As published.
        expected: String,
        /// As arrived.
        found: String,
    },
    /// A file changed after it was checked.
    #[error("{}: {reason}; download it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Not enough room.
    #[error("{}: the disk is full{}; free some space or choose another folder", path.display(), describe_shortage(*needed_bytes, *free_bytes))]
    DiskFull {
        /// The file or the folder.
        path: PathBuf,
        /// What is still to be written, with a reserve; 0 when the system said only that there is no room.
        needed_bytes: u64,
        /// What is free.
        free_bytes: u64,
    },
    /// The server could not be used; what has arrived is kept.
    #[error("{host}: {reason}; the partial download is kept; try again later or set a mirror")]
    Network {
        /// Whom was asked.
        host: String,
        /// What happened.
        reason: String,
    },
    /// The publisher requires a token or accepted terms.
    #[error("{repository} requires access (status {status}); accept its terms on its page and set a token")]
    Refused {
        /// What was asked for.
        repository: String,
        /// The server's status.
        status: u16,
    },
    /// An address that is not used.
    #[error("{address}: {reason}")]
    Address {
        /// The address, without what is secret in it.
        address: String,
        /// Why not.
        reason: String,
    },
    /// Another program is at work on the same model.
    #[error("another program is changing {model}; wait for it or close it")]
    Busy {
        /// The model.
        model: ModelId,
    },
    /// The system's store of secrets could not be used.
    #[error("the system keyring failed: {0}; unlock it, or continue without a token")]
    Keyring(String),
    /// The system refused to read or write.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The caller's callback returned `Break`.
    #[error("cancelled")]
    Cancelled,
}

impl Error {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path, needed_bytes: 0, free_bytes: 0 }
            }
            _ => Self::Io { path, source },
        }
    }

    /// Refuses to write `missing_bytes` into a folder whose disk would keep less than a reserve.
    pub(crate) fn check_free_space(folder: &Path, missing_bytes: u64) -> Result<()> {
        let free_bytes = free_disk_bytes(folder).unwrap_or(u64::MAX);
        let needed_bytes = missing_bytes.saturating_add(RESERVE_BYTES);
        if missing_bytes > 0 && free_bytes < needed_bytes {
            return Err(Self::DiskFull { path: folder.to_path_buf(), needed_bytes, free_bytes });
        }
        Ok(())
    }

    /// The class that the window acts on.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Manifest { .. } => ErrorCode::CatalogUnusable,
            // The window offers nothing of this kind.
            Self::Unsuitable { .. } => ErrorCode::BadInput,
            Self::Needed { .. } | Self::Busy { .. } => ErrorCode::Busy,
            Self::Address { .. } => ErrorCode::BadAddress,
            Self::Keyring(_) => ErrorCode::Keyring,
            Self::Io { .. } => ErrorCode::FileUnusable,
            Self::Unknown(_) | Self::UnknownForm { .. } | Self::NotInstalled { .. } | Self::BaseMissing { .. } => {
                ErrorCode::ModelMissing
            }
            Self::Checkpoint(error) => match error {
                checkpoint::Error::DiskFull { .. } => ErrorCode::DiskFull,
                checkpoint::Error::NotFound { .. } => ErrorCode::ModelMissing,
                checkpoint::Error::Cancelled => ErrorCode::Cancelled,
                _ => ErrorCode::ModelInvalid,
            },
            Self::Damaged { .. } => ErrorCode::ModelInvalid,
            Self::Hash { .. } => ErrorCode::HashMismatch,
            Self::DiskFull { .. } => ErrorCode::DiskFull,
            Self::Network { .. } | Self::Refused { .. } => ErrorCode::Network,
            Self::Cancelled => ErrorCode::Cancelled,
        }
    }

    /// Class and line for the window.
    pub fn failure(&self) -> Failure {
        Failure { code: self.code(), message: self.to_string() }
    }
}

/// The needed and free bytes, if known.
fn describe_shortage(needed_bytes: u64, free_bytes: u64) -> String {
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    match needed_bytes {
        0 => String::new(),
        _ => format!(": {:.1} GB needed, {:.1} GB free", gigabytes(needed_bytes), gigabytes(free_bytes)),
    }
}

//! What the studio can fail at.

use std::path::PathBuf;

use protocol::{ErrorCode, Failure, JobId};

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder of the studio's own could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Disk {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The library refused or failed.
    #[error(transparent)]
    Library(#[from] store::Error),
    /// The models refused or failed.
    #[error(transparent)]
    Models(#[from] catalog::Error),
    /// An image could not be read or written.
    #[error(transparent)]
    Image(#[from] imagefile::Error),
    /// A request that makes no sense.
    #[error(transparent)]
    Invalid(#[from] protocol::Invalid),
    /// A job is not in the queue.
    #[error("there is no job {0} in the queue any more")]
    NoJob(JobId),
    /// The request cannot be carried out as it stands.
    #[error("{0}")]
    BadRequest(String),
    /// The request cannot be carried out, for a reason that has a class of its own.
    #[error("{message}")]
    Refused {
        /// The class.
        code: ErrorCode,
        /// What to change, in one line.
        message: String,
    },
    /// It failed elsewhere, and the line is there already.
    #[error("{}", _0.message)]
    Failed(Failure),
    /// The engine program does not start or does not speak.
    #[error("{0}")]
    Engine(String),
    /// The artist stopped it.
    #[error("stopped")]
    Cancelled,
    /// The studio has been closed.
    #[error("the studio is closing")]
    Closed,
}

/// What this crate's functions give.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn refused(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Refused { code, message: message.into() }
    }

    pub(crate) fn disk(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Disk { action, path, source }
    }

    /// Whether another studio has the library open.
    pub fn is_in_use(&self) -> bool {
        matches!(self, Self::Library(store::Error::InUse { .. }))
    }

    /// The same as the window acts on.
    pub fn failure(&self) -> Failure {
        let code = match self {
            Self::Library(error) => return error.failure(),
            Self::Models(error) => return error.failure(),
            Self::Failed(failure) => return failure.clone(),
            Self::Disk { source, .. } => ErrorCode::of_file(source),
            Self::Image(error) => error.code(),
            Self::Invalid(invalid) => invalid.code(),
            Self::Refused { code, .. } => *code,
            Self::NoJob(_) => ErrorCode::Gone,
            Self::BadRequest(_) => ErrorCode::BadInput,
            Self::Cancelled => ErrorCode::Cancelled,
            Self::Engine(_) | Self::Closed => ErrorCode::Internal,
        };
        Failure { code, message: self.to_string() }
    }
}

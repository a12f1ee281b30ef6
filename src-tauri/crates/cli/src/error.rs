//! What can go wrong, in one line, and the exit code that goes with it.

use std::io;
use std::path::{Path, PathBuf};

use protocol::{ErrorCode, Failure, Invalid, frame};

/// Every failure of the program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An option or a value of the request cannot be.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Options that do not go together, or one that is lacking.
    #[error("{0}")]
    Usage(String),
    /// A file or a value that was found wanting after the options were read.
    #[error("{0}")]
    BadInput(String),
    /// No model is loaded, or none could be found.
    #[error("{0}")]
    ModelMissing(String),
    /// The model or its files failed.
    #[error(transparent)]
    Model(#[from] bagel::Error),
    /// A model could not be fetched, taken up or removed.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    /// An image could not be read or written.
    #[error(transparent)]
    Image(#[from] imagefile::Error),
    /// A frame between studio and engine cannot be read or written.
    #[error("{0}; the studio and this engine do not understand each other, install the same version of both")]
    Frame(#[from] frame::Error),
    /// The other side speaks another version.
    #[error("the studio speaks protocol {theirs} and this engine {ours}; install the same version of both")]
    Version {
        /// The studio's.
        theirs: u32,
        /// The engine's.
        ours: u32,
    },
    /// A file or a stream failed.
    #[error("{}: {source}", path.display())]
    File {
        /// The file, or the stream's name.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A comparison that was asked for found differences; it has said so itself.
    #[error("{0}")]
    Differs(String),
    /// Stopped with Ctrl-C or by the studio.
    #[error("stopped")]
    Cancelled,
    /// A defect of the program.
    #[error("{0}; this is a defect of the program, please report it")]
    Internal(String),
}

/// Result of this program's parts.
pub type Result<T> = std::result::Result<T, Error>;

impl From<checkpoint::Error> for Error {
    fn from(error: checkpoint::Error) -> Self {
        Self::Model(error.into())
    }
}

impl Error {
    pub(crate) fn file(path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::File { path: path.as_ref().to_path_buf(), source }
    }

    /// The class that the window acts on.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid(invalid) => invalid.code(),
            Self::Usage(_) | Self::BadInput(_) => ErrorCode::BadInput,
            Self::ModelMissing(_) => ErrorCode::ModelMissing,
            Self::Model(error) => error.code(),
            Self::Catalog(error) => error.code(),
            Self::Image(error) => error.code(),
            Self::File { source, .. } if source.kind() == io::ErrorKind::StorageFull => ErrorCode::DiskFull,
            Self::File { .. } => ErrorCode::FileUnusable,
            Self::Cancelled => ErrorCode::Cancelled,
            Self::Frame(_) | Self::Version { .. } | Self::Differs(_) | Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// What the process ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Invalid(_) | Self::Usage(_) | Self::Model(bagel::Error::Invalid(_)) => 2,
            _ if self.code() == ErrorCode::Cancelled => 130,
            _ => 1,
        }
    }

    /// Class and line for the other side of a pipe.
    pub fn failure(&self) -> Failure {
        Failure { code: self.code(), message: self.line() }
    }

    /// The message on one line, without anything that a terminal would obey.
    pub fn line(&self) -> String {
        let message = self.to_string();
        let words: Vec<&str> = message.split(|c: char| c.is_whitespace() || c.is_control()).collect();
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_is_one_harmless_line() {
        let error = Error::BadInput("a\u{1b}[2J.png:\n  not an image".to_owned());
        assert_eq!(error.line(), "a [2J.png: not an image");
    }

    #[test]
    fn exit_codes_tell_usage_failure_and_stop_apart() {
        assert_eq!(Error::Invalid(Invalid::EmptyPrompt).exit_code(), 2);
        assert_eq!(Error::Model(bagel::Error::Cancelled).exit_code(), 130);
        assert_eq!(Error::ModelMissing(String::new()).exit_code(), 1);
    }
}

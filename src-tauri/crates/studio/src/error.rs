//! What the studio can fail at.

use std::path::PathBuf;

use protocol::{ErrorCode, Failure};

use crate::{NodeId, PieceId};

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another studio has the same data folder open.
    #[error("the pictures in {} are open in another window of Bagel Studio; close it first", path.display())]
    InUse {
        /// The data folder.
        path: PathBuf,
    },
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
    /// A picture could not be read or written.
    #[error(transparent)]
    Image(#[from] imagefile::Error),
    /// A picture is not in the history.
    #[error("there is no picture {0} in the history")]
    NoNode(NodeId),
    /// A piece is not there.
    #[error("there is no piece {0}")]
    NoPiece(PieceId),
    /// The request cannot be carried out as it stands.
    #[error("{0}")]
    BadRequest(String),
    /// The engine program does not start or does not speak.
    #[error("{0}")]
    Engine(String),
    /// The studio has been closed.
    #[error("the studio is closing")]
    Closed,
}

/// What this crate's functions give.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn disk(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Disk { action, path, source }
    }

    /// The same as the window acts on.
    pub fn failure(&self) -> Failure {
        let code = match self {
            Self::Disk { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => ErrorCode::DiskFull,
            Self::Image(_) | Self::BadRequest(_) | Self::NoNode(_) | Self::NoPiece(_) => ErrorCode::BadInput,
            Self::InUse { .. } | Self::Disk { .. } | Self::Engine(_) | Self::Closed => ErrorCode::Internal,
        };
        Failure { code, message: self.to_string() }
    }
}

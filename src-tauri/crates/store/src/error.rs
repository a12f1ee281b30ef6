//! What the library can fail at, in one line each.

use std::io;
use std::path::{Path, PathBuf};

use protocol::{ErrorCode, Failure, JobId, NodeId, ProjectId, TurnId};

/// What this crate's functions give.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something was not kept or not found; every message is one line.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another program has the library open.
    #[error("the library in {} is open in another window of Bagel Studio; close it there first", folder.display())]
    InUse {
        /// The library's folder.
        folder: PathBuf,
    },
    /// The library was written by a later version of the program.
    #[error(
        "the library in {} has form {found}, and this version reads forms up to {known}; update Bagel Studio",
        folder.display()
    )]
    NewerSchema {
        /// The library's folder.
        folder: PathBuf,
        /// The form that was found.
        found: i64,
        /// The newest form that is known here.
        known: i64,
    },
    /// The library can be read and not written.
    #[error("the library in {} can only be read; make the folder writable and start again", folder.display())]
    ReadOnly {
        /// The library's folder.
        folder: PathBuf,
    },
    /// The library's disk is full.
    #[error(
        "the disk of {} is full: {} KB were needed; free some space and do it again",
        path.display(),
        needed_bytes.div_ceil(1000)
    )]
    DiskFull {
        /// What was being written.
        path: PathBuf,
        /// Bytes that were to be written.
        needed_bytes: u64,
    },
    /// A file or folder could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    Disk {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The database contradicts itself; it is mended when the library is opened again.
    #[error("the library's database is damaged ({reason}); close the program and start it again to mend it")]
    Damaged {
        /// What was found.
        reason: String,
    },
    /// The database refused.
    #[error("the library's database failed: {0}")]
    Database(rusqlite::Error),
    /// An image could not be read or written.
    #[error(transparent)]
    Image(imagefile::Error),
    /// An image is not in the history.
    #[error("there is no image {0} in the history")]
    NoNode(NodeId),
    /// A project is not there.
    #[error("there is no project {0}")]
    NoProject(ProjectId),
    /// A question is not there.
    #[error("there is no question {0} in the conversations")]
    NoTurn(TurnId),
    /// A job is not there.
    #[error("there is no job {0}")]
    NoJob(JobId),
    /// The same image was to be added twice.
    #[error("the image {0} is in the history already")]
    Exists(NodeId),
    /// A page was asked for with a cursor that this library did not make.
    #[error("the list has changed its form; load it from its beginning")]
    InvalidCursor,
    /// A name or a tag that cannot be kept.
    #[error("{what} is longer than {most} characters; shorten it")]
    TooLong {
        /// What was given.
        what: &'static str,
        /// Most characters that it may have.
        most: usize,
    },
    /// An image was to be exported into the library itself.
    #[error("{} lies inside the library; choose another folder", path.display())]
    InsideLibrary {
        /// The path as given.
        path: PathBuf,
    },
    /// A file is not a bundle, or a damaged one.
    #[error("{}: is no project that can be opened ({reason}); ask for another copy", path.display())]
    Bundle {
        /// The path as given.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The library has been closed.
    #[error("the library is closed")]
    Closed,
}

impl Error {
    /// The class of failure that the window acts on.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::DiskFull { .. } => ErrorCode::DiskFull,
            Self::Image(error) => error.code(),
            Self::NoNode(_) | Self::NoProject(_) | Self::NoTurn(_) | Self::NoJob(_) => ErrorCode::Gone,
            Self::InvalidCursor => ErrorCode::BadInput,
            Self::TooLong { .. } => ErrorCode::TextTooLong,
            Self::InsideLibrary { .. } | Self::ReadOnly { .. } => ErrorCode::FileUnusable,
            Self::Bundle { .. } => ErrorCode::NotAProject,
            Self::InUse { .. } => ErrorCode::Busy,
            Self::NewerSchema { .. } => ErrorCode::NewerProgram,
            Self::Disk { source, .. } => ErrorCode::of_file(source),
            Self::Damaged { .. } | Self::Database(_) | Self::Exists(_) | Self::Closed => ErrorCode::Internal,
        }
    }

    /// The same as the window shows it.
    pub fn failure(&self) -> Failure {
        Failure { code: self.code(), message: self.to_string() }
    }

    /// A failure of the file system, with a full disk told apart.
    pub(crate) fn disk(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path, needed_bytes: 0 },
            _ => Self::Disk { action, path, source },
        }
    }

    /// A failure to write a file of a known length.
    pub(crate) fn placing(path: &Path, n_bytes: usize) -> impl FnOnce(imagefile::Error) -> Self {
        let (path, needed_bytes) = (path.to_owned(), n_bytes as u64);
        move |error| match error {
            imagefile::Error::DiskFull { .. } => Self::DiskFull { path, needed_bytes },
            error => Self::Image(error),
        }
    }

    /// Whether the database, or the disk below it, may be other than it should be.
    pub(crate) fn is_suspicious(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Database(_))
    }
}

impl From<imagefile::Error> for Error {
    fn from(error: imagefile::Error) -> Self {
        match error {
            imagefile::Error::DiskFull { path } => Self::DiskFull { path, needed_bytes: 0 },
            error => Self::Image(error),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(Code::DiskFull) => Self::DiskFull { path: PathBuf::from("the library"), needed_bytes: 0 },
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => Self::Damaged { reason: error.to_string() },
            _ => Self::Database(error),
        }
    }
}

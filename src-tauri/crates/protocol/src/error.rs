//! Why a request failed, in the classes that the window acts on.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The one list of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The artist stopped it.
    Cancelled,
    /// The GPU's memory did not suffice.
    OutOfDeviceMemory,
    /// The computer's memory did not suffice.
    OutOfHostMemory,
    /// The GPU or its driver went away.
    DeviceLost,
    /// The model's files are damaged or not a model.
    ModelInvalid,
    /// No model is loaded, or its files are gone.
    ModelMissing,
    /// The request cannot be carried out as it stands, for a reason that none of the following names.
    BadInput,
    /// A file is no image of a kind that is read, or a damaged one.
    NotAnImage,
    /// An image has more bytes or pixels than are read or can be written.
    ImageTooLarge,
    /// There is no image where one is to be edited.
    ImageMissing,
    /// A size that the model cannot paint.
    SizeUnusable,
    /// A number or another setting of a request that makes no sense.
    OutOfRange,
    /// A file is no project that can be opened.
    NotAProject,
    /// A file or folder is not there, or may not be read or written.
    FileUnusable,
    /// What should be written or painted was left empty.
    TextMissing,
    /// A text has more characters than are kept.
    TextTooLong,
    /// Texts and images have more tokens than the model reads.
    ContextTooLong,
    /// More of something than there may be at once.
    TooMany,
    /// An image, project, question or job is not there any more.
    Gone,
    /// Something else has it in its hands.
    Busy,
    /// What was asked of a job fits what it did a moment ago, and not what it does now.
    TooLate,
    /// What an image was made from or with is not all known.
    NotRepeatable,
    /// A file that lists models cannot be understood.
    CatalogUnusable,
    /// What was given as a token is none.
    TokenUnusable,
    /// An address that cannot be used.
    BadAddress,
    /// The system's store of secrets refused.
    Keyring,
    /// A later version of the program wrote it.
    NewerProgram,
    /// A disk is full.
    DiskFull,
    /// A download failed.
    Network,
    /// Bytes that arrived are not the bytes that were expected.
    HashMismatch,
    /// What the model gave is of no use: one flat color, or no words.
    BadResult,
    /// Something of the library was mended at the start; no failure, but to be known.
    Repaired,
    /// Some or all settings could not be read; their defaults hold.
    SettingsUnusable,
    /// A defect of the program.
    Internal,
}

impl ErrorCode {
    /// The class of what a system says of a file or folder.
    pub fn of_file(source: &std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        match source.kind() {
            Kind::StorageFull | Kind::QuotaExceeded => Self::DiskFull,
            Kind::NotFound
            | Kind::PermissionDenied
            | Kind::ReadOnlyFilesystem
            | Kind::IsADirectory
            | Kind::NotADirectory => Self::FileUnusable,
            _ => Self::Internal,
        }
    }
}

/// A failure with its one line for the artist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Failure {
    /// The class of failure.
    pub code: ErrorCode,
    /// What happened, to which file or value, and what to do; one line.
    pub message: String,
}

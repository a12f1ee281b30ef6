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
    /// The request cannot be carried out as it stands.
    BadInput,
    /// A disk is full.
    DiskFull,
    /// A download failed.
    Network,
    /// Bytes that arrived are not the bytes that were expected.
    HashMismatch,
    /// What the model gave is of no use: one flat colour, or no words.
    BadResult,
    /// Something of the library was mended at the start; no failure, but to be known.
    Repaired,
    /// A defect of the program.
    Internal,
}

/// A failure with its one line for the artist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Failure {
    /// The class of failure.
    pub code: ErrorCode,
    /// What happened, to which file or value, and what to do; one line.
    pub message: String,
}

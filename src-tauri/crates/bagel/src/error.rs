//! Failures of the model, with messages for the person who sees them.

use protocol::ErrorCode;

/// Every failure of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The observer asked to stop.
    #[error("stopped")]
    Cancelled,
    /// The files of weights cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] checkpoint::Error),
    /// A parameter of the request is out of its range.
    #[error(transparent)]
    Invalid(#[from] protocol::Invalid),
    /// A value of the request cannot be used.
    #[error("{0}")]
    BadInput(String),
    /// The tokenizer's file cannot be used.
    #[error("tokenizer.json of {model} cannot be used: {reason}; download the file again from the model's source")]
    Tokenizer {
        /// The model it belongs to.
        model: String,
        /// What the tokenizer library says.
        reason: String,
    },
    /// The arithmetic produced infinity or NaN.
    #[error("the model produced invalid numbers during {stage}; the image was discarded")]
    NotFinite {
        /// The stage that noticed it.
        stage: &'static str,
    },
    /// The image came out as one flat color.
    #[error("the image has one flat color and was discarded; try another seed")]
    Flat,
    /// The device does not have enough memory.
    #[error("not enough memory on {device}: {needed}")]
    OutOfMemory {
        /// The device.
        device: String,
        /// What is needed and what is available, in words.
        needed: String,
    },
    /// The device is missing or not supported by this build.
    #[error("{0}")]
    Device(String),
    /// A file cannot be read or written.
    #[error("{}: {source}{}", path.display(), remedy(source))]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The tensor library failed.
    #[error("{}", first_line(.0))]
    Tensor(#[from] candle_core::Error),
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn bad_input(message: impl Into<String>) -> Self {
        Self::BadInput(message.into())
    }

    /// The class that the window acts on.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Cancelled => ErrorCode::Cancelled,
            Self::Checkpoint(error) => checkpoint_code(error),
            Self::Invalid(invalid) => invalid.code(),
            Self::BadInput(_) | Self::Device(_) => ErrorCode::BadInput,
            Self::Tokenizer { .. } => ErrorCode::ModelInvalid,
            Self::NotFinite { .. } => ErrorCode::Internal,
            Self::Flat => ErrorCode::BadResult,
            Self::OutOfMemory { device, .. } if device == "cpu" => ErrorCode::OutOfHostMemory,
            Self::OutOfMemory { .. } => ErrorCode::OutOfDeviceMemory,
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => ErrorCode::DiskFull,
            Self::File { .. } => ErrorCode::FileUnusable,
            Self::Tensor(error) => device_code(&error.to_string()),
        }
    }
}

fn remedy(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::StorageFull => "; free some space or choose another folder",
        std::io::ErrorKind::PermissionDenied => "; choose a folder that you can write to",
        _ => "",
    }
}

/// Without the trace that candle adds when `RUST_BACKTRACE` is set.
fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// Classes of CUDA and Metal failures, which candle reports as text.
///
/// CUDA's error 2 is out of memory; 46, 214, 700 and 719 leave the context unusable.
fn device_code(text: &str) -> ErrorCode {
    const OUT_OF_MEMORY: [&str; 3] = ["CUDA_ERROR_OUT_OF_MEMORY", "out of memory", "Failed to create metal resource"];
    const LOST: [&str; 6] = [
        "CUDA_ERROR_ILLEGAL_ADDRESS",
        "CUDA_ERROR_LAUNCH_FAILED",
        "CUDA_ERROR_ECC_UNCORRECTABLE",
        "CUDA_ERROR_DEVICE_UNAVAILABLE",
        "CUDA_ERROR_LAUNCH_TIMEOUT",
        "CUDA_ERROR_NO_DEVICE",
    ];
    if OUT_OF_MEMORY.iter().any(|mark| text.contains(mark)) {
        ErrorCode::OutOfDeviceMemory
    } else if LOST.iter().any(|mark| text.contains(mark)) {
        ErrorCode::DeviceLost
    } else {
        ErrorCode::Internal
    }
}

fn checkpoint_code(error: &checkpoint::Error) -> ErrorCode {
    match error {
        checkpoint::Error::Cancelled => ErrorCode::Cancelled,
        checkpoint::Error::NotFound { .. } => ErrorCode::ModelMissing,
        _ => ErrorCode::ModelInvalid,
    }
}

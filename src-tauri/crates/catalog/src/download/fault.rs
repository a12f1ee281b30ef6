//! What a server can do wrong, and what follows from it.

use std::time::Duration;

use crate::Error;

/// Why a try ended without the whole file.
#[derive(Debug)]
pub(super) enum Fault {
    /// Asking again may help; what has arrived is kept.
    Again {
        /// What happened, for the user.
        reason: String,
        /// How long the server wants to be left alone.
        wait: Option<Duration>,
    },
    /// The bytes that are here belong to another file: from the beginning.
    Anew {
        /// What happened, for the user.
        reason: String,
    },
    /// The repository has no such file.
    Absent,
    /// Asking again will not help.
    Final(Error),
}

impl Fault {
    pub(super) fn again(reason: impl Into<String>) -> Self {
        Self::Again { reason: reason.into(), wait: None }
    }

    pub(super) fn anew(reason: impl Into<String>) -> Self {
        Self::Anew { reason: reason.into() }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

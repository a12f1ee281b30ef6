//! What the web view can ask: ids and enums in, ids out. No path comes from it or goes to it.

pub(crate) mod files;
pub(crate) mod images;
pub(crate) mod jobs;
pub(crate) mod models;
pub(crate) mod program;

use protocol::Failure;

/// What every command gives.
type Answer<T> = Result<T, Failure>;

/// An error as the window acts on it.
#[expect(clippy::needless_pass_by_value, reason = "it is what is done with an error that is passed on")]
fn failed(error: studio::Error) -> Failure {
    tracing::debug!(%error, "refused");
    error.failure()
}

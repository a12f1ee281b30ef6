//! Fetching published files, so that whatever happens on the way, no wrong byte becomes a model.
//!
//! `transport` asks and follows, `fault` names what a server can do
//! wrong, `part` is the file that grows, `fetch` puts them together for one
//! file, and `watch` tells how far it is and hears whether to stop.

mod fault;
mod fetch;
mod part;
mod timeouts;
mod transport;
mod watch;

pub use self::timeouts::DownloadTimeouts;
pub use self::transport::host_of;
pub use self::watch::{DownloadProgress, DownloadStage};

pub(crate) use self::fetch::{Fetched, Fetcher, FileRequest, hash_file, part_of};
pub(crate) use self::transport::Transport;
pub(crate) use self::watch::Watch;

use crate::Token;

/// How files are fetched.
#[derive(Clone, Debug, Default)]
pub struct DownloadOptions {
    /// Where from, instead of the publisher's own host: `https://…`.
    pub mirror: Option<String>,
    /// What is shown to that host, and to no other.
    pub token: Option<Token>,
    /// How long to wait for what, and how often.
    pub timeouts: DownloadTimeouts,
}

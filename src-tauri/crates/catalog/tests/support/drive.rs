//! A download through a schedule of faults, gone on with until it is done.

use std::ops::ControlFlow;

use catalog::{Catalog, DownloadOptions, Error};

use super::scene::{Scene, id};

/// Calls after which something must be wrong with the downloader itself.
const MAX_CALLS: u32 = 40;

/// How a download went.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) is_finished: bool,
    /// Times that somebody had to press *go on*.
    pub(crate) n_calls: u32,
    pub(crate) fetched_bytes: u64,
    /// Files that had their own name and other bytes than were published, at any time.
    pub(crate) wrong_files: Vec<String>,
    /// An error that going on does not help.
    pub(crate) failure: Option<String>,
}

/// Downloads the scene's model, going on after every failure that allows it.
pub(crate) async fn finish(scene: &Scene, catalog: &Catalog, options: &DownloadOptions) -> Outcome {
    let mut outcome = Outcome::default();
    while outcome.n_calls < MAX_CALLS {
        outcome.n_calls += 1;
        let mut fetched_bytes = 0;
        let result = catalog
            .download(&id("small"), options, |progress| {
                fetched_bytes = progress.fetched_bytes;
                ControlFlow::Continue(())
            })
            .await;
        outcome.fetched_bytes += fetched_bytes;
        outcome.wrong_files.extend(scene.wrong_files());
        match result {
            Ok(()) => {
                outcome.is_finished = scene.is_whole();
                return outcome;
            }
            Err(Error::Network { .. } | Error::Hash { .. }) => {}
            Err(error) => {
                outcome.failure = Some(error.to_string());
                return outcome;
            }
        }
    }
    outcome
}

/// One call that watches nothing.
pub(crate) async fn fetch(catalog: &Catalog, options: &DownloadOptions) -> catalog::Result<()> {
    catalog.download(&id("small"), options, |_| ControlFlow::Continue(())).await
}

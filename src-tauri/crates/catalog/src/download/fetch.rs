//! Downloads one file, with retries until it is complete or failures repeat.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fault::Fault;
use super::part::Part;
use super::timeouts::{DownloadTimeouts, Waits};
use super::transport::{Answer, AnswerKind, Ask, Linked, Transport, describe};
use super::watch::{DownloadStage, Watch};
use crate::catalog::Claim;
use crate::record::FileRecord;
use crate::{Error, Result};

pub(crate) use super::part::hash_file;

/// Fewest new bytes that reset the count of failures, so that a server cannot keep a download alive with crumbs.
const PROGRESS_BYTES: u64 = 64 << 10;

/// Range requests that may be answered with other bytes before the file is started over.
const MAX_IGNORED_RANGES: u32 = 2;

/// Copies with a wrong hash before the download fails.
const MAX_WRONG_COPIES: u32 = 2;

/// A file to download.
#[derive(Clone, Debug)]
pub(crate) struct FileRequest<'a> {
    pub(crate) repository: &'a str,
    pub(crate) revision: &'a str,
    pub(crate) path: &'a str,
    /// Its length, if the catalog lists it.
    pub(crate) bytes: Option<u64>,
    /// The largest length that the catalog allows.
    pub(crate) max_bytes: u64,
    /// Its SHA-256, if the catalog lists it.
    pub(crate) sha256: Option<&'a str>,
    /// Its final path.
    pub(crate) destination: &'a Path,
    /// Keeps other programs away from the model.
    pub(crate) claim: &'a Arc<Claim>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fetched {
    /// It is under its temporary name, whole, right and on the disk.
    Whole {
        /// Its hash.
        sha256: String,
        /// Its temporary name.
        part: PathBuf,
    },
    /// The repository has none.
    Absent,
}

/// Fetches files from one server.
pub(crate) struct Fetcher<'a> {
    transport: &'a Transport,
    timeouts: &'a DownloadTimeouts,
    waits: Waits,
}

/// What is known of the file while it arrives.
struct State<'a> {
    wanted: &'a FileRequest<'a>,
    part: Part,
    record: FileRecord,
    keep: &'a (dyn Fn(&FileRecord, Option<&str>) -> Result<()> + Sync),
    /// The furthest that was reached; what is fetched again is no progress.
    high_water: u64,
    n_ignored: u32,
}

/// The temporary name of a file.
pub(crate) fn part_of(destination: &Path) -> PathBuf {
    let mut name = destination.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    destination.with_file_name(name)
}

impl<'a> Fetcher<'a> {
    pub(crate) fn new(transport: &'a Transport, timeouts: &'a DownloadTimeouts) -> Self {
        Self { transport, timeouts, waits: Waits::new(timeouts) }
    }

    /// Fetches one file, going on from what is here of it.
    ///
    /// `keep` is called with what the server has told, before any byte is taken on that word.
    pub(crate) async fn fetch(
        &mut self,
        wanted: &FileRequest<'_>,
        record: FileRecord,
        keep: &(dyn Fn(&FileRecord, Option<&str>) -> Result<()> + Sync),
        watch: &mut Watch<'_>,
    ) -> Result<Fetched> {
        let path = part_of(wanted.destination);
        watch.stage(DownloadStage::Checking);
        let part = Part::open(&path, Arc::clone(wanted.claim), watch).await?;
        let high_water = part.n_bytes();
        let mut state = State { wanted, part, record, keep, high_water, n_ignored: 0 };
        let mut n_failures = 0;
        let mut n_wrong = 0;
        loop {
            let fault = match self.attempt(&mut state, watch).await {
                Ok(()) => match state.compare(watch).await? {
                    Ok(sha256) => return Ok(Fetched::Whole { sha256, part: path }),
                    Err(wrong) => {
                        n_wrong += 1;
                        if n_wrong >= MAX_WRONG_COPIES {
                            drop(state);
                            std::fs::remove_file(&path).map_err(Error::io(&path))?;
                            return Err(wrong);
                        }
                        Fault::anew("what arrived is not what was published")
                    }
                },
                Err(fault) => fault,
            };
            let (reason, wait) = match fault {
                Fault::Final(error) => return Err(error),
                Fault::Absent => {
                    drop(state);
                    std::fs::remove_file(&path).map_err(Error::io(&path))?;
                    return Ok(Fetched::Absent);
                }
                Fault::Again { reason, wait } => (reason, wait),
                Fault::Anew { reason } => {
                    state.part.restart(watch).await?;
                    (reason, None)
                }
            };
            state.part.flush(watch).await?;
            if state.part.n_bytes() >= state.high_water + PROGRESS_BYTES {
                state.high_water = state.part.n_bytes();
                n_failures = 0;
            }
            n_failures += 1;
            tracing::debug!(file = wanted.path, %reason, n_failures, "a try ended early");
            if n_failures >= self.timeouts.tries {
                return Err(Error::Network { host: self.transport.host().to_owned(), reason });
            }
            watch.stage(DownloadStage::Waiting);
            watch.run(tokio::time::sleep(self.waits.after(n_failures, wait))).await?;
        }
    }

    /// One request; `Ok` when all bytes are here.
    async fn attempt(&self, state: &mut State<'_>, watch: &mut Watch<'_>) -> std::result::Result<(), Fault> {
        watch.stage(DownloadStage::Downloading);
        watch.set_bytes(state.part.n_bytes());
        if let Some(total) = state.total() {
            if state.part.n_bytes() == total && total > 0 {
                return Ok(());
            }
            if state.part.n_bytes() > total {
                state.part.restart(watch).await?;
            }
        }
        let wanted = state.wanted;
        // With neither a name for the bytes nor a hash to compare, two files could be joined unnoticed.
        if state.part.n_bytes() > 0 && state.record.etag.is_none() && state.hash().is_none() {
            state.part.restart(watch).await?;
        }
        let url = self.transport.url(wanted.repository, wanted.revision, wanted.path)?;
        let start = state.part.n_bytes();
        let ask = Ask { url: &url, start, etag: state.record.etag.as_deref() };
        let mut answer = watch.run(self.transport.ask(ask)).await??;
        state.believe(&answer.linked)?;
        state.place(&answer, start, watch).await?;
        loop {
            let chunk = watch.run(tokio::time::timeout(self.transport.stall(), answer.response.chunk())).await?;
            let bytes = match chunk {
                Err(_) => return Err(Fault::again("it stopped sending")),
                Ok(Err(error)) => return Err(Fault::again(describe(error))),
                Ok(Ok(None)) => return state.end(),
                Ok(Ok(Some(bytes))) => bytes,
            };
            let most = state.total().unwrap_or(wanted.max_bytes);
            let room = most.saturating_sub(state.part.n_bytes());
            let taken = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
            watch.progress.fetched_bytes += taken as u64;
            state.part.push(bytes.get(..taken).unwrap_or_default(), watch).await?;
            watch.set_bytes(state.part.n_bytes());
            if state.total().is_none() && state.part.n_bytes() >= wanted.max_bytes {
                return Err(Fault::anew("it sends more than the file can be"));
            }
            // Whatever follows the last byte is not part of the file.
            if state.total() == Some(state.part.n_bytes()) {
                return Ok(());
            }
        }
    }
}

impl State<'_> {
    /// The file's length, as written down or as told.
    fn total(&self) -> Option<u64> {
        self.wanted.bytes.or(self.record.bytes)
    }

    /// The file's hash, as written down or as told.
    fn hash(&self) -> Option<&str> {
        self.wanted.sha256.or(self.record.sha256.as_deref())
    }

    /// Takes over what the publisher's host says, where nothing is known yet, and holds it to what is.
    fn believe(&mut self, linked: &Linked) -> std::result::Result<(), Fault> {
        if let (Some(known), Some(told)) = (self.hash(), &linked.sha256)
            && known != told
        {
            return Err(Fault::again("it now publishes another file under this name"));
        }
        if let (Some(known), Some(told)) = (self.total(), linked.bytes)
            && known != told
        {
            return Err(Fault::again(format!("it now publishes a file of {told} bytes instead of {known}")));
        }
        let before = (self.record.clone(), linked.commit.as_ref());
        if self.record.sha256.is_none() {
            self.record.sha256.clone_from(&linked.sha256);
        }
        if self.record.bytes.is_none() {
            self.record.bytes = linked.bytes;
        }
        if before.0 != self.record || linked.commit.is_some() {
            (self.keep)(&self.record, linked.commit.as_deref())?;
        }
        Ok(())
    }

    /// Decides where the bytes of an answer belong.
    async fn place(&mut self, answer: &Answer, start: u64, watch: &mut Watch<'_>) -> std::result::Result<(), Fault> {
        let is_other = matches!((&self.record.etag, &answer.etag), (Some(ours), Some(theirs)) if ours != theirs);
        match answer.kind {
            AnswerKind::Beyond => return Err(self.disagree("the server has fewer bytes than were downloaded before")),
            AnswerKind::From { start: theirs, total } => {
                if theirs != start {
                    return Err(Fault::again(format!("the server sends bytes from {theirs} instead of {start}")));
                }
                self.check_total(total)?;
                if is_other && start > 0 {
                    return Err(Fault::anew("the file was replaced on the server"));
                }
            }
            AnswerKind::Whole => {
                self.check_total(answer.body_bytes)?;
                if start > 0 {
                    if !is_other && self.n_ignored < MAX_IGNORED_RANGES {
                        return Err(self.disagree("the server sends the whole file instead of the rest"));
                    }
                    self.part.restart(watch).await?;
                }
            }
        }
        let told = match answer.kind {
            AnswerKind::From { total, .. } => total,
            _ => answer.body_bytes,
        };
        match self.total().or(told) {
            Some(total) if total > self.wanted.max_bytes => {
                return Err(Fault::again(format!(
                    "the file has {total} bytes, which is larger than the catalog allows"
                )));
            }
            Some(total) => {
                let folder = self.wanted.destination.parent().unwrap_or(self.wanted.destination);
                Error::check_free_space(folder, total.saturating_sub(self.part.n_bytes()))?;
            }
            None => {}
        }
        if self.record.etag != answer.etag || (self.record.bytes.is_none() && told.is_some()) {
            self.record.etag.clone_from(&answer.etag);
            self.record.bytes = self.record.bytes.or(told);
            (self.keep)(&self.record, None)?;
        }
        Ok(())
    }

    /// The server may still mean the same file: what was downloaded is discarded only if the answer repeats.
    fn disagree(&mut self, reason: &str) -> Fault {
        self.n_ignored += 1;
        if self.n_ignored > MAX_IGNORED_RANGES { Fault::anew(reason) } else { Fault::again(reason) }
    }

    fn check_total(&self, told: Option<u64>) -> std::result::Result<(), Fault> {
        match (self.total(), told) {
            (Some(known), Some(told)) if known != told => {
                Err(Fault::again(format!("the file has {told} bytes instead of {known}")))
            }
            _ => Ok(()),
        }
    }

    /// Handles the end of the body.
    fn end(&self) -> std::result::Result<(), Fault> {
        match self.total() {
            // The length is unknown: this counts as the end, and the check of the content decides.
            None if self.part.n_bytes() > 0 => Ok(()),
            _ => Err(Fault::again("the connection closed before the file was complete")),
        }
    }

    /// Compares the whole file with its hash.
    async fn compare(&mut self, watch: &mut Watch<'_>) -> Result<std::result::Result<String, Error>> {
        watch.stage(DownloadStage::Checking);
        let found = self.part.finish(watch).await?;
        Ok(match self.hash() {
            Some(expected) if expected != found => {
                Err(Error::Hash { path: self.wanted.destination.to_path_buf(), expected: expected.to_owned(), found })
            }
            _ => Ok(found),
        })
    }
}

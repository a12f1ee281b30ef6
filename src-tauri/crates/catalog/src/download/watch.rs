//! How far it is, told ten times a second, and whether to go on.

use std::ops::ControlFlow;
use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::{Error, Result};

/// Between two calls of the observer, however little moves.
const TICK: Duration = Duration::from_millis(100);

/// Over which time the speed is averaged.
const AVERAGE_SECS: f64 = 5.0;

/// How far a download is.
#[derive(Clone, Debug, PartialEq)]
pub struct DownloadProgress {
    /// What is done now.
    pub stage: DownloadStage,
    /// The file it is done to.
    pub file: String,
    /// Bytes that are here, over all files of the model.
    pub bytes: u64,
    /// Bytes of all files; grows more exact as the server tells lengths that nobody had written down.
    pub total_bytes: u64,
    /// Bytes that came over the network since this download was begun or gone on with.
    pub fetched_bytes: u64,
    /// Bytes a second of late, once known.
    pub bytes_per_sec: Option<f64>,
}

/// A stage of a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownloadStage {
    /// Bytes arrive.
    Downloading,
    /// The server failed, and is asked again after a while.
    Waiting,
    /// What is here is compared with what was published.
    Checking,
}

/// Runs what takes time, and tells meanwhile.
pub(crate) struct Watch<'a> {
    observe: &'a mut (dyn FnMut(DownloadProgress) -> ControlFlow<()> + Send),
    pub(crate) progress: DownloadProgress,
    ticks: Interval,
    told: Instant,
    /// Bytes of the file that is at work; the others are in `before`.
    before: u64,
    last: (Instant, u64),
}

impl<'a> Watch<'a> {
    pub(crate) fn new(
        observe: &'a mut (dyn FnMut(DownloadProgress) -> ControlFlow<()> + Send),
        total_bytes: u64,
    ) -> Self {
        let progress = DownloadProgress {
            stage: DownloadStage::Checking,
            file: String::new(),
            bytes: 0,
            total_bytes,
            fetched_bytes: 0,
            bytes_per_sec: None,
        };
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let now = Instant::now();
        Self { observe, progress, ticks, told: now, before: 0, last: (now, 0) }
    }

    /// Begins with a file.
    pub(crate) fn enter(&mut self, file: &str, before: u64) {
        self.before = before;
        file.clone_into(&mut self.progress.file);
        self.set_bytes(0);
        self.last = (Instant::now(), self.progress.bytes);
    }

    /// Bytes of the current file that are here.
    pub(crate) fn set_bytes(&mut self, bytes: u64) {
        self.progress.bytes = self.before + bytes;
        self.progress.total_bytes = self.progress.total_bytes.max(self.progress.bytes);
    }

    /// Enters a stage; speeds of another one say nothing.
    pub(crate) fn stage(&mut self, stage: DownloadStage) {
        if self.progress.stage != stage {
            self.progress.stage = stage;
            self.progress.bytes_per_sec = None;
            self.last = (Instant::now(), self.progress.bytes);
        }
    }

    /// Waits for something; the observer is told meanwhile, and can end it.
    pub(crate) async fn run<F: Future>(&mut self, future: F) -> Result<F::Output> {
        let mut future = pin!(future);
        loop {
            tokio::select! {
                biased;
                output = &mut future => {
                    if self.told.elapsed() >= TICK {
                        self.tell()?;
                    }
                    return Ok(output);
                }
                _ = self.ticks.tick() => self.tell()?,
            }
        }
    }

    /// Tells now.
    pub(crate) fn tell(&mut self) -> Result<()> {
        let (then, bytes) = self.last;
        let secs = then.elapsed().as_secs_f64();
        if secs >= 0.2 {
            let now = self.progress.bytes.saturating_sub(bytes) as f64 / secs;
            let weight = (secs / AVERAGE_SECS).min(1.0);
            let before = self.progress.bytes_per_sec;
            self.progress.bytes_per_sec = Some(before.map_or(now, |before| before + weight * (now - before)));
            self.last = (Instant::now(), self.progress.bytes);
        }
        self.told = Instant::now();
        match (self.observe)(self.progress.clone()) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled),
        }
    }
}

//! The engine process: chosen, started, given a model, watched, and restarted when it exits.
//!
//! `process` holds the pipes and knows nothing of the protocol; `running` is
//! one process with the clocks that tell when it hangs; `exit` diagnoses how
//! it ended; `supervisor` speaks the protocol; `variants` chooses among the
//! programs; `child` runs the program for work other than requests.

pub(crate) mod child;
mod exit;
pub(crate) mod process;
mod running;
pub(crate) mod supervisor;
pub(crate) mod variants;

use std::time::Duration;

/// How long the studio waits for its engine.
#[derive(Clone, Copy, Debug)]
pub struct EngineTimeouts {
    /// From the start of the process to its hello.
    pub hello: Duration,
    /// Between two events of any kind.
    pub silence: Duration,
    /// Between two signs of progress while it works; ten times the longest so far if that is more.
    pub stall: Duration,
    /// From the request to stop a job to the end of the process; twice the longest time between two signs of
    /// progress if that is more.
    pub cancel: Duration,
    /// Before a restart, doubled each time.
    pub restart: Duration,
    /// Between two checks of the process.
    pub tick: Duration,
    /// Length of the settings' idle minutes; shorter in tests.
    pub idle_minute: Duration,
}

impl Default for EngineTimeouts {
    fn default() -> Self {
        Self {
            hello: Duration::from_secs(30),
            silence: Duration::from_secs(30),
            stall: Duration::from_secs(600),
            cancel: Duration::from_secs(3),
            restart: Duration::from_millis(500),
            tick: Duration::from_millis(200),
            idle_minute: Duration::from_secs(60),
        }
    }
}

//! The engine process: chosen, started, greeted, given a model, watched, and replaced when it dies.
//!
//! `process` holds the pipes and knows nothing of what is said; `running` is one
//! process with the clocks that say when something is wrong; `end` concludes
//! from the way it ended; `supervisor` knows what to say; `variants` chooses
//! among the programs; `child` runs the program for work that is no request.

pub(crate) mod child;
mod end;
pub(crate) mod process;
mod running;
pub(crate) mod supervisor;
pub(crate) mod variants;

use std::time::Duration;

/// How patient the studio is with its engine.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From the start of the process to its greeting.
    pub greeting: Duration,
    /// Between two signs of life.
    pub silence: Duration,
    /// Between two signs of progress while it works, or ten times the longest that was seen.
    pub stall: Duration,
    /// From the wish to stop a job to the end of the process that will not, or twice the longest
    /// time that was seen between two signs of progress.
    pub cancel: Duration,
    /// Before it is started again, doubled each time.
    pub restart: Duration,
    /// How often it is looked after.
    pub tick: Duration,
    /// What the settings' minutes without work last.
    pub idle_minute: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            greeting: Duration::from_secs(30),
            silence: Duration::from_secs(30),
            stall: Duration::from_secs(600),
            cancel: Duration::from_secs(3),
            restart: Duration::from_millis(500),
            tick: Duration::from_millis(200),
            idle_minute: Duration::from_secs(60),
        }
    }
}

//! How a process ended, what that says, and when the next one is started.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use protocol::{ErrorCode, Failure};

/// Restarts within [`RESTART_WINDOW`] after which the artist is asked.
const MAX_RESTARTS: usize = 3;

/// The time in which restarts are counted.
const RESTART_WINDOW: Duration = Duration::from_secs(600);

/// The restarts of late, and the one that is due.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    past: VecDeque<Instant>,
    due: Option<Instant>,
}

impl Restarts {
    /// Plans the next start, later each time; `first` is the wait before the first. Gives back whether there is one.
    pub(super) fn plan(&mut self, now: Instant, first: Duration) -> bool {
        self.past.retain(|at| now.duration_since(*at) < RESTART_WINDOW);
        if self.past.len() >= MAX_RESTARTS {
            self.due = None;
            return false;
        }
        let doublings = u32::try_from(self.past.len()).unwrap_or_default();
        self.due = Some(now + first * 2_u32.pow(doublings));
        self.past.push_back(now);
        true
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|at| now >= at)
    }

    /// Calls off what is planned.
    pub(super) fn call_off(&mut self) {
        self.due = None;
    }

    /// Forgets what failed so far.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// What the way a process ended says about the reason; `why` it was ended, if it did not end by itself.
pub(super) fn autopsy(report: &str, why: Option<&str>) -> Failure {
    let out_of_memory = report.contains("memory allocation of") || (why.is_none() && report.contains("signal: 9"));
    if out_of_memory {
        let message = "the computer's memory did not suffice, and the system ended the engine; \
                       close other programs or choose a smaller image";
        return Failure { code: ErrorCode::OutOfHostMemory, message: message.to_owned() };
    }
    let first = report.lines().next().unwrap_or_default();
    died(&match why {
        Some(why) => format!("the engine was ended because {why}"),
        None => format!("the engine ended unexpectedly ({first})"),
    })
}

pub(super) fn died(what: &str) -> Failure {
    Failure { code: ErrorCode::Internal, message: format!("{what}; try again") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_process_says_why() {
        let check = |report: &str, was_ended: bool, expected: ErrorCode| {
            let why = was_ended.then_some("it made no progress");
            assert_eq!(autopsy(report, why).code, expected, "{report}");
        };
        check("signal: 6 (SIGABRT)\nmemory allocation of 123 bytes failed", false, ErrorCode::OutOfHostMemory);
        check("signal: 9 (SIGKILL)", false, ErrorCode::OutOfHostMemory);
        check("it was ended", true, ErrorCode::Internal);
        check("exit status: 1", false, ErrorCode::Internal);
    }

    #[test]
    fn three_starts_in_ten_minutes_are_enough_and_each_waits_longer() {
        let (begun, first) = (Instant::now(), Duration::from_secs(1));
        let mut restarts = Restarts::default();
        for secs in [1, 2, 4] {
            assert!(restarts.plan(begun, first));
            assert!(!restarts.is_due(begun + Duration::from_millis(secs * 1000 - 1)));
            assert!(restarts.is_due(begun + Duration::from_secs(secs)));
        }
        assert!(!restarts.plan(begun + Duration::from_secs(599), first));
        assert!(!restarts.is_due(begun + Duration::from_secs(599)));
        assert!(restarts.plan(begun + Duration::from_secs(600), first), "what is long past does not count");
        restarts.forget();
        assert!(restarts.plan(begun, first));
        restarts.call_off();
        assert!(!restarts.is_due(begun + Duration::from_secs(900)));
    }
}

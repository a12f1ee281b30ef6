//! Diagnosis of an ended process, and when to restart it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use protocol::{ErrorCode, Failure};

/// Restarts within [`RESTART_WINDOW`] before it is left to the artist.
const MAX_RESTARTS: usize = 3;

/// The time in which restarts are counted.
const RESTART_WINDOW: Duration = Duration::from_secs(600);

/// Recent restarts, and the one that is planned.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    past: VecDeque<Instant>,
    due: Option<Instant>,
}

impl Restarts {
    /// Plans the next restart, later each time; `first` is the delay before the first. Returns whether there is one.
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

    /// Cancels the planned restart.
    pub(super) fn cancel(&mut self) {
        self.due = None;
    }

    /// Forgets the past restarts.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

/// The failure that a process's report tells of; `reason` is why the studio ended it, if it did.
pub(super) fn diagnose_exit(report: &str, reason: Option<&str>) -> Failure {
    let out_of_memory = report.contains("memory allocation of") || (reason.is_none() && report.contains("signal: 9"));
    if out_of_memory {
        let message = "the computer ran out of memory and the system ended the engine; \
                       close other programs or choose a smaller image";
        return Failure { code: ErrorCode::OutOfHostMemory, message: message.to_owned() };
    }
    let first = report.lines().next().unwrap_or_default();
    exit_failure(&match reason {
        Some(reason) => format!("the engine was ended because {reason}"),
        None => format!("the engine ended unexpectedly ({first})"),
    })
}

pub(super) fn exit_failure(what: &str) -> Failure {
    Failure { code: ErrorCode::Internal, message: format!("{what}; try again") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_of_a_process_tells_why_it_ended() {
        let check = |report: &str, was_ended: bool, expected: ErrorCode| {
            let reason = was_ended.then_some("it made no progress");
            assert_eq!(diagnose_exit(report, reason).code, expected, "{report}");
        };
        check("signal: 6 (SIGABRT)\nmemory allocation of 123 bytes failed", false, ErrorCode::OutOfHostMemory);
        check("signal: 9 (SIGKILL)", false, ErrorCode::OutOfHostMemory);
        check("it was ended", true, ErrorCode::Internal);
        check("exit status: 1", false, ErrorCode::Internal);
    }

    #[test]
    fn at_most_three_restarts_in_ten_minutes_each_later_than_the_last() {
        let (begun, first) = (Instant::now(), Duration::from_secs(1));
        let mut restarts = Restarts::default();
        for secs in [1, 2, 4] {
            assert!(restarts.plan(begun, first));
            assert!(!restarts.is_due(begun + Duration::from_millis(secs * 1000 - 1)));
            assert!(restarts.is_due(begun + Duration::from_secs(secs)));
        }
        assert!(!restarts.plan(begun + Duration::from_secs(599), first));
        assert!(!restarts.is_due(begun + Duration::from_secs(599)));
        assert!(restarts.plan(begun + Duration::from_secs(600), first), "old restarts do not count");
        restarts.reset();
        assert!(restarts.plan(begun, first));
        restarts.cancel();
        assert!(!restarts.is_due(begun + Duration::from_secs(900)));
    }
}

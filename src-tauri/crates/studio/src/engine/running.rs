//! A running process, and the clocks that tell whether it hangs.

use std::path::Path;
use std::time::{Duration, Instant};

use protocol::{CheckedRequest, Command, Event, JobId, PROTOCOL_VERSION};

use super::EngineTimeouts;
use super::process::{Process, ProcessOutput};
use crate::Result;

/// Ticks without a check after which the studio itself was suspended.
const MISSED_TICKS: u32 = 10;

/// A started process, and what it works on.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) process: Process,
    pub(super) outputs: tokio::sync::mpsc::Receiver<ProcessOutput>,
    pub(super) said_hello: bool,
    /// The load that was requested.
    pub(super) load: Option<JobId>,
    /// The job that it runs.
    pub(super) job: Option<JobId>,
    pub(super) clocks: Clocks,
}

/// Times of the last events.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    pub(super) started: Instant,
    last_event: Instant,
    last_progress: Instant,
    progress: u64,
    /// Longest time between two signs of progress while it worked.
    longest_gap: Duration,
    cancel_since: Option<Instant>,
    checked: Instant,
}

impl Running {
    /// Starts the program and sends the hello.
    pub(super) fn start(program: &Path) -> Result<Self> {
        let (process, outputs) = Process::start(program)?;
        process.send(&Command::Hello { protocol: PROTOCOL_VERSION })?;
        let clocks = Clocks::new(Instant::now());
        Ok(Self { process, outputs, said_hello: false, load: None, job: None, clocks })
    }

    /// Sends a job.
    pub(super) fn run(&mut self, id: JobId, request: CheckedRequest) -> Result<()> {
        self.process.send(&Command::Run { id, request: request.into_inner() })?;
        self.job = Some(id);
        self.clocks.last_progress = Instant::now();
        self.clocks.cancel_since = None;
        Ok(())
    }

    /// Asks the process to stop the job, if it runs this one.
    pub(super) fn cancel(&mut self, id: JobId) {
        if self.job == Some(id) {
            self.clocks.cancel_since.get_or_insert_with(Instant::now);
            self.process.send_short(&Command::Cancel { id });
        }
    }

    /// Notes the time of an event.
    pub(super) fn on_event(&mut self, event: &Event, now: Instant) {
        self.clocks.last_event = now;
        match event {
            Event::Heartbeat { progress } if *progress != self.clocks.progress => {
                self.clocks.progress = *progress;
                self.note_progress(now);
            }
            Event::Loading { .. } => self.clocks.last_progress = now,
            _ => {}
        }
    }

    /// Notes progress.
    pub(super) fn note_progress(&mut self, now: Instant) {
        let is_working = self.job.is_some() && self.clocks.cancel_since.is_none();
        self.clocks.note_progress(now, is_working);
    }

    /// Asks it to load a model.
    pub(super) fn load(&mut self, id: JobId, command: &Command) {
        self.load = Some(id);
        self.clocks.last_progress = Instant::now();
        self.process.send_short(command);
    }

    /// Forgets the job, which is over.
    pub(super) fn end_job(&mut self) {
        self.job = None;
        self.clocks.cancel_since = None;
    }

    /// Why the process must be ended, if it hangs.
    pub(super) fn find_hang(&self, timeouts: &EngineTimeouts, now: Instant) -> Option<&'static str> {
        let is_working = self.job.is_some() || self.load.is_some();
        self.clocks.find_hang(self.said_hello, is_working, timeouts, now)
    }
}

impl Clocks {
    fn new(now: Instant) -> Self {
        Self {
            started: now,
            last_event: now,
            last_progress: now,
            progress: 0,
            longest_gap: Duration::ZERO,
            cancel_since: None,
            checked: now,
        }
    }

    /// Notes that the studio itself runs; called before any timeout is judged. Time in which it did not run, as when
    /// the computer slept, does not count: no event could be received then.
    pub(super) fn note_tick(&mut self, tick: Duration, now: Instant) {
        let gap = now.saturating_duration_since(self.checked);
        self.checked = now;
        if gap <= tick * MISSED_TICKS {
            return;
        }
        tracing::debug!(seconds = gap.as_secs_f64(), "the studio was suspended");
        // One tick would have passed anyway.
        let lost = gap - tick;
        let times = [&mut self.started, &mut self.last_event, &mut self.last_progress];
        for time in times.into_iter().chain(&mut self.cancel_since) {
            *time = (*time + lost).min(now);
        }
    }

    fn note_progress(&mut self, now: Instant, is_working: bool) {
        if is_working {
            self.longest_gap = self.longest_gap.max(now.duration_since(self.last_progress));
        }
        self.last_progress = now;
    }

    fn find_hang(
        &self,
        said_hello: bool,
        is_working: bool,
        timeouts: &EngineTimeouts,
        now: Instant,
    ) -> Option<&'static str> {
        let waited = |since: Instant, timeout: Duration| now.duration_since(since) > timeout;
        if !said_hello {
            return waited(self.started, timeouts.hello).then_some("it did not answer after its start");
        }
        if waited(self.last_event, timeouts.silence) {
            return Some("it sent no events");
        }
        let cancel = timeouts.cancel.max(2 * self.longest_gap);
        if self.cancel_since.is_some_and(|since| waited(since, cancel)) {
            return Some("it did not stop when asked to");
        }
        let stall = timeouts.stall.max(10 * self.longest_gap);
        (is_working && waited(self.last_progress, stall)).then_some("it made no progress")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn timeouts() -> EngineTimeouts {
        EngineTimeouts {
            hello: 5 * SECOND,
            silence: 30 * SECOND,
            stall: 100 * SECOND,
            cancel: 3 * SECOND,
            tick: SECOND,
            ..EngineTimeouts::default()
        }
    }

    #[test]
    fn each_kind_of_hang_has_its_own_timeout() {
        let begun = Instant::now();
        let timeouts = timeouts();
        let clocks = Clocks::new(begun);
        let check = |clocks: &Clocks, said_hello: bool, is_working: bool, secs: u32, expected: Option<&str>| {
            let found = clocks.find_hang(said_hello, is_working, &timeouts, begun + secs * SECOND);
            assert_eq!(found.is_some(), expected.is_some(), "{found:?} after {secs} s");
            assert!(expected.is_none_or(|part| found.is_some_and(|it| it.contains(part))), "{found:?}");
        };
        check(&clocks, false, false, 5, None);
        check(&clocks, false, false, 6, Some("answer"));
        check(&clocks, true, true, 30, None);
        check(&clocks, true, true, 31, Some("no events"));
        let beats = Clocks { last_event: begun + 101 * SECOND, ..clocks };
        check(&beats, true, true, 101, Some("progress"));
        check(&beats, true, false, 101, None);
        let stubborn = Clocks { cancel_since: Some(begun), ..beats };
        check(&stubborn, true, true, 3, None);
        check(&stubborn, true, true, 4, Some("stop"));
    }

    #[test]
    fn time_in_which_the_computer_sleeps_does_not_count() {
        let begun = Instant::now();
        let timeouts = timeouts();
        let awake = begun + 2 * SECOND;
        let mut clocks = Clocks { cancel_since: Some(begun), ..Clocks::new(begun) };
        clocks.note_tick(timeouts.tick, awake);
        let morning = awake + 8 * 3600 * SECOND;
        clocks.note_tick(timeouts.tick, morning);
        for said_hello in [false, true] {
            assert_eq!(clocks.find_hang(said_hello, true, &timeouts, morning), None);
        }
        let mut resumed = clocks;
        resumed.note_progress(morning, true);
        assert!(resumed.longest_gap <= 3 * SECOND, "a night is not a step: {:?}", resumed.longest_gap);
        // From then on time counts as before.
        assert_eq!(
            clocks.find_hang(false, true, &timeouts, morning + 3 * SECOND),
            Some("it did not answer after its start")
        );
        assert_eq!(clocks.find_hang(true, true, &timeouts, morning + SECOND), Some("it did not stop when asked to"));
        clocks.cancel_since = None;
        for secs in 1..=27 {
            clocks.note_tick(timeouts.tick, morning + secs * SECOND);
            assert_eq!(clocks.find_hang(true, true, &timeouts, morning + secs * SECOND), None);
        }
        clocks.note_tick(timeouts.tick, morning + 28 * SECOND);
        assert_eq!(clocks.find_hang(true, true, &timeouts, morning + 28 * SECOND), Some("it sent no events"));
    }

    #[test]
    fn a_slow_computer_gets_longer_timeouts() {
        let begun = Instant::now();
        let timeouts =
            EngineTimeouts { silence: 1000 * SECOND, stall: SECOND, cancel: SECOND, ..EngineTimeouts::default() };
        let mut clocks = Clocks::new(begun);
        clocks.note_progress(begun + 20 * SECOND, true);
        assert_eq!(clocks.find_hang(true, true, &timeouts, begun + 220 * SECOND), None, "ten times the longest step");
        assert!(clocks.find_hang(true, true, &timeouts, begun + 221 * SECOND).is_some());
        clocks.cancel_since = Some(begun + 20 * SECOND);
        assert_eq!(clocks.find_hang(true, true, &timeouts, begun + 60 * SECOND), None, "twice the longest step");
        assert!(clocks.find_hang(true, true, &timeouts, begun + 61 * SECOND).is_some());
    }
}

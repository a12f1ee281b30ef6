//! A process at work, and the clocks that say whether something is wrong with it.

use std::path::Path;
use std::time::{Duration, Instant};

use protocol::{Command, Event, JobId, PROTOCOL_VERSION, Request};

use super::Timeouts;
use super::process::{Output, Process};
use crate::Result;

/// Ticks without a look at the clocks after which the studio itself did not run.
const MISSED_TICKS: u32 = 10;

/// A process that was started, with what it has to do.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) process: Process,
    pub(super) outputs: tokio::sync::mpsc::Receiver<Output>,
    pub(super) is_greeted: bool,
    /// The load that it was asked for.
    pub(super) load: Option<JobId>,
    /// The job that it has.
    pub(super) job: Option<JobId>,
    pub(super) clocks: Clocks,
}

/// When it last gave which sign.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    pub(super) started: Instant,
    last_sign: Instant,
    last_progress: Instant,
    progress: u64,
    /// Longest time between two signs of progress while it worked.
    longest_gap: Duration,
    cancel_since: Option<Instant>,
    looked: Instant,
}

impl Running {
    /// Starts the program and greets it.
    pub(super) fn start(program: &Path) -> Result<Self> {
        let (process, outputs) = Process::start(program)?;
        process.say(&Command::Hello { protocol: PROTOCOL_VERSION })?;
        let clocks = Clocks::new(Instant::now());
        Ok(Self { process, outputs, is_greeted: false, load: None, job: None, clocks })
    }

    /// Sends a job.
    pub(super) fn run(&mut self, id: JobId, request: Request) -> Result<()> {
        self.process.say(&Command::Run { id: id.clone(), request })?;
        self.job = Some(id);
        self.clocks.last_progress = Instant::now();
        self.clocks.cancel_since = None;
        Ok(())
    }

    /// Asks for the end of the job, if it has this one.
    pub(super) fn cancel(&mut self, id: &JobId) {
        if self.job.as_ref() == Some(id) {
            self.clocks.cancel_since.get_or_insert_with(Instant::now);
            self.process.tell(&Command::Cancel { id: id.clone() });
        }
    }

    /// Takes note of anything it said.
    pub(super) fn hear(&mut self, event: &Event, now: Instant) {
        self.clocks.last_sign = now;
        match event {
            Event::Heartbeat { progress } if *progress != self.clocks.progress => {
                self.clocks.progress = *progress;
                self.advance(now);
            }
            Event::Loading { .. } => self.clocks.last_progress = now,
            _ => {}
        }
    }

    /// Takes note of progress.
    pub(super) fn advance(&mut self, now: Instant) {
        let works = self.job.is_some() && self.clocks.cancel_since.is_none();
        self.clocks.advance(now, works);
    }

    /// Has it read a model.
    pub(super) fn load(&mut self, id: JobId, command: &Command) {
        self.load = Some(id);
        self.clocks.last_progress = Instant::now();
        self.process.tell(command);
    }

    /// Takes its job away, which is over.
    pub(super) fn end_job(&mut self) {
        self.job = None;
        self.clocks.cancel_since = None;
    }

    /// Whether it must be ended, and why.
    pub(super) fn trouble(&self, timeouts: &Timeouts, now: Instant) -> Option<&'static str> {
        let works = self.job.is_some() || self.load.is_some();
        self.clocks.trouble(self.is_greeted, works, timeouts, now)
    }
}

impl Clocks {
    fn new(now: Instant) -> Self {
        Self {
            started: now,
            last_sign: now,
            last_progress: now,
            progress: 0,
            longest_gap: Duration::ZERO,
            cancel_since: None,
            looked: now,
        }
    }

    /// Notes that the studio runs, before anything is concluded from the time. While it did not, as when the machine
    /// slept, no sign could be heard: that time does not count.
    pub(super) fn look(&mut self, tick: Duration, now: Instant) {
        let unseen = now.saturating_duration_since(self.looked);
        self.looked = now;
        if unseen <= tick * MISSED_TICKS {
            return;
        }
        tracing::debug!(seconds = unseen.as_secs_f64(), "the studio did not run for a while");
        // One tick of it would have passed anyhow.
        let lost = unseen - tick;
        let times = [&mut self.started, &mut self.last_sign, &mut self.last_progress];
        for time in times.into_iter().chain(&mut self.cancel_since) {
            *time = (*time + lost).min(now);
        }
    }

    fn advance(&mut self, now: Instant, works: bool) {
        if works {
            self.longest_gap = self.longest_gap.max(now.duration_since(self.last_progress));
        }
        self.last_progress = now;
    }

    fn trouble(&self, is_greeted: bool, works: bool, timeouts: &Timeouts, now: Instant) -> Option<&'static str> {
        let waited = |since: Instant, timeouts: Duration| now.duration_since(since) > timeouts;
        if !is_greeted {
            return waited(self.started, timeouts.greeting).then_some("it did not answer its start");
        }
        if waited(self.last_sign, timeouts.silence) {
            return Some("it gave no sign of life");
        }
        let cancel = timeouts.cancel.max(2 * self.longest_gap);
        if self.cancel_since.is_some_and(|since| waited(since, cancel)) {
            return Some("it did not stop when asked to");
        }
        let stall = timeouts.stall.max(10 * self.longest_gap);
        (works && waited(self.last_progress, stall)).then_some("it made no progress")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn timeouts() -> Timeouts {
        Timeouts {
            greeting: 5 * SECOND,
            silence: 30 * SECOND,
            stall: 100 * SECOND,
            cancel: 3 * SECOND,
            tick: SECOND,
            ..Timeouts::default()
        }
    }

    #[test]
    fn each_silence_has_its_own_timeouts() {
        let begun = Instant::now();
        let timeouts = timeouts();
        let clocks = Clocks::new(begun);
        let check = |clocks: &Clocks, is_greeted: bool, works: bool, secs: u32, expected: Option<&str>| {
            let found = clocks.trouble(is_greeted, works, &timeouts, begun + secs * SECOND);
            assert_eq!(found.is_some(), expected.is_some(), "{found:?} after {secs} s");
            assert!(expected.is_none_or(|part| found.is_some_and(|it| it.contains(part))), "{found:?}");
        };
        check(&clocks, false, false, 5, None);
        check(&clocks, false, false, 6, Some("answer"));
        check(&clocks, true, true, 30, None);
        check(&clocks, true, true, 31, Some("sign of life"));
        let beats = Clocks { last_sign: begun + 101 * SECOND, ..clocks };
        check(&beats, true, true, 101, Some("progress"));
        check(&beats, true, false, 101, None);
        let stubborn = Clocks { cancel_since: Some(begun), ..beats };
        check(&stubborn, true, true, 3, None);
        check(&stubborn, true, true, 4, Some("stop"));
    }

    #[test]
    fn time_in_which_the_studio_itself_did_not_run_does_not_count() {
        let begun = Instant::now();
        let timeouts = timeouts();
        let awake = begun + 2 * SECOND;
        let mut clocks = Clocks { cancel_since: Some(begun), ..Clocks::new(begun) };
        clocks.look(timeouts.tick, awake);
        let morning = awake + 8 * 3600 * SECOND;
        clocks.look(timeouts.tick, morning);
        for is_greeted in [false, true] {
            assert_eq!(clocks.trouble(is_greeted, true, &timeouts, morning), None);
        }
        let mut resumed = clocks;
        resumed.advance(morning, true);
        assert!(resumed.longest_gap <= 3 * SECOND, "a night is no step: {:?}", resumed.longest_gap);
        // From then on time counts as before.
        assert_eq!(clocks.trouble(false, true, &timeouts, morning + 3 * SECOND), Some("it did not answer its start"));
        assert_eq!(clocks.trouble(true, true, &timeouts, morning + SECOND), Some("it did not stop when asked to"));
        clocks.cancel_since = None;
        for secs in 1..=27 {
            clocks.look(timeouts.tick, morning + secs * SECOND);
            assert_eq!(clocks.trouble(true, true, &timeouts, morning + secs * SECOND), None);
        }
        clocks.look(timeouts.tick, morning + 28 * SECOND);
        assert_eq!(clocks.trouble(true, true, &timeouts, morning + 28 * SECOND), Some("it gave no sign of life"));
    }

    #[test]
    fn a_slow_machine_is_waited_for_longer() {
        let begun = Instant::now();
        let timeouts = Timeouts { silence: 1000 * SECOND, stall: SECOND, cancel: SECOND, ..Timeouts::default() };
        let mut clocks = Clocks::new(begun);
        clocks.advance(begun + 20 * SECOND, true);
        assert_eq!(clocks.trouble(true, true, &timeouts, begun + 220 * SECOND), None, "ten times the longest step");
        assert!(clocks.trouble(true, true, &timeouts, begun + 221 * SECOND).is_some());
        clocks.cancel_since = Some(begun + 20 * SECOND);
        assert_eq!(clocks.trouble(true, true, &timeouts, begun + 60 * SECOND), None, "twice the longest step");
        assert!(clocks.trouble(true, true, &timeouts, begun + 61 * SECOND).is_some());
    }
}

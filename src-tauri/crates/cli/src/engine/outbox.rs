//! What waits to be written to the studio, so that a slow pipe never holds up the model.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use protocol::{Event, Frame, write_frame};

/// Time between two heartbeats.
const BEAT: Duration = Duration::from_secs(1);

/// Frames on their way, and the pulse of the process.
#[derive(Default)]
pub(super) struct Outbox {
    pending: Mutex<Pending>,
    changed: Condvar,
    progress: AtomicU64,
}

#[derive(Default)]
struct Pending {
    frames: VecDeque<Frame<Event>>,
    writing: bool,
}

impl Outbox {
    /// Counts something done.
    pub(super) fn advance(&self) {
        self.progress.fetch_add(1, Ordering::Relaxed);
    }

    /// Hands over an event without a payload.
    pub(super) fn send(&self, event: Event) {
        self.push(Frame { header: event, payload: Vec::new() });
    }

    /// Hands over a frame; never waits for the pipe.
    pub(super) fn push(&self, frame: Frame<Event>) {
        merge(&mut self.lock().frames, frame);
        self.changed.notify_all();
    }

    /// Waits until everything is written, a second at most.
    pub(super) fn drain(&self) {
        let busy = |pending: &mut Pending| pending.writing || !pending.frames.is_empty();
        drop(self.changed.wait_timeout_while(self.lock(), BEAT, busy));
    }

    /// Writes what comes, and a heartbeat a second after the first frame; ends with the pipe's error.
    pub(super) fn write_to(self: &Arc<Self>, pipe: &mut impl Write) -> protocol::frame::Error {
        let mut next_beat = None;
        loop {
            let frame = self.next(next_beat);
            let now = Instant::now();
            let is_beat = matches!(frame.header, Event::Heartbeat { .. });
            if is_beat || next_beat.is_none() {
                next_beat = Some(now + BEAT);
            }
            let written = write_frame(pipe, &frame.header, &frame.payload);
            self.lock().writing = false;
            self.changed.notify_all();
            if let Err(error) = written {
                return error;
            }
        }
    }

    /// The next frame, or a heartbeat when one is due.
    fn next(&self, next_beat: Option<Instant>) -> Frame<Event> {
        let mut pending = self.lock();
        loop {
            let until_beat = next_beat.map_or(Duration::MAX, |beat| beat.saturating_duration_since(Instant::now()));
            if until_beat.is_zero() {
                let header = Event::Heartbeat { progress: self.progress.load(Ordering::Relaxed) };
                return Frame { header, payload: Vec::new() };
            }
            if let Some(frame) = pending.frames.pop_front() {
                pending.writing = true;
                return frame;
            }
            let waited = self.changed.wait_timeout(pending, until_beat.min(BEAT));
            pending = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Appends a frame, dropping what it makes stale: of steps and bytes only the newest counts, and text grows.
fn merge(frames: &mut VecDeque<Frame<Event>>, mut frame: Frame<Event>) {
    if let Event::Text { id, channel, delta } = &mut frame.header
        && let Some(Frame { header: Event::Text { id: last, channel: last_channel, delta: text }, .. }) =
            frames.back_mut()
        && id == last
        && channel == last_channel
    {
        text.push_str(delta);
        return;
    }
    let stale = frames.iter().rposition(|earlier| match (&earlier.header, &frame.header) {
        (Event::Step { id: a, .. }, Event::Step { id: b, .. })
        | (Event::Loading { id: a, .. }, Event::Loading { id: b, .. }) => a == b,
        _ => false,
    });
    if let Some(stale) = stale {
        frames.remove(stale);
    }
    frames.push_back(frame);
}

#[cfg(test)]
mod tests {
    use protocol::{JobId, Size, TextChannel, read_frame};

    use super::*;

    fn id(name: &str) -> JobId {
        JobId::from_u128(name.bytes().fold(0, |bits, byte| bits << 8 | u128::from(byte)))
    }

    fn step(job: &str, step: u32) -> Frame<Event> {
        let preview = Some(Size { width: 1, height: 1 });
        Frame { header: Event::Step { id: id(job), step, steps: 9, preview }, payload: vec![step as u8; 3] }
    }

    fn text(channel: TextChannel, delta: &str) -> Frame<Event> {
        Frame { header: Event::Text { id: id("a"), channel, delta: delta.to_owned() }, payload: Vec::new() }
    }

    fn merged(given: Vec<Frame<Event>>) -> Vec<Frame<Event>> {
        let mut frames = VecDeque::new();
        given.into_iter().for_each(|frame| merge(&mut frames, frame));
        frames.into()
    }

    #[test]
    fn only_the_newest_preview_of_a_job_waits() {
        let status = Frame { header: Event::Decoding { id: id("a") }, payload: Vec::new() };
        let frames = merged(vec![step("a", 1), step("b", 1), status.clone(), step("a", 2)]);
        assert_eq!(frames, [step("b", 1), status, step("a", 2)]);
    }

    #[test]
    fn waiting_text_grows_and_channels_stay_apart() {
        let frames = merged(vec![
            text(TextChannel::Plan, "a "),
            text(TextChannel::Plan, "plan"),
            text(TextChannel::Answer, "yes"),
        ]);
        assert_eq!(frames, [text(TextChannel::Plan, "a plan"), text(TextChannel::Answer, "yes")]);
    }

    /// A pipe that takes nothing until it is told to.
    struct Blocked(Arc<Mutex<Vec<u8>>>, Arc<(Mutex<bool>, Condvar)>);

    impl Write for Blocked {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let (open, changed) = &*self.1;
            drop(changed.wait_while(open.lock().unwrap(), |open| !*open));
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn slow_pipe_gets_the_first_and_the_newest_step() {
        let outbox = Arc::new(Outbox::default());
        let written = Arc::new(Mutex::new(Vec::new()));
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let mut pipe = Blocked(Arc::clone(&written), Arc::clone(&gate));
        outbox.push(step("a", 1));
        let writer = Arc::clone(&outbox);
        std::thread::spawn(move || writer.write_to(&mut pipe));
        while !outbox.lock().writing {
            std::thread::yield_now();
        }
        for number in 2..=9 {
            outbox.push(step("a", number));
        }
        *gate.0.lock().unwrap() = true;
        gate.1.notify_all();
        outbox.drain();

        let bytes = written.lock().unwrap().clone();
        let mut stream = bytes.as_slice();
        let mut steps = Vec::new();
        while let Some(frame) = read_frame::<Event>(&mut stream).unwrap() {
            if let Event::Step { step, .. } = frame.header {
                steps.push(step);
            }
        }
        assert_eq!(steps, [1, 9]);
    }
}

//! A child process that speaks frames.
//!
//! Three threads hold its pipes: one writes commands, one reads events, one
//! keeps the last lines it wrote to its error output, which say why it died.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use protocol::frame::{self, Frame};
use protocol::{Command, ErrorCode, Event};

use crate::{Error, Result};

/// Lines of the error output that are kept.
const KEPT_LINES: usize = 40;

/// Events that may wait before the engine's pipe is left to fill.
const WAITING_EVENTS: usize = 32;

/// How long a killed process is waited for. One that hangs in a driver ends when the driver lets it, or never.
const DEATH: Duration = Duration::from_secs(2);

/// What comes out of a process.
#[derive(Debug)]
pub(crate) enum Output {
    /// It said something.
    Frame(Frame<Event>),
    /// It will say nothing more: it ended, or what it said was not a frame.
    Ended {
        /// The pipe's fault, where there was one.
        fault: Option<String>,
    },
}

/// A running engine process; dropping it ends it, and does not wait for that.
#[derive(Debug)]
pub(crate) struct Process {
    /// Present until it is dropped.
    child: Option<Child>,
    commands: mpsc::Sender<Vec<u8>>,
    lines: Arc<Mutex<VecDeque<String>>>,
    last_words: thread::JoinHandle<()>,
}

impl Process {
    /// Starts the program; what it says arrives at the receiver.
    pub(crate) fn start(program: &Path) -> Result<(Self, tokio::sync::mpsc::Receiver<Output>)> {
        let mut command = std::process::Command::new(program);
        command.arg("engine").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        hide_console(&mut command);
        let mut child = command
            .spawn()
            .map_err(|error| Error::Engine(format!("the engine {} does not start: {error}", program.display())))?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Error::Engine("the engine's pipes are missing".to_owned()));
        };
        let (commands, waiting_commands) = mpsc::channel();
        let (outputs, output_receiver) = tokio::sync::mpsc::channel(WAITING_EVENTS);
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let kept_lines = Arc::clone(&lines);
        thread::spawn(move || write_commands(stdin, &waiting_commands));
        thread::spawn(move || read_events(stdout, &outputs));
        let last_words = thread::spawn(move || keep_lines(stderr, &kept_lines));
        Ok((Self { child: Some(child), commands, lines, last_words }, output_receiver))
    }

    /// Says something, unless it is longer than a frame may be; a process that has died notices nothing, its end is
    /// reported by the reader.
    pub(crate) fn say(&self, command: &Command) -> Result<()> {
        let _ = self.commands.send(frame_of(command)?);
        Ok(())
    }

    /// Says something that is short.
    pub(crate) fn tell(&self, command: &Command) {
        if let Err(error) = self.say(command) {
            tracing::error!(%error, "a command was not sent");
        }
    }

    /// Ends it and says how it ended, in words for a report. Takes a few seconds at most.
    pub(crate) fn end(mut self) -> String {
        // A process that closed its output is about to end on its own; its own status says more.
        if let Some(status) = within(Duration::from_millis(200), || self.status()) {
            return self.describe(&status.to_string());
        }
        self.kill();
        self.describe("it was ended")
    }

    /// Kills it and waits for its end, so that its memory is given back, for as long as may be expected.
    pub(crate) fn kill(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
        }
        if within(DEATH, || self.status()).is_none() {
            tracing::warn!("the engine was killed and does not end");
        }
    }

    /// How it ended, if it has.
    fn status(&mut self) -> Option<ExitStatus> {
        self.child.as_mut()?.try_wait().ok()?
    }

    fn describe(&self, status: &str) -> String {
        // What it said last may still be in the pipe; one that a child of it holds open is not waited for.
        within(Duration::from_millis(500), || self.last_words.is_finished().then_some(()));
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let tail: Vec<&str> = lines.iter().map(String::as_str).collect();
        if tail.is_empty() { status.to_owned() } else { format!("{status}\n{}", tail.join("\n")) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let _ = child.kill();
        if matches!(child.try_wait(), Ok(None)) {
            // Somebody must ask for its end, or it stays in the system's list.
            thread::spawn(move || child.wait());
        }
    }
}

/// The first answer that `ask` gives within a time.
fn within<T>(most: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        let answer = ask();
        if answer.is_some() || begun.elapsed() > most {
            return answer;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn frame_of(command: &Command) -> Result<Vec<u8>> {
    let mut frame = Vec::new();
    frame::write_frame(&mut frame, command, &[]).map_err(|error| {
        let message = format!("this is too much text for the engine ({error}); begin a new project");
        Error::refused(ErrorCode::ContextTooLong, message)
    })?;
    Ok(frame)
}

fn write_commands(mut stdin: ChildStdin, commands: &mpsc::Receiver<Vec<u8>>) {
    while let Ok(frame) = commands.recv() {
        if stdin.write_all(&frame).is_err() {
            return;
        }
    }
}

fn read_events(stdout: ChildStdout, outputs: &tokio::sync::mpsc::Sender<Output>) {
    let mut reader = BufReader::new(stdout);
    loop {
        let output = match frame::read_frame::<Event>(&mut reader) {
            Ok(Some(frame)) => Output::Frame(frame),
            Ok(None) => Output::Ended { fault: None },
            Err(error) => Output::Ended { fault: Some(error.to_string()) },
        };
        let over = matches!(output, Output::Ended { .. });
        if outputs.blocking_send(output).is_err() || over {
            return;
        }
    }
}

fn keep_lines(stderr: ChildStderr, lines: &Mutex<VecDeque<String>>) {
    for line in BufReader::new(stderr).split(b'\n') {
        let Ok(line) = line else { return };
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        tracing::debug!(target: "engine", "{line}");
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// Keeps a console program from opening a console.
#[cfg(windows)]
pub(crate) const CREATE_NO_WINDOW: u32 = 0x0800_0000;

#[cfg(windows)]
fn hide_console(command: &mut std::process::Command) {
    use std::os::windows::process::CommandExt;
    command.creation_flags(CREATE_NO_WINDOW);
}

#[cfg(not(windows))]
fn hide_console(_: &mut std::process::Command) {}

#[cfg(test)]
mod tests {
    use protocol::PROTOCOL_VERSION;

    use super::*;

    #[test]
    fn what_never_comes_is_not_waited_for() {
        let begun = Instant::now();
        assert_eq!(within(Duration::from_millis(50), || None::<()>), None);
        assert!(begun.elapsed() < Duration::from_secs(10));
        let mut n_asked = 0;
        let third = || {
            n_asked += 1;
            (n_asked == 3).then_some(())
        };
        assert_eq!(within(Duration::from_secs(60), third), Some(()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_engine_that_ignores_its_closed_pipe_is_ended_and_leaves_nothing_behind() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("deaf");
        std::fs::write(&program, "#!/bin/sh\nexec sleep 600\n").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let end = |process: Process| assert_eq!(process.end(), "it was ended");
        for end in [drop::<Process>, end] {
            let (process, _outputs) = Process::start(&program).unwrap();
            let entry = Path::new("/proc").join(process.child.as_ref().unwrap().id().to_string());
            assert!(entry.exists());
            let begun = Instant::now();
            end(process);
            assert!(begun.elapsed() < Duration::from_secs(30), "its own end was waited for");
            let is_gone = within(Duration::from_secs(30), || (!entry.exists()).then_some(()));
            assert_eq!(is_gone, Some(()), "one that nobody asks for stays in the list");
        }
    }

    #[test]
    fn what_is_too_long_for_a_frame_is_refused() {
        let long = Command::Load {
            id: protocol::JobId("a".to_owned()),
            model: protocol::ModelSource { path: "x".repeat(9 << 20).into(), base: None, device: None },
        };
        let Err(Error::Refused { code, message }) = frame_of(&long) else { panic!("it was taken") };
        assert_eq!(code, ErrorCode::ContextTooLong);
        assert!(message.contains("begin a new project"), "{message}");
        assert!(frame_of(&Command::Hello { protocol: PROTOCOL_VERSION }).is_ok());
    }
}

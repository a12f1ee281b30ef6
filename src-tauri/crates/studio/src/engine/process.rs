//! A child process that exchanges frames.
//!
//! Three threads hold its pipes: one writes commands, one reads events, one
//! keeps the last lines of its error output, which tell why it exited.

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

/// Lines of the error output that are kept for a report.
const KEPT_LINES: usize = 40;

/// Events that may be queued; beyond that the engine waits on its full pipe.
const MAX_EVENTS: usize = 32;

/// How long to wait for a killed process. One that hangs in a driver may exit late or never.
const EXIT_TIMEOUT: Duration = Duration::from_secs(2);

/// What comes out of a process.
#[derive(Debug)]
pub(crate) enum ProcessOutput {
    Frame(Frame<Event>),
    /// The last output: it exited, or sent something that is not a frame.
    Ended {
        /// What was wrong with its output, if anything.
        error: Option<String>,
    },
}

/// A running engine process; dropping it kills it without waiting.
#[derive(Debug)]
pub(crate) struct Process {
    /// Present until drop.
    child: Option<Child>,
    commands: mpsc::Sender<Vec<u8>>,
    lines: Arc<Mutex<VecDeque<String>>>,
    stderr_thread: thread::JoinHandle<()>,
}

impl Process {
    /// Starts the program; its output arrives at the receiver.
    pub(crate) fn start(program: &Path) -> Result<(Self, tokio::sync::mpsc::Receiver<ProcessOutput>)> {
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
        let (outputs, output_receiver) = tokio::sync::mpsc::channel(MAX_EVENTS);
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let collected_lines = Arc::clone(&lines);
        thread::spawn(move || write_commands(stdin, &waiting_commands));
        thread::spawn(move || read_events(stdout, &outputs));
        let stderr_thread = thread::spawn(move || collect_lines(stderr, &collected_lines));
        Ok((Self { child: Some(child), commands, lines, stderr_thread }, output_receiver))
    }

    /// Sends a command; fails when it is longer than a frame may be. Whether the process has exited is reported by
    /// the reader, not here.
    pub(crate) fn send(&self, command: &Command) -> Result<()> {
        let _ = self.commands.send(frame_of(command)?);
        Ok(())
    }

    /// Sends a command that fits a frame for sure.
    pub(crate) fn send_short(&self, command: &Command) {
        if let Err(error) = self.send(command) {
            tracing::error!(%error, "a command was not sent");
        }
    }

    /// Ends the process and reports how it ended and its last lines. Takes a few seconds at most.
    pub(crate) fn end(mut self) -> String {
        // A process that closed its output is about to exit on its own; its own status tells more.
        if let Some(status) = wait_for(Duration::from_millis(200), || self.status()) {
            return self.describe(&status.to_string());
        }
        self.kill();
        self.describe("it was ended")
    }

    /// Kills it and waits a while for its exit, which frees its memory.
    pub(crate) fn kill(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
        }
        if wait_for(EXIT_TIMEOUT, || self.status()).is_none() {
            tracing::warn!("the killed engine has not exited");
        }
    }

    /// How it exited, if it has.
    fn status(&mut self) -> Option<ExitStatus> {
        self.child.as_mut()?.try_wait().ok()?
    }

    fn describe(&self, status: &str) -> String {
        // Its last lines may still be in the pipe; a pipe that a child of it holds open is not waited for.
        wait_for(Duration::from_millis(500), || self.stderr_thread.is_finished().then_some(()));
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
            // A process that nobody waits for stays a zombie.
            thread::spawn(move || child.wait());
        }
    }
}

/// The first answer of `ask` within a time.
fn wait_for<T>(timeout: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        let answer = ask();
        if answer.is_some() || begun.elapsed() > timeout {
            return answer;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn frame_of(command: &Command) -> Result<Vec<u8>> {
    let mut frame = Vec::new();
    frame::write_frame(&mut frame, command, &[]).map_err(|error| {
        let message = format!("the request has too much text for the engine ({error}); start a new project");
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

fn read_events(stdout: ChildStdout, outputs: &tokio::sync::mpsc::Sender<ProcessOutput>) {
    let mut reader = BufReader::new(stdout);
    loop {
        let output = match frame::read_frame::<Event>(&mut reader) {
            Ok(Some(frame)) => ProcessOutput::Frame(frame),
            Ok(None) => ProcessOutput::Ended { error: None },
            Err(error) => ProcessOutput::Ended { error: Some(error.to_string()) },
        };
        let over = matches!(output, ProcessOutput::Ended { .. });
        if outputs.blocking_send(output).is_err() || over {
            return;
        }
    }
}

fn collect_lines(stderr: ChildStderr, lines: &Mutex<VecDeque<String>>) {
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

/// Prevents a console window.
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
    fn waiting_ends_at_the_timeout() {
        let begun = Instant::now();
        assert_eq!(wait_for(Duration::from_millis(50), || None::<()>), None);
        assert!(begun.elapsed() < Duration::from_secs(10));
        let mut n_asked = 0;
        let third = || {
            n_asked += 1;
            (n_asked == 3).then_some(())
        };
        assert_eq!(wait_for(Duration::from_secs(60), third), Some(()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_engine_that_ignores_its_closed_pipe_is_killed_and_reaped() {
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
            assert!(begun.elapsed() < Duration::from_secs(30), "waited for it to exit by itself");
            let is_gone = wait_for(Duration::from_secs(30), || (!entry.exists()).then_some(()));
            assert_eq!(is_gone, Some(()), "it stays a zombie");
        }
    }

    #[test]
    fn a_command_longer_than_a_frame_is_refused() {
        let long = Command::Load {
            id: protocol::JobId::from_u128(1),
            model: protocol::ModelSource { path: "x".repeat(9 << 20).into(), base: None, device: None },
        };
        let Err(Error::Refused { code, message }) = frame_of(&long) else { panic!("it was taken") };
        assert_eq!(code, ErrorCode::ContextTooLong);
        assert!(message.contains("start a new project"), "{message}");
        assert!(frame_of(&Command::Hello { protocol: PROTOCOL_VERSION }).is_ok());
    }
}

//! Other programs: shown before they run, and named when they fail.

use std::{
    collections::VecDeque,
    ffi::OsStr,
    io::{self, BufRead, BufReader, IsTerminal, Read},
    path::Path,
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};

/// How many of a failed program's last lines are kept.
const LAST_LINES: usize = 60;
/// How long nothing comes before it is asked whether the program has ended.
const PAUSE: Duration = Duration::from_millis(200);

type Show = fn(&str);

/// A program about to be started.
pub(crate) struct Program {
    command: Command,
    shown: String,
}

impl Program {
    pub(crate) fn new(name: &Path, folder: &Path) -> Self {
        let mut command = Command::new(name);
        command.current_dir(folder).stdin(Stdio::null());
        // Cargo says about this program what is not true of others: build scripts that look at it would run again
        // whenever a build is begun in another way, and everything above them would be compiled again.
        for (variable, _) in std::env::vars_os() {
            if is_of_this_package(&variable.to_string_lossy()) {
                command.env_remove(variable);
            }
        }
        let shown = name.file_name().unwrap_or(name.as_os_str()).to_string_lossy().into_owned();
        Self { command, shown }
    }

    pub(crate) fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        let argument = argument.as_ref();
        let text = argument.to_string_lossy();
        self.shown.push(' ');
        if text.contains(' ') {
            self.shown.push_str(&format!("'{text}'"));
        } else {
            self.shown.push_str(&text);
        }
        self.command.arg(argument);
        self
    }

    pub(crate) fn arguments(self, arguments: &[&str]) -> Self {
        arguments.iter().fold(self, |program, argument| program.argument(argument))
    }

    /// Sets a variable of its environment; shown only where the value says something to the reader.
    pub(crate) fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Lets it read the terminal, for a password or a question.
    pub(crate) fn interactive(mut self) -> Self {
        self.command.stdin(Stdio::inherit());
        self
    }

    /// Shows the command line and runs it to its end.
    ///
    /// Where nobody is watching, its last lines are part of the error: a long log may be read from its end alone.
    pub(crate) fn run(mut self) -> Result<()> {
        println!("$ {}", self.shown);
        let is_watched = io::stdout().is_terminal() && io::stderr().is_terminal();
        let ended =
            if is_watched { self.command.status().map(|status| (status, String::new())) } else { self.pass_on() };
        let (status, last_lines) = ended.with_context(|| format!("`{}` could not be started", self.shown))?;
        if !status.success() {
            bail!("`{}` failed ({status}){last_lines}", self.shown);
        }
        Ok(())
    }

    /// Runs it to its end and passes on what it prints; how it ended, and its last lines, each after a line's end.
    fn pass_on(&mut self) -> io::Result<(ExitStatus, String)> {
        let mut child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (sender, lines) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            send_lines(output, |line| println!("{line}"), sender.clone());
        }
        if let Some(errors) = child.stderr.take() {
            send_lines(errors, |line| eprintln!("{line}"), sender);
        }
        let (mut last_lines, mut has_ended) = (VecDeque::new(), false);
        loop {
            match lines.recv_timeout(PAUSE) {
                Ok((line, show)) => {
                    show(&line);
                    last_lines.push_back(line);
                    if last_lines.len() > LAST_LINES {
                        last_lines.pop_front();
                    }
                }
                // What it started and left behind may hold its output open.
                Err(RecvTimeoutError::Timeout) if has_ended => break,
                Err(RecvTimeoutError::Timeout) => has_ended = child.try_wait()?.is_some(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok((child.wait()?, last_lines.iter().map(|line| format!("\n{line}")).collect()))
    }

    /// Whether it can be started and succeeds; prints nothing.
    pub(crate) fn succeeds(mut self) -> bool {
        let status = self.command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    /// What it prints on standard output, also when it fails; nothing when it cannot be started.
    pub(crate) fn output(mut self) -> String {
        let output = self.command.stderr(Stdio::null()).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
    }
}

/// Sends every line as it comes, with what shows it.
fn send_lines(from: impl Read + Send + 'static, show: Show, to: Sender<(String, Show)>) {
    thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            if to.send((String::from_utf8_lossy(&line).into_owned(), show)).is_err() {
                break;
            }
        }
    });
}

/// Whether a variable is one of those that `cargo run` sets for the package that it runs.
fn is_of_this_package(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{LAST_LINES, Program, is_of_this_package};

    fn program(name: &str) -> Program {
        Program::new(Path::new(name), Path::new("."))
    }

    #[test]
    fn program_that_is_not_there_is_named_with_its_arguments() {
        let error = program("no-such-program").arguments(&["--with", "two words"]).run().expect_err("it is not there");
        assert_eq!(error.to_string(), "`no-such-program --with 'two words'` could not be started");
        assert!(!program("no-such-program").succeeds());
        assert_eq!(program("no-such-program").output(), "");
    }

    #[test]
    fn program_that_fails_is_an_error() {
        let error = program(env!("CARGO")).argument("no-such-command").run().expect_err("cargo has no such command");
        assert!(error.to_string().starts_with("`cargo no-such-command` failed"), "{error}");
    }

    #[test]
    fn error_of_a_program_that_failed_ends_with_its_last_lines() {
        let (status, last_lines) =
            program("sh").arguments(&["-c", "seq 100; sleep 0.2; echo why >&2; exit 3"]).pass_on().expect("a shell");
        let lines: Vec<_> = last_lines.trim_start().lines().collect();
        assert_eq!((status.code(), lines.len(), lines[0], lines[LAST_LINES - 1]), (Some(3), LAST_LINES, "42", "why"));
    }

    #[test]
    fn program_is_over_when_it_ends_whatever_it_left_behind() {
        let (status, printed) = program("sh").arguments(&["-c", "sleep 1000 & echo $!"]).pass_on().expect("a shell");
        assert!(status.success());
        assert!(program("kill").argument(printed.trim()).succeeds(), "what it left behind still runs");
    }

    #[test]
    fn what_cargo_says_about_this_package_is_not_passed_on() {
        let printed = program("env").output();
        assert!(std::env::var_os("CARGO_PKG_NAME").is_some(), "cargo and nextest set it for tests too");
        assert!(!printed.contains("CARGO_PKG_") && !printed.contains("CARGO_MANIFEST_"), "{printed}");
        assert!(!is_of_this_package("CARGO_TARGET_DIR") && !is_of_this_package("CARGO_HOME"));
    }

    #[test]
    fn output_is_what_the_program_prints() {
        assert!(program(env!("CARGO")).argument("--version").output().starts_with("cargo "));
    }
}

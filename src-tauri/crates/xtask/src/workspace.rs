//! The repository on disk, and the programs that run in it: shown before they start, and named when they fail.

use std::{
    collections::VecDeque,
    env,
    io::{self, BufRead, BufReader, IsTerminal, Read},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use xshell::{Cmd, Shell};

/// Last lines of a failed program that its error repeats.
const MAX_LINES: usize = 60;

pub(crate) struct Workspace {
    /// Starts programs in the repository's root.
    pub(crate) shell: Shell,
    /// Starts programs in the frontend's folder.
    ui: Shell,
    pub(crate) root: PathBuf,
    /// Cargo's build folder.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Finds the repository in which cargo started this program.
    pub(crate) fn find() -> Result<Self> {
        // Set at run time; the compiled-in one is wrong for a second clone that shares a build folder.
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest).ancestors().nth(3).filter(|root| root.join("Cargo.lock").is_file());
        let root = root.context("start this as `cargo xtask` inside the repository")?.to_path_buf();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => env::current_dir()?.join(folder),
            None => root.join("target"),
        };
        let (shell, ui) = (Shell::new()?, Shell::new()?);
        shell.change_dir(&root);
        ui.change_dir(root.join("ui"));
        if is_ci() {
            // Everything is compiled once there: what speeds up a second compilation only costs.
            shell.set_var("CARGO_INCREMENTAL", "0");
        }
        Ok(Self { shell, ui, root, target })
    }

    /// A program of the workspace, in the one profile that tests and development share.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// npm, for the frontend.
    pub(crate) fn npm(&self) -> Cmd<'_> {
        self.ui.cmd(if cfg!(windows) { "npm.cmd" } else { "npm" })
    }

    /// Builds the frontend, which the window's program embeds.
    pub(crate) fn build_frontend(&self) -> Result<()> {
        run(self.npm().args(["run", "build"]))
    }
}

pub(crate) fn is_ci() -> bool {
    env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// Whether a program can be started and succeeds; prints nothing.
pub(crate) fn succeeds(program: Cmd<'_>) -> bool {
    program.quiet().ignore_stdout().ignore_stderr().run().is_ok()
}

/// Shows a command line and runs it to its end.
///
/// Where nobody is watching, its last lines are part of the error: a long log may be read from its end alone.
pub(crate) fn run(program: Cmd<'_>) -> Result<()> {
    run_with(program, Stdio::null())
}

/// As [`run`], with a standard input: the terminal's for a password.
pub(crate) fn run_with(program: Cmd<'_>, input: Stdio) -> Result<()> {
    let shown = program.to_string();
    println!("$ {shown}");
    let mut command = Command::from(program);
    command.stdin(input);
    // Cargo describes this package in the environment. Build scripts that look at it would run again whenever a build
    // is started in another way, and everything that depends on them would be compiled again.
    for (name, _) in env::vars_os().filter(|(name, _)| describes_this_package(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    let is_watched = io::stdout().is_terminal() && io::stderr().is_terminal();
    let ended =
        if is_watched { command.status().map(|status| (status, String::new())) } else { pass_output_on(&mut command) };
    let (status, last_lines) = ended.with_context(|| format!("`{shown}` could not be started"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status}){last_lines}");
    }
    Ok(())
}

fn describes_this_package(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_")
}

type Print = fn(&str);

/// Runs a program to its end and prints its output line by line; gives its last lines, each after a line break.
fn pass_output_on(command: &mut Command) -> io::Result<(ExitStatus, String)> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (sender, lines) = mpsc::channel();
    if let Some(output) = child.stdout.take() {
        send_lines(output, |line| println!("{line}"), sender.clone());
    }
    if let Some(errors) = child.stderr.take() {
        send_lines(errors, |line| eprintln!("{line}"), sender);
    }
    let (mut last_lines, mut has_exited) = (VecDeque::new(), false);
    loop {
        match lines.recv_timeout(Duration::from_millis(200)) {
            Ok((line, print)) => {
                print(&line);
                last_lines.push_back(line);
                if last_lines.len() > MAX_LINES {
                    last_lines.pop_front();
                }
            }
            // A process that it left behind may keep its output open.
            Err(RecvTimeoutError::Timeout) if has_exited => break,
            Err(RecvTimeoutError::Timeout) => has_exited = child.try_wait()?.is_some(),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok((child.wait()?, last_lines.iter().map(|line| format!("\n{line}")).collect()))
}

fn send_lines(from: impl Read + Send + 'static, print: Print, to: Sender<(String, Print)>) {
    thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            if to.send((String::from_utf8_lossy(&line).into_owned(), print)).is_err() {
                break;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use xshell::{Shell, cmd};

    use super::{MAX_LINES, pass_output_on, run};

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn program_that_is_missing_or_fails_is_named_with_its_arguments() {
        let sh = Shell::new().expect("a shell");
        let error = run(cmd!(sh, "no-such-program --with 'two words'")).expect_err("it does not exist");
        assert_eq!(error.to_string(), "`no-such-program --with \"two words\"` could not be started");
        let error = run(cmd!(sh, "cargo no-such-command")).expect_err("cargo has no such command");
        assert!(error.to_string().starts_with("`cargo no-such-command` failed"), "{error}");
    }

    #[test]
    fn error_of_a_failed_program_ends_with_its_last_lines() {
        let script = "seq 100; sleep 0.2; echo why >&2; exit 3";
        let (status, last_lines) = pass_output_on(&mut shell(script)).expect("a shell");
        let lines: Vec<_> = last_lines.trim_start().lines().collect();
        assert_eq!((status.code(), lines.len(), lines[0], lines[MAX_LINES - 1]), (Some(3), MAX_LINES, "42", "why"));
    }

    #[test]
    fn program_is_over_when_it_exits_even_if_a_child_keeps_its_output_open() {
        let (status, printed) = pass_output_on(&mut shell("sleep 1000 & echo $!")).expect("a shell");
        assert!(status.success());
        assert!(
            shell(&format!("kill {}", printed.trim())).status().expect("a shell").success(),
            "the child still runs"
        );
    }

    #[test]
    fn description_of_this_package_is_not_passed_on() {
        assert!(std::env::var_os("CARGO_PKG_NAME").is_some(), "cargo and nextest set it for tests too");
        let sh = Shell::new().expect("a shell");
        run(cmd!(sh, "sh -c 'test -z \"$CARGO_PKG_NAME$CARGO_MANIFEST_DIR\"'")).expect("both are removed");
    }
}

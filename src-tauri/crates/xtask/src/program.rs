//! Other programs: shown before they run, and named when they fail.

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

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
    pub(crate) fn run(mut self) -> Result<()> {
        println!("$ {}", self.shown);
        let status = self.command.status().with_context(|| format!("`{}` could not be started", self.shown))?;
        if !status.success() {
            bail!("`{}` failed ({status})", self.shown);
        }
        Ok(())
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

/// Whether a variable is one of those that `cargo run` sets for the package that it runs.
fn is_of_this_package(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Program, is_of_this_package};

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

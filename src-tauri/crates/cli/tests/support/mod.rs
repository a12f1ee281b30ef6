//! The real program on a model of random weights.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A program that is ready to be given arguments, in an empty folder of its own.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    /// What the program remembers between runs.
    data: TempDir,
}

/// What the program left.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), data: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and gives its name.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        name.to_owned()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bagel"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("BAGEL_STUDIO_DATA", self.data.path());
        command.env_remove("BAGEL_MODEL").env_remove("BAGEL_LOG").env_remove("BAGEL_MEMORY_LIMIT").env("NO_COLOR", "1");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::of(&self.command(arguments).output().unwrap())
    }

    /// Runs on the model of random weights.
    pub(crate) fn run_mini(&self, arguments: &[&str]) -> Run {
        let mut command = self.command(arguments);
        Run::of(&command.env("BAGEL_MODEL", mini_model()).output().unwrap())
    }

    /// Names of the files in the folder.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = self.folder.path().read_dir().unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Run {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The run did what was asked.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Each line of stdout as JSON.
    pub(crate) fn events(&self) -> Vec<serde_json::Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub(crate) fn mini() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bagel/tests/golden/mini").canonicalize().unwrap()
}

pub(crate) fn mini_model() -> PathBuf {
    mini().join("model")
}

/// An image of the golden set.
pub(crate) fn image(name: &str) -> String {
    mini().join("images").join(name).to_string_lossy().into_owned()
}

/// The program's pixels.
pub(crate) fn pixels(path: &Path) -> protocol::Image {
    imagefile::read(path).unwrap().image
}

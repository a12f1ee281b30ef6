//! Where things are: the repository and the folder that builds go to.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{program::Program, system::is_ci};

/// The repository on disk and its build folder.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Finds the repository this program was started in by cargo.
    pub(crate) fn find() -> Result<Self> {
        // Cargo sets the variable at run time; the compiled-in one is wrong for a second clone that shares a build folder.
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest)
            .ancestors()
            .nth(3)
            .filter(|root| root.join("Cargo.lock").is_file())
            .context("start this as `cargo xtask` inside the repository")?
            .to_path_buf();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => env::current_dir()?.join(folder),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// A program that runs in the repository's root.
    pub(crate) fn program(&self, name: impl AsRef<Path>) -> Program {
        Program::new(name.as_ref(), &self.root)
    }

    /// Cargo, as it started this program.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Program {
        let program = self.program("cargo").arguments(arguments);
        // In CI everything is compiled once: what speeds up a second compilation only costs there.
        if is_ci() { program.variable("CARGO_INCREMENTAL", "0") } else { program }
    }

    /// A binary of the workspace in the one profile that is built.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// The web frontend's folder.
    pub(crate) fn ui(&self) -> PathBuf {
        self.root.join("ui")
    }
}

//! The checks' programs, installed as binaries into the build folder.
//!
//! They come from the Python registry at fixed versions with fixed hashes (`tools.txt`): compiling them would take
//! longer than everything else together, and nothing is put anywhere outside the build folder.

use std::{env, ffi::OsString, fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{program::Program, workspace::Workspace};

const REQUIREMENTS: &str = include_str!("../tools.txt");

/// Installs the programs unless exactly these are there.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    let folder = folder(workspace);
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == REQUIREMENTS) {
        return Ok(());
    }
    println!("Installing the checks' programs into {}", folder.display());
    let python = if cfg!(windows) { "python" } else { "python3" };
    workspace.program(python).arguments(&["-m", "venv", "--clear"]).argument(&folder).run()?;
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).with_context(|| requirements.display().to_string())?;
    workspace
        .program(path(workspace, "python"))
        .arguments(&["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .arguments(&["--only-binary", ":all:", "--require-hashes", "--requirement"])
        .argument(&requirements)
        .run()?;
    fs::write(&stamp, REQUIREMENTS).with_context(|| stamp.display().to_string())
}

/// Installs what translates the window tests' requests, unless the machine has it; no registry has it as a binary.
pub(crate) fn install_window_driver(workspace: &Workspace) -> Result<()> {
    let is_on_path = || workspace.program("tauri-driver").argument("--help").succeeds();
    if path(workspace, "tauri-driver").is_file() || is_on_path() {
        return Ok(());
    }
    workspace
        .cargo(&["install", "tauri-driver", "--version", "2.1.0", "--locked", "--root"])
        .argument(folder(workspace))
        // It passes on a few hundred requests; optimizing it would take longer than its whole life.
        .variable("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .run()
}

/// The search path of programs with the installed ones in front.
pub(crate) fn path_variable(workspace: &Workspace) -> Result<OsString> {
    let others = env::var_os("PATH").unwrap_or_default();
    let folders = [folder(workspace).join("bin")].into_iter().chain(env::split_paths(&others));
    env::join_paths(folders).context("the PATH variable cannot be extended")
}

/// One of the programs, or else the one that the machine has; nothing when there is neither.
pub(crate) fn find(workspace: &Workspace, name: &str) -> Option<Program> {
    let installed = path(workspace, name);
    if installed.is_file() {
        return Some(workspace.program(installed));
    }
    workspace.program(name).argument("--version").succeeds().then(|| workspace.program(name))
}

fn path(workspace: &Workspace, name: &str) -> PathBuf {
    let programs = if cfg!(windows) { "Scripts" } else { "bin" };
    folder(workspace).join(programs).join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("tools")
}

#[cfg(test)]
mod tests {
    use super::REQUIREMENTS;

    #[test]
    fn every_program_has_a_fixed_version_and_hashes() {
        let entries: Vec<&str> = REQUIREMENTS.lines().filter(|line| line.starts_with(char::is_alphabetic)).collect();
        assert!(entries.len() >= 4, "{entries:?}");
        assert!(entries.iter().all(|entry| entry.contains("==")), "{entries:?}");
        let n_hashes = REQUIREMENTS.matches("--hash=sha256:").count();
        assert!(n_hashes >= 4 * entries.len(), "a hash for each of four platforms: {n_hashes}");
    }
}

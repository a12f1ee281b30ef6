//! The web frontend: its packages and its scripts, through npm.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::{program::Program, workspace::Workspace};

const OLDEST_NODE: u32 = 20;

/// Installs the frontend's packages unless exactly those of the lock file are there.
pub(crate) fn install(workspace: &Workspace, folder: &Path) -> Result<()> {
    require_node(workspace)?;
    let lock_path = folder.join("package-lock.json");
    let lock = fs::read(&lock_path).with_context(|| format!("{} is missing", lock_path.display()))?;
    let stamp = folder.join("node_modules/.installed-from");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    // Scripts of packages stay off: none of ours needs one, and they are how a bad package reaches the machine.
    npm(workspace, folder).arguments(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).run()?;
    fs::write(&stamp, lock).with_context(|| stamp.display().to_string())
}

/// A script of the frontend's package.json, ready to run.
pub(crate) fn script(workspace: &Workspace, folder: &Path, name: &str) -> Program {
    npm(workspace, folder).arguments(&["run", name])
}

/// Whether package.json has a script of this name.
pub(crate) fn has_script(workspace: &Workspace, folder: &Path, script: &str) -> bool {
    // npm prints the value as JSON, and `{}` when there is none.
    let value = npm(workspace, folder).arguments(&["pkg", "get", &format!("scripts.{script}")]).output();
    value.trim().starts_with('"')
}

fn npm(workspace: &Workspace, folder: &Path) -> Program {
    let name = if cfg!(windows) { "npm.cmd" } else { "npm" };
    workspace.program(name).in_folder(folder)
}

fn require_node(workspace: &Workspace) -> Result<()> {
    let version = workspace.program("node").argument("--version").output();
    match major_version(&version) {
        Some(major) if major >= OLDEST_NODE => Ok(()),
        Some(_) => bail!("Node {} is too old: install Node {OLDEST_NODE} or newer", version.trim()),
        None => bail!("Node is missing: install Node {OLDEST_NODE} or newer, with npm"),
    }
}

fn major_version(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major_version;

    #[test]
    fn node_version_is_read_from_what_node_prints() {
        assert_eq!(major_version("v20.20.2\n"), Some(20));
        assert_eq!(major_version(""), None);
        assert_eq!(major_version("command not found"), None);
    }
}

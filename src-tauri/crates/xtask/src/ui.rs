//! The web frontend: its packages and its scripts, through npm.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::{program::Program, workspace::Workspace};

/// The oldest of each line that the frontend's tools support; lines between them have ended.
const OLDEST_NODES: [(u32, u32); 3] = [(20, 19), (22, 13), (24, 0)];
const SUPPORTED_NODES: &str = "Node 20.19, 22.13, 24 or newer";

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

fn npm(workspace: &Workspace, folder: &Path) -> Program {
    let name = if cfg!(windows) { "npm.cmd" } else { "npm" };
    workspace.program(name).in_folder(folder)
}

fn require_node(workspace: &Workspace) -> Result<()> {
    let version = workspace.program("node").argument("--version").output();
    match release(&version) {
        Some(release) if is_supported(release) => Ok(()),
        Some(_) => bail!("Node {} will not do: install {SUPPORTED_NODES}", version.trim()),
        None => bail!("Node is missing: install {SUPPORTED_NODES}, with npm"),
    }
}

fn is_supported((major, minor): (u32, u32)) -> bool {
    let newest = OLDEST_NODES[OLDEST_NODES.len() - 1].0;
    major > newest || OLDEST_NODES.iter().any(|&(line, oldest)| major == line && minor >= oldest)
}

/// Major and minor number of what Node says of itself.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::{is_supported, release};

    #[test]
    fn node_version_is_read_from_what_node_prints() {
        assert_eq!(release("v20.20.2\n"), Some((20, 20)));
        assert_eq!(release(""), None);
        assert_eq!(release("command not found"), None);
    }

    #[test]
    fn node_is_refused_where_the_frontends_tools_refuse_it() {
        assert!([(20, 19), (22, 13), (24, 0), (25, 1)].into_iter().all(is_supported));
        assert!(![(18, 20), (20, 18), (21, 7), (22, 12), (23, 11)].into_iter().any(is_supported));
    }
}

//! What a fresh machine lacks, found and installed.
//!
//! System packages come through apt on Debian and Ubuntu. Elsewhere they are named and the build goes on, because their
//! equivalents have other names and may be installed. The checks' programs come as binaries from the Python registry at
//! fixed versions with fixed hashes (`tools.txt`), into the build folder: compiling them would take longer than
//! everything else together.

use std::{
    env, fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, bail};
use xshell::{Cmd, cmd};

use crate::workspace::{Workspace, is_ci, run, run_with, succeeds};

const TOOLS: &str = include_str!("../tools.txt");

/// The oldest of each line that the frontend's tools support; lines between them have ended.
const OLDEST_NODES: [(u32, u32); 3] = [(20, 19), (22, 13), (24, 0)];
const SUPPORTED_NODES: &str = "Node 20.19, 22.13, 24 or newer";

/// What the machine is prepared for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The command line and the engine.
    Terminal,
    /// The command line, the engine and the window.
    Window,
    /// The long fault and kill suites.
    Soak,
    /// Everything above, and every check.
    Test,
}

/// Whether packages may be installed without asking.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    Ask,
    /// Given on the command line, or by CI.
    Given,
}

impl Consent {
    pub(crate) fn new(yes: bool) -> Self {
        if yes || is_ci() { Self::Given } else { Self::Ask }
    }
}

/// System packages with one use.
struct Packages {
    names: &'static [&'static str],
    /// `Test` needs all.
    needed_for: &'static [Purpose],
    /// Whether the machine has what they are for from another source.
    is_present: fn(&Workspace) -> bool,
}

const PACKAGES: &[Packages] = &[
    // The tokenizer and the database have C parts.
    Packages {
        names: &["build-essential", "pkg-config"],
        needed_for: &[Purpose::Terminal, Purpose::Window, Purpose::Soak],
        is_present: |it| succeeds(cmd!(it.shell, "cc --version")) && succeeds(cmd!(it.shell, "pkg-config --version")),
    },
    Packages {
        names: &["libwebkit2gtk-4.1-dev"],
        needed_for: &[Purpose::Window],
        is_present: |it| succeeds(cmd!(it.shell, "pkg-config --exists webkit2gtk-4.1")),
    },
    // The checks' programs are installed with it.
    Packages {
        names: &["python3", "python3-venv"],
        needed_for: &[],
        is_present: |it| succeeds(cmd!(it.shell, "python3 -c 'import venv, ensurepip'")),
    },
    // It shows whether a file is synced before it is renamed.
    Packages { names: &["strace"], needed_for: &[Purpose::Soak], is_present: |_| false },
    Packages {
        names: &["webkit2gtk-driver", "xvfb", "xdotool", "fonts-dejavu-core", "fonts-wqy-microhei", "iproute2"],
        needed_for: &[],
        is_present: |_| false,
    },
    // Ubuntu has no such package, but machines there usually have another browser of the family.
    Packages { names: &["chromium"], needed_for: &[], is_present: |_| has_browser() },
];

fn has_browser() -> bool {
    let named = env::var_os("CHROMIUM").map(PathBuf::from);
    let usual = ["chromium", "chromium-browser", "google-chrome"].map(|name| Path::new("/usr/bin").join(name));
    named.into_iter().chain(usual).any(|path| path.exists())
}

/// Installs what is missing and says so; prints one line when nothing is.
pub(crate) fn prepare(workspace: &Workspace, purpose: Purpose, consent: Consent) -> Result<()> {
    if cfg!(target_os = "linux") {
        install_system_packages(workspace, purpose, consent)?;
    }
    if purpose == Purpose::Test {
        install_rust_components(workspace)?;
        install_tools(workspace)?;
        if cfg!(target_os = "linux") {
            install_window_driver(workspace)?;
        }
    }
    if matches!(purpose, Purpose::Window | Purpose::Test) {
        install_frontend_packages(workspace)?;
    }
    println!("Everything needed is installed.");
    Ok(())
}

fn install_system_packages(workspace: &Workspace, purpose: Purpose, consent: Consent) -> Result<()> {
    let sh = &workspace.shell;
    let is_needed = |it: &&Packages| purpose == Purpose::Test || it.needed_for.contains(&purpose);
    let needed = PACKAGES.iter().filter(is_needed).filter(|it| !(it.is_present)(workspace));
    let names: Vec<&str> = needed.flat_map(|it| it.names).copied().collect();
    // It fails when a name is unknown, and lists the others.
    let format = "${Package} ${db:Status-Status}\n";
    let query = cmd!(sh, "dpkg-query --show --showformat {format}").args(&names).quiet().ignore_status();
    let missing = find_missing(&query.ignore_stderr().read().unwrap_or_default(), &names);
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !succeeds(cmd!(sh, "apt-get --version")) {
        println!("This system has no apt-get. It may lack what these Debian packages hold: {list}");
        return Ok(());
    }
    println!("Missing system packages: {list}");
    let is_root = cmd!(sh, "id -u").quiet().read().is_ok_and(|id| id == "0");
    if !is_root && !succeeds(cmd!(sh, "sudo --version")) {
        bail!("installing needs root: run `apt-get install {list}` as root, then this again");
    }
    if consent == Consent::Ask && !ask_for_consent()? {
        bail!("nothing was installed: run `sudo apt-get install {list}`, then this again");
    }
    let apt = |arguments: &[&str]| {
        let prefix: &[&str] = if is_root { &[] } else { &["sudo"] };
        let command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
        let words: Vec<&str> = prefix.iter().chain(&command).chain(arguments).copied().collect();
        run_with(sh.cmd(words[0]).args(&words[1..]), Stdio::inherit())
    };
    apt(&["update", "--quiet"])?;
    apt(&[&["install", "--quiet", "--yes", "--no-install-recommends"], missing.as_slice()].concat())
}

fn ask_for_consent() -> Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("nobody is at the terminal to agree: pass --yes to install them");
    }
    print!("Install them with apt-get now? [y/N] ");
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// The packages that a listing of names and states does not show as installed.
fn find_missing<'a>(listing: &str, names: &[&'a str]) -> Vec<&'a str> {
    let is_installed = |name: &str| listing.lines().any(|line| line == format!("{name} installed"));
    names.iter().copied().filter(|name| !is_installed(name)).collect()
}

fn install_rust_components(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.shell;
    if succeeds(cmd!(sh, "cargo fmt --version")) && succeeds(cmd!(sh, "cargo clippy --version")) {
        return Ok(());
    }
    if !succeeds(cmd!(sh, "rustup --version")) {
        bail!("rustfmt and clippy are missing: install them with the package that brought Rust (`rustfmt`, `clippy`)");
    }
    run(cmd!(sh, "rustup component add rustfmt clippy"))
}

fn install_tools(workspace: &Workspace) -> Result<()> {
    let (sh, folder) = (&workspace.shell, tools_folder(workspace));
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == TOOLS) {
        return Ok(());
    }
    println!("Installing the checks' programs into {}", folder.display());
    let python = if cfg!(windows) { "python" } else { "python3" };
    run(cmd!(sh, "{python} -m venv --clear {folder}"))?;
    let (python, requirements) = (tool_path(workspace, "python"), folder.join("requirements.txt"));
    sh.write_file(&requirements, TOOLS)?;
    let options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--require-hashes"];
    run(cmd!(sh, "{python} -m pip install {options...} --requirement {requirements}"))?;
    Ok(sh.write_file(&stamp, TOOLS)?)
}

/// The window tests talk to the window through it; no registry has it as a binary.
fn install_window_driver(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.shell;
    if tool_path(workspace, "tauri-driver").is_file() || succeeds(cmd!(sh, "tauri-driver --help")) {
        return Ok(());
    }
    let folder = tools_folder(workspace);
    let install = cmd!(sh, "cargo install tauri-driver --version 2.1.0 --locked --root {folder}");
    // It passes on a few hundred requests; optimizing it would take longer than it ever runs.
    run(install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"))
}

/// Installs the frontend's packages unless exactly those of the lock file are installed.
fn install_frontend_packages(workspace: &Workspace) -> Result<()> {
    let version = cmd!(workspace.shell, "node --version").quiet().ignore_stderr().read().unwrap_or_default();
    match parse_node_version(&version) {
        Some(release) if is_supported_node(release) => {}
        Some(_) => bail!("Node {version} is not supported: install {SUPPORTED_NODES}"),
        None => bail!("Node is missing: install {SUPPORTED_NODES}, with npm"),
    }
    let ui = workspace.root.join("ui");
    let lock_path = ui.join("package-lock.json");
    let lock = fs::read(&lock_path).with_context(|| format!("{} is missing", lock_path.display()))?;
    let stamp = ui.join("node_modules/.installed-from");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    // Install scripts stay off: no package of ours needs one, and they are how a bad package reaches the machine.
    run(workspace.npm().args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
    fs::write(&stamp, lock).with_context(|| stamp.display().to_string())
}

fn is_supported_node((major, minor): (u32, u32)) -> bool {
    let newest = OLDEST_NODES[OLDEST_NODES.len() - 1].0;
    major > newest || OLDEST_NODES.iter().any(|&(line, oldest)| major == line && minor >= oldest)
}

/// Major and minor number in what `node --version` prints.
fn parse_node_version(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// One of the checks' programs: the installed one, or else the machine's own.
pub(crate) fn find_tool<'a>(workspace: &'a Workspace, name: &str) -> Result<Cmd<'a>> {
    let installed = tool_path(workspace, name);
    if installed.is_file() {
        return Ok(workspace.shell.cmd(installed));
    }
    if !succeeds(workspace.shell.cmd(name).arg("--version")) {
        bail!("{name} is not installed: run `cargo xtask setup`");
    }
    Ok(workspace.shell.cmd(name))
}

fn tool_path(workspace: &Workspace, name: &str) -> PathBuf {
    let programs = if cfg!(windows) { "Scripts" } else { "bin" };
    tools_folder(workspace).join(programs).join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// Where the checks' programs are; those of `cargo install` in its `bin`.
pub(crate) fn tools_folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("tools")
}

#[cfg(test)]
mod tests {
    use super::{TOOLS, find_missing, is_supported_node, parse_node_version};

    #[test]
    fn only_a_package_that_is_installed_under_its_whole_name_is_not_missing() {
        let listing = "xvfb installed\nxdotool config-files\npython3-venv installed\n";
        assert_eq!(find_missing(listing, &["xvfb", "xdotool", "xauth", "python3"]), ["xdotool", "xauth", "python3"]);
    }

    #[test]
    fn every_tool_has_a_fixed_version_and_hashes() {
        let entries: Vec<&str> = TOOLS.lines().filter(|line| line.starts_with(char::is_alphabetic)).collect();
        assert!(entries.len() >= 4 && entries.iter().all(|entry| entry.contains("==")), "{entries:?}");
        let n_hashes = TOOLS.matches("--hash=sha256:").count();
        assert!(n_hashes >= 4 * entries.len(), "a hash for each of four platforms: {n_hashes}");
    }

    #[test]
    fn node_is_refused_where_the_frontends_tools_refuse_it() {
        assert_eq!(parse_node_version("v20.20.2\n"), Some((20, 20)));
        assert_eq!(["", "command not found"].map(parse_node_version), [None, None]);
        assert!([(20, 19), (22, 13), (24, 0), (25, 1)].into_iter().all(is_supported_node));
        assert!(![(18, 20), (20, 18), (21, 7), (22, 12), (23, 11)].into_iter().any(is_supported_node));
    }
}

//! System packages: which are missing, and their installation through apt.
//!
//! On other systems than Debian and Ubuntu nothing is installed; the packages are named, and the build goes on, because
//! their equivalents have other names and may be there.

use std::{
    env,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};

use crate::workspace::Workspace;

/// A group of packages with one purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Packages {
    /// A C compiler for the tokenizer's and the database's C parts.
    Build,
    /// Python, whose registry has the checking tools as binaries.
    Python,
    /// The web view that shows the window.
    Window,
    /// What watches the calls a program makes of the system.
    Trace,
    /// A display without a screen, and what drives a real window in it.
    WindowTest,
    /// The browser that the frontend is tried in. Ubuntu's packages hold none, but others bring one.
    Browser,
}

impl Packages {
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Build => &["build-essential", "pkg-config"],
            Self::Python => &["python3", "python3-venv"],
            Self::Window => &["libwebkit2gtk-4.1-dev"],
            Self::Trace => &["strace"],
            Self::WindowTest => {
                &["webkit2gtk-driver", "xvfb", "xdotool", "fonts-dejavu-core", "fonts-wqy-microhei", "iproute2"]
            }
            Self::Browser => &["chromium"],
        }
    }

    /// Whether what the group is for is there, whichever way it came.
    fn is_present(self, workspace: &Workspace) -> bool {
        let succeeds = |name: &str, arguments: &[&str]| workspace.program(name).arguments(arguments).succeeds();
        match self {
            Self::Build => succeeds("cc", &["--version"]) && succeeds("pkg-config", &["--version"]),
            Self::Python => succeeds("python3", &["-c", "import venv, ensurepip"]),
            Self::Window => succeeds("pkg-config", &["--exists", "webkit2gtk-4.1"]),
            Self::Browser => browser().is_some(),
            Self::Trace | Self::WindowTest => {
                missing(&installed_packages(workspace, self.names()), self.names()).is_empty()
            }
        }
    }
}

/// The browser of this machine, as the frontend's tests look for it.
fn browser() -> Option<PathBuf> {
    let named = env::var_os("CHROMIUM").map(PathBuf::from);
    let usual = ["chromium", "chromium-browser", "google-chrome"].map(|name| Path::new("/usr/bin").join(name));
    named.into_iter().chain(usual).find(|path| path.exists())
}

/// Whether packages may be installed without asking.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    /// The person at the terminal is asked.
    Ask,
    /// Given on the command line, or by CI.
    Given,
}

impl Consent {
    pub(crate) fn new(yes: bool) -> Self {
        if yes || is_ci() { Self::Given } else { Self::Ask }
    }
}

/// Whether this runs in CI.
pub(crate) fn is_ci() -> bool {
    env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// Installs the packages of these groups that are missing.
pub(crate) fn install(workspace: &Workspace, groups: &[Packages], consent: Consent) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let groups: Vec<Packages> = groups.iter().copied().filter(|group| !group.is_present(workspace)).collect();
    let wanted: Vec<&str> = groups.iter().flat_map(|group| group.names()).copied().collect();
    let missing = missing(&installed_packages(workspace, &wanted), &wanted);
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !workspace.program("apt-get").argument("--version").succeeds() {
        println!("This system has no apt-get. What these Debian packages hold may be missing: {list}");
        return Ok(());
    }
    println!("Missing system packages: {list}");
    let sudo = match privilege(workspace) {
        Privilege::Root => false,
        Privilege::Sudo => true,
        Privilege::None => bail!("installing needs root: run `apt-get install {list}` as root, then this again"),
    };
    if consent == Consent::Ask && !agreed()? {
        bail!("nothing was installed: run `sudo apt-get install {list}`, then this again");
    }
    let apt = |arguments: &[&str]| {
        let program = if sudo {
            workspace.program("sudo").arguments(&["DEBIAN_FRONTEND=noninteractive", "apt-get"])
        } else {
            workspace.program("apt-get").variable("DEBIAN_FRONTEND", "noninteractive")
        };
        program.arguments(arguments).interactive().run()
    };
    apt(&["update", "--quiet"])?;
    let mut arguments = vec!["install", "--quiet", "--yes", "--no-install-recommends"];
    arguments.extend(&missing);
    apt(&arguments)
}

enum Privilege {
    Root,
    Sudo,
    None,
}

fn privilege(workspace: &Workspace) -> Privilege {
    if workspace.program("id").argument("-u").output().trim() == "0" {
        Privilege::Root
    } else if workspace.program("sudo").argument("--version").succeeds() {
        Privilege::Sudo
    } else {
        Privilege::None
    }
}

fn agreed() -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody is at the terminal to agree: pass --yes to install them");
    }
    print!("Install them with apt-get now? [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// The installed ones among `names`, as dpkg lists them: a name and a status on each line.
fn installed_packages(workspace: &Workspace, names: &[&str]) -> String {
    let format = "${Package} ${db:Status-Status}\n";
    workspace.program("dpkg-query").arguments(&["--show", "--showformat", format]).arguments(names).output()
}

fn missing<'a>(listing: &str, names: &[&'a str]) -> Vec<&'a str> {
    let is_installed = |name: &str| listing.lines().any(|line| line == format!("{name} installed"));
    names.iter().copied().filter(|name| !is_installed(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn package_that_was_removed_or_never_known_is_missing() {
        let listing = "xvfb installed\nxdotool config-files\n";
        assert_eq!(missing(listing, &["xvfb", "xdotool", "xauth"]), ["xdotool", "xauth"]);
    }

    #[test]
    fn package_whose_name_begins_like_an_installed_one_is_missing() {
        assert_eq!(missing("python3-venv installed\n", &["python3"]), ["python3"]);
    }

    #[test]
    fn nothing_is_missing_when_all_are_installed() {
        assert!(missing("xvfb installed\n", &["xvfb"]).is_empty());
    }
}

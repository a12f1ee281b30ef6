//! What a fresh machine lacks, found and installed.

use anyhow::{Result, bail};

use crate::{
    system::{self, Consent, Packages},
    tools, ui,
    workspace::Workspace,
};

/// What the machine is prepared for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The command line and the engine.
    Terminal,
    /// The command line, the engine and the window.
    Window,
    /// The long fault and kill suites.
    Soak,
    /// All of it, and every check.
    Everything,
}

/// Installs what is missing and says so; prints one line when nothing is.
pub(crate) fn prepare(workspace: &Workspace, purpose: Purpose, consent: Consent) -> Result<()> {
    let groups: &[Packages] = match purpose {
        Purpose::Terminal => &[Packages::Build],
        Purpose::Window => &[Packages::Build, Packages::Window],
        Purpose::Soak => &[Packages::Build, Packages::Trace],
        Purpose::Everything => &[
            Packages::Build,
            Packages::Window,
            Packages::Python,
            Packages::Trace,
            Packages::WindowTest,
            Packages::Browser,
        ],
    };
    system::install(workspace, groups, consent)?;
    if purpose == Purpose::Everything {
        install_rust_components(workspace)?;
        tools::install(workspace)?;
        if cfg!(target_os = "linux") {
            tools::install_window_driver(workspace)?;
        }
    }
    if matches!(purpose, Purpose::Window | Purpose::Everything) {
        ui::install(workspace, &workspace.ui())?;
    }
    println!("Everything needed is installed.");
    Ok(())
}

fn install_rust_components(workspace: &Workspace) -> Result<()> {
    let has = |subcommand: &str| workspace.cargo(&[subcommand, "--version"]).succeeds();
    if has("fmt") && has("clippy") {
        return Ok(());
    }
    if !workspace.program("rustup").argument("--version").succeeds() {
        bail!("rustfmt and clippy are missing: install them with the package that brought Rust (`rustfmt`, `clippy`)");
    }
    workspace.program("rustup").arguments(&["component", "add", "rustfmt", "clippy"]).run()
}

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
    /// All of it, and every check.
    Everything,
}

/// Installs what is missing and says so; prints one line when nothing is.
pub(crate) fn prepare(workspace: &Workspace, purpose: Purpose, consent: Consent) -> Result<()> {
    let has_window = purpose != Purpose::Terminal && workspace.has_window();
    let mut groups = vec![Packages::Build];
    if has_window {
        groups.push(Packages::Window);
    }
    if purpose == Purpose::Everything {
        groups.push(Packages::Python);
        if has_window {
            groups.push(Packages::WindowTest);
        }
    }
    system::install(workspace, &groups, consent)?;
    if purpose == Purpose::Everything {
        install_rust_components(workspace)?;
        tools::install(workspace)?;
        if has_window && cfg!(target_os = "linux") {
            tools::install_window_driver(workspace)?;
        }
    }
    if purpose != Purpose::Terminal
        && let Some(folder) = workspace.ui()
    {
        ui::install(workspace, &folder)?;
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

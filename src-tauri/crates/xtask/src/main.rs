//! Everything a maintainer does by hand, in one command each: set up, run, test, generate.
//!
//! It starts other programs and prints their command lines; it holds no logic of the studio itself.
//! It deliberately depends on none of the workspace's crates, so that it starts in seconds on a fresh machine.
//! Start reading at [`check`], which lists every check, and at [`mod@setup`], which lists everything they need.
#![expect(clippy::print_stdout, reason = "a command line tool prints to standard output")]

mod bundle;
mod check;
mod demo;
mod engines;
mod report;
mod setup;
mod soak;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xshell::cmd;

use crate::{
    engines::Profile,
    setup::{Consent, Purpose},
    workspace::Workspace,
};

/// Set-up, first run, checks and generated code of Bagel Studio.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    /// Install what is missing without asking (implied by CI=true).
    #[arg(long, short, global = true)]
    yes: bool,
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what running and testing need: system packages, checking tools, packages of the window.
    Setup,
    /// Build the studio and run it: the window, or a demonstration in the terminal where there is no display.
    Run {
        /// Use the terminal even where a window could open.
        #[arg(long)]
        terminal: bool,
    },
    /// Run every check that CI runs, and end with a table of them.
    Test {
        /// Run only these checks, by the names in the table.
        #[arg(value_name = "CHECK")]
        only: Vec<String>,
    },
    /// Run the long forms of the fault and kill suites, and print their figures.
    Soak {
        /// Run only these suites.
        #[arg(value_name = "SUITE")]
        only: Vec<String>,
    },
    /// Make the packages that people install.
    Bundle {
        /// Use the quickly compiled programs of the tests instead of optimized ones.
        #[arg(long)]
        development: bool,
        /// Install the `.deb` into an empty Debian, start it there and make an image (needs root).
        #[arg(long)]
        verify: bool,
    },
    /// Write the files that are generated from the code, such as the window's types.
    Codegen,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match execute(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(arguments: &Arguments) -> anyhow::Result<()> {
    let workspace = Workspace::find()?;
    let consent = Consent::new(arguments.yes);
    match &arguments.command {
        Task::Setup => setup::prepare(&workspace, Purpose::Test, consent),
        Task::Run { terminal } => demo::start(&workspace, *terminal, consent),
        Task::Test { only } => check::run_checks(&workspace, only, consent),
        Task::Soak { only } => soak::run_suites(&workspace, only, consent),
        Task::Bundle { development, verify } => {
            let profile = if *development { Profile::Development } else { Profile::Release };
            let packages = bundle::make(&workspace, profile, consent)?;
            if *verify { bundle::verify(&workspace, &packages) } else { Ok(()) }
        }
        // Tests beside the types fail when the file is stale.
        Task::Codegen => {
            workspace::run(cmd!(workspace.shell, "cargo run --quiet --package protocol --example typescript"))
        }
    }
}

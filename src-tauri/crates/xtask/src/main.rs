//! Everything a maintainer does by hand, in one command each: set up, run, test, generate.
//!
//! It starts other programs and says what it starts; it holds no logic of the studio itself.
//! It deliberately depends on none of the workspace's crates, so that it starts in seconds on a fresh machine.
//! Start reading at [`test`], which lists every check, and at [`setup`], which lists everything they need.
#![expect(clippy::print_stdout, reason = "a command line tool speaks on standard output")]

mod bundle;
mod check;
mod codegen;
mod demo;
mod program;
mod setup;
mod soak;
mod steps;
mod system;
mod tools;
mod ui;
mod variants;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{bundle::Profile, setup::Purpose, system::Consent, workspace::Workspace};

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
    /// Build the studio and run it: the window, or the main job in the terminal where there is no display.
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
    match carry_out(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(arguments: &Arguments) -> anyhow::Result<()> {
    let workspace = Workspace::find()?;
    let consent = Consent::new(arguments.yes);
    match &arguments.command {
        Task::Setup => setup::prepare(&workspace, Purpose::Everything, consent),
        Task::Run { terminal } => demo::run(&workspace, *terminal, consent),
        Task::Test { only } => check::run(&workspace, only, consent),
        Task::Soak { only } => soak::run(&workspace, only, consent),
        Task::Bundle { development, verify } => {
            let profile = if *development { Profile::Development } else { Profile::Release };
            let packages = bundle::make(&workspace, profile, consent)?;
            if *verify { bundle::verify(&workspace, &packages) } else { Ok(()) }
        }
        Task::Codegen => codegen::write(&workspace),
    }
}

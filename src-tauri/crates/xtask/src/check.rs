//! Every check, in the order that finds mistakes soonest and compiles least.
//!
//! Lints come before the documentation, which reuses their artefacts, and the build before the tests and the window.

use anyhow::{Context, Result, bail};

use crate::{
    program::Program,
    setup::{self, Purpose},
    steps::{Done, Report},
    system::Consent,
    tools, ui,
    workspace::Workspace,
};

type Check = fn(&Workspace) -> Result<Done>;

const CHECKS: &[(&str, Check)] = &[
    ("format", format),
    ("spelling", spelling),
    ("dependencies", dependencies),
    ("unused", unused),
    ("ui-types", |workspace| ui_script(workspace, "check")),
    ("ui-lint", |workspace| ui_script(workspace, "lint")),
    ("ui-test", |workspace| ui_script(workspace, "test")),
    ("ui-build", |workspace| ui_script(workspace, "build")),
    ("browser", browser),
    ("lint", lint),
    ("documentation", documentation),
    ("test", test),
    ("examples", examples),
    ("window", window),
];

/// Runs the checks named, or all; an error when one fails.
pub(crate) fn run(workspace: &Workspace, only: &[String], consent: Consent) -> Result<()> {
    let names: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = only.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("there is no check `{unknown}`: choose from {}", names.join(", "));
    }
    let mut report = Report::default();
    report.step("setup", || setup::prepare(workspace, Purpose::Everything, consent).map(|()| Done::Passed));
    for (name, check) in CHECKS {
        if only.is_empty() || only.iter().any(|wanted| wanted == name) {
            report.step(name, || check(workspace));
        }
    }
    report.finish()
}

fn format(workspace: &Workspace) -> Result<Done> {
    passed(workspace.cargo(&["fmt", "--all", "--check"]))
}

fn spelling(workspace: &Workspace) -> Result<Done> {
    passed(tool(workspace, "typos")?)
}

/// Licenses, bans and sources. Known vulnerabilities need a database from elsewhere: the hosted workflow asks it.
fn dependencies(workspace: &Workspace) -> Result<Done> {
    let program = tool(workspace, "cargo-deny")?.arguments(&["--workspace", "--all-features", "check"]);
    passed(program.arguments(&["--hide-inclusion-graph", "bans", "licenses", "sources"]))
}

fn unused(workspace: &Workspace) -> Result<Done> {
    passed(tool(workspace, "cargo-shear")?)
}

fn ui_script(workspace: &Workspace, script: &str) -> Result<Done> {
    passed(ui::script(workspace, &workspace.ui(), script))
}

/// Every view in a real browser, on a pretended program.
fn browser(workspace: &Workspace) -> Result<Done> {
    if !cfg!(target_os = "linux") {
        return Ok(Done::Skipped("the browser's tests run on Linux only"));
    }
    ui_script(workspace, "browser")
}

fn lint(workspace: &Workspace) -> Result<Done> {
    passed(workspace.cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
}

fn documentation(workspace: &Workspace) -> Result<Done> {
    passed(workspace.cargo(&["doc", "--workspace", "--no-deps"]).variable("RUSTDOCFLAGS", "--deny warnings"))
}

fn test(workspace: &Workspace) -> Result<Done> {
    let Ok(nextest) = tool(workspace, "cargo-nextest") else {
        return passed(workspace.cargo(&["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"]));
    };
    passed(nextest.arguments(&["nextest", "run", "--workspace", "--no-fail-fast"]))
}

/// Examples in the documentation, which the test runner leaves out.
fn examples(workspace: &Workspace) -> Result<Done> {
    passed(workspace.cargo(&["test", "--workspace", "--doc", "--quiet"]))
}

/// The real window with the real engine behind it.
fn window(workspace: &Workspace) -> Result<Done> {
    if !cfg!(target_os = "linux") {
        return Ok(Done::Skipped("the window is driven on Linux only"));
    }
    // The targets of the tests, so that what they compiled is used and not compiled again with other features.
    workspace.cargo(&["build", "--workspace", "--bins", "--tests"]).run()?;
    let path = tools::path_variable(workspace)?;
    let drive = || {
        let script = ui::script(workspace, &workspace.ui(), "window").variable("PATH", &path);
        passed(
            script
                .variable("BAGEL_STUDIO", workspace.binary("bagel-studio"))
                .variable("BAGEL_ENGINE", workspace.binary("bagel"))
                .variable("BAGEL_JUDGE", workspace.binary("judge")),
        )
    };
    // Real time and a real window: what fails once may be the machine's doing, twice it is ours.
    drive().or_else(|error| {
        println!("the window's test failed and is tried once more: {error:#}");
        drive()
    })
}

fn tool(workspace: &Workspace, name: &str) -> Result<Program> {
    tools::find(workspace, name).with_context(|| format!("{name} is not installed: run `cargo xtask setup`"))
}

fn passed(program: Program) -> Result<Done> {
    program.run().map(|()| Done::Passed)
}

//! Every check, in the order that finds mistakes soonest and compiles least.
//!
//! Lints come before the documentation, which reuses their artifacts, and the build before the tests and the window.

use std::env;

use anyhow::{Result, bail};
use xshell::cmd;

use crate::{
    report::{Outcome, Report},
    setup::{self, Consent, Purpose, find_tool},
    workspace::{Workspace, run},
};

type Check = fn(&Workspace) -> Result<Outcome>;

const CHECKS: &[(&str, Check)] = &[
    ("format", |it| pass(run(cmd!(it.shell, "cargo fmt --all --check")))),
    ("spelling", |it| pass(run(find_tool(it, "typos")?))),
    ("dependencies", check_dependencies),
    ("unused", |it| pass(run(find_tool(it, "cargo-shear")?))),
    ("ui-types", |it| pass(run(it.npm().args(["run", "check"])))),
    ("ui-lint", |it| pass(run(it.npm().args(["run", "lint"])))),
    ("ui-test", |it| pass(run(it.npm().args(["run", "test"])))),
    ("ui-build", |it| pass(it.build_frontend())),
    ("browser", check_in_browser),
    ("lint", |it| pass(run(cmd!(it.shell, "cargo clippy --workspace --all-targets -- --deny warnings")))),
    ("documentation", check_documentation),
    ("test", run_tests),
    // Examples in the documentation, which the test runner leaves out.
    ("examples", |it| pass(run(cmd!(it.shell, "cargo test --workspace --doc --quiet")))),
    ("window", check_window),
];

/// Runs the checks named, or all; an error when one fails.
pub(crate) fn run_checks(workspace: &Workspace, only: &[String], consent: Consent) -> Result<()> {
    let names: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = only.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("there is no check `{unknown}`: choose from {}", names.join(", "));
    }
    let mut report = Report::default();
    report.step("setup", || pass(setup::prepare(workspace, Purpose::Test, consent)));
    for (name, check) in CHECKS {
        if only.is_empty() || only.iter().any(|chosen| chosen == name) {
            report.step(name, || check(workspace));
        }
    }
    report.finish()
}

/// Licenses, bans and sources. Known vulnerabilities need a database from elsewhere: the hosted workflow asks it.
fn check_dependencies(workspace: &Workspace) -> Result<Outcome> {
    let deny = find_tool(workspace, "cargo-deny")?.args(["--workspace", "--all-features", "check"]);
    pass(run(deny.args(["--hide-inclusion-graph", "bans", "licenses", "sources"])))
}

/// Every view in a real browser, with a fake program behind it.
fn check_in_browser(workspace: &Workspace) -> Result<Outcome> {
    if !cfg!(target_os = "linux") {
        return Ok(Outcome::Skipped("the browser's tests run on Linux only"));
    }
    pass(run(workspace.npm().args(["run", "browser"])))
}

fn check_documentation(workspace: &Workspace) -> Result<Outcome> {
    let sh = &workspace.shell;
    pass(run(cmd!(sh, "cargo doc --workspace --no-deps").env("RUSTDOCFLAGS", "--deny warnings")))
}

fn run_tests(workspace: &Workspace) -> Result<Outcome> {
    let sh = &workspace.shell;
    pass(run(match find_tool(workspace, "cargo-nextest") {
        Ok(nextest) => nextest.args(["nextest", "run", "--workspace", "--no-fail-fast"]),
        Err(_) => cmd!(sh, "cargo test --workspace --no-fail-fast --lib --bins --tests"),
    }))
}

/// The real window with the real engine behind it.
fn check_window(workspace: &Workspace) -> Result<Outcome> {
    if !cfg!(target_os = "linux") {
        return Ok(Outcome::Skipped("the window's tests run on Linux only"));
    }
    // The targets of the tests, so that what they compiled is used and not compiled again with other features.
    run(cmd!(workspace.shell, "cargo build --workspace --bins --tests"))?;
    let tools = setup::tools_folder(workspace).join("bin");
    let path = env::join_paths([tools].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())))?;
    let drive = workspace.npm().args(["run", "window"]).env("PATH", path);
    let drive = drive.env("BAGEL_STUDIO", workspace.binary("bagel-studio"));
    let drive = drive.env("BAGEL_ENGINE", workspace.binary("bagel"));
    pass(run(drive.env("BAGEL_JUDGE", workspace.binary("judge"))))
}

fn pass(ended: Result<()>) -> Result<Outcome> {
    ended.map(|()| Outcome::Passed)
}

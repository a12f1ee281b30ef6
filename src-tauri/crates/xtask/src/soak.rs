//! Runs the long forms of the fault and kill suites, which print figures.

use anyhow::Result;
use xshell::cmd;

use crate::{
    report::{Outcome, Report},
    setup::{self, Consent, Purpose},
    workspace::{Workspace, run},
};

/// Names of the suites, with cargo's arguments.
const SUITES: &[(&str, &[&str])] = &[
    ("library", &["test", "--quiet", "--package", "store", "--test", "soak", "--", "--long"]),
    ("models", &["test", "--quiet", "--package", "catalog", "--test", "soak", "--", "--long"]),
    ("work", &["test", "--package", "studio", "--test", "studio", "--", "--ignored", "--nocapture", "soak_"]),
];

/// Runs the named suites, or all of them.
pub(crate) fn run_suites(workspace: &Workspace, only: &[String], consent: Consent) -> Result<()> {
    setup::prepare(workspace, Purpose::Soak, consent)?;
    let sh = &workspace.shell;
    let mut report = Report::default();
    for (name, arguments) in SUITES {
        if only.is_empty() || only.iter().any(|chosen| chosen == name) {
            report.step(name, || {
                run(cmd!(sh, "cargo build --package cli"))?;
                run(sh.cmd("cargo").args(*arguments).env("BAGEL_ENGINE", workspace.binary("bagel")))?;
                Ok(Outcome::Passed)
            });
        }
    }
    report.finish()
}

//! The long forms of the fault and kill suites, and the figures they print.

use anyhow::Result;
use xshell::cmd;

use crate::{
    report::{Outcome, Report},
    setup::{self, Consent, Purpose},
    workspace::{Workspace, run},
};

/// Each suite's name, and how cargo runs it.
const SUITES: &[(&str, &[&str])] = &[
    ("library", &["run", "--quiet", "--package", "store", "--bin", "store-soak", "--", "all"]),
    ("models", &["run", "--quiet", "--package", "catalog", "--bin", "catalog-soak", "--", "all"]),
    ("work", &["test", "--package", "studio", "--test", "studio", "--", "--ignored", "--nocapture", "soak_"]),
];

/// Runs the suites named, or all.
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

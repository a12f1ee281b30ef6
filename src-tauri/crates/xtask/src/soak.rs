//! The long forms of the fault and kill suites, and the figures they print.

use anyhow::Result;

use crate::{
    setup::{self, Purpose},
    steps::{Done, Report},
    system::Consent,
    workspace::Workspace,
};

/// Each suite's name, package and program.
const SUITES: &[(&str, &str, &str)] = &[("library", "store", "store-soak"), ("models", "catalog", "catalog-soak")];

/// Runs the suites named, or all.
pub(crate) fn run(workspace: &Workspace, only: &[String], consent: Consent) -> Result<()> {
    setup::prepare(workspace, Purpose::Terminal, consent)?;
    let mut report = Report::default();
    for (name, package, program) in SUITES {
        if only.is_empty() || only.iter().any(|wanted| wanted == name) {
            report.step(name, || {
                workspace.cargo(&["run", "--quiet", "--package", package, "--bin", program, "--", "all"]).run()?;
                Ok(Done::Passed)
            });
        }
    }
    report.finish()
}

//! The long forms of the fault and kill suites, and the figures they print.

use anyhow::Result;

use crate::{
    setup::{self, Purpose},
    steps::{Done, Report},
    system::Consent,
    workspace::Workspace,
};

/// Each suite's name, and how cargo runs it.
const SUITES: &[(&str, &[&str])] = &[
    ("library", &["run", "--quiet", "--package", "store", "--bin", "store-soak", "--", "all"]),
    ("models", &["run", "--quiet", "--package", "catalog", "--bin", "catalog-soak", "--", "all"]),
    ("work", &["test", "--package", "studio", "--test", "studio", "--", "--ignored", "--nocapture", "soak_"]),
];

/// Runs the suites named, or all.
pub(crate) fn run(workspace: &Workspace, only: &[String], consent: Consent) -> Result<()> {
    setup::prepare(workspace, Purpose::Soak, consent)?;
    let mut report = Report::default();
    for (name, arguments) in SUITES {
        if only.is_empty() || only.iter().any(|wanted| wanted == name) {
            report.step(name, || {
                workspace.cargo(&["build", "--package", "cli"]).run()?;
                workspace.cargo(arguments).variable("BAGEL_ENGINE", workspace.binary("bagel")).run()?;
                Ok(Done::Passed)
            });
        }
    }
    report.finish()
}

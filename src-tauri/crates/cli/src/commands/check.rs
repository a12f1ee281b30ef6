//! Compares this engine's numbers with the reference's.

use std::ops::ControlFlow;
use std::path::PathBuf;

use bagel::{LoadOptions, Precision};
use bagel_dev::check::Comparison;
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::arguments::ReportOptions;
use crate::display::{print_json, print_line};
use crate::{Error, Result, interrupt};

/// Options of `bagel check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// A folder with model/, images/ and cases/ of the reference
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The device that computes: cpu, cuda:0, metal:0
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: String,
    /// The number type of activations [default: the device's best]
    #[arg(long, value_name = "TYPE")]
    precision: Option<PrecisionName>,
    #[command(flatten)]
    pub(crate) report: ReportOptions,
}

/// Names of the number types.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "lower")]
enum PrecisionName {
    /// 32 bits
    F32,
    /// 16 bits with the range of 32
    Bf16,
    /// 16 bits
    F16,
}

impl From<PrecisionName> for Precision {
    fn from(name: PrecisionName) -> Self {
        match name {
            PrecisionName::F32 => Self::F32,
            PrecisionName::Bf16 => Self::BF16,
            PrecisionName::F16 => Self::F16,
        }
    }
}

/// Runs the command, which fails if a value is out of tolerance.
pub(crate) fn run(options: &CheckArgs) -> Result<()> {
    for part in ["model", "images", "cases"] {
        let part = options.folder.join(part);
        if !part.is_dir() {
            let shown = part.display();
            return Err(Error::BadInput(format!("{shown}: no such folder; give a folder of golden cases")));
        }
    }
    let load = LoadOptions {
        device: options.device.parse()?,
        precision: options.precision.map(Into::into),
        ..LoadOptions::default()
    };
    let read = |path: &std::path::Path| imagefile::read(path).map(|read| read.image).map_err(|it| it.to_string());
    let mut tally = Tally { json: options.report.json, n_passed: 0, n_failed: 0, print_error: None };
    let observe = |_: bagel::EngineProgress<'_>| match interrupt::requested() {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    bagel_dev::check(&options.folder, &load, &read, &mut |outcome| tally.add(outcome), &mut { observe })?;
    tally.close()
}

/// Counts and prints.
struct Tally {
    json: bool,
    n_passed: usize,
    n_failed: usize,
    print_error: Option<Error>,
}

/// One comparison, for programs.
#[derive(Serialize)]
#[serde(tag = "kind", rename = "compared")]
struct Compared<'a> {
    name: &'a str,
    error: f64,
    tolerance: f64,
    passed: bool,
    detail: Option<&'a str>,
}

impl Tally {
    fn add(&mut self, outcome: &Comparison) {
        let passed = outcome.is_passed();
        if passed {
            self.n_passed += 1;
        } else {
            self.n_failed += 1;
        }
        let Comparison { name, error, tolerance, detail } = outcome;
        let printed = if self.json {
            print_json(&Compared { name, error: *error, tolerance: *tolerance, passed, detail: detail.as_deref() })
        } else {
            let verdict = if passed { "ok    " } else { "FAILED" };
            let detail = detail.as_ref().map(|detail| format!("  {detail}")).unwrap_or_default();
            print_line(&format!("{verdict} {error:>9.2e} (to {tolerance:.0e})  {name}{detail}"))
        };
        if let Err(error) = printed {
            self.print_error.get_or_insert(error);
        }
    }

    fn close(self) -> Result<()> {
        if let Some(error) = self.print_error {
            return Err(error);
        }
        let Self { json, n_passed, n_failed, .. } = self;
        let line = format!("{n_passed} passed, {n_failed} failed");
        if json {
            print_json(&serde_json::json!({ "kind": "checked", "passed": n_passed, "failed": n_failed }))?;
        } else {
            print_line(&line)?;
        }
        if n_failed == 0 { Ok(()) } else { Err(Error::Differs(format!("{n_failed} values are out of tolerance"))) }
    }
}

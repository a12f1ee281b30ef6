//! This engine's numbers beside the reference's.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::ReportOptions;
use crate::{Error, Result};

/// Options of `bagel check`.
#[derive(Debug, Args)]
pub struct Options {
    /// A folder with model/, images/ and cases/ of the reference
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Where to compute: cpu, cuda:0, metal:0 [default: cpu]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    #[command(flatten)]
    pub(crate) report: ReportOptions,
}

/// Carries out the command.
pub(crate) fn run(_options: &Options) -> Result<()> {
    Err(Error::Internal("check is missing".to_owned()))
}

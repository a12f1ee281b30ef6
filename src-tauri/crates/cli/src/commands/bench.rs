//! Time and memory of each stage.

use clap::Args;

use crate::arguments::{ModelOptions, ReportOptions};
use crate::{Error, Result};

/// Options of `bagel bench`.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    pub(crate) report: ReportOptions,
}

/// Carries out the command.
pub(crate) fn run(_options: &Options) -> Result<()> {
    Err(Error::Internal("bench is missing".to_owned()))
}

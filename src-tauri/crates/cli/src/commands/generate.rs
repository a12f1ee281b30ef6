//! An image from words.

use clap::Args;
use protocol::Kind;

use super::paint::{PaintOptions, paint};
use crate::Result;
use crate::arguments::{Prompts, ReportOptions};

/// Options of `bagel generate`.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    prompts: Prompts,
    #[command(flatten)]
    paint: PaintOptions,
}

impl Options {
    /// How it reports.
    pub(crate) fn report(&self) -> ReportOptions {
        self.paint.report
    }
}

/// Carries out the command.
pub(crate) fn run(options: &Options) -> Result<()> {
    paint(Kind::Generate, options.prompts.inputs(), &options.paint)
}

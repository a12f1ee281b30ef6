//! An image from images and an prompt.

use clap::Args;
use protocol::Kind;

use super::paint::{PaintOptions, paint};
use crate::Result;
use crate::arguments::{Items, ReportOptions};

/// Options of `bagel edit`.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    items: Items,
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
    paint(Kind::Edit, options.items.inputs().to_vec(), &options.paint)
}

//! An edit of an image by prompt.

use clap::Args;
use protocol::Kind;

use super::image_request::{ImageArgs, run_image_request};
use crate::Result;
use crate::arguments::{Items, ReportOptions};

/// Options of `bagel edit`.
#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    #[command(flatten)]
    items: Items,
    #[command(flatten)]
    image: ImageArgs,
}

impl EditArgs {
    /// How the command reports.
    pub(crate) fn report(&self) -> ReportOptions {
        self.image.report
    }
}

/// Runs the command.
pub(crate) fn run(options: &EditArgs) -> Result<()> {
    run_image_request(Kind::Edit, options.items.inputs().to_vec(), &options.image)
}

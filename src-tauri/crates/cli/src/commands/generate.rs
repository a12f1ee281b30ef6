//! An image from text.

use clap::Args;
use protocol::Kind;

use super::image_request::{ImageArgs, run_image_request};
use crate::Result;
use crate::arguments::{Prompts, ReportOptions};

/// Options of `bagel generate`.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    prompts: Prompts,
    #[command(flatten)]
    image: ImageArgs,
}

impl GenerateArgs {
    /// How the command reports.
    pub(crate) fn report(&self) -> ReportOptions {
        self.image.report
    }
}

/// Runs the command.
pub(crate) fn run(options: &GenerateArgs) -> Result<()> {
    run_image_request(Kind::Generate, options.prompts.inputs(), &options.image)
}

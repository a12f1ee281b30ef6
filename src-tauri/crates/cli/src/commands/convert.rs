//! A model as one quantised file.

use std::path::PathBuf;

use checkpoint::Quantization;
use clap::Args;

use crate::arguments::{ReportOptions, quantization_parser};
use crate::output::check_place;
use crate::{Error, Result};

/// Options of `bagel convert`.
#[derive(Debug, Args)]
pub struct Options {
    /// The model to read: an official folder, a safetensors file or a GGUF
    #[arg(value_name = "SRC")]
    source: PathBuf,
    /// The file to write
    #[arg(value_name = "DEST.gguf")]
    destination: PathBuf,
    /// How the weights are stored
    #[arg(long, value_name = "KIND", value_parser = quantization_parser())]
    quant: Quantization,
    /// Another kind for the expert that paints, which decides the picture's quality
    #[arg(long, value_name = "KIND", value_parser = quantization_parser(), hide_possible_values = true)]
    generation: Option<Quantization>,
    /// A model that supplies what the first one lacks
    #[arg(long, value_name = "PATH")]
    base: Option<PathBuf>,
    /// Replace a file that exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    pub(crate) report: ReportOptions,
}

/// Carries out the command.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.destination.extension().is_none_or(|extension| extension != "gguf") {
        let shown = options.destination.display();
        return Err(Error::Usage(format!("{shown}: end the name with .gguf")));
    }
    check_place(&options.destination, options.force)?;
    Err(Error::Internal("convert is missing".to_owned()))
}

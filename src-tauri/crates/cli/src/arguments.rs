//! Groups of options that several commands share.

mod image;
mod inputs;
mod model;
mod text;
mod value;

use clap::Args;

pub use image::{ImageOptions, OutputOptions, RecipeOptions};
pub use inputs::{Items, Prompts};
pub use model::ModelOptions;
pub(crate) use model::load_options;
pub use text::{TextOptions, ThinkingOptions};
pub(crate) use value::{parse_size, parse_whole, quantization_parser};

/// How a command reports its results.
#[derive(Clone, Copy, Debug, Args)]
pub struct ReportOptions {
    /// Print events as JSON on stdout, one per line
    #[arg(long)]
    pub json: bool,
}

//! Which model, and on what.

use std::path::PathBuf;

use clap::Args;

/// Options of every command that loads a model.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Model")]
pub struct ModelOptions {
    /// The model: an official folder, a safetensors file or a GGUF [default: $BAGEL_MODEL, else the pocket model]
    #[arg(long, value_name = "PATH")]
    pub model: Option<PathBuf>,
    /// A model that supplies what the first one lacks
    #[arg(long, value_name = "PATH")]
    pub base: Option<PathBuf>,
    /// Where to compute: cpu, cuda:0, metal:0 [default: the best one there is]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
}

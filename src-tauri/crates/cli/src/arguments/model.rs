//! Which model, and on what.

use std::env;
use std::path::PathBuf;

use bagel::LoadOptions;
use clap::Args;

use super::value::parse_bytes;
use crate::{Error, Result};

/// Says for all commands of a session how much memory they may take.
const LIMIT_VARIABLE: &str = "BAGEL_MEMORY_LIMIT";

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
    /// Most memory to take, such as 12GB; what needs more is refused [default: $BAGEL_MEMORY_LIMIT, else what is free]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub memory_limit: Option<u64>,
}

impl ModelOptions {
    /// Where the model is to be loaded and what it may take.
    pub fn load_options(&self) -> Result<LoadOptions> {
        load_options(self.device.as_deref(), self.memory_limit)
    }
}

/// The same from a device's name and a limit, or that of the session.
pub(crate) fn load_options(device: Option<&str>, memory_limit: Option<u64>) -> Result<LoadOptions> {
    let device = device.map_or(Ok(Default::default()), str::parse)?;
    let memory_limit_bytes = match memory_limit {
        Some(bytes) => Some(bytes),
        None => session_limit()?,
    };
    Ok(LoadOptions { device, memory_limit_bytes, ..LoadOptions::default() })
}

fn session_limit() -> Result<Option<u64>> {
    let Some(text) = env::var_os(LIMIT_VARIABLE).filter(|text| !text.is_empty()) else { return Ok(None) };
    let text = text.to_string_lossy();
    let bytes = parse_bytes(&text).map_err(|reason| Error::Usage(format!("{LIMIT_VARIABLE}={text}: {reason}")))?;
    Ok(Some(bytes))
}

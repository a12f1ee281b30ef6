//! The model and its device.

use std::env;
use std::ffi::OsString;

use bagel::LoadOptions;
use clap::Args;

use super::value::parse_bytes;
use crate::{Error, Result};

/// Limits the memory of all commands of a session.
const LIMIT_VARIABLE: &str = "BAGEL_MEMORY_LIMIT";

/// Options of every command that loads a model.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Model")]
pub struct ModelOptions {
    /// A folder, a safetensors file, a GGUF, or an id of `bagel models list`, such as bagel-7b-mot:q4_k_m [default:
    /// $BAGEL_MODEL, else pocket]
    #[arg(long, value_name = "MODEL")]
    pub model: Option<OsString>,
    /// A model that supplies missing files
    #[arg(long, value_name = "MODEL")]
    pub base: Option<OsString>,
    /// The device that computes: cpu, cuda:0, metal:0 [default: the best available]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Memory limit, such as 12GB; larger requests are refused [default: $BAGEL_MEMORY_LIMIT, else free memory]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub memory_limit: Option<u64>,
}

impl ModelOptions {
    /// How to load the model.
    pub fn load_options(&self) -> Result<LoadOptions> {
        load_options(self.device.as_deref(), self.memory_limit)
    }
}

/// Options from a device's name and a limit, which defaults to that of the session.
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

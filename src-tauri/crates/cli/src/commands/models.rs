//! The models of this machine: list, download, import, remove.

mod download;
mod list;
mod token;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use catalog::{Catalog, ImportMode, RemovalTarget};
use checkpoint::Quantization;
use clap::{Args, Subcommand};
use protocol::ModelId;
use serde::Serialize;

use crate::arguments::quantization_parser;
use crate::display::{Bar, print_json, print_line};
use crate::{Result, interrupt, locate};

/// Options of `bagel models`.
#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    /// The command to run.
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    place: PlaceOptions,
    #[command(flatten)]
    pub(crate) report: Reporting,
}

/// The folder of the models.
#[derive(Debug, Args)]
struct PlaceOptions {
    /// The folder of the models [default: models in the studio's data folder]
    #[arg(long, value_name = "FOLDER", global = true)]
    folder: Option<PathBuf>,
    /// Your own models.toml [default: the one in the studio's data folder]
    #[arg(long, value_name = "FILE", global = true)]
    catalog: Option<PathBuf>,
}

/// How all of these commands report.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Reporting {
    /// Print events as JSON on stdout, one per line
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
enum Command {
    /// List all models, what is installed of them, and whether they fit this machine
    List,
    /// Download a model's published files, resuming where a download stopped, and verify them
    Download(download::DownloadArgs),
    /// Store a publisher's access token, read from stdin, in the system's keyring
    Token(token::TokenArgs),
    /// Import a model from disk: a folder, a safetensors file or a GGUF
    Import {
        /// The model
        #[arg(value_name = "PATH")]
        path: PathBuf,
        /// Copy its files instead of linking to them
        #[arg(long)]
        copy: bool,
    },
    /// Remove a model or a part of it; linked files stay where they are
    Remove {
        /// The model's id, as `bagel models list` shows it
        #[arg(value_name = "MODEL")]
        id: String,
        /// Remove only its published files, which its converted forms do not need
        #[arg(long, conflicts_with = "form")]
        source: bool,
        /// Remove only this converted form
        #[arg(long, value_name = "KIND", value_parser = quantization_parser(), hide_possible_values = true)]
        form: Option<Quantization>,
    },
}

/// The result, as JSON.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Done<'a> {
    Imported { id: &'a ModelId },
    Removed { id: &'a ModelId, freed_bytes: u64 },
}

/// Runs the command.
pub(crate) fn run(options: &ModelsArgs) -> Result<()> {
    let catalog = locate::open_catalog(options.place.folder.as_deref(), options.place.catalog.as_deref())?;
    let json = options.report.json;
    match &options.command {
        Command::List => list::run(&catalog, json),
        Command::Download(which) => download::run(&catalog, which, json),
        Command::Token(which) => token::run(which, json),
        Command::Import { path, copy } => import(&catalog, path, *copy, json),
        Command::Remove { id, source, form } => {
            let what = match (source, form) {
                (true, _) => RemovalTarget::Source,
                (false, Some(form)) => RemovalTarget::Form(form.name().to_owned()),
                (false, None) => RemovalTarget::All,
            };
            remove(&catalog, &ModelId(id.clone()), &what, json)
        }
    }
}

fn import(catalog: &Catalog, path: &std::path::Path, copy: bool, json: bool) -> Result<()> {
    let how = if copy { ImportMode::Copy } else { ImportMode::Link };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut bar = Bar::new(json);
    let id =
        catalog.import(path, how, i64::try_from(now.as_millis()).unwrap_or(i64::MAX), &mut |bytes, total_bytes| {
            bar.show("copying", bytes, total_bytes);
            if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
    bar.finish();
    if json { print_json(&Done::Imported { id: &id }) } else { print_line(&format!("{id} is installed")) }
}

fn remove(catalog: &Catalog, id: &ModelId, what: &RemovalTarget, json: bool) -> Result<()> {
    let freed_bytes = catalog.remove(id, what)?;
    if json {
        return print_json(&Done::Removed { id, freed_bytes });
    }
    print_line(&format!("removed; {} freed", amount(freed_bytes)))
}

fn amount(bytes: u64) -> String {
    let bytes = bytes as f64;
    if bytes < 1e9 { format!("{:.1} MB", bytes / 1e6) } else { format!("{:.2} GB", bytes / 1e9) }
}

//! Downloads a model and converts it to a requested quantization.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use catalog::{Catalog, DownloadOptions, DownloadProgress, DownloadStage, InstallPlan, Token, host_of};
use checkpoint::Quantization;
use clap::Args;
use protocol::ModelId;
use serde::Serialize;

use super::amount;
use crate::arguments::quantization_parser;
use crate::commands::convert;
use crate::display::{Bar, print_json, print_line};
use crate::{Error, Result, interrupt};

/// Time between two JSON lines of progress.
const REPORT: Duration = Duration::from_secs(1);

/// Options of `bagel models download`.
#[derive(Debug, Args)]
pub(crate) struct DownloadArgs {
    /// The model's id, as `bagel models list` shows it
    #[arg(value_name = "MODEL")]
    id: String,
    /// Download from this mirror instead of the publisher, such as https://example.org
    #[arg(long, value_name = "ADDRESS")]
    mirror: Option<String>,
    /// Then convert it to this quantization
    #[arg(long, value_name = "KIND", value_parser = quantization_parser(), hide_possible_values = true)]
    quant: Option<Quantization>,
    /// Remove the published files after the conversion
    #[arg(long, requires = "quant")]
    remove_source: bool,
}

/// Progress and results, as JSON.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Note<'a> {
    Downloading { stage: &'static str, file: &'a str, bytes: u64, total_bytes: u64, bytes_per_sec: Option<f64> },
    Downloaded { id: &'a ModelId },
    Installed { id: &'a ModelId, quantization: &'static str, freed_bytes: u64 },
}

/// Runs the command.
pub(super) fn run(catalog: &Catalog, options: &DownloadArgs, json: bool) -> Result<()> {
    let id = ModelId(options.id.clone());
    let quantization = options.quant.filter(|quant| *quant != Quantization::Bf16);
    if let Some(quant) = quantization {
        let plan = InstallPlan { quantization: quant.name().to_owned(), removes_source: options.remove_source };
        catalog.begin_install(&id, plan)?;
    }
    fetch(catalog, &id, options, json)?;
    let Some(quant) = quantization else {
        return if json {
            print_json(&Note::Downloaded { id: &id })
        } else {
            print_line(&format!("{id} is installed"))
        };
    };
    let paths = catalog.conversion(&id, quant.name())?;
    convert::carry_out(&paths.source, paths.base.as_deref(), &paths.target, quant, json)?;
    catalog.register(&id, quant.name())?;
    let freed_bytes = catalog.finish_install(&id)?;
    if json {
        return print_json(&Note::Installed { id: &id, quantization: quant.name(), freed_bytes });
    }
    let freed = if freed_bytes > 0 { format!("; {} freed", amount(freed_bytes)) } else { String::new() };
    print_line(&format!("{id} is installed as {quant}{freed}"))
}

fn fetch(catalog: &Catalog, id: &ModelId, options: &DownloadArgs, json: bool) -> Result<()> {
    let host = host_of(options.mirror.as_deref())?;
    // Most models need no token, so a machine without a keyring can download them.
    let token = Token::read(&host).unwrap_or_else(|error| {
        tracing::debug!(%error, "no token");
        None
    });
    let how = DownloadOptions { mirror: options.mirror.clone(), token, ..DownloadOptions::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Internal(error.to_string()))?;
    let mut bar = Bar::new(json);
    let mut last_report: Option<Instant> = None;
    let download = catalog.download(id, &how, |progress| {
        if json && last_report.is_none_or(|then| then.elapsed() >= REPORT) {
            last_report = Some(Instant::now());
            drop(print_json(&note(&progress)));
        }
        bar.show(stage(&progress), progress.bytes, progress.total_bytes);
        if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let result = runtime.block_on(download);
    bar.finish();
    Ok(result?)
}

fn note(progress: &DownloadProgress) -> Note<'_> {
    Note::Downloading {
        stage: stage(progress),
        file: &progress.file,
        bytes: progress.bytes,
        total_bytes: progress.total_bytes,
        bytes_per_sec: progress.bytes_per_sec,
    }
}

fn stage(progress: &DownloadProgress) -> &'static str {
    match progress.stage {
        DownloadStage::Downloading => "downloading",
        DownloadStage::Waiting => "waiting",
        DownloadStage::Checking => "checking",
    }
}

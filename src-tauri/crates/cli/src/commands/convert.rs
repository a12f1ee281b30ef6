//! A model as one quantized file.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bagel::{ConvertOptions, ConvertReport, EngineProgress};
use checkpoint::{Checkpoint, Quantization};
use clap::Args;
use protocol::{Event, JobId};
use serde::Serialize;

use crate::arguments::{ReportOptions, quantization_parser};
use crate::display::{Display, Streaming, print_json, print_line};
use crate::host::{Listener, plain};
use crate::locate::find;
use crate::output::check_place;
use crate::{Error, Result};

/// Options of `bagel convert`.
#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// The model to read: a folder, a safetensors file, a GGUF, or an id of `bagel models list`
    #[arg(value_name = "MODEL")]
    source: OsString,
    /// The file to write
    #[arg(value_name = "DEST.gguf")]
    destination: PathBuf,
    /// How the weights are stored
    #[arg(long, value_name = "KIND", value_parser = quantization_parser())]
    quant: Quantization,
    /// Another kind for the expert that paints, which decides the image's quality
    #[arg(long, value_name = "KIND", value_parser = quantization_parser(), hide_possible_values = true)]
    generation: Option<Quantization>,
    /// A model that supplies missing files
    #[arg(long, value_name = "MODEL")]
    base: Option<OsString>,
    /// Replace a file that exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    pub(crate) report: ReportOptions,
}

/// Carries out the command.
pub(crate) fn run(options: &ConvertArgs) -> Result<()> {
    let destination = options.destination.as_path();
    if destination.extension().is_none_or(|extension| extension != "gguf") {
        return Err(Error::Usage(format!("{}: end the name with .gguf", destination.display())));
    }
    check_place(destination, options.force)?;
    let source = find(&options.source, options.base.as_deref())?;
    let checkpoint = Checkpoint::open(&source.path, source.base.as_deref())?;
    // Mapped bytes must not be replaced while they are read.
    if is_same_file(&source.path, destination) {
        let shown = destination.display();
        return Err(Error::BadInput(format!("{shown}: is the model that is read; choose another name")));
    }

    let begun = Instant::now();
    let mut display = Display::new(options.report.json, Streaming::Answers);
    let kinds =
        ConvertOptions { understanding: options.quant, generation: options.generation.unwrap_or(options.quant) };
    let conversion = bagel::convert(&checkpoint, destination, kinds, &mut |progress| observe(&mut display, progress))?;
    display.finish();
    tell(options, &conversion, begun.elapsed().as_secs_f64())
}

/// Converts to one kind throughout, without a word of its own but the progress; replaces what is there.
pub(super) fn carry_out(
    source: &Path,
    base: Option<&Path>,
    destination: &Path,
    quant: Quantization,
    json: bool,
) -> Result<()> {
    let checkpoint = Checkpoint::open(source, base)?;
    let mut display = Display::new(json, Streaming::Answers);
    let kinds = ConvertOptions { understanding: quant, generation: quant };
    bagel::convert(&checkpoint, destination, kinds, &mut |progress| observe(&mut display, progress))?;
    display.finish();
    Ok(())
}

fn observe(display: &mut Display, progress: EngineProgress<'_>) -> ControlFlow<()> {
    display.keep_going()?;
    if let EngineProgress::Loading { bytes, total_bytes } = progress {
        display.hear(plain(Event::Loading { id: JobId::new(), bytes, total_bytes }));
    }
    ControlFlow::Continue(())
}

fn is_same_file(source: &Path, destination: &Path) -> bool {
    match (source.canonicalize(), destination.canonicalize()) {
        (Ok(source), Ok(destination)) => source == destination,
        _ => false,
    }
}

/// The result, for programs.
#[derive(Serialize)]
#[serde(tag = "kind", rename = "converted")]
struct Converted<'a> {
    path: &'a Path,
    bytes: u64,
    secs: f64,
    fallbacks: Vec<Fallback<'a>>,
}

/// A tensor whose rows the kind could not hold.
#[derive(Serialize)]
struct Fallback<'a> {
    name: &'a str,
    asked: &'static str,
    used: &'static str,
}

fn tell(options: &ConvertArgs, conversion: &ConvertReport, secs: f64) -> Result<()> {
    let fallbacks: Vec<Fallback<'_>> = conversion
        .fallbacks
        .iter()
        .map(|(name, asked, used)| Fallback { name, asked: asked.name(), used: used.name() })
        .collect();
    let path = options.destination.as_path();
    if options.report.json {
        return print_json(&Converted { path, bytes: conversion.file_bytes, secs, fallbacks });
    }
    let megabytes = conversion.file_bytes as f64 / 1e6;
    print_line(&format!("saved {}: {megabytes:.1} MB, {secs:.1} s", path.display()))?;
    for ((asked, used), n_tensors) in count(&fallbacks) {
        print_line(&format!("{n_tensors} tensors have rows that {asked} cannot hold and are {used}"))?;
    }
    Ok(())
}

fn count(fallbacks: &[Fallback<'_>]) -> std::collections::BTreeMap<(&'static str, &'static str), usize> {
    let mut counts = std::collections::BTreeMap::new();
    for fallback in fallbacks {
        *counts.entry((fallback.asked, fallback.used)).or_default() += 1;
    }
    counts
}

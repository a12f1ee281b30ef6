//! Time and memory of each stage.

use std::ops::ControlFlow;

use bagel_dev::SyntheticSize;
use bagel_dev::bench::{BenchModel, BenchOptions, BenchReport, StageTimes, bench};
use checkpoint::{Checkpoint, Quantization};
use clap::{Args, ValueEnum};
use protocol::Size;
use serde_json::json;

use crate::arguments::{ModelOptions, ReportOptions, parse_size, quantization_parser};
use crate::display::{print_json, print_line};
use crate::locate::find_model;
use crate::{Result, interrupt};

/// Options of `bagel bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    model: ModelOptions,
    /// Time random weights of this size instead of a model
    #[arg(long, value_name = "SIZE", conflicts_with_all = ["model", "base"])]
    synthetic: Option<SyntheticName>,
    /// Quantization of the random weights
    #[arg(long, value_name = "KIND", default_value = "q4_k_m", value_parser = quantization_parser(), requires = "synthetic")]
    quant: Quantization,
    /// Load only this many layers of random weights and extrapolate to all
    #[arg(long, value_name = "N", requires = "synthetic")]
    layers: Option<usize>,
    /// Size of the image that is edited
    #[arg(long, value_name = "WxH", default_value = "512x512", value_parser = parse_size)]
    size: Size,
    /// Timed runs of each stage, after one to warm up
    #[arg(long, value_name = "N", default_value_t = 3)]
    runs: usize,
    #[command(flatten)]
    pub(crate) report: ReportOptions,
}

/// Names of the sizes.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "lower")]
pub(crate) enum SyntheticName {
    /// The full model's 14.6 billion parameters
    Official,
    /// About 1 billion parameters
    Medium,
    /// About 10 million parameters
    Small,
}

impl From<SyntheticName> for SyntheticSize {
    fn from(name: SyntheticName) -> Self {
        match name {
            SyntheticName::Official => Self::Official,
            SyntheticName::Medium => Self::Medium,
            SyntheticName::Small => Self::Small,
        }
    }
}

/// Runs the command.
pub(crate) fn run(options: &BenchArgs) -> Result<()> {
    let load = options.model.load_options()?;
    let checkpoint;
    let model = match options.synthetic {
        Some(size) => BenchModel::Synthetic { size: size.into(), quantization: options.quant, layers: options.layers },
        None => {
            let found = find_model(&options.model)?;
            checkpoint = Checkpoint::open(&found.path, found.base.as_deref())?;
            BenchModel::Checkpoint(&checkpoint)
        }
    };
    let bench_options = BenchOptions { load, size: options.size, n_runs: options.runs };
    let report = bench(&model, &bench_options, &mut |_| match interrupt::requested() {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    })?;
    if options.report.json { print_json(&for_programs(&report)) } else { table(&report, options.size) }
}

fn table(report: &BenchReport, size: Size) -> Result<()> {
    let (made, all) = report.layers;
    let extrapolated = if made == all { String::new() } else { format!(", {made} of {all} layers loaded") };
    let model = &report.model;
    print_line(&format!(
        "{} {} on {}, {} × {}{extrapolated}",
        model.name, model.quantization, model.device, size.width, size.height
    ))?;
    print_line(&format!(
        "{:26} {:>10} {:>21} {:>12} {:>10}",
        "stage", "median", "fastest to slowest", "tokens/s", "memory"
    ))?;
    for StageTimes { name, median_secs, fastest_secs, slowest_secs, tokens_per_sec, peak_bytes } in &report.stages {
        let spread = format!("{fastest_secs:.3} to {slowest_secs:.3} s");
        let rate = tokens_per_sec.map(|rate| format!("{rate:.1}")).unwrap_or_default();
        let memory = peak_bytes.map(|peak| format!("{:.2} GB", peak as f64 / 1e9)).unwrap_or_default();
        print_line(&format!("{name:26} {median_secs:>8.3} s {spread:>21} {rate:>12} {memory:>10}"))?;
    }
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    let estimate = report.estimate.memory;
    let measured = report.peak_bytes.map_or("not reported".to_owned(), |peak| format!("{:.2} GB", gigabytes(peak)));
    print_line(&format!(
        "memory: {measured} at most, {:.2} GB estimated (weights {:.2}, context {:.2}, working {:.2}, autoencoder {:.2})",
        gigabytes(estimate.peak_bytes),
        gigabytes(estimate.weights_bytes),
        gigabytes(estimate.context_bytes),
        gigabytes(estimate.working_bytes),
        gigabytes(estimate.vae_bytes),
    ))
}

fn for_programs(report: &BenchReport) -> serde_json::Value {
    let stages: Vec<serde_json::Value> = report
        .stages
        .iter()
        .map(|stage| {
            json!({
                "name": stage.name,
                "median_secs": stage.median_secs,
                "fastest_secs": stage.fastest_secs,
                "slowest_secs": stage.slowest_secs,
                "tokens_per_sec": stage.tokens_per_sec,
                "peak_bytes": stage.peak_bytes,
            })
        })
        .collect();
    json!({
        "kind": "benched",
        "model": report.model,
        "layers_made": report.layers.0,
        "layers": report.layers.1,
        "stages": stages,
        "memory": report.estimate.memory,
        "peak_bytes": report.peak_bytes,
    })
}

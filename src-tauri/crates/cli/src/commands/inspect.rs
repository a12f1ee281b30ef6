//! The contents of a model file and the memory that it needs.

use std::ffi::OsString;
use std::path::Path;

use bagel::DeviceChoice;
use bagel::memory::estimator_on;
use checkpoint::estimate::{Arithmetic, PartSize, PartSizes, planned_sizes, stored_sizes, total_bytes};
use checkpoint::{Checkpoint, Quantization, WeightsFormat};
use clap::Args;
use protocol::DeviceDescription;
use serde::Serialize;

use crate::arguments::ReportOptions;
use crate::display::{print_json, print_line};
use crate::locate::find;
use crate::{Result, host};

/// Options of `bagel inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A folder, a safetensors file, a GGUF, or an id of `bagel models list`
    #[arg(value_name = "MODEL")]
    model: OsString,
    /// A model that supplies missing files
    #[arg(long, value_name = "MODEL")]
    base: Option<OsString>,
    /// List every tensor
    #[arg(long)]
    tensors: bool,
    #[command(flatten)]
    pub(crate) report: ReportOptions,
}

/// Runs the command.
pub(crate) fn run(options: &InspectArgs) -> Result<()> {
    let found = find(&options.model, options.base.as_deref())?;
    let checkpoint = Checkpoint::open(&found.path, found.base.as_deref())?;
    let devices = host::devices();
    if options.report.json {
        print_json(&summary(&checkpoint, &devices)?)?;
        return if options.tensors { tensor_lines(&checkpoint).try_for_each(|line| print_json(&line)) } else { Ok(()) };
    }
    print_head(&checkpoint)?;
    print_parts(&stored_sizes(&checkpoint))?;
    print_memory(&summary(&checkpoint, &devices)?, &devices)?;
    if options.tensors {
        print_line("\nTensors")?;
        for tensor in tensor_lines(&checkpoint) {
            print_line(&format!("  {:<7} {:<20} {}", tensor.kind, format!("{:?}", tensor.shape), tensor.name))?;
        }
    }
    Ok(())
}

/// The whole report, as JSON.
#[derive(Serialize)]
struct Summary<'a> {
    kind: &'static str,
    name: &'a str,
    path: &'a Path,
    format: &'static str,
    n_files: usize,
    n_tensors: usize,
    parameters: u64,
    stored_bytes: u64,
    max_side: usize,
    parts: Vec<PartLine>,
    memory: Vec<MemoryLine>,
    unused: &'a [String],
}

#[derive(Serialize)]
struct PartLine {
    part: &'static str,
    n_tensors: usize,
    parameters: u64,
    bytes: u64,
}

/// Memory of a quantization, and the devices that have it free.
#[derive(Serialize)]
struct MemoryLine {
    quantization: &'static str,
    weights_bytes: u64,
    devices: Vec<DeviceVerdict>,
}

#[derive(Serialize)]
struct DeviceVerdict {
    device: String,
    /// Weights in this device's number type, and the largest edit beside them.
    needed_bytes: u64,
    fits: Option<bool>,
}

#[derive(Serialize)]
struct TensorLine<'a> {
    name: &'a str,
    kind: &'static str,
    shape: &'a [usize],
    bytes: usize,
}

fn summary<'a>(checkpoint: &'a Checkpoint, devices: &[DeviceDescription]) -> Result<Summary<'a>> {
    let part_line = |size: &PartSize| PartLine {
        part: size.part.name(),
        n_tensors: size.n_tensors,
        parameters: size.n_parameters,
        bytes: size.size_bytes,
    };
    let beside_bytes = devices.iter().map(|device| beside_weights(checkpoint, device)).collect::<Result<Vec<u64>>>()?;
    let memory_line = |quantization: Quantization| {
        let weights_bytes = total_bytes(&planned_sizes(checkpoint.config(), quantization, quantization));
        let verdict = |(device, beside_bytes): (&DeviceDescription, &u64)| {
            let is_cpu = device.id == "cpu";
            let arithmetic = if is_cpu { Arithmetic::CPU } else { Arithmetic::GPU };
            let held_bytes = arithmetic.planned_bytes(checkpoint.config(), quantization, quantization);
            let needed_bytes = held_bytes + beside_bytes;
            let fits = device.free_bytes.map(|free| needed_bytes <= free);
            DeviceVerdict { device: device.id.clone(), needed_bytes, fits }
        };
        let devices = devices.iter().zip(&beside_bytes).map(verdict).collect();
        MemoryLine { quantization: quantization.name(), weights_bytes, devices }
    };
    Ok(Summary {
        kind: "model",
        name: checkpoint.name(),
        path: checkpoint.path(),
        format: format_name(checkpoint),
        n_files: checkpoint.files().len(),
        n_tensors: checkpoint.tensors().len(),
        parameters: checkpoint.n_parameters(),
        stored_bytes: checkpoint.total_bytes(),
        max_side: checkpoint.config().max_side(),
        parts: stored_sizes(checkpoint).iter().map(part_line).collect(),
        memory: Quantization::ALL.into_iter().map(memory_line).collect(),
        unused: checkpoint.unused(),
    })
}

/// Bytes beside the weights for the largest edit; a device that cannot be opened counts as the CPU.
fn beside_weights(checkpoint: &Checkpoint, device: &DeviceDescription) -> Result<u64> {
    let estimator = device.id.parse().and_then(|device| estimator_on(checkpoint, device));
    let estimator = estimator.or_else(|_| estimator_on(checkpoint, DeviceChoice::Cpu))?;
    let memory = estimator.estimate_largest_edit().memory;
    Ok(memory.peak_bytes.saturating_sub(memory.weights_bytes))
}

fn tensor_lines(checkpoint: &Checkpoint) -> impl Iterator<Item = TensorLine<'_>> {
    checkpoint.tensors().map(|tensor| TensorLine {
        name: tensor.name,
        kind: tensor.kind.name(),
        shape: tensor.shape,
        bytes: tensor.bytes.len(),
    })
}

fn format_name(checkpoint: &Checkpoint) -> &'static str {
    match checkpoint.format() {
        WeightsFormat::Safetensors => "safetensors",
        WeightsFormat::Gguf => "gguf",
    }
}

fn print_head(checkpoint: &Checkpoint) -> Result<()> {
    let max_side = checkpoint.config().max_side();
    print_line(&format!("Model    {} ({})", checkpoint.name(), checkpoint.path().display()))?;
    print_line(&format!("Format   {}, {} files", format_name(checkpoint), checkpoint.files().len()))?;
    print_line(&format!("Image    up to {max_side} pixels per side"))?;
    if !checkpoint.unused().is_empty() {
        print_line(&format!("Unused   {} tensors that the model does not use", checkpoint.unused().len()))?;
    }
    Ok(())
}

fn print_parts(sizes: &PartSizes) -> Result<()> {
    print_line("\nPart                 tensors      parameters    stored")?;
    let line = |name: &str, n_tensors: usize, n_parameters: u64, bytes: u64| {
        print_line(&format!("{name:<20} {n_tensors:>7} {n_parameters:>15} {:>9}", amount(bytes)))
    };
    for size in sizes {
        line(size.part.name(), size.n_tensors, size.n_parameters, size.size_bytes)?;
    }
    let n_tensors = sizes.iter().map(|size| size.n_tensors).sum();
    line("all", n_tensors, sizes.iter().map(|size| size.n_parameters).sum(), total_bytes(sizes))
}

fn print_memory(summary: &Summary<'_>, devices: &[DeviceDescription]) -> Result<()> {
    print_line("\nMemory needed, and whether it is free")?;
    let mut head = format!("{:<12} {:>9}", "quantization", "weights");
    for device in devices {
        let free = device.free_bytes.map_or_else(|| "unknown".to_owned(), |free| format!("{} free", amount(free)));
        head.push_str(&format!("  {:<26}", format!("{} ({free})", device.id)));
    }
    print_line(head.trim_end())?;
    for line in &summary.memory {
        let mut row = format!("{:<12} {:>9}", line.quantization, amount(line.weights_bytes));
        for verdict in &line.devices {
            let word = match verdict.fits {
                Some(true) => "fits",
                Some(false) => "does not fit",
                None => "unknown",
            };
            row.push_str(&format!("  {:<26}", format!("{} {word}", amount(verdict.needed_bytes))));
        }
        print_line(row.trim_end())?;
    }
    Ok(())
}

fn amount(bytes: u64) -> String {
    let bytes = bytes as f64;
    if bytes < 1e9 { format!("{:.1} MB", bytes / 1e6) } else { format!("{:.2} GB", bytes / 1e9) }
}

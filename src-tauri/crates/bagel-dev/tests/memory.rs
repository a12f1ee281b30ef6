//! Estimates agree with measured peaks, and files are read without being held in memory.
//!
//! Peaks are those of a process, so each test needs its own, as nextest runs it.

#![allow(clippy::print_stdout, reason = "figures for the reader of the log")]
#![cfg_attr(not(target_os = "linux"), allow(unused_imports, reason = "only Linux reports the memory of a process"))]

use std::ops::ControlFlow;

use bagel::{ConvertOptions, DeviceChoice, Engine, EngineProgress, LoadOptions, convert};
use bagel_dev::bench::{BenchModel, BenchOptions, bench};
use bagel_dev::{SyntheticSize, synthesize};
use checkpoint::{Checkpoint, Quantization};
use protocol::Size;

fn go_on(_: EngineProgress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn on_the_cpu() -> LoadOptions {
    LoadOptions { device: DeviceChoice::Cpu, ..LoadOptions::default() }
}

/// The peak of every stage of an edit, measured, is within a tenth of the estimate.
#[track_caller]
fn check(quantization: Quantization, width: u32, height: u32) {
    let options = BenchOptions { load: on_the_cpu(), size: Size { width, height }, n_runs: 1 };
    let model = BenchModel::Synthetic { size: SyntheticSize::Small, quantization, layers: None };
    let report = bench(&model, &options, &mut go_on).expect("a report");
    let estimate = report.estimate.memory;
    println!("{estimate:?}\nmeasured {:?}", report.peak_bytes);
    for stage in &report.stages {
        println!("{:24} {:8.3} s {:?}", stage.name, stage.median_secs, stage.peak_bytes);
    }
    let Some(measured) = report.peak_bytes else { return };
    let ratio = estimate.peak_bytes as f64 / measured as f64;
    println!("estimate / measured = {ratio:.3}");
    assert!((0.9..1.1).contains(&ratio), "estimate / measured = {ratio:.2}");
}

#[test]
fn the_estimate_of_a_small_edit_agrees_with_the_measured_peak() {
    check(Quantization::Q8_0, 256, 256);
}

#[test]
fn the_estimate_of_an_edit_agrees_with_the_measured_peak() {
    check(Quantization::Q8_0, 768, 512);
}

#[test]
fn the_estimate_of_a_large_edit_agrees_with_the_measured_peak() {
    check(Quantization::Q4KM, 1024, 768);
}

/// Bytes of this process that belong to no file.
#[cfg(target_os = "linux")]
fn anonymous_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the process's status");
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).expect("its anonymous memory");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") * 1024
}

/// The most anonymous memory above that at the start, sampled after every tensor.
#[cfg(target_os = "linux")]
fn peak_of(work: impl FnOnce(&mut dyn FnMut(EngineProgress<'_>) -> ControlFlow<()>)) -> u64 {
    let before = anonymous_bytes();
    let mut peak = 0;
    work(&mut |_| {
        peak = peak.max(anonymous_bytes().saturating_sub(before));
        ControlFlow::Continue(())
    });
    peak
}

/// A checkpoint of random weights in the published layout, and its bytes on disk.
#[cfg(target_os = "linux")]
fn synthesized(folder: &std::path::Path) -> (Checkpoint, u64) {
    let mut config = SyntheticSize::Small.config();
    (config.text.n_layers, config.text.vocab_size) = (16, 32_768);
    synthesize(&config, None, folder, &mut go_on).expect("a checkpoint");
    let checkpoint = Checkpoint::open(folder, None).expect("what was just written");
    let bytes = checkpoint.total_bytes();
    assert!(bytes > 100 << 20, "{bytes} bytes are too few to measure");
    (checkpoint, bytes)
}

#[cfg(target_os = "linux")]
#[test]
fn conversion_holds_only_a_part_of_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (checkpoint, file_bytes) = synthesized(folder.path());
    let options = ConvertOptions { understanding: Quantization::Q4_0, generation: Quantization::Q8_0 };
    let destination = folder.path().join("model.gguf");
    let peak_bytes = peak_of(|observe| {
        convert(&checkpoint, &destination, options, observe).expect("a conversion");
    });
    println!("{peak_bytes} bytes at most, {file_bytes} bytes of weights");
    assert!(peak_bytes < file_bytes / 2, "{peak_bytes} of {file_bytes} bytes were held at once");
}

#[cfg(target_os = "linux")]
#[test]
fn loading_holds_the_weights_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (checkpoint, file_bytes) = synthesized(folder.path());
    let mut engine = None;
    let peak_bytes = peak_of(|observe| {
        engine = Some(Engine::load(&checkpoint, &on_the_cpu(), observe).expect("an engine"));
    });
    // 16 bits in the file are 32 on the processor.
    println!("{peak_bytes} bytes at most, {file_bytes} bytes of weights");
    assert!(peak_bytes > file_bytes * 3 / 2, "{peak_bytes}: the weights are not loaded");
    assert!(peak_bytes < file_bytes * 2 + (64 << 20), "{peak_bytes} of {file_bytes} bytes in 16 bits");
}

//! The planner foresees what a run takes. One test in its own process: the peak is the process's.

use std::ops::ControlFlow;

use bagel::bench::{BenchModel, BenchOptions, SyntheticSize, bench};
use bagel::{DeviceChoice, LoadOptions};
use checkpoint::Quantization;
use protocol::Size;

/// The peak of every stage of an edit, measured, is within a tenth of what was foreseen.
#[test]
fn the_estimate_agrees_with_the_measured_peak() {
    let options = BenchOptions {
        load: LoadOptions { device: DeviceChoice::Cpu, ..LoadOptions::default() },
        size: Size { width: 768, height: 512 },
        n_runs: 1,
    };
    let model = BenchModel::Synthetic { size: SyntheticSize::Small, quantization: Quantization::Q8_0, layers: None };
    let report = bench(&model, &options, &mut |_| ControlFlow::Continue(())).expect("a report");
    let foreseen = report.estimate.memory;
    println!("{foreseen:?}\nmeasured {:?}", report.peak_bytes);
    for stage in &report.stages {
        println!("{:24} {:8.3} s", stage.name, stage.median_secs);
    }
    let Some(measured) = report.peak_bytes else { return };
    let ratio = foreseen.peak_bytes as f64 / measured as f64;
    assert!((0.9..1.1).contains(&ratio), "foreseen / measured = {ratio:.2}");
}

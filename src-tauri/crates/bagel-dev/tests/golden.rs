//! The engine computes what the published reference computes.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use bagel::{DeviceChoice, LoadOptions, Precision};
use bagel_dev::check::{Comparison, check};
use protocol::Image;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bagel/tests/golden/mini")
}

fn read_image(path: &Path) -> Result<Image, String> {
    imagefile::read(path).map(|read| read.image).map_err(|error| error.to_string())
}

fn comparisons(precision: Precision) -> Vec<Comparison> {
    let options = LoadOptions { device: DeviceChoice::Cpu, precision: Some(precision), ..LoadOptions::default() };
    let mut comparisons = Vec::new();
    check(&golden(), &options, &read_image, &mut |comparison| comparisons.push(comparison.clone()), &mut |_| {
        ControlFlow::Continue(())
    })
    .expect("the golden cases can be read");
    comparisons
}

#[test]
fn half_precision_stays_within_its_tolerance() {
    let failed: Vec<_> = comparisons(Precision::F16).into_iter().filter(|comparison| !comparison.is_passed()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn bf16_on_the_cpu_is_refused_with_a_remedy() {
    let options = LoadOptions { device: DeviceChoice::Cpu, precision: Some(Precision::BF16), ..LoadOptions::default() };
    let go_on = &mut |_: bagel::EngineProgress<'_>| ControlFlow::Continue(());
    let error = check(&golden(), &options, &read_image, &mut |_| {}, go_on).expect_err("it does not");
    assert!(error.to_string().contains("use f32 or f16"), "{error}");
}

#[test]
fn every_golden_case_is_within_its_tolerance() {
    let comparisons = comparisons(Precision::F32);
    for comparison in &comparisons {
        println!("{:50} {:.2e} (at most {:.0e})", comparison.name, comparison.error, comparison.tolerance);
    }
    let failed: Vec<_> = comparisons.iter().filter(|comparison| !comparison.is_passed()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    // All tensors, all nine guidance settings and all twelve runs were compared.
    for (part, n_expected) in [("flow.v.", 9), (".latent", 10), (".text_ids", 5), ("ctx.", 32), ("image.", 16)] {
        let n = comparisons.iter().filter(|comparison| comparison.name.contains(part)).count();
        assert!(n >= n_expected, "{n} comparisons of {part}");
    }
}

//! The engine computes what the published reference computes.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use bagel::check::{Outcome, check};
use bagel::{DeviceChoice, LoadOptions, Precision};
use protocol::Image;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/mini")
}

fn read_image(path: &Path) -> Result<Image, String> {
    imagefile::read(path).map(|read| read.image).map_err(|error| error.to_string())
}

fn outcomes(precision: Precision) -> Vec<Outcome> {
    let options = LoadOptions { device: DeviceChoice::Cpu, precision: Some(precision), ..LoadOptions::default() };
    let mut outcomes = Vec::new();
    check(&golden(), &options, &read_image, &mut |outcome| outcomes.push(outcome.clone()), &mut |_| {
        ControlFlow::Continue(())
    })
    .expect("the golden cases can be read");
    outcomes
}

#[test]
fn half_precision_is_as_near_as_is_stated() {
    let failed: Vec<_> = outcomes(Precision::F16).into_iter().filter(|outcome| !outcome.is_passed()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn the_processor_says_that_it_does_not_compute_in_bf16() {
    let options = LoadOptions { device: DeviceChoice::Cpu, precision: Some(Precision::BF16), ..LoadOptions::default() };
    let go_on = &mut |_: bagel::Progress<'_>| ControlFlow::Continue(());
    let error = check(&golden(), &options, &read_image, &mut |_| {}, go_on).expect_err("it does not");
    assert!(error.to_string().contains("use f32 or f16"), "{error}");
}

#[test]
fn every_golden_case_is_within_its_tolerance() {
    let outcomes = outcomes(Precision::F32);
    for outcome in &outcomes {
        println!("{:50} {:.2e} (at most {:.0e})", outcome.name, outcome.error, outcome.tolerance);
    }
    let failed: Vec<_> = outcomes.iter().filter(|outcome| !outcome.is_passed()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    // All tensors, all nine guidance settings and all twelve runs were looked at.
    for (part, n_expected) in [("flow.v.", 9), (".latent", 10), (".text_ids", 5), ("ctx.", 32), ("image.", 16)] {
        let n = outcomes.iter().filter(|outcome| outcome.name.contains(part)).count();
        assert!(n >= n_expected, "{n} outcomes of {part}");
    }
}

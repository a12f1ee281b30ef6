//! The model that ships does what its page says: a part of the score, with the studio's own defaults.
//!
//! The bounds are what `assets/pocket/README.md` measured, less what so few cases and another processor may differ by.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and shows its figures"
)]

#[allow(dead_code, reason = "the table shows more of an outcome than the bounds need")]
#[path = "../examples/score/scorer.rs"]
mod scorer;

use std::path::Path;

use judge as _;
use scorer::{Kind, Outcome, Scorer, shipped_defaults};

const N_CASES: usize = 30;

fn outcomes(kind: Kind) -> Vec<Outcome> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let model = root.join("assets/pocket/pocket-q8_0.gguf");
    let mut scorer =
        Scorer::open(&model, root.join("assets/pocket/cases"), N_CASES, shipped_defaults().unwrap()).unwrap();
    scorer.score(kind).unwrap()
}

/// At least so many of a hundred are so.
#[track_caller]
fn check(what: &str, outcomes: &[Outcome], least: usize, is_so: impl Fn(&Outcome) -> bool) {
    let n = outcomes.iter().filter(|outcome| is_so(outcome)).count();
    println!("{what}: {n} of {}", outcomes.len());
    assert!(100 * n >= least * outcomes.len(), "{what}: {n} of {}, at least {least} % wanted", outcomes.len());
}

#[test]
fn images_hold_what_was_asked_for() {
    let outcomes = outcomes(Kind::Create);
    check("right", &outcomes, 80, Outcome::is_right);
    check("the background is right", &outcomes, 90, |outcome| outcome.parts.background);
    check("the colours are right", &outcomes, 85, |outcome| outcome.parts.colours);
}

#[test]
fn edits_do_what_was_asked_for() {
    let outcomes = outcomes(Kind::Edit);
    check("right", &outcomes, 75, Outcome::is_right);
    check("the background is right", &outcomes, 90, |outcome| outcome.parts.background);
}

#[test]
fn answers_are_right() {
    check("right", &outcomes(Kind::Ask), 85, Outcome::is_right);
}

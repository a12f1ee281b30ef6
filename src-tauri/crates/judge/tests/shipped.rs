//! The model that ships does what its page says: a part of the score, with the studio's own defaults.
//!
//! The bounds are what `assets/pocket/README.md` measured, less three deviations of so few cases.

#[path = "../examples/score/scorer.rs"]
mod scorer;

use std::path::Path;

use judge as _;
use scorer::{Kind, Outcome, Scorer, shipped_defaults};

const N_CASES: usize = 40;

fn outcomes(kind: Kind) -> Vec<Outcome> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let model = root.join("assets/pocket/pocket-q8_0.gguf");
    let mut scorer =
        Scorer::open(&model, root.join("assets/pocket/cases"), N_CASES, shipped_defaults().unwrap()).unwrap();
    scorer.score(kind).unwrap()
}

/// How many of them are so.
fn count(outcomes: &[Outcome], is_so: impl Fn(&Outcome) -> bool) -> usize {
    outcomes.iter().filter(|outcome| is_so(outcome)).count()
}

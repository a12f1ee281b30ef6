//! The held-out cases: the training program and the judge speak of the same shapes, colours, sizes and places.

use std::path::{Path, PathBuf};

use judge::{Case, Change, Reading, Request, Shape, draw, edit_complaints, open_cases, plan_complaints, read_plan};
use serde_json::Value;

fn pocket(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/pocket").join(file)
}

#[test]
fn outlines_are_those_that_the_training_draws() {
    let text = std::fs::read_to_string(pocket("cases/outlines.json")).expect("outlines.json");
    let outlines: Value = serde_json::from_str(&text).expect("JSON");
    for (shape, name) in Shape::ALL {
        let rows = outlines[name].as_array().expect("rows");
        assert_eq!(rows.len(), 27);
        for (row, values) in rows.iter().enumerate() {
            let inside: String = (0..27).map(|column| if is_inside(shape, column, row) { '#' } else { '.' }).collect();
            assert_eq!(values.as_str(), Some(inside.as_str()), "{name}, row {row}");
        }
    }
}

fn is_inside(shape: Shape, column: usize, row: usize) -> bool {
    let at = |index: usize| (index as f32 - 13.0) / 10.0 + 0.013;
    shape.covers(at(column), at(row))
}

/// The input images of a file of cases, drawn and read.
fn inputs_read_right(file: &str) {
    let (world, cases): (_, Vec<Case<Value>>) = open_cases(&pocket(file)).expect("cases");
    assert_eq!(cases.len(), 200);
    let mut wrong = Vec::new();
    for (case, input) in cases.iter().flat_map(|case| case.inputs.iter().map(move |input| (case, input))) {
        let complaints =
            plan_complaints(&input.shows, &Reading::of(&draw(&input.scene).expect("drawn"), &world), &world);
        wrong.extend((!complaints.is_empty()).then(|| format!("{}: {complaints:?}", case.id)));
    }
    assert!(wrong.len() <= 2, "{wrong:#?}");
}

#[test]
fn images_to_be_edited_show_what_the_cases_say() {
    inputs_read_right("cases/edit.json");
}

#[test]
fn images_that_are_asked_about_show_what_the_cases_say() {
    inputs_read_right("cases/ask.json");
}

#[test]
fn an_edit_that_changes_nothing_is_refused() {
    let (world, cases) = open_cases::<Change>(&pocket("cases/edit.json")).expect("cases");
    for case in cases.iter().take(60) {
        let before = Reading::of(&draw(&case.inputs[0].scene).expect("drawn"), &world);
        assert!(!edit_complaints(&case.expect, &before, &before, &world).is_empty(), "{}: {}", case.id, case.prompt);
    }
}

#[test]
fn requests_and_plans_are_understood() {
    let (_, cases) = open_cases::<Request>(&pocket("cases/create.json")).expect("cases");
    assert!(cases.iter().all(|case| !case.expect.things.is_empty() && !case.prompt.is_empty()));
    let (world, cases) = open_cases::<Value>(&pocket("cases/think_create.json")).expect("cases");
    for case in cases {
        let (plan, said) = (case.plan.expect("a plan"), &case.expect["plan"]["things"]);
        let read = read_plan(&plan, &world).expect(&plan);
        assert_eq!(read.things.len(), said.as_array().map_or(0, Vec::len), "{plan}");
        for fact in read.things {
            let is_said = |one: &Value| {
                one["shape"] == fact.shape
                    && one["colour"] == fact.colour
                    && one["size"] == *fact.size.as_ref().expect("a size")
            };
            assert!(said.as_array().is_some_and(|said| said.iter().any(is_said)), "{plan}");
        }
    }
}

#[test]
fn a_file_that_is_missing_and_one_that_is_damaged_are_named() {
    let missing = open_cases::<Value>(Path::new("nowhere.json")).unwrap_err().to_string();
    assert!(missing.contains("nowhere.json"), "{missing}");
    let damaged = open_cases::<Value>(&pocket("world.json")).unwrap_err().to_string();
    assert!(damaged.contains("world.json"), "{damaged}");
}

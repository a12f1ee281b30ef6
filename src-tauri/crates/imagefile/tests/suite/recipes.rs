//! Recipes into files and back, and what is not accepted as one.

use std::path::Path;

use crate::support::*;
use imagefile::{EmbeddedRecipe, Encoding, Error, Overwrite, RecipeProblem, encode, parse_recipe, read, write};
use proptest::prelude::*;
use protocol::{Recipe, RecipeInput};
use serde_json::{Value, json};

const KEYWORD: &str = "bagel-recipe";

/// What an image with these text chunks says about its recipe; the image itself is always good.
fn embedded(chunks: &[Vec<u8>]) -> EmbeddedRecipe {
    let read = read_named(&pixel_with(chunks)).unwrap();
    assert_eq!(read.image.rgb(), [255; 3]);
    read.recipe
}

fn refused(chunks: &[Vec<u8>]) -> RecipeProblem {
    match embedded(chunks) {
        EmbeddedRecipe::Refused(problem) => {
            let line = problem.to_string();
            assert!(line.len() < 400 && !line.chars().any(char::is_control), "{line}");
            problem
        }
        other => panic!("{other:?}"),
    }
}

fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut value = serde_json::to_value(recipe()).unwrap();
    change(&mut value);
    value.to_string()
}

#[test]
fn recipe_is_read_back_from_the_image() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("画 🎨.png");
    write(&path, &gradient(), Some(&recipe()), Overwrite::Refuse).unwrap();
    let found = read(&path).unwrap().into_recipe().unwrap();
    assert_eq!(found.recipe, recipe());
    assert!(found.unknown.is_empty());
}

#[test]
fn recipe_keeps_no_folder_and_no_time() {
    let json = recipe().to_json();
    assert!(json.contains("狐狸 🦊.jpg") && !json.contains("someone") && !json.contains("time"));
}

#[test]
fn same_recipe_gives_the_same_file() {
    let file = || encode(Path::new("a.png"), &gradient(), Encoding::Png, Some(&recipe())).unwrap();
    assert_eq!(file(), file());
}

#[test]
fn images_without_a_recipe_say_so() {
    let error = read_named(&corpus_file("plain.png")).unwrap().into_recipe().unwrap_err();
    assert!(matches!(error, Error::NoRecipe { .. }));
    assert_eq!(error.to_string(), "some/image.png: carries no recipe; only PNG files that this program made do");
}

#[test]
fn packed_recipe_is_accepted() {
    let EmbeddedRecipe::Found(found) = embedded(&[text(KEYWORD, true, recipe().to_json().as_bytes())]) else {
        panic!("not found");
    };
    assert_eq!(found.recipe, recipe());
}

#[test]
fn recipe_behind_the_pixels_is_found() {
    let recipe_chunk = text(KEYWORD, false, recipe().to_json().as_bytes());
    let file = png(&[header(1, 1, 8, 2, 0), data(&[0, 1, 2, 3]), recipe_chunk, end()]);
    assert_eq!(read_named(&file).unwrap().into_recipe().unwrap().recipe, recipe());
}

#[test]
fn unknown_fields_are_kept_apart_at_every_level() {
    let json = changed(|value| {
        value["watermark"] = json!({"deep": [1, 2]});
        value["parameters"]["tiling"] = json!(true);
        value["parameters"]["size"] = json!({"width": 16, "height": 16, "depth": 3});
        value["text"]["beams"] = json!(4);
        value["size"]["unit"] = json!("px");
        value["model"]["adapter"] = json!("x");
        value["thinking"]["style"] = json!("long");
        value["inputs"][0]["mask"] = json!("m.png");
        value["inputs"][1]["weight"] = json!(0.5);
    });
    let found = parse_recipe(&json).unwrap();
    let names: Vec<&str> = found.unknown.keys().map(String::as_str).collect();
    let expected = [
        "inputs.0.mask",
        "inputs.1.weight",
        "model.adapter",
        "parameters.size.depth",
        "parameters.tiling",
        "size.unit",
        "text.beams",
        "thinking.style",
        "watermark",
    ];
    assert_eq!(names, expected);
    assert_eq!(found.unknown["watermark"], json!({"deep": [1, 2]}));
    assert_eq!(found.recipe.inputs, recipe().inputs);
}

#[test]
fn wrong_types_are_refused() {
    let check = |change: fn(&mut Value)| {
        let json = changed(change);
        let problem = parse_recipe(&json).expect_err(&json);
        assert!(matches!(problem, RecipeProblem::NotUnderstood { .. }), "{problem:?}");
    };
    check(|value| value["parameters"]["steps"] = json!("50"));
    check(|value| value["parameters"]["steps"] = json!(50.5));
    check(|value| value["parameters"]["steps"] = json!(-1));
    check(|value| value["parameters"]["steps"] = json!(5_000_000_000u64));
    check(|value| value["parameters"]["seed"] = json!(1e30));
    check(|value| value["parameters"]["renorm"] = json!("sideways"));
    check(|value| value["parameters"]["guidance_interval"] = json!([0.0]));
    check(|value| value["parameters"] = json!([]));
    check(|value| value["size"] = json!([24, 16]));
    check(|value| value["thinking"] = json!(["on"]));
    check(|value| value["inputs"][1] = json!(["text", "a"]));
    check(|value| value["parameters"]["size"] = json!([16, 16]));
    check(|value| value["inputs"] = json!("text"));
    check(|value| value["inputs"][0]["kind"] = json!("video"));
    check(|value| value["kind"] = json!("chat"));
    check(|value| value["size"] = json!(null));
    check(|value| value["version"] = json!("1"));
    check(|value| {
        value.as_object_mut().unwrap().remove("model");
    });
    for json in ["", "null", "[]", "1", "{}", "{", "\"text\"", "nonsense", "{\"version\":1}", "{\"version\":1e999}"] {
        assert!(matches!(parse_recipe(json), Err(RecipeProblem::NotUnderstood { .. })), "{json}");
    }
}

#[test]
fn later_versions_are_told_apart() {
    let json = changed(|value| value["version"] = json!(2));
    assert_eq!(parse_recipe(&json), Err(RecipeProblem::Version { version: 2 }));
}

#[test]
fn deep_json_is_refused_without_recursion() {
    for deep in [
        "[".repeat(1_000_000),
        "{\"a\":".repeat(200_000),
        changed(|value| {
            value["deep"] = (0..40).fold(json!(1), |inner, _| json!([inner]));
        }),
    ] {
        assert_eq!(parse_recipe(&deep), Err(RecipeProblem::TooDeep));
        assert_eq!(refused(&[text(KEYWORD, false, deep.as_bytes())]), RecipeProblem::TooDeep);
    }
}

#[test]
fn hostile_words_do_not_reach_the_message() {
    let json = changed(|value| value["kind"] = json!("\u{1b}[31m\u{202e}\n\0<script>"));
    refused(&[text(KEYWORD, false, json.as_bytes())]);
    let json = changed(|value| value["parameters"]["renorm"] = json!("x".repeat(100_000)));
    refused(&[text(KEYWORD, false, json.as_bytes())]);
}

#[test]
fn bombs_are_not_inflated_beyond_the_bound() {
    let bomb = text(KEYWORD, true, &vec![b' '; 64 << 20]);
    assert!(bomb.len() < 1 << 20);
    assert_eq!(refused(&[bomb]), RecipeProblem::TooLong);
    // Other programs' texts are never inflated, and do not hide the recipe.
    let foreign = text("comment", true, &vec![b' '; 64 << 20]);
    let own = text(KEYWORD, false, recipe().to_json().as_bytes());
    assert!(matches!(embedded(&[foreign, own]), EmbeddedRecipe::Found(_)));
}

#[test]
fn too_much_text_hides_the_recipe_but_not_the_image() {
    let own = text(KEYWORD, false, recipe().to_json().as_bytes());
    let many: Vec<Vec<u8>> = (0..100_000).map(|_| chunk(b"tEXt", b"a\0b")).collect();
    assert_eq!(embedded(&many), EmbeddedRecipe::Absent);
    let check = |others: &[Vec<u8>], is_found: bool| {
        let chunks = [std::slice::from_ref(&own), others].concat();
        match embedded(&chunks) {
            EmbeddedRecipe::Found(_) => assert!(is_found),
            EmbeddedRecipe::Refused(RecipeProblem::TooMuchText { .. }) => assert!(!is_found),
            other => panic!("{other:?}"),
        }
    };
    check(&many, false);
    check(&many[..63], true);
    check(&many[..64], false);
    check(&[chunk(b"zTXt", &vec![b'a'; 2 << 20])], false);
    check(&[chunk(b"zTXt", &vec![b'a'; 1 << 20])], true);
}

#[test]
fn damaged_chunks_are_refused() {
    let good = text(KEYWORD, false, recipe().to_json().as_bytes());
    let mut flipped = good.clone();
    flipped[200] ^= 1;
    assert_eq!(refused(&[flipped]), RecipeProblem::Damaged);
    assert_eq!(refused(&[good.clone(), good]), RecipeProblem::Several);
    assert_eq!(refused(&[chunk(b"iTXt", b"bagel-recipe\0")]), RecipeProblem::Damaged);
    assert_eq!(refused(&[chunk(b"iTXt", b"bagel-recipe\0\0\0no end")]), RecipeProblem::Damaged);
    assert_eq!(refused(&[chunk(b"iTXt", b"bagel-recipe\0\x01\0\0\0not packed")]), RecipeProblem::Damaged);
    assert_eq!(refused(&[chunk(b"iTXt", b"bagel-recipe\0\x02\0\0\0{}")]), RecipeProblem::Damaged);
    assert_eq!(refused(&[text(KEYWORD, false, b"\xff\xfe")]), RecipeProblem::Damaged);
}

#[test]
fn similar_keywords_are_not_recipes() {
    for keyword in ["bagel-recipe2", "Bagel-Recipe", "bagel", ""] {
        assert_eq!(embedded(&[text(keyword, false, recipe().to_json().as_bytes())]), EmbeddedRecipe::Absent);
    }
    assert_eq!(embedded(&[chunk(b"tEXt", b"bagel-recipe\0{}")]), EmbeddedRecipe::Absent);
}

#[test]
fn recipes_too_long_to_be_read_back_are_not_written() {
    let long = Recipe { inputs: vec![RecipeInput::Text { text: "a".repeat(2 << 20) }], ..recipe() };
    let error = encode(Path::new("a.png"), &gradient(), Encoding::Png, Some(&long)).unwrap_err();
    assert!(matches!(error, Error::RecipeTooLong { .. }));
    let fits = Recipe { inputs: vec![RecipeInput::Text { text: "a".repeat(2_000_000) }], ..recipe() };
    let file = encode(Path::new("a.png"), &gradient(), Encoding::Png, Some(&fits)).unwrap();
    assert_eq!(read_named(&file).unwrap().into_recipe().unwrap().recipe, fits);
}

proptest! {
    #[test]
    fn any_text_survives(prompt in any::<String>(), plan in any::<String>(), seed in any::<u64>(), scale in -1e9..1e9f64) {
        let mut recipe = recipe();
        recipe.inputs.push(RecipeInput::Text { text: prompt });
        recipe.plan = Some(plan);
        recipe.parameters.seed = Some(seed);
        recipe.parameters.text_guidance = scale;
        let file = encode(Path::new("a.png"), &gradient(), Encoding::Png, Some(&recipe)).unwrap();
        prop_assert_eq!(read_named(&file).unwrap().into_recipe().unwrap().recipe, recipe);
    }

    #[test]
    fn any_bytes_as_a_recipe_leave_the_image(bytes in any::<Vec<u8>>(), is_packed in any::<bool>()) {
        embedded(&[text(KEYWORD, is_packed, &bytes)]);
    }
}

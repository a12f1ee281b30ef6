//! The program does what its help says, on a model of random weights.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::io::Write;
use std::process::Stdio;

use support::{Bench, Run, image, mini_model, pixels};

const STEPS: [&str; 2] = ["--steps", "4"];

fn generate<'a>(extra: &[&'a str]) -> Vec<&'a str> {
    [&["generate", "--prompt", "a red circle", "--size", "64x48"], &STEPS[..], extra].concat()
}

#[test]
fn every_command_explains_itself() {
    let bench = Bench::new();
    let whole = bench.run(&["--help"]).done().stdout;
    for command in ["generate", "edit", "chat", "convert", "inspect", "check", "devices", "bench", "engine"] {
        assert!(whole.contains(&format!("\n  {command}")), "{command} is not in the help");
        let help = bench.run(&[command, "--help"]).done().stdout;
        assert!(help.contains("Usage: bagel") && help.contains("130  stopped with Ctrl-C"), "{command}: {help}");
    }
    assert!(bench.run(&["--version"]).done().stdout.starts_with("bagel "));
}

#[test]
fn shared_options_have_one_spelling() {
    let bench = Bench::new();
    let shared = [
        "--model",
        "--base",
        "--prompt",
        "--image",
        "--out",
        "--size",
        "--steps",
        "--seed",
        "--think",
        "--plan",
        "--text-guidance",
        "--image-guidance",
        "--guidance-interval",
        "--renorm",
        "--renorm-min",
        "--shift",
        "--device",
        "--json",
        "--force",
        "--from",
        "--limit",
        "--temperature",
        "--top-k",
        "--top-p",
        "--repetition-penalty",
        "--stop",
    ];
    let edit = bench.run(&["edit", "--help"]).stdout;
    for option in shared {
        assert!(edit.contains(&format!("{option} <")) || edit.contains(&format!("{option}\n")), "{option} lacks");
    }
}

#[test]
fn words_become_an_image_with_its_recipe() {
    let bench = Bench::new();
    let run = bench.run_mini(&generate(&["--seed", "7", "--out", "a.png"])).done();
    assert!(run.stdout.starts_with("saved a.png: 64x48, seed 7, "), "{}", run.stdout);
    assert_eq!(run.stderr, "");
    let recipe = imagefile::read(&bench.path("a.png")).unwrap().into_recipe().unwrap().recipe;
    assert_eq!((recipe.size.width, recipe.size.height, recipe.parameters.steps), (64, 48, 4));
    assert_eq!(recipe.parameters.seed, Some(7));
    assert_eq!(bench.files(), ["a.png"]);
}

#[test]
fn image_without_a_name_is_called_by_its_seed() {
    let bench = Bench::new();
    bench.run_mini(&generate(&["--seed", "11"])).done();
    assert_eq!(bench.files(), ["bagel-11.png"]);
}

#[test]
fn file_that_exists_is_replaced_on_demand_only() {
    let bench = Bench::new();
    bench.file("a.png", b"precious");
    let refused = bench.run_mini(&generate(&["--out", "a.png"]));
    assert_eq!(refused.code, Some(1));
    assert_eq!(std::fs::read(bench.path("a.png")).unwrap(), b"precious");
    bench.run_mini(&generate(&["--out", "a.png", "--force"])).done();
    assert_eq!(pixels(&bench.path("a.png")).width(), 64);
}

#[test]
fn images_can_be_saved_as_jpeg_and_webp() {
    let bench = Bench::new();
    for name in ["a.jpg", "a.webp"] {
        bench.run_mini(&generate(&["--out", name])).done();
        assert_eq!(pixels(&bench.path(name)).height(), 48);
    }
}

#[test]
fn recipe_repeats_a_generated_image_pixel_for_pixel() {
    let bench = Bench::new();
    // The seed is drawn, and stands in the recipe nevertheless.
    bench.run_mini(&generate(&["--out", "a.png", "--text-guidance", "3", "--shift", "2"])).done();
    bench.run_mini(&["generate", "--from", "a.png", "--out", "b.png"]).done();
    assert!(pixels(&bench.path("a.png")) == pixels(&bench.path("b.png")));
    bench.run_mini(&["generate", "--from", "a.png", "--seed", "1", "--out", "c.png"]).done();
    assert!(pixels(&bench.path("a.png")) != pixels(&bench.path("c.png")));
}

#[test]
fn recipe_repeats_a_thoughtful_edit_pixel_for_pixel() {
    let bench = Bench::new();
    let wide = image("wide.png");
    let edit = ["edit", "--image", &wide, "--prompt", "make it green", "--think", "--limit", "12", "--steps", "3"];
    bench.run_mini(&[&edit[..], &["--out", "a.png"]].concat()).done();
    bench.run_mini(&["edit", "--from", "a.png", "--image", &wide, "--out", "b.png"]).done();
    let (a, b) = (imagefile::read(&bench.path("a.png")).unwrap(), imagefile::read(&bench.path("b.png")).unwrap());
    assert!(a.image == b.image);
    let (a, b) = (a.into_recipe().unwrap().recipe, b.into_recipe().unwrap().recipe);
    assert!(a.plan.is_some() && a.plan == b.plan);
}

/// Noise for an image of 64 × 48 by the model of the tests: so many numbers, of which no two are the same.
fn noise(n_numbers: usize) -> Vec<u8> {
    (0..n_numbers).flat_map(|n| (((n * 7919) % 2003) as f32 / 700.0 - 1.4).to_le_bytes()).collect()
}

#[test]
fn image_starts_from_the_noise_of_a_file_and_its_recipe_asks_for_it() {
    let bench = Bench::new();
    let lacking = bench.run_mini(&generate(&["--noise", &bench.file("short.bin", &[0; 8]), "--out", "a.png"]));
    let (_, wanted) = lacking.stderr.split_once("noise for an image of 64x48 is ").expect("a line about its length");
    let n_numbers: usize = wanted.split(' ').next().unwrap().parse().unwrap();
    let file = bench.file("noise.bin", &noise(n_numbers));
    bench.run_mini(&generate(&["--noise", &file, "--seed", "1", "--out", "a.png"])).done();
    bench.run_mini(&generate(&["--noise", &file, "--seed", "2", "--out", "b.png"])).done();
    assert!(pixels(&bench.path("a.png")) == pixels(&bench.path("b.png")), "the seed has no part in it");
    bench.run_mini(&generate(&["--seed", "1", "--out", "c.png"])).done();
    assert!(pixels(&bench.path("a.png")) != pixels(&bench.path("c.png")));

    let again = bench.run_mini(&["generate", "--from", "a.png", "--out", "d.png"]);
    assert!(again.stderr.contains("was painted from noise in a file; give it with --noise"), "{}", again.stderr);
    bench.run_mini(&["generate", "--from", "a.png", "--noise", &file, "--out", "d.png"]).done();
    assert!(pixels(&bench.path("a.png")) == pixels(&bench.path("d.png")));
    bench.run_mini(&["generate", "--from", "a.png", "--seed", "1", "--out", "e.png"]).done();
    assert!(pixels(&bench.path("c.png")) == pixels(&bench.path("e.png")));
    let mut other = noise(n_numbers);
    other[0] ^= 1;
    let other = bench.file("other.bin", &other);
    let run = bench.run_mini(&["generate", "--from", "a.png", "--noise", &other, "--out", "f.png"]);
    assert!(run.code == Some(0) && run.stderr.contains("painted from other noise"), "{}", run.stderr);
}

#[test]
fn what_a_recipe_switched_on_can_be_switched_off_again() {
    let bench = Bench::new();
    let made = ["--think", "--limit", "6", "--feature-cache", "--top-k", "3", "--stop", "zzz", "--seed", "4"];
    bench.run_mini(&generate(&[&made[..], &["--out", "a.png"]].concat())).done();
    let off = ["--no-think", "--no-feature-cache", "--top-k", "0", "--stop", ""];
    bench.run_mini(&[&["generate", "--from", "a.png", "--out", "b.png"], &off[..]].concat()).done();
    bench.run_mini(&generate(&["--seed", "4", "--out", "c.png"])).done();
    assert!(pixels(&bench.path("b.png")) == pixels(&bench.path("c.png")));
    let recipe = imagefile::read(&bench.path("b.png")).unwrap().into_recipe().unwrap().recipe;
    assert!(recipe.plan.is_none() && !recipe.parameters.feature_cache);
    assert!(recipe.text.top_k.is_none() && recipe.text.stop.is_empty());
}

#[test]
fn recipe_asks_for_the_images_it_was_made_from() {
    let bench = Bench::new();
    let (wide, gray) = (image("wide.png"), image("grey.png"));
    let edit = ["edit", "--image", &wide, "--prompt", "make it green", "--steps", "2", "--out", "a.png"];
    bench.run_mini(&edit).done();
    let lacking = bench.run_mini(&["edit", "--from", "a.png", "--out", "b.png"]);
    assert!(lacking.stderr.contains("made from 1 images (wide.png) and 0 are given"), "{}", lacking.stderr);
    let other = bench.run_mini(&["edit", "--from", "a.png", "--image", &gray, "--out", "b.png"]);
    assert!(other.stderr.contains("its image 1 was wide.png, and grey.png has other content"), "{}", other.stderr);
    let command = bench.run_mini(&["generate", "--from", "a.png", "--out", "b.png"]);
    assert!(command.stderr.contains("was made by `bagel edit`"), "{}", command.stderr);
    assert_eq!(bench.files(), ["a.png"]);
}

#[test]
fn edit_keeps_the_size_of_its_last_image() {
    let bench = Bench::new();
    let (wide, gray) = (image("wide.png"), image("grey.png"));
    let run = bench.run_mini(&[
        "edit", "--prompt", "compose", "--image", &wide, "--image", &gray, "--steps", "2", "--out", "a.png",
    ]);
    run.done();
    let size = pixels(&bench.path("a.png")).size();
    assert_eq!((size.width, size.height), (64, 128));
}

#[test]
fn answer_goes_to_stdout_alone() {
    let bench = Bench::new();
    let gray = image("grey.png");
    let run = bench.run_mini(&["chat", "--image", &gray, "--prompt", "what is it?", "--limit", "8"]).done();
    assert!(!run.stdout.trim().is_empty());
    assert_eq!(run.stderr, "");
}

#[test]
fn events_are_one_json_a_line() {
    let bench = Bench::new();
    let run = bench.run_mini(&generate(&["--out", "a.png", "--json"])).done();
    let events = run.events();
    let kinds: Vec<&str> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    let mut stages = kinds.clone();
    stages.dedup();
    assert_eq!(
        stages,
        ["loading", "loaded", "started", "context", "step", "decoding", "image", "done", "saved"],
        "{}",
        run.stdout
    );
    assert_eq!(kinds.iter().filter(|kind| **kind == "step").count(), 3);
    assert_eq!(events.last().unwrap()["path"], "a.png");
    assert_eq!(run.stderr, "");

    let run = bench.run_mini(&["chat", "--prompt", "who?", "--limit", "5", "--json"]).done();
    let events = run.events();
    let text: String = events.iter().filter_map(|event| event["delta"].as_str()).collect();
    assert_eq!(events.last().unwrap()["text"], text);
}

#[test]
fn failure_is_an_event_too() {
    let bench = Bench::new();
    let run = bench.run_mini(&["chat", "--image", "missing.png", "--prompt", "who?", "--json"]);
    assert_eq!(run.code, Some(1));
    let failed = run.events().pop().unwrap();
    assert_eq!(failed["kind"], "failed");
    assert_eq!(failed["failure"]["code"], "file_unusable");
    assert!(run.stderr.starts_with("error: missing.png: no such file"));
}

#[test]
fn conversation_has_several_turns() {
    let bench = Bench::new();
    let mut command = bench.command(&["chat", "--limit", "4", "--json"]);
    let mut child = command
        .env("BAGEL_MODEL", mini_model())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = format!("hello\n/image missing.png\n/image {}\nwhat is it?\n/dance\n/quit\nnever\n", image("wide.png"));
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let run = Run::of(&child.wait_with_output().unwrap()).done();
    let events = run.events();
    let answers = events.iter().filter(|event| event["kind"] == "done").count();
    assert_eq!(answers, 2, "{}", run.stdout);
    let tokens: Vec<u64> = events.iter().filter_map(|event| event["tokens"].as_u64()).collect();
    assert!(tokens[1] > tokens[0] + 10, "the second context holds the image and the first turn: {tokens:?}");
    assert!(run.stderr.contains("error: missing.png: no such file"), "{}", run.stderr);
    assert!(run.stderr.contains("/dance: no such order"), "{}", run.stderr);
}

#[test]
fn devices_name_the_processor() {
    let bench = Bench::new();
    assert!(bench.run(&["devices"]).done().stdout.contains("cpu"));
    let devices = bench.run(&["devices", "--json"]).done().events();
    assert_eq!(devices.last().unwrap()["id"], "cpu");
}

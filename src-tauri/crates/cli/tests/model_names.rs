//! Models named by an id of the catalog, and the parameters that the catalog knows for them.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use support::Bench;

fn pocket_file() -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    root.join("assets/pocket/pocket-q8_0.gguf").canonicalize().unwrap().to_string_lossy().into_owned()
}

#[test]
fn a_model_of_the_catalog_starts_from_its_own_parameters() {
    let bench = Bench::new();
    for model in ["pocket", "pocket:q8_0", &pocket_file()] {
        let run =
            bench.run(&["generate", "--model", model, "--prompt", "a red circle", "--seed", "1", "--json"]).done();
        let image = run.events().into_iter().find(|event| event["kind"] == "image").unwrap();
        let parameters = &image["recipe"]["parameters"];
        assert_eq!(
            (parameters["steps"].as_u64(), parameters["text_guidance"].as_f64()),
            (Some(16), Some(2.0)),
            "{model}"
        );
        std::fs::remove_file(bench.path("bagel-1.png")).unwrap();
    }
}

#[test]
fn every_command_that_reads_a_model_accepts_an_id() {
    let bench = Bench::new();
    bench.run(&["inspect", "pocket"]).done();
    bench.run(&["chat", "--model", "pocket", "--prompt", "what is this?", "--limit", "4"]).done();
    bench.run(&["bench", "--model", "pocket:q8_0", "--size", "96x96", "--runs", "1"]).done();
    bench.run(&["convert", "pocket", "small.gguf", "--quant", "q4_0"]).done();
    assert_eq!(bench.files(), ["small.gguf"]);
}

#[test]
fn an_unknown_id_lists_the_known_ones() {
    let bench = Bench::new();
    for arguments in [&["inspect", "pockett"][..], &["generate", "--prompt", "x", "--model", "pockett"]] {
        let run = bench.run(arguments);
        assert_eq!((run.code, run.stderr.lines().count()), (Some(1), 1), "{}", run.stderr);
        for part in ["pockett", "no such file or folder", "pocket, ", "bagel-7b-mot"] {
            assert!(run.stderr.contains(part), "{}", run.stderr);
        }
    }
    let run = bench.run(&["inspect", "pocket:q2"]);
    assert!(run.stderr.contains("q2") && run.stderr.contains("q8_0"), "{}", run.stderr);
}

#[test]
fn an_existing_path_wins_over_an_id() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("pocket")).unwrap();
    let run = bench.run(&["inspect", "pocket"]);
    assert!(run.stderr.contains("not a model"), "{}", run.stderr);
}

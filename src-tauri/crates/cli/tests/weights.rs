//! Models are converted, described, compared and timed, on random weights.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use support::{Bench, mini, mini_model, pixels};

fn model() -> String {
    mini_model().to_string_lossy().into_owned()
}

#[test]
fn converted_model_paints_and_answers() {
    let bench = Bench::new();
    for quantization in ["q8_0", "q6_k", "q5_k_m", "q4_k_m", "q4_0", "bf16"] {
        let file = format!("{quantization}.gguf");
        let run = bench.run(&["convert", &model(), &file, "--quant", quantization, "--generation", "q8_0"]).done();
        assert!(run.stdout.starts_with(&format!("saved {file}: ")), "{}", run.stdout);
        let image = format!("{quantization}.png");
        let generate = ["generate", "--prompt", "a star", "--size", "64x48", "--steps", "3", "--model", &file];
        bench.run(&[&generate[..], &["--out", &image]].concat()).done();
        assert_eq!(pixels(&bench.path(&image)).width(), 64);
        assert!(!bench.run(&["chat", "--prompt", "who?", "--limit", "6", "--model", &file]).done().stdout.is_empty());
    }
}

#[test]
fn a_damaged_number_is_refused_by_every_command() {
    let bench = Bench::new();
    bench.run(&["convert", &model(), "a.gguf", "--quant", "q8_0"]).done();
    let refused = |arguments: &[&str]| {
        let run = bench.run(arguments);
        assert_eq!(run.code, Some(1), "{arguments:?}: {}", run.stdout);
        assert!(run.stderr.contains("a.gguf: ") && run.stderr.contains("damaged"), "{}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    };
    let chat = ["chat", "--prompt", "who?", "--limit", "3", "--model", "a.gguf"];
    // Sound the first time: it is remembered, and forgotten when the file changes.
    bench.run(&chat).done();
    bench.run(&chat).done();
    let mut bytes = std::fs::read(bench.path("a.gguf")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bench.file("a.gguf", &bytes);
    refused(&chat);
    refused(&["generate", "--prompt", "x", "--size", "64x64", "--steps", "2", "--out", "x.png", "--model", "a.gguf"]);
    refused(&["convert", "a.gguf", "b.gguf", "--quant", "q4_0"]);
    assert_eq!(bench.files(), ["a.gguf"]);
}

#[test]
fn a_tokenizer_that_is_none_is_refused_before_the_conversion() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("model")).unwrap();
    for entry in mini_model().read_dir().unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, bench.path("model").join(path.file_name().unwrap())).unwrap();
    }
    std::fs::write(bench.path("model/tokenizer.json"), r#"{"a":1}"#).unwrap();
    let run = bench.run(&["convert", "model", "a.gguf", "--quant", "q8_0"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("tokenizer.json"), "{}", run.stderr);
    assert_eq!(bench.files(), ["model"]);
}

#[test]
fn rows_that_a_kind_cannot_hold_are_reported() {
    let bench = Bench::new();
    let run = bench.run(&["convert", &model(), "a.gguf", "--quant", "q4_k_m", "--json"]).done();
    let converted = run.events().pop().unwrap();
    assert_eq!(converted["kind"], "converted");
    let fallback = &converted["fallbacks"][0];
    assert_eq!((fallback["asked"].as_str(), fallback["used"].as_str()), (Some("q4_k"), Some("q8_0")));
    assert_eq!(converted["bytes"].as_u64().unwrap(), bench.path("a.gguf").metadata().unwrap().len());
}

#[test]
fn conversion_keeps_what_is_there_and_never_eats_its_source() {
    let bench = Bench::new();
    bench.file("there.gguf", b"precious");
    let kept = bench.run(&["convert", &model(), "there.gguf", "--quant", "q8_0"]);
    assert_eq!(kept.code, Some(1));
    assert!(kept.stderr.contains("there.gguf: exists already"), "{}", kept.stderr);
    assert_eq!(std::fs::read(bench.path("there.gguf")).unwrap(), b"precious");
    bench.run(&["convert", &model(), "there.gguf", "--quant", "q8_0", "--force"]).done();
    let eaten = bench.run(&["convert", "there.gguf", "there.gguf", "--quant", "q4_0", "--force"]);
    assert!(eaten.stderr.contains("is the model that is read"), "{}", eaten.stderr);
    let named = bench.run(&["convert", &model(), "there.bin", "--quant", "q8_0"]);
    assert_eq!(named.code, Some(2));
    assert!(named.stderr.contains("there.bin: end the name with .gguf"), "{}", named.stderr);
    let missing = bench.run(&["convert", &model(), "missing/a.gguf", "--quant", "q8_0"]);
    assert!(missing.stderr.contains("no such folder"), "{}", missing.stderr);
    assert_eq!(bench.files(), ["there.gguf"]);
}

#[test]
fn full_disk_leaves_no_half_model() {
    // Mounting needs a name space of its own, which not every system grants.
    let script = "mount -t tmpfs -o size=1m tmpfs disk && \"$@\"; code=$?; ls disk; exit $code";
    let bench = Bench::new();
    std::fs::create_dir(bench.path("disk")).unwrap();
    let run = |program: &[&str]| {
        let mut command = std::process::Command::new("unshare");
        command.args(["-r", "-m", "sh", "-c", script, "sh"]).args(program).current_dir(bench.folder.path());
        command.output().ok().map(|output| support::Run::of(&output))
    };
    if run(&["true"]).is_none_or(|run| run.code != Some(0)) {
        return;
    }
    let bagel = env!("CARGO_BIN_EXE_bagel");
    let full = run(&[bagel, "convert", &model(), "disk/a.gguf", "--quant", "q8_0"]).unwrap();
    assert_eq!(full.code, Some(1), "{}{}", full.stdout, full.stderr);
    assert_eq!(full.stderr.lines().count(), 1, "{}", full.stderr);
    assert!(full.stderr.contains("disk/a.gguf"), "{}", full.stderr);
    assert_eq!(full.stdout, "", "something was left on the disk");
}

#[test]
fn inspect_counts_every_part() {
    let bench = Bench::new();
    let text = bench.run(&["inspect", &model(), "--tensors"]).done().stdout;
    for expected in ["up to 128 pixels per side", "vae", "q4_k_m", "cpu", "language_model.model.norm.weight"] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    let events = bench.run(&["inspect", &model(), "--json"]).done().events();
    let parts = events[0]["parts"].as_array().unwrap();
    let sum: u64 = parts.iter().map(|part| part["parameters"].as_u64().unwrap()).sum();
    assert_eq!(events[0]["parameters"].as_u64(), Some(sum));
}

#[test]
fn check_compares_every_number_with_the_reference() {
    let bench = Bench::new();
    let golden = mini().to_string_lossy().into_owned();
    let run = bench.run(&["check", &golden]).done();
    let last = run.stdout.lines().last().unwrap();
    assert!(last.ends_with(" passed, 0 failed"), "{last}");
    assert!(run.stdout.lines().count() > 100);
    let refused = bench.run(&["check", "nowhere"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("nowhere/model: no such folder"), "{}", refused.stderr);
}

#[test]
fn check_fails_when_a_number_is_off() {
    let bench = Bench::new();
    for part in ["model", "images", "cases"] {
        std::fs::create_dir_all(bench.path(&format!("golden/{part}"))).unwrap();
        for entry in mini().join(part).read_dir().unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), bench.path(&format!("golden/{part}")).join(entry.file_name())).unwrap();
        }
    }
    // The last bytes of the weights are numbers of one tensor.
    let weights = bench.path("golden/model/ema.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    let n_bytes = bytes.len();
    bytes[n_bytes - 64..].fill(0x3f);
    std::fs::write(&weights, bytes).unwrap();
    let run = bench.run(&["check", "golden"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("FAILED"), "{}", run.stdout);
    assert!(run.stderr.contains("values are out of tolerance"), "{}", run.stderr);
}

#[test]
fn bench_times_every_stage() {
    let bench = Bench::new();
    let run = bench.run(&["bench", "--model", &model(), "--size", "64x64", "--runs", "1", "--json"]).done();
    let report = run.events().pop().unwrap();
    assert_eq!(report["kind"], "benched");
    assert!(report["stages"].as_array().unwrap().len() > 4, "{report}");
}

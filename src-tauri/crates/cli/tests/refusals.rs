//! Bad input gives one line that names what is wrong and what to do, and leaves nothing behind.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use support::{Bench, Run, image, mini_model};

/// The command is refused with one line that has each of `expected`, and no file has come or gone.
#[track_caller]
fn check(bench: &Bench, arguments: &[&str], code: i32, expected: &[&str]) {
    let before = bench.files();
    let run = bench.run_mini(arguments);
    assert_eq!(run.code, Some(code), "{arguments:?}: {}{}", run.stdout, run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{arguments:?}: {}", run.stderr);
    assert!(run.stderr.starts_with("error: "), "{arguments:?}: {}", run.stderr);
    for part in expected {
        assert!(run.stderr.contains(part), "{arguments:?}: {} lacks {part}", run.stderr);
    }
    assert_eq!(run.stdout, "");
    assert_eq!(bench.files(), before);
}

#[track_caller]
fn check_value(option: &str, value: &str, expected: &[&str]) {
    let bench = Bench::new();
    let option = format!("{option}={value}");
    check(&bench, &["generate", "--prompt", "a star", "--out", "a.png", &option], 2, expected);
}

#[test]
fn values_out_of_range_are_refused() {
    check_value("--size", "100x64", &["100x64", "multiples of 16", "96x64"]);
    check_value("--size", "0x16", &["0x16", "try 16x16"]);
    check_value("--size", "144x64", &["144x64 is too large for this model", "128", "128x64"]);
    check_value("--size", "100000x100000", &["100000x100000", "too large"]);
    check_value("--size", "big", &["big", "WIDTHxHEIGHT"]);
    check_value("--steps", "1", &["steps 1", "2 to 1000"]);
    check_value("--steps", "-3", &["-3", "--steps"]);
    check_value("--text-guidance", "NaN", &["text guidance NaN", "give a number"]);
    check_value("--image-guidance", "inf", &["image guidance inf", "give a number"]);
    check_value("--text-guidance", "-1", &["text guidance -1", "give a number"]);
    check_value("--guidance-interval", "0.9,0.1", &["0.9,0.1", "smaller one first"]);
    check_value("--guidance-interval", "-1,2", &["-1,2", "from 0 to 1"]);
    check_value("--renorm", "local", &["local", "global", "channel", "text_channel"]);
    check_value("--renorm-min", "2", &["renorm minimum 2", "0 to 1"]);
    check_value("--shift", "0", &["shift 0", "above 0"]);
    check_value("--steps", "abc", &["abc", "--steps", "write a whole number"]);
    check_value("--shift", "much", &["much", "--shift", "write a number"]);
    check_value("--seed", "99999999999999999999", &["99999999999999999999", "--seed"]);
    check_value("--limit", "1", &["limit 1", "2 or more"]);
    check_value("--temperature", "nan", &["temperature NaN"]);
    check_value("--top-p", "1.5", &["top-p 1.5", "up to 1"]);
    check_value("--plan", " ", &["plan is empty"]);
}

#[test]
fn prompts_say_something() {
    let bench = Bench::new();
    check(&bench, &["generate", "--out", "a.png"], 2, &["prompt is empty", "describe what you want"]);
    check(&bench, &["generate", "--prompt", "  ", "--out", "a.png"], 2, &["prompt is empty"]);
    check(&bench, &["chat", "--prompt", ""], 2, &["prompt is empty"]);
    check(&bench, &["edit", "--prompt", "green", "--out", "a.png"], 2, &["edit needs an image", "use generate"]);
    let five = ["--image", "a.png"].repeat(5);
    let edit = [&["edit", "--prompt", "mix", "--out", "b.png"], five.as_slice()].concat();
    check(&bench, &edit, 2, &["5 images are too many", "1 to 4"]);
    check(&bench, &["generate", "--image", "a.png", "--prompt", "x"], 2, &["unexpected argument '--image'"]);
}

#[test]
fn places_that_cannot_be_written_are_refused_before_the_work() {
    let bench = Bench::new();
    let there = bench.file("there.png", b"x");
    let generate = |out: &str, expected: &[&str]| {
        check(&bench, &["generate", "--prompt", "a star", "--out", out, "--model", "no-such-model"], 1, expected);
    };
    generate(&there, &["there.png", "exists already", "--force"]);
    generate("missing/a.png", &["missing", "no such folder"]);
    generate("a.gif", &["a.gif", ".png"]);
    generate("/", &["/"]);
}

#[test]
fn images_that_cannot_be_read_are_refused() {
    let bench = Bench::new();
    let good = std::fs::read(image("wide.png")).unwrap();
    let refused = |name: &str, expected: &[&str]| {
        let expected: Vec<&str> = [&[name], expected].concat();
        check(&bench, &["edit", "--image", name, "--prompt", "green", "--out", "a.png"], 1, &expected);
        check(&bench, &["chat", "--image", name, "--prompt", "what?"], 1, &expected);
    };
    refused("missing.png", &["no such file", "check the path"]);
    refused(&bench.file("cut.png", &good[..good.len() / 2]), &["too early"]);
    refused(&bench.file("noise.png", &[0x5a; 400]), &["PNG, JPEG or WebP"]);
    refused(&bench.file("empty.png", b""), &["PNG, JPEG or WebP"]);
    refused(&bench.file("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), &["SVG", "PNG, JPEG or WebP"]);
    refused(&bench.file("moving.gif", b"GIF89a\x01\0\x01\0\0\0\0;"), &["GIF"]);
    refused(&bench.file("bomb.png", &png_header(100_000, 100_000)), &["100000 x 100000", "smaller"]);
    refused(&bench.file("nothing.png", &png_header(0, 0)), &[]);
    std::fs::create_dir(bench.path("folder")).unwrap();
    refused("folder", &["folder"]);
}

/// Signature and header of a PNG of that size, without its pixels.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    bytes.extend(&header);
    bytes.extend(crc32(&header).to_be_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[test]
fn models_that_cannot_be_read_are_refused() {
    let bench = Bench::new();
    let refused = |name: &str, expected: &[&str]| {
        let expected: Vec<&str> = [&[name], expected].concat();
        check(&bench, &["generate", "--prompt", "x", "--out", "a.png", "--model", name], 1, &expected);
        check(&bench, &["chat", "--prompt", "x", "--model", name], 1, &expected);
        check(&bench, &["inspect", name], 1, &expected);
    };
    let good = std::fs::read(mini_model().join("ema.safetensors")).unwrap();
    // Neighbors supply what a file lacks, so each stands alone.
    let alone = |name: &str, bytes: &[u8]| {
        std::fs::create_dir(bench.path(&format!("{name}.d"))).unwrap();
        bench.file(&format!("{name}.d/{name}"), bytes)
    };
    refused("missing", &["no such file or folder"]);
    refused(&alone("note.txt", b"hello"), &["not a model"]);
    refused(&alone("cut.safetensors", &good[..good.len() / 3]), &["damaged"]);
    refused(&alone("header.safetensors", &good[..100]), &["damaged"]);
    refused(&alone("pickle.pt", b"\x80\x02}q\0."), &["safetensors"]);
    refused(&alone("zip.ckpt", b"PK\x03\x04archive/data.pkl"), &["safetensors"]);
    refused(&alone("empty.gguf", b""), &[]);
    let mut flipped = good;
    flipped[20] ^= 0x40;
    refused(&alone("flipped.safetensors", &flipped), &[]);
    refused(&alone("bomb.gguf", b"GGUF\x03\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), &[]);
    std::fs::create_dir(bench.path("nothing-inside")).unwrap();
    refused("nothing-inside", &["not a model"]);
}

#[test]
fn folders_that_lack_a_part_are_refused() {
    let bench = Bench::new();
    let without = |name: &str, part: &str, instead: Option<&str>| {
        let folder = bench.path(name);
        std::fs::create_dir(&folder).unwrap();
        for entry in mini_model().read_dir().unwrap() {
            let entry = entry.unwrap();
            if entry.file_name() != part {
                std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
            }
        }
        if let Some(text) = instead {
            std::fs::write(folder.join(part), text).unwrap();
        }
    };
    without("tokenless", "tokenizer.json", None);
    check(&bench, &["chat", "--prompt", "x", "--model", "tokenless"], 1, &["tokenless", "tokenizer.json is missing"]);
    without("broken", "llm_config.json", Some("{ not json"));
    check(&bench, &["chat", "--prompt", "x", "--model", "broken"], 1, &["llm_config.json"]);
    without("blind", "ae.safetensors", None);
    check(&bench, &["chat", "--prompt", "x", "--model", "blind"], 1, &["blind", "missing"]);
    without("mute", "tokenizer.json", Some("[]"));
    check(&bench, &["chat", "--prompt", "x", "--model", "mute"], 1, &["tokenizer.json"]);
}

#[test]
fn devices_that_are_not_there_are_refused() {
    let bench = Bench::new();
    for device in ["tpu:0", "cuda:99"] {
        check(&bench, &["chat", "--prompt", "x", "--device", device], 1, &[device]);
    }
}

#[test]
fn what_does_not_fit_the_memory_is_refused_before_it_is_loaded() {
    let bench = Bench::new();
    let wide = image("wide.png");
    let refused = |arguments: &[&str], expected: &[&str]| check(&bench, arguments, 1, expected);
    // With --json a model that is being read would show on stdout.
    for arguments in [&["generate"][..], &["edit", "--image", &wide], &["chat"]] {
        let limited = |limit, expected: &[&str]| {
            let out: &[&str] = if arguments[0] == "chat" { &[] } else { &["--out", "a.png"] };
            refused(&[arguments, out, &["--prompt", "x", "--memory-limit", limit]].concat(), expected);
        };
        limited("1MB", &["not enough memory on cpu", "1 MB are allowed; "]);
    }
    check(&bench, &["chat", "--prompt", "x", "--memory-limit", "12"], 2, &["--memory-limit", "12GB"]);
    refused(&["generate", "--prompt", "x", "--out", "a.png", "--memory-limit", "60MB"], &["60 MB are allowed; try "]);
    let mut command = bench.command(&["chat", "--prompt", "x"]);
    command.env("BAGEL_MODEL", mini_model()).env("BAGEL_MEMORY_LIMIT", "much");
    let run = Run::of(&command.output().unwrap());
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("BAGEL_MEMORY_LIMIT=much"), "{}", run.stderr);
}

#[test]
fn images_without_a_recipe_cannot_be_repeated() {
    let bench = Bench::new();
    check(&bench, &["generate", "--from", &image("wide.png"), "--out", "a.png"], 1, &["wide.png", "carries no recipe"]);
    check(&bench, &["generate", "--from", "missing.png", "--out", "a.png"], 1, &["missing.png", "no such file"]);
}

#[test]
fn without_a_model_the_line_says_how_to_name_one() {
    let bench = Bench::new();
    let run = bench.run(&["generate", "--prompt", "x", "--out", "a.png", "--model", ""]);
    assert_ne!(run.code, Some(0));
    assert_eq!(run.stderr.lines().count(), 1);
}

#[test]
fn wrong_usage_is_one_line() {
    let bench = Bench::new();
    check(&bench, &["paint"], 2, &["unrecognized subcommand 'paint'"]);
    check(&bench, &["generate", "--promt", "x"], 2, &["--promt", "--prompt"]);
    check(&bench, &["convert", "a", "b.gguf"], 2, &["--quant"]);
    check(&bench, &["convert", "a", "b.gguf", "--quant", "q3"], 2, &["q3", "q4_k_m"]);
    check(&bench, &["generate", "--think", "--plan", "x", "--prompt", "x"], 2, &["--think", "--plan"]);
}

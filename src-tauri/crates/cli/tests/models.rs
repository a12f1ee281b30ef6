//! Models come, are listed and go.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::Value;
use support::{Bench, Run, mini_model};

/// Runs `bagel models` on a folder of its own.
fn models(bench: &Bench, arguments: &[&str]) -> Run {
    let mut command = bench.command(&[&["models"], arguments].concat());
    Run::of(&command.env("BAGEL_STUDIO_DATA", bench.path("data")).output().unwrap())
}

fn card(bench: &Bench, id: &str) -> Value {
    let cards = models(bench, &["list", "--json"]).done().events();
    cards.into_iter().find(|card| card["id"] == id).unwrap_or(Value::Null)
}

fn forms_here(card: &Value) -> Vec<String> {
    let forms = card["forms"].as_array().unwrap().iter().filter(|form| form["is_installed"] == true);
    forms.map(|form| form["quantization"].as_str().unwrap().to_owned()).collect()
}

/// Publishes a folder's files on this machine for as long as the test runs.
fn publish(folder: std::path::PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let n_read = stream.read(&mut head).unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..n_read]).into_owned();
            let name = head.split(' ').nth(1).unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
            let answer = match fs::read(folder.join(&name)) {
                Ok(bytes) => {
                    let head = format!("HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: {}\r\n\r\n", bytes.len());
                    [head.into_bytes(), bytes].concat()
                }
                Err(_) => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
            };
            drop(stream.write_all(&answer));
        }
    });
    address
}

const CATALOG: &str = r#"version = 1
[[model]]
id = "mini"
repository = "owner/mini"
max_side = 128
name = { en = "Mini", zh = "Mini" }
summary = { en = "Random numbers.", zh = "随机数。" }
[[model.file]]
path = "config.json"
[[model.file]]
path = "llm_config.json"
[[model.file]]
path = "vit_config.json"
[[model.file]]
path = "tokenizer.json"
[[model.file]]
path = "ae.safetensors"
[[model.file]]
path = "ema.safetensors"
"#;

#[test]
fn everything_that_can_be_had_is_listed_with_what_it_needs() {
    let bench = Bench::new();
    let table = models(&bench, &["list"]).done().stdout;
    for word in ["pocket", "bagel-7b-mot", "29.56 GB to download", "q4_k_m", "in memory"] {
        assert!(table.contains(word), "{word} is not in {table}");
    }
    let full = card(&bench, "bagel-7b-mot");
    assert_eq!((full["files"]["state"].as_str(), full["forms"].as_array().unwrap().len()), (Some("absent"), 5));
    assert!(!bench.path("data").exists(), "looking makes nothing");
}

#[test]
fn a_folder_that_is_here_is_taken_up_used_and_forgotten() {
    let bench = Bench::new();
    let path = mini_model().to_string_lossy().into_owned();
    let imported = models(&bench, &["import", &path, "--json"]).done().events();
    let id = imported[0]["id"].as_str().unwrap().to_owned();
    assert_eq!((imported[0]["kind"].as_str(), id.as_str()), (Some("imported"), "model"));
    assert_eq!(forms_here(&card(&bench, &id)), ["f32"]);
    let line = models(&bench, &["remove", &id]).done().stdout;
    assert!(line.starts_with("removed; "), "{line}");
    assert!(mini_model().join("ema.safetensors").exists());
    assert_eq!(card(&bench, &id), Value::Null);
}

#[test]
fn a_download_ends_in_a_form_that_can_be_asked() {
    let bench = Bench::new();
    let catalog = bench.file("mine.toml", CATALOG.as_bytes());
    let mirror = publish(mini_model());
    let with = ["--catalog", &catalog];
    let download = ["download", "mini", "--mirror", &mirror, "--quant", "q8_0", "--remove-source", "--json"];
    let events = models(&bench, &[&download[..], &with].concat()).done().events();
    let last = events.last().unwrap();
    assert_eq!((last["kind"].as_str(), last["quantization"].as_str()), (Some("installed"), Some("q8_0")));
    assert!(last["freed_bytes"].as_u64().unwrap() > 1_000_000, "{last}");
    let cards = models(&bench, &[&["list", "--json"][..], &with].concat()).done().events();
    let mini = cards.iter().find(|card| card["id"] == "mini").unwrap();
    assert_eq!((forms_here(mini), mini["files"]["state"].as_str()), (vec!["q8_0".to_owned()], Some("absent")));
    let file = bench.path("data/models/mini/mini-q8_0.gguf");
    bench.run(&["inspect", &file.to_string_lossy()]).done();
    let line = models(&bench, &[&["remove", "mini", "--form", "q8_0"][..], &with].concat()).done().stdout;
    assert!(line.starts_with("removed; ") && !file.exists(), "{line}");
}

#[test]
fn what_is_no_token_is_refused_and_not_repeated() {
    let bench = Bench::new();
    for typed in ["", "two canaries", "canary-\u{fc}mlaut"] {
        bench.file("typed", typed.as_bytes());
        let mut command = bench.command(&["models", "token"]);
        let output = command.stdin(fs::File::open(bench.path("typed")).unwrap()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("this is not a token") && !said.contains("canar"), "{said}");
    }
}

#[test]
fn what_cannot_be_done_is_said_in_one_line() {
    let bench = Bench::new();
    let check = |arguments: &[&str], code: i32, expected: &str| {
        let run = models(&bench, arguments);
        assert_eq!(run.code, Some(code), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(expected) && run.stderr.trim_end().lines().count() == 1, "{}", run.stderr);
    };
    check(&["download", "nothing"], 1, "there is no model named nothing");
    check(&["download", "pocket"], 1, "nothing of it is downloaded");
    check(&["download", "bagel-7b-mot", "--mirror", "http://example.org"], 1, "only https is supported");
    check(&["remove", "../models"], 1, "there is no model named ../models");
    check(&["remove", "bagel-7b-mot", "--form", "q8_0"], 1, "is not installed as q8_0");
    check(&["import", "nowhere"], 1, "nowhere: no such file or folder");
    check(&["import", &bench.file("a.pt", b"PK")], 1, "a.pt");
    check(&["list", "--catalog", "nowhere.toml"], 1, "nowhere.toml: no such file");
    check(&["list", "--catalog", &bench.file("bad.toml", b"version = 1\nx = 2\n")], 1, "bad.toml: line 2");
    check(&["download", "bagel-7b-mot", "--remove-source"], 2, "--quant");
}

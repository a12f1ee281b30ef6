//! Ctrl-C stops the work and leaves nothing half-written.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use support::{Bench, image, mini_model};

/// Starts the program and waits until an event of that kind is printed.
fn start(bench: &Bench, arguments: &[&str], kind: &str) -> Child {
    let mut command = bench.command(arguments);
    command.env("BAGEL_MODEL", mini_model()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mark = format!("\"kind\":\"{kind}\"");
    assert!(lines.any(|line| line.unwrap().contains(&mark)), "no event {kind}");
    // The rest is read away, so that the program never waits for a reader.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn painting_stops_with_130_and_no_file() {
    let bench = Bench::new();
    let wide = image("wide.png");
    for arguments in [
        &["generate", "--prompt", "a star", "--size", "64x64", "--steps", "1000", "--out", "a.png", "--json"][..],
        &["edit", "--image", &wide, "--prompt", "a star", "--steps", "1000", "--out", "a.png", "--json"][..],
    ] {
        let child = start(&bench, arguments, "step");
        interrupt(&child);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "error: stopped\n");
        assert_eq!(bench.files(), [""; 0]);
    }
}

#[test]
fn conversion_stops_with_130_and_no_file() {
    let bench = Bench::new();
    bench.run(&["synthesize", "small", "model"]).done();
    for destination in ["new.gguf", "there.gguf"] {
        // On a busy machine the signal may come when all is done.
        let stopped = (0..20).find_map(|_| {
            drop(std::fs::remove_file(bench.path("new.gguf")));
            bench.file("there.gguf", b"precious");
            let child =
                start(&bench, &["convert", "model", destination, "--quant", "q4_k_m", "--force", "--json"], "loading");
            interrupt(&child);
            let output = child.wait_with_output().unwrap();
            (output.status.code() != Some(0)).then_some(output)
        });
        let output = stopped.expect("a conversion that was stopped");
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "error: stopped\n");
        assert_eq!(bench.files(), ["model", "there.gguf"]);
        assert_eq!(std::fs::read(bench.path("there.gguf")).unwrap(), b"precious");
    }
}

#[test]
fn a_second_ctrl_c_leaves_no_half_model_either() {
    let bench = Bench::new();
    bench.run(&["synthesize", "small", "model"]).done();
    for _ in 0..5 {
        let child = start(&bench, &["convert", "model", "a.gguf", "--quant", "q4_k_m", "--force", "--json"], "loading");
        interrupt(&child);
        interrupt(&child);
        let code = child.wait_with_output().unwrap().status.code();
        drop(std::fs::remove_file(bench.path("a.gguf")));
        assert_eq!(bench.files(), ["model"], "ended with {code:?}");
    }
}

#[test]
fn conversation_is_left_at_its_prompt() {
    let bench = Bench::new();
    let mut command = bench.command(&["chat", "--json"]);
    command.env("BAGEL_MODEL", mini_model()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("\"loaded\"")));
    // Between the event and the prompt Ctrl-C is only noted, and obeyed by the second one.
    while child.try_wait().unwrap().is_none() {
        interrupt(&child);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

//! The process itself: its greeting, its pulse and its end.

use std::time::Duration;

use protocol::{Command, Event, PROTOCOL_VERSION, write_frame};

use crate::client::{Engine, NEVER, endless, generate, job_id, load, read_all, run};
use crate::support::mini_model;

#[test]
fn greeting_tells_version_and_devices() {
    let mut engine = Engine::start();
    engine.say(&Command::Hello { protocol: PROTOCOL_VERSION });
    let Event::Hello { protocol, devices, .. } = engine.next() else { panic!("no greeting") };
    assert_eq!(protocol, PROTOCOL_VERSION);
    assert_eq!(devices.last().unwrap().id, "cpu");
}

#[test]
fn other_version_is_answered_and_refused() {
    let mut engine = Engine::start();
    engine.say(&Command::Hello { protocol: PROTOCOL_VERSION + 1 });
    assert!(matches!(engine.next(), Event::Hello { protocol: PROTOCOL_VERSION, .. }));
    let (status, said) = engine.end();
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("protocol 2 and this engine 1; install the same version of both"), "{said}");
}

#[test]
fn process_ends_with_its_pipe() {
    let mut engine = Engine::start();
    engine.hang_up();
    assert!(engine.end().0.success());
    let mut engine = Engine::greeted();
    engine.hang_up();
    assert!(engine.end().0.success());
}

#[test]
fn process_ends_with_its_pipe_in_the_middle_of_a_job() {
    let mut engine = Engine::loaded();
    engine.say(&run("a", endless()));
    engine.until(|event| matches!(event, Event::Step { .. }));
    engine.hang_up();
    assert!(engine.end().0.success());
}

#[test]
fn garbage_ends_the_process_with_a_reason() {
    let hello = {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, &Command::Hello { protocol: PROTOCOL_VERSION }, &[]).unwrap();
        bytes
    };
    let check = |bytes: &[u8], expected: &str| {
        let mut engine = Engine::start();
        engine.say_raw(bytes);
        engine.hang_up();
        let (status, said) = engine.end();
        assert_eq!(status.code(), Some(1), "{said}");
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    };
    check(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "is announced");
    check(&[0xff; 64], "a frame of 4294967295 bytes is announced");
    check(&hello[..hello.len() - 3], "the stream ended after");
    check(&[&hello[..], &[9, 0, 0, 0, 9, 0, 0, 0], b"{\"kind\":1}"].concat(), "cannot be understood");
    let mut status = Vec::new();
    write_frame(&mut status, &Command::Status { id: job_id("s") }, &[]).unwrap();
    check(&status, "the first frame is not a hello");
}

#[test]
fn heartbeats_carry_progress() {
    let mut engine = Engine::loaded();
    engine.say(&run("a", endless()));
    let mut beats = Vec::new();
    while beats.len() < 2 {
        if let Event::Heartbeat { progress } = engine.frames.recv_timeout(NEVER).expect("a heartbeat").header {
            beats.push(progress);
        }
    }
    assert!(beats[0] < beats[1], "{beats:?}");
}

#[test]
fn status_is_answered_while_a_job_runs() {
    let mut engine = Engine::loaded();
    engine.say(&run("a", endless()));
    engine.until(|event| matches!(event, Event::Step { .. }));
    engine.say(&run("b", generate(2)));
    engine.say(&Command::Status { id: job_id("s") });
    let frames = engine.until(|event| matches!(event, Event::Status { .. }));
    let Some(Event::Status { model, running, waiting, .. }) = frames.last().map(|frame| &frame.header) else {
        panic!()
    };
    assert!(model.is_some());
    assert_eq!((running, waiting), (&Some(job_id("a")), &vec![job_id("b")]));
}

#[test]
fn slow_reader_gets_the_newest_preview_and_the_whole_image() {
    let (mut engine, stdout) = Engine::start_unread(&[]);
    engine.say(&Command::Hello { protocol: PROTOCOL_VERSION });
    engine.say(&load("load", &mini_model()));
    engine.say(&run("a", generate(200)));
    // Nothing is read until the pipe has filled and the job has gone on without it.
    std::thread::sleep(Duration::from_millis(500));
    engine.frames = read_all(stdout);
    let frames = engine.until(|event| matches!(event, Event::Done { .. } | Event::Failed { .. }));
    let steps: Vec<u32> = frames
        .iter()
        .filter_map(|frame| if let Event::Step { step, .. } = frame.header { Some(step) } else { None })
        .collect();
    assert!(steps.is_sorted() && steps.last() == Some(&199), "{steps:?}");
    assert!(frames.iter().any(|frame| matches!(frame.header, Event::Image { .. })));
}

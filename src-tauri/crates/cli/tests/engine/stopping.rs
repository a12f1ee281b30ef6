//! Whatever runs or waits can be stopped.

use protocol::{Command, ErrorCode, Event, Request, Thinking};

use crate::client::{Engine, endless, generate, generate_sized, job_id, kind, load, run};
use crate::support::Bench;

#[test]
fn running_job_is_cancelled_and_the_next_one_runs() {
    let mut engine = Engine::loaded();
    engine.say(&run("a", endless()));
    engine.until(|event| matches!(event, Event::Step { .. }));
    engine.say(&Command::Cancel { id: job_id("a") });
    assert_eq!(engine.failure("a").0, ErrorCode::Cancelled);
    engine.say(&run("b", generate(2)));
    engine.until(|event| matches!(event, Event::Done { id, .. } if *id == job_id("b")));
}

#[test]
fn job_is_cancelled_in_every_stage() {
    let mut engine = Engine::loaded();
    let Request::Generate(mut request) = endless() else { panic!() };
    request.thinking = Thinking::On;
    request.text.limit = 30;
    let request = Request::Generate(request);
    for stage in ["started", "context", "text", "step"] {
        engine.say(&run(stage, request.clone()));
        engine.until(|event| kind(event) == stage);
        engine.say(&Command::Cancel { id: job_id(stage) });
        assert_eq!(engine.failure(stage).0, ErrorCode::Cancelled);
    }
    // Nothing of what was stopped disturbs the image that follows.
    let mut paint = |id: &str| {
        engine.say(&run(id, generate(3)));
        let frames = engine.until(|event| matches!(event, Event::Done { .. }));
        frames.into_iter().find(|frame| matches!(frame.header, Event::Image { .. })).unwrap().payload
    };
    assert!(paint("a") == paint("b"));
}

#[test]
fn waiting_job_is_cancelled_at_once() {
    let mut engine = Engine::loaded();
    engine.say(&run("a", endless()));
    engine.say(&run("b", generate(2)));
    engine.say(&Command::Cancel { id: job_id("b") });
    assert_eq!(engine.failure("b").0, ErrorCode::Cancelled);
    engine.say(&Command::Cancel { id: job_id("unknown") });
    engine.say(&Command::Cancel { id: job_id("a") });
    let frames = engine.until(|event| matches!(event, Event::Failed { .. }));
    assert!(frames.iter().all(|frame| !matches!(&frame.header, Event::Started { id } if *id == job_id("b"))));
}

#[test]
fn job_is_cancelled_while_its_image_is_decoded() {
    let bench = Bench::new();
    bench.run(&["synthesize", "small", "model"]).done();
    let mut engine = Engine::greeted();
    engine.say(&load("l", &bench.path("model")));
    engine.until(|event| matches!(event, Event::Loaded { .. }));
    engine.say(&run("a", generate_sized(512, 2)));
    engine.until(|event| matches!(event, Event::Decoding { .. }));
    engine.say(&Command::Cancel { id: job_id("a") });
    let frames = engine.until(|event| matches!(event, Event::Failed { .. } | Event::Done { .. }));
    assert!(frames.iter().all(|frame| !matches!(frame.header, Event::Image { .. })), "a stopped image came");
    assert!(
        matches!(&frames.last().unwrap().header, Event::Failed { failure, .. } if failure.code == ErrorCode::Cancelled)
    );
    engine.say(&run("b", generate(2)));
    engine.until(|event| matches!(event, Event::Done { .. }));
}

//! The engine process as the studio meets it: over pipes, on a model of random weights.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::io::{BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use protocol::{
    ChatRequest, Command, ErrorCode, Event, Frame, ImageParameters, ImageRequest, Input, JobId, PROTOCOL_VERSION,
    Request, Size, TextChannel, TextParameters, Thinking, read_frame, write_frame,
};
use support::{Bench, mini_model, picture};

/// After this long an event will not come; only a failing test waits for it.
const NEVER: Duration = Duration::from_secs(120);

struct Engine {
    child: Child,
    stdin: Option<ChildStdin>,
    frames: Receiver<Frame<Event>>,
    _bench: Bench,
}

impl Engine {
    /// Starts the process and says nothing.
    fn start() -> Self {
        let (mut engine, stdout) = Self::start_unread();
        engine.frames = read_all(stdout);
        engine
    }

    fn start_unread() -> (Self, ChildStdout) {
        let bench = Bench::new();
        let mut command = bench.command(&["engine"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().unwrap();
        (Self { child, stdin, frames: mpsc::channel().1, _bench: bench }, stdout)
    }

    /// Starts the process and greets it.
    fn greeted() -> Self {
        let mut engine = Self::start();
        engine.say(&Command::Hello { protocol: PROTOCOL_VERSION });
        assert!(matches!(engine.next(), Event::Hello { .. }));
        engine
    }

    /// Starts the process with a model in memory.
    fn loaded() -> Self {
        let mut engine = Self::greeted();
        engine.say(&load("load", &mini_model()));
        engine.until(|event| matches!(event, Event::Loaded { .. }));
        engine
    }

    fn say(&mut self, command: &Command) {
        write_frame(self.stdin.as_mut().unwrap(), command, &[]).unwrap();
    }

    fn say_raw(&mut self, bytes: &[u8]) {
        // The engine may be gone before all is written.
        let _ = self.stdin.as_mut().unwrap().write_all(bytes);
    }

    fn frame(&self) -> Frame<Event> {
        loop {
            let frame = self.frames.recv_timeout(NEVER).expect("an event");
            if !matches!(frame.header, Event::Heartbeat { .. }) {
                return frame;
            }
        }
    }

    fn next(&self) -> Event {
        self.frame().header
    }

    /// All events up to the one that is waited for.
    fn until(&self, is_last: impl Fn(&Event) -> bool) -> Vec<Frame<Event>> {
        let mut frames = Vec::new();
        loop {
            let frame = self.frame();
            let over = is_last(&frame.header);
            frames.push(frame);
            if over {
                return frames;
            }
        }
    }

    /// The failure of a job, whatever comes before it.
    fn failure(&self, job: &str) -> (ErrorCode, String) {
        let frames = self.until(|event| matches!(event, Event::Failed { id, .. } if *id == job_id(job)));
        match frames.into_iter().next_back().map(|frame| frame.header) {
            Some(Event::Failed { failure, .. }) => (failure.code, failure.message),
            other => panic!("{other:?}"),
        }
    }

    /// Waits for the end of the process; gives what it wrote to stderr.
    fn end(mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap(), said)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_all(stdout: ChildStdout) -> Receiver<Frame<Event>> {
    let (sender, frames) = mpsc::channel();
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(stdout);
        while let Some(frame) = read_frame::<Event>(&mut pipe).expect("nothing but frames on stdout") {
            if sender.send(frame).is_err() {
                return;
            }
        }
    });
    frames
}

fn job_id(name: &str) -> JobId {
    JobId(name.to_owned())
}

fn load(id: &str, path: &Path) -> Command {
    Command::Load { id: job_id(id), path: path.to_path_buf(), base: None, device: Some("cpu".to_owned()) }
}

fn run(id: &str, request: Request) -> Command {
    Command::Run { id: job_id(id), request }
}

fn text(text: &str) -> Input {
    Input::Text { text: text.to_owned() }
}

fn generate(steps: u32) -> Request {
    let image = ImageParameters {
        size: Some(Size { width: 64, height: 64 }),
        steps,
        seed: Some(5),
        ..ImageParameters::generate()
    };
    Request::Generate(ImageRequest {
        inputs: vec![text("a star")],
        thinking: Thinking::Off,
        image,
        text: TextParameters::thought(),
    })
}

fn chat(limit: u32, inputs: Vec<Input>) -> Request {
    Request::Chat(ChatRequest { inputs, think: false, text: TextParameters { limit, ..TextParameters::chat() } })
}

/// A job that outlasts every test, unless it is stopped.
fn endless() -> Request {
    generate(1000)
}

fn kind(event: &Event) -> String {
    serde_json::to_value(event).unwrap()["kind"].as_str().unwrap().to_owned()
}

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
    engine.stdin = None;
    assert!(engine.end().0.success());
    let mut engine = Engine::greeted();
    engine.stdin = None;
    assert!(engine.end().0.success());
}

#[test]
fn process_ends_with_its_pipe_in_the_middle_of_a_job() {
    let mut engine = Engine::loaded();
    engine.say(&run("a", endless()));
    engine.until(|event| matches!(event, Event::Step { .. }));
    engine.stdin = None;
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
        engine.stdin = None;
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
fn model_is_loaded_with_progress_and_given_back() {
    let mut engine = Engine::greeted();
    engine.say(&load("l", &mini_model()));
    let frames = engine.until(|event| matches!(event, Event::Loaded { .. }));
    assert!(frames.iter().any(|frame| {
        matches!(&frame.header, Event::Loading { id, bytes, total_bytes } if *id == job_id("l") && bytes <= total_bytes)
    }));
    let Some(Event::Loaded { model, .. }) = frames.last().map(|frame| &frame.header) else { panic!() };
    assert_eq!((model.device.as_str(), model.max_side), ("cpu", 128));
    engine.say(&Command::Unload { id: job_id("u") });
    assert_eq!(engine.next(), Event::Unloaded { id: job_id("u") });
    engine.say(&run("a", generate(2)));
    assert_eq!(engine.failure("a").0, ErrorCode::ModelMissing);
}

#[test]
fn missing_and_broken_models_have_their_own_codes() {
    let bench = Bench::new();
    let mut engine = Engine::greeted();
    engine.say(&load("a", &bench.path("nothing")));
    let (code, message) = engine.failure("a");
    assert_eq!(code, ErrorCode::ModelMissing, "{message}");
    bench.file("broken.gguf", b"GGUF\x03\0\0\0");
    engine.say(&load("b", &bench.path("broken.gguf")));
    let (code, message) = engine.failure("b");
    assert_eq!(code, ErrorCode::ModelInvalid, "{message}");
    assert!(message.contains("broken.gguf"), "{message}");
}

#[test]
fn picture_comes_with_previews_and_recipe() {
    let mut engine = Engine::loaded();
    engine.say(&run("a", generate(6)));
    let frames = engine.until(|event| matches!(event, Event::Done { .. }));
    let mut kinds: Vec<String> = frames.iter().map(|frame| kind(&frame.header)).collect();
    kinds.dedup();
    assert_eq!(kinds, ["started", "context", "step", "decoding", "image", "done"]);
    let mut n_steps = 0;
    for frame in &frames {
        match &frame.header {
            Event::Step { step, steps, preview, .. } => {
                assert!(*step > n_steps && *steps == 5, "step {step} of {steps} after {n_steps}");
                n_steps = *step;
                let size = preview.unwrap();
                assert_eq!(frame.payload.len() as u32, size.width * size.height * 3);
            }
            Event::Image { size, recipe, .. } => {
                assert_eq!((size.width, size.height, frame.payload.len()), (64, 64, 64 * 64 * 3));
                assert_eq!(recipe["image"]["seed"], 5);
                assert_eq!(recipe["inputs"][0]["text"], "a star");
            }
            _ => assert!(frame.payload.is_empty()),
        }
    }
    assert_eq!(n_steps, 5);
}

#[test]
fn edit_reads_its_picture_from_a_file() {
    let mut engine = Engine::loaded();
    let Request::Generate(mut request) = generate(2) else { panic!() };
    request.inputs.insert(0, Input::Image { path: picture("wide.png").into() });
    request.image.size = None;
    request.image.seed = None;
    engine.say(&run("a", Request::Edit(request)));
    let frames = engine.until(|event| matches!(event, Event::Done { .. }));
    let image = frames.iter().find_map(|frame| match &frame.header {
        Event::Image { size, recipe, .. } => Some((size, recipe)),
        _ => None,
    });
    let (size, recipe) = image.unwrap();
    assert_eq!((size.width, size.height), (128, 64));
    assert_eq!(recipe["inputs"][0]["name"], "wide.png");
    assert!(recipe["image"]["seed"].is_u64(), "the drawn seed comes back");
}

#[test]
fn answer_is_streamed_and_complete() {
    let mut engine = Engine::loaded();
    engine.say(&run("a", chat(12, vec![text("who are you?")])));
    let frames = engine.until(|event| matches!(event, Event::Done { .. }));
    let mut streamed = String::new();
    for frame in &frames {
        match &frame.header {
            Event::Text { channel, delta, .. } => {
                assert_eq!(*channel, TextChannel::Answer);
                streamed.push_str(delta);
            }
            Event::Done { text, parameters, statistics, .. } => {
                assert_eq!(text.as_deref(), Some(streamed.as_str()));
                assert_eq!(parameters.as_ref().unwrap().limit, 12);
                assert!(statistics.text_tokens <= 11);
            }
            _ => {}
        }
    }
}

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
    // Nothing of what was stopped disturbs the picture that follows.
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
fn estimate_needs_no_run() {
    let mut engine = Engine::loaded();
    engine.say(&run("a", endless()));
    engine.say(&Command::Estimate { id: job_id("e"), request: generate(50) });
    let frames = engine.until(|event| matches!(event, Event::Estimate { .. } | Event::Failed { .. }));
    let Some(Event::Estimate { memory, size, .. }) = frames.last().map(|frame| &frame.header) else {
        panic!("{:?}", frames.last())
    };
    assert!(memory.weights_bytes > 0 && memory.peak_bytes >= memory.weights_bytes);
    assert_eq!(size.unwrap(), Size { width: 64, height: 64 });
    let Request::Generate(mut request) = generate(1) else { panic!() };
    request.image.steps = 1;
    engine.say(&Command::Estimate { id: job_id("f"), request: Request::Generate(request) });
    assert_eq!(engine.failure("f").0, ErrorCode::BadInput);
}

#[test]
fn bad_requests_fail_with_a_line_and_leave_the_engine_ready() {
    let bench = Bench::new();
    let mut engine = Engine::loaded();
    let svg = bench.path("a.png");
    bench.file("a.png", b"<svg/>");
    for (job, request, expected) in [
        ("steps", generate(1), "steps 1 is out of range"),
        ("empty", chat(8, vec![]), "the prompt is empty"),
        ("missing", chat(8, vec![Input::Image { path: "gone.png".into() }, text("x")]), "gone.png: no such file"),
        ("svg", chat(8, vec![Input::Image { path: svg }, text("x")]), "SVG"),
    ] {
        engine.say(&run(job, request));
        let (code, message) = engine.failure(job);
        assert_eq!(code, ErrorCode::BadInput, "{message}");
        assert!(message.contains(expected) && !message.contains('\n'), "{message}");
    }
    engine.say(&run("good", generate(2)));
    engine.until(|event| matches!(event, Event::Done { .. }));
}

/// A copy of the model whose bias of the last layer before the latents is not a number.
fn broken_model(bench: &Bench) -> std::path::PathBuf {
    let folder = bench.path("broken");
    std::fs::create_dir(&folder).unwrap();
    for entry in mini_model().read_dir().unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    let weights = folder.join("ema.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    let header_bytes = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + header_bytes]).unwrap();
    assert_eq!(header["llm2vae.bias"]["dtype"], "F32");
    let offset = 8 + header_bytes + header["llm2vae.bias"]["data_offsets"][0].as_u64().unwrap() as usize;
    bytes[offset..offset + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&weights, bytes).unwrap();
    folder
}

#[test]
fn picture_of_no_numbers_is_a_failure_and_no_picture() {
    let bench = Bench::new();
    let mut engine = Engine::greeted();
    engine.say(&load("l", &broken_model(&bench)));
    engine.until(|event| matches!(event, Event::Loaded { .. }));
    engine.say(&run("a", generate(3)));
    let frames = engine.until(|event| matches!(event, Event::Failed { .. } | Event::Done { .. }));
    assert!(frames.iter().all(|frame| !matches!(frame.header, Event::Image { .. })));
    let Some(Event::Failed { failure, .. }) = frames.last().map(|frame| &frame.header) else { panic!("{frames:?}") };
    assert_eq!(failure.code, ErrorCode::Internal);
    assert!(failure.message.contains("not numbers"), "{}", failure.message);
}

#[test]
fn loading_can_be_cancelled_and_another_model_takes_its_place() {
    let mut engine = Engine::greeted();
    engine.say(&load("a", &mini_model()));
    engine.say(&load("b", &mini_model()));
    engine.say(&Command::Cancel { id: job_id("b") });
    engine.say(&Command::Cancel { id: job_id("a") });
    let mut n_failed = 0;
    while n_failed < 1 {
        if matches!(engine.next(), Event::Failed { failure, .. } if failure.code == ErrorCode::Cancelled) {
            n_failed += 1;
        }
    }
    engine.say(&load("c", &mini_model()));
    engine.until(|event| matches!(event, Event::Loaded { id, .. } if *id == job_id("c")));
}

#[test]
fn slow_reader_gets_the_newest_preview_and_the_whole_picture() {
    let (mut engine, stdout) = Engine::start_unread();
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

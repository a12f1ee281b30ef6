//! The studio's end of the pipes.

use std::io::{BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use protocol::{
    ChatRequest, Command, ErrorCode, Event, Frame, ImageParameters, ImageRequest, Input, JobId, ModelSource,
    PROTOCOL_VERSION, Request, Size, TextParameters, Thinking, read_frame, write_frame,
};

use crate::support::{Bench, mini_model};

/// After this long an event will not come; only a failing test waits for it.
pub(crate) const NEVER: Duration = Duration::from_secs(120);

pub(crate) struct Engine {
    child: Child,
    stdin: Option<ChildStdin>,
    pub(crate) frames: Receiver<Frame<Event>>,
    _bench: Bench,
}

impl Engine {
    /// Starts the process and says nothing.
    pub(crate) fn start() -> Self {
        let (mut engine, stdout) = Self::start_unread(&[]);
        engine.frames = read_all(stdout);
        engine
    }

    /// The same with variables, and with nobody who reads what it says.
    pub(crate) fn start_unread(variables: &[(&str, &str)]) -> (Self, ChildStdout) {
        let bench = Bench::new();
        let mut command = bench.command(&["engine"]);
        command.envs(variables.iter().copied());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().unwrap();
        (Self { child, stdin, frames: mpsc::channel().1, _bench: bench }, stdout)
    }

    /// Starts the process and greets it.
    pub(crate) fn greeted() -> Self {
        let mut engine = Self::start();
        engine.greet();
        engine
    }

    fn greet(&mut self) {
        self.say(&Command::Hello { protocol: PROTOCOL_VERSION });
        assert!(matches!(self.next(), Event::Hello { .. }));
    }

    /// Starts the process with no more memory than that, and greets it.
    pub(crate) fn limited(memory: &str) -> Self {
        let (mut engine, stdout) = Self::start_unread(&[("BAGEL_MEMORY_LIMIT", memory)]);
        engine.frames = read_all(stdout);
        engine.greet();
        engine
    }

    /// Starts the process with a model in memory.
    pub(crate) fn loaded() -> Self {
        let mut engine = Self::greeted();
        engine.say(&load("load", &mini_model()));
        engine.until(|event| matches!(event, Event::Loaded { .. }));
        engine
    }

    pub(crate) fn say(&mut self, command: &Command) {
        write_frame(self.stdin.as_mut().unwrap(), command, &[]).unwrap();
    }

    pub(crate) fn say_raw(&mut self, bytes: &[u8]) {
        // The engine may be gone before all is written.
        let _ = self.stdin.as_mut().unwrap().write_all(bytes);
    }

    pub(crate) fn frame(&self) -> Frame<Event> {
        loop {
            let frame = self.frames.recv_timeout(NEVER).expect("an event");
            if !matches!(frame.header, Event::Heartbeat { .. }) {
                return frame;
            }
        }
    }

    pub(crate) fn next(&self) -> Event {
        self.frame().header
    }

    /// All events up to the one that is waited for.
    pub(crate) fn until(&self, is_last: impl Fn(&Event) -> bool) -> Vec<Frame<Event>> {
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
    pub(crate) fn failure(&self, job: &str) -> (ErrorCode, String) {
        let frames = self.until(|event| matches!(event, Event::Failed { id, .. } if *id == job_id(job)));
        match frames.into_iter().next_back().map(|frame| frame.header) {
            Some(Event::Failed { failure, .. }) => (failure.code, failure.message),
            other => panic!("{other:?}"),
        }
    }

    /// Closes the pipe into the process.
    pub(crate) fn hang_up(&mut self) {
        self.stdin = None;
    }

    /// Waits for the end of the process; gives what it wrote to stderr.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
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

pub(crate) fn read_all(stdout: ChildStdout) -> Receiver<Frame<Event>> {
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

pub(crate) fn job_id(name: &str) -> JobId {
    JobId::from_u128(name.bytes().fold(0, |bits, byte| bits << 8 | u128::from(byte)))
}

pub(crate) fn on_the_processor(path: &Path) -> ModelSource {
    ModelSource { path: path.to_path_buf(), base: None, device: Some("cpu".to_owned()) }
}

pub(crate) fn load(id: &str, path: &Path) -> Command {
    Command::Load { id: job_id(id), model: on_the_processor(path) }
}

pub(crate) fn run(id: &str, request: Request) -> Command {
    Command::Run { id: job_id(id), request }
}

pub(crate) fn text(text: &str) -> Input {
    Input::Text { text: text.to_owned() }
}

/// A square image of 64 pixels a side.
pub(crate) fn generate(steps: u32) -> Request {
    generate_sized(64, steps)
}

pub(crate) fn generate_sized(side: u32, steps: u32) -> Request {
    let parameters = ImageParameters {
        size: Some(Size { width: side, height: side }),
        steps,
        seed: Some(5),
        ..ImageParameters::generate()
    };
    Request::Generate(ImageRequest {
        inputs: vec![text("a star")],
        thinking: Thinking::Off,
        parameters,
        text: TextParameters::plan(),
    })
}

pub(crate) fn chat(limit: u32, inputs: Vec<Input>) -> Request {
    Request::Chat(ChatRequest { inputs, think: false, text: TextParameters { limit, ..TextParameters::chat() } })
}

/// A job that outlasts every test, unless it is stopped.
pub(crate) fn endless() -> Request {
    generate(1000)
}

pub(crate) fn kind(event: &Event) -> String {
    serde_json::to_value(event).unwrap()["kind"].as_str().unwrap().to_owned()
}

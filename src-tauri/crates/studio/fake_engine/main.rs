//! An engine without a model: it speaks the same frames and does what it is told, also badly.
//!
//! How it starts is chosen by the name it is called by (`mute`, `old`, `broken`),
//! how it loads by the model's name (`missing`, `slow`), and how it works by the first word of
//! an instruction (`die`, `hang`, `stubborn`, `garbage`, `oom`, `slow`).

use std::io::{BufReader, Write, stdin, stdout};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use protocol::{
    Command, DeviceDescription, ErrorCode, Event, Failure, Input, JobId, ModelDescription, PROTOCOL_VERSION, Request,
    Size, Statistics, TextChannel, frame,
};

const STEPS: u32 = 8;

fn main() {
    let name = std::env::args().next().unwrap_or_default();
    let name = Path::new(&name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match name.as_str() {
        "mute" => thread::sleep(Duration::from_secs(3600)),
        "broken" => std::process::exit(3),
        _ => {}
    }
    let (commands, waiting) = channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(stdin());
        while let Ok(Some(frame)) = frame::read_frame::<Command>(&mut reader) {
            if commands.send(frame.header).is_err() {
                break;
            }
        }
        // As the real one: nobody speaks to it any more, so nobody needs it.
        std::process::exit(0);
    });
    let protocol = if name == "old" { 0 } else { PROTOCOL_VERSION };
    Engine { waiting, protocol }.serve();
}

struct Engine {
    waiting: Receiver<Command>,
    protocol: u32,
}

impl Engine {
    fn serve(&self) {
        let mut progress = 0;
        loop {
            match self.waiting.recv_timeout(Duration::from_millis(100)) {
                Ok(Command::Hello { .. }) => {
                    let cpu = DeviceDescription {
                        id: "cpu".to_owned(),
                        name: "Processor".to_owned(),
                        memory_bytes: Some(16 << 30),
                        free_bytes: Some(9 << 30),
                        compute_capability: None,
                    };
                    say(&Event::Hello { protocol: self.protocol, engine: "fake".to_owned(), devices: vec![cpu] });
                }
                Ok(Command::Load { id, path, .. }) => load(id, &path),
                Ok(Command::Run { id, request }) => self.run(&id, &request),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    progress += 1;
                    say(&Event::Heartbeat { progress });
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn run(&self, id: &JobId, request: &Request) {
        say(&Event::Started { id: id.clone() });
        say(&Event::Context { id: id.clone(), tokens: 12 });
        let (inputs, is_chat) = match request {
            Request::Generate(image) | Request::Edit(image) => (&image.inputs, false),
            Request::Chat(chat) => (&chat.inputs, true),
        };
        let instruction = inputs.iter().rev().find_map(|input| match input {
            Input::Text { text } => Some(text.as_str()),
            Input::Image { .. } => None,
        });
        let instruction = instruction.unwrap_or_default();
        let pause = match instruction.split(' ').next().unwrap_or_default() {
            "die" => std::process::abort(),
            "hang" => loop {
                thread::sleep(Duration::from_secs(1));
            },
            "stubborn" => loop {
                thread::sleep(Duration::from_millis(50));
                say(&Event::Heartbeat { progress: std::process::id().into() });
            },
            "garbage" => {
                let _ = stdout().write_all(&[0xff; 64]);
                let _ = stdout().flush();
                thread::sleep(Duration::from_secs(3600));
                return;
            }
            "oom" => {
                let message = "1024 x 1024 does not fit; try 768 x 768".to_owned();
                say(&Event::Failed {
                    id: id.clone(),
                    failure: Failure { code: ErrorCode::OutOfDeviceMemory, message },
                });
                return;
            }
            "slow" => Duration::from_millis(150),
            _ => Duration::from_millis(5),
        };
        if is_chat { self.answer(id, inputs, pause) } else { self.paint(id, request, pause) }
    }

    /// Says back what it was shown, a word at a time.
    fn answer(&self, id: &JobId, inputs: &[Input], pause: Duration) {
        let shown: Vec<&str> = inputs
            .iter()
            .map(|input| match input {
                Input::Text { text } => text.as_str(),
                Input::Image { path } if path.exists() => "[picture]",
                Input::Image { .. } => "[missing]",
            })
            .collect();
        let text = format!("I was shown: {}", shown.join(" | "));
        for word in text.split_inclusive(' ') {
            if self.is_cancelled(id, pause) {
                return;
            }
            say(&Event::Text { id: id.clone(), channel: TextChannel::Answer, delta: word.to_owned() });
        }
        say(&Event::Done { id: id.clone(), text: Some(text), parameters: None, statistics: Statistics::default() });
    }

    fn paint(&self, id: &JobId, request: &Request, pause: Duration) {
        let (Request::Generate(image) | Request::Edit(image)) = request else { return };
        if image.thinking == protocol::Thinking::On {
            say(&Event::Text { id: id.clone(), channel: TextChannel::Thought, delta: "A red circle.".to_owned() });
        }
        for step in 1..=STEPS {
            if self.is_cancelled(id, pause) {
                return;
            }
            let preview = Some(Size { width: 32, height: 32 });
            let shade = (step * 255 / STEPS) as u8;
            let event = Event::Step { id: id.clone(), step, steps: STEPS, preview };
            say_with(&event, &[shade, 96, 64].repeat(32 * 32));
        }
        say(&Event::Decoding { id: id.clone() });
        let size = image.image.size.unwrap_or(Size { width: 64, height: 48 });
        let rgb = (0..size.height).flat_map(|y| (0..size.width).flat_map(move |x| [x as u8 ^ y as u8, 120, 60]));
        let recipe = serde_json::json!({ "image": image.image });
        say_with(&Event::Image { id: id.clone(), size, recipe }, &rgb.collect::<Vec<u8>>());
        say(&Event::Done { id: id.clone(), text: None, parameters: None, statistics: Statistics::default() });
    }

    /// Waits for a step, and ends the job when that is asked for meanwhile.
    fn is_cancelled(&self, id: &JobId, pause: Duration) -> bool {
        match self.waiting.recv_timeout(pause) {
            Ok(Command::Cancel { id: cancelled }) if cancelled == *id => {
                let failure = Failure { code: ErrorCode::Cancelled, message: "stopped".to_owned() };
                say(&Event::Failed { id: id.clone(), failure });
                true
            }
            _ => false,
        }
    }
}

fn load(id: JobId, path: &Path) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if name.contains("missing") {
        let message = format!("{}: there is no such file; choose another model", path.display());
        say(&Event::Failed { id, failure: Failure { code: ErrorCode::ModelMissing, message } });
        return;
    }
    for part in 0..4 {
        say(&Event::Loading { id: id.clone(), bytes: part * 256, total_bytes: 1024 });
        if name.contains("slow") {
            thread::sleep(Duration::from_millis(300));
        }
    }
    let model = ModelDescription {
        name,
        hash: "0".repeat(64),
        quantization: "q8_0".to_owned(),
        parameters: 10_000_000,
        memory_bytes: 10 << 20,
        device: "cpu".to_owned(),
        max_side: 1024,
    };
    say(&Event::Loaded { id, model });
}

fn say(event: &Event) {
    say_with(event, &[]);
}

fn say_with(event: &Event, payload: &[u8]) {
    let mut stdout = stdout().lock();
    if frame::write_frame(&mut stdout, event, payload).and_then(|()| stdout.flush().map_err(Into::into)).is_err() {
        std::process::exit(1);
    }
}

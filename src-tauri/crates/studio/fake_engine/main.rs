//! An engine without a model: it speaks the same frames and does what it is told, also badly.
//!
//! How it starts is chosen by the name it is called by (`mute`, `old`,
//! `broken`, `gpu`, `tight`, `sleepy`), how it converts by that name (`slow`) and by the files beside
//! it, how it loads by the model's name (`missing`, `slow`, `heavy`, or a
//! fault such as `abort@load`), and how it works by the first word of an
//! prompt: `slow`, or a [`Fault`] and where it happens, such as
//! `abort@step`.

mod commands;
mod fault;
mod work;

use std::io::{BufReader, Write, stdin, stdout};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use protocol::{
    Command, DeviceDescription, ErrorCode, Event, Failure, Input, JobId, MemoryEstimate, ModelDescription,
    PROTOCOL_VERSION, Request, Size, frame,
};

use fault::Fault;

/// Bytes that a model called `heavy` holds, and that each of its jobs takes besides.
const HEAVY_BYTES: usize = 128 << 20;
pub(crate) const HEAVY_WORK_BYTES: usize = 96 << 20;

/// Bytes that the pretended graphics card has, and a small one.
const CARD_BYTES: u64 = 2_000_000_000;
const TIGHT_BYTES: u64 = 315_000_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let name = Path::new(arguments.first().map(String::as_str).unwrap_or_default()).file_stem();
    let name = name.unwrap_or_default().to_string_lossy().into_owned();
    if let Some(command) = arguments.get(1).filter(|command| *command != "engine") {
        if name.contains("sleepy") {
            thread::sleep(Duration::from_millis(1500));
        }
        std::process::exit(commands::run(command, &arguments, &devices(&name)));
    }
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
    Engine { waiting, name, progress: 0, weights: Vec::new() }.serve();
}

/// What it pretends to compute on.
fn devices(name: &str) -> Vec<DeviceDescription> {
    let cpu = DeviceDescription {
        id: "cpu".to_owned(),
        name: "Processor".to_owned(),
        memory_bytes: Some(16 << 30),
        free_bytes: Some(9 << 30),
        compute_capability: None,
    };
    let card_bytes = if name.contains("tight") { TIGHT_BYTES } else { CARD_BYTES };
    let card = DeviceDescription {
        id: "cuda:0".to_owned(),
        name: "Card".to_owned(),
        memory_bytes: Some(card_bytes),
        free_bytes: Some(card_bytes),
        compute_capability: Some("8.9".to_owned()),
    };
    if name.contains("gpu") { vec![card, cpu] } else { vec![cpu] }
}

struct Engine {
    waiting: Receiver<Command>,
    name: String,
    progress: u64,
    weights: Vec<u8>,
}

impl Engine {
    fn serve(&mut self) {
        loop {
            match self.waiting.recv_timeout(Duration::from_millis(100)) {
                Ok(Command::Hello { .. }) => {
                    let protocol = if self.name == "old" { 0 } else { PROTOCOL_VERSION };
                    say(&Event::Hello { protocol, engine: "fake".to_owned(), devices: devices(&self.name) });
                }
                Ok(Command::Load { id, model }) => self.load(id, &model.path, model.device),
                Ok(Command::Run { id, request }) => self.run(id, &request),
                Ok(Command::Estimate { id, request, .. }) => estimate(id, &request),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => self.beat(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn beat(&mut self) {
        self.progress += 1;
        say(&Event::Heartbeat { progress: self.progress });
    }

    fn load(&mut self, id: JobId, path: &Path, device: Option<String>) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.contains("missing") {
            let message = format!("{}: there is no such file; choose another model", path.display());
            say(&Event::Failed { id, failure: Failure { code: ErrorCode::ModelMissing, message } });
            return;
        }
        if name.contains("heavy") {
            self.weights = touched(HEAVY_BYTES);
        }
        for part in 0..4 {
            say(&Event::Loading { id, bytes: part * 256, total_bytes: 1024 });
            if name.contains("slow") {
                thread::sleep(Duration::from_millis(300));
            }
        }
        // It happens once: the next process finds the note and loads.
        let note = path.with_extension("tripped");
        if let Some(fault) = Fault::of(&name, "load")
            && !note.exists()
        {
            let _ = std::fs::write(note, "");
            if fault.happen(id).is_break() {
                return;
            }
        }
        let best = devices(&self.name).first().map(|device| device.id.clone()).unwrap_or_default();
        let model = ModelDescription {
            name,
            hash: "0".repeat(64),
            quantization: "q8_0".to_owned(),
            parameters: 10_000_000,
            memory_bytes: 10 << 20,
            device: device.unwrap_or(best),
            max_side: 1024,
        };
        say(&Event::Loaded { id, model });
    }
}

/// Memory that is not only asked for: what is written to is there.
pub(crate) fn touched(n_bytes: usize) -> Vec<u8> {
    vec![1; n_bytes]
}

/// Four kilobytes for a pixel, so that a card of two gigabytes holds 512 × 512 and not 768 × 768.
fn estimate(id: JobId, request: &Request) {
    let size = match request {
        Request::Generate(image) | Request::Edit(image) => {
            Some(image.parameters.size.unwrap_or(Size { width: 1024, height: 1024 }))
        }
        Request::Chat(_) => None,
    };
    let texts = request.inputs().iter().filter_map(|input| match input {
        Input::Text { text } => Some(text.len()),
        Input::Image { .. } => None,
    });
    let pixels = size.map_or(0, |size| u64::from(size.width) * u64::from(size.height));
    let memory = MemoryEstimate {
        weights_bytes: 10 << 20,
        working_bytes: pixels * 4096,
        peak_bytes: (10 << 20) + pixels * 4096,
        ..MemoryEstimate::default()
    };
    say(&Event::Estimate { id, memory, context_tokens: u32::try_from(texts.sum::<usize>()).unwrap_or(u32::MAX), size });
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

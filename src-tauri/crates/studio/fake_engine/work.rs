//! Answers and images that show what was asked for.

use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use protocol::recipe::RECIPE_VERSION;
use protocol::{
    ChatRequest, Command, ErrorCode, Event, Failure, ImageRequest, Input, JobId, Kind, Recipe, RecipeInput,
    RecipeModel, Request, Size, Statistics, TextChannel, Thinking,
};

use crate::fault::Fault;
use crate::{Engine, HEAVY_WORK_BYTES, say, say_with, touched};

const STEPS: u32 = 8;

const PLAN: &str = "<think>\nA red circle on a blue ground.\n</think>";

/// A job that is over, one way or another.
struct Over;

type Going<T = ()> = Result<T, Over>;

/// A job at work.
struct Job<'a> {
    engine: &'a Engine,
    id: JobId,
    prompt: String,
    pause: Duration,
}

impl Engine {
    pub(crate) fn run(&self, id: JobId, request: &Request) {
        say(&Event::Started { id });
        let mut texts = request.inputs().iter().filter_map(|input| match input {
            Input::Text { text } => Some(text.as_str()),
            Input::Image { .. } => None,
        });
        let prompt = texts.next_back().unwrap_or_default().to_owned();
        let pause = match prompt.split(' ').next().unwrap_or_default() {
            "slow" => 150,
            "fast" => 0,
            _ => 5,
        };
        // A model that holds memory takes more while it works, unless it is to be fast.
        let working = if self.weights.is_empty() || pause == 0 { Vec::new() } else { touched(HEAVY_WORK_BYTES) };
        let job = Job { engine: self, id, prompt, pause: Duration::from_millis(pause) };
        // Whatever ended it has been said.
        let _ = job.run(request);
        std::hint::black_box(working);
    }
}

impl Job<'_> {
    fn run(&self, request: &Request) -> Going {
        self.meet("reading")?;
        say(&Event::Context { id: self.id, tokens: 12 });
        match request {
            Request::Generate(image) => self.paint(image, Kind::Generate),
            Request::Edit(image) => self.paint(image, Kind::Edit),
            Request::Chat(chat) => self.answer(chat),
        }
    }

    /// Lets a fault happen here, if one was asked for.
    fn meet(&self, point: &str) -> Going {
        match Fault::of(&self.prompt, point).map(|fault| fault.happen(self.id)) {
            Some(flow) if flow.is_break() => Err(Over),
            _ => Ok(()),
        }
    }

    /// Says back what it was shown, a word at a time.
    fn answer(&self, chat: &ChatRequest) -> Going {
        let shown: Vec<&str> = chat
            .inputs
            .iter()
            .map(|input| match input {
                Input::Text { text } => text.as_str(),
                Input::Image { path } if path.exists() => "[image]",
                Input::Image { .. } => "[missing]",
            })
            .collect();
        if chat.think {
            self.write(PLAN, TextChannel::Plan)?;
        }
        let text = if self.prompt == "mumble" { String::new() } else { format!("I was shown: {}", shown.join(" | ")) };
        self.meet("writing")?;
        self.write(&text, TextChannel::Answer)?;
        self.done(Some(text));
        Ok(())
    }

    fn write(&self, text: &str, channel: TextChannel) -> Going {
        for word in text.split_inclusive(' ') {
            self.wait()?;
            say(&Event::Text { id: self.id, channel, delta: word.to_owned() });
        }
        Ok(())
    }

    fn paint(&self, image: &ImageRequest, kind: Kind) -> Going {
        let mut plan = None;
        if let Thinking::Given { plan: given } = &image.thinking {
            plan = Some(given.clone());
        }
        if image.thinking == Thinking::On {
            self.write(PLAN, TextChannel::Plan)?;
            self.meet("writing")?;
            plan = Some(PLAN.to_owned());
        }
        for step in 1..=STEPS {
            self.wait()?;
            let preview = Some(Size { width: 32, height: 32 });
            let shade = (step * 255 / STEPS) as u8;
            let event = Event::Step { id: self.id, step, steps: STEPS, preview };
            say_with(&event, &(0..32 * 32).flat_map(|pixel| [shade, pixel as u8, 64]).collect::<Vec<u8>>());
            if step == 3 {
                self.meet("step")?;
            }
        }
        say(&Event::Decoding { id: self.id });
        self.meet("decoding")?;
        let size = image.parameters.size.unwrap_or(Size { width: 64, height: 48 });
        let recipe = self.recipe(image, kind, plan.clone(), size);
        let event = Event::Image { id: self.id, recipe: Box::new(recipe) };
        match self.prompt.split(' ').next().unwrap_or_default() {
            "flat" => {
                let message = "the image came out as one flat color; try another seed".to_owned();
                say(&Event::Failed { id: self.id, failure: Failure { code: ErrorCode::BadResult, message } });
                return Err(Over);
            }
            "nothing" => {}
            "short" => say_with(&event, &[7; 30]),
            _ => say_with(&event, &self.pixels(image, plan.as_deref(), size)),
        }
        self.meet("image")?;
        self.done(None);
        Ok(())
    }

    /// An image that depends on everything that a recipe holds, and on chance where that is asked for.
    fn pixels(&self, image: &ImageRequest, plan: Option<&str>, size: Size) -> Vec<u8> {
        let chance = if self.prompt.starts_with("chancy") { drawn() } else { 0 };
        let seed = image.parameters.seed.unwrap_or_default() as u8;
        let words = self.prompt.bytes().chain(plan.unwrap_or_default().bytes()).fold(0, u8::wrapping_add);
        let pixel = |x: u32, y: u32| [x as u8 ^ y as u8 ^ seed, words, 60 ^ chance];
        (0..size.height).flat_map(|y| (0..size.width).flat_map(move |x| pixel(x, y))).collect()
    }

    fn recipe(&self, image: &ImageRequest, kind: Kind, plan: Option<String>, size: Size) -> Recipe {
        let inputs = image.inputs.iter().map(|input| match input {
            Input::Text { text } => RecipeInput::Text { text: text.clone() },
            Input::Image { path } => read(path),
        });
        Recipe {
            version: RECIPE_VERSION,
            kind,
            inputs: inputs.collect(),
            thinking: image.thinking.clone(),
            plan,
            parameters: image.parameters.clone(),
            text: image.text.clone(),
            size,
            noise: None,
            model: RecipeModel { name: "pretend".to_owned(), hash: "0".repeat(64), quantization: "q8_0".to_owned() },
            engine: "fake".to_owned(),
        }
    }

    fn done(&self, text: Option<String>) {
        let statistics =
            Statistics { context_secs: 1.0, denoise_secs: 8.0, decode_secs: 1.0, text_secs: 2.0, ..Default::default() };
        say(&Event::Done { id: self.id, text, parameters: None, statistics });
    }

    /// Waits for a step, and ends the job when that is asked for meanwhile.
    fn wait(&self) -> Going {
        // What is asked for meanwhile comes too late.
        if self.prompt.contains("heedless") {
            return Ok(());
        }
        match self.engine.waiting.recv_timeout(self.pause) {
            Ok(Command::Cancel { id }) if id == self.id => {
                if self.prompt.contains("stubborn") {
                    thread::sleep(Duration::from_secs(3600));
                }
                let failure = Failure { code: ErrorCode::Cancelled, message: "stopped".to_owned() };
                say(&Event::Failed { id, failure });
                Err(Over)
            }
            Ok(Command::Estimate { id, request, .. }) => {
                crate::estimate(id, &request);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn read(path: &Path) -> RecipeInput {
    match imagefile::read(path) {
        Ok(read) => imagefile::image_input(&read.image, path),
        Err(error) => RecipeInput::Text { text: error.to_string() },
    }
}

/// A number that no image before had.
fn drawn() -> u8 {
    static N_DRAWN: AtomicU8 = AtomicU8::new(1);
    N_DRAWN.fetch_add(1, Ordering::Relaxed)
}

//! Questions about images and anything else.

use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;

use clap::Args;
use protocol::{ChatRequest, Event, Input, JobId, Request, TextParameters};

use crate::arguments::{Items, ModelOptions, ReportOptions, TextOptions, parse_whole};
use crate::display::{Display, Streaming, print_note};
use crate::host::{Host, Inputs, Listener, Model, Outcome, plain};
use crate::{Error, Result, interrupt, locate};

/// What can be typed at the prompt.
const HELP: &str = "/image FILE  show an image    /new  start over    /quit  leave    Ctrl-C  stop an answer";

/// Options of `bagel chat`.
#[derive(Debug, Args)]
pub(crate) struct ChatArgs {
    #[command(flatten)]
    items: Items,
    /// Let the model reason before it answers
    #[arg(long)]
    think: bool,
    /// Seed of the draws when the temperature is above 0 [default: drawn]
    #[arg(long, value_name = "N", value_parser = parse_whole::<u64>, allow_negative_numbers = true)]
    seed: Option<u64>,
    #[command(flatten)]
    text: TextOptions,
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    pub(crate) report: ReportOptions,
}

/// Carries out the command.
pub(crate) fn run(options: &ChatArgs) -> Result<()> {
    let has_prompt = options.items.inputs().iter().any(|input| !input.is_image());
    let found = locate::find_model(&options.model);
    let defaults = found.as_ref().map(|found| found.defaults.chat.clone());
    let mut conversation = Conversation::new(options, defaults.unwrap_or_else(|_| TextParameters::chat()))?;
    if has_prompt {
        conversation.request().checked(None)?;
    }
    // An image that cannot be read and a question that does not fit are found before the weights are read.
    let inputs = Inputs::read(&conversation.inputs)?;
    let load = options.model.load_options()?;
    let model = {
        let found = found?;
        Model::open(&found.path, found.base.as_deref(), load)?
    };
    model.check_memory(&conversation.request(), &inputs)?;
    let id = JobId::new();
    let mut display = Display::new(options.report.json, Streaming::Answers);
    let mut host = model.load(id, &mut display)?;
    display.hear(plain(Event::Loaded { id, model: host.description().clone() }));
    display.finish();
    if has_prompt {
        return conversation.answer(&mut host, &mut display);
    }
    talk(conversation, &mut host, &mut display)
}

/// Texts and images so far, and how the next answer is sampled.
struct Conversation {
    inputs: Vec<Input>,
    think: bool,
    text: TextParameters,
}

impl Conversation {
    fn new(options: &ChatArgs, defaults: TextParameters) -> Result<Self> {
        let mut text = TextParameters { seed: options.seed, ..defaults };
        options.text.apply(&mut text);
        text.check()?;
        Ok(Self { inputs: options.items.inputs().to_vec(), think: options.think, text })
    }

    fn request(&self) -> Request {
        let (inputs, text) = (self.inputs.clone(), self.text.clone());
        let mut request = Request::Chat(ChatRequest { inputs, think: self.think, text });
        request.draw_seeds();
        request
    }

    /// Streams an answer and makes it part of the conversation.
    fn answer(&mut self, host: &mut Host, display: &mut Display) -> Result<()> {
        let request = self.request().checked(None)?;
        let id = JobId::new();
        let inputs = Inputs::read(request.inputs())?;
        let outcome = host.carry_out(id, &request, &inputs, display);
        display.finish();
        let outcome = outcome?;
        if let Outcome::Answered { text, statistics, .. } = &outcome {
            self.inputs.push(Input::Text { text: text.clone() });
            if !display.is_json() && io::stderr().is_terminal() {
                let rate = f64::from(statistics.text_tokens) / statistics.text_secs.max(1e-9);
                print_note(&format!("{} tokens, {rate:.1} a second", statistics.text_tokens));
            }
        }
        if display.is_json() {
            outcome.frames(id).into_iter().for_each(|frame| display.hear(frame));
        }
        Ok(())
    }
}

/// A turn that was typed.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Say(String),
    Show(PathBuf),
    StartOver,
    Help,
    Quit,
    Unknown(String),
    Nothing,
}

fn parse_turn(line: &str) -> Turn {
    let line = line.trim();
    let Some(order) = line.strip_prefix('/') else {
        return if line.is_empty() { Turn::Nothing } else { Turn::Say(line.to_owned()) };
    };
    match order.split_once(char::is_whitespace).unwrap_or((order, "")) {
        ("image", file) if !file.trim().is_empty() => Turn::Show(file.trim().into()),
        ("quit" | "exit", "") => Turn::Quit,
        ("new", "") => Turn::StartOver,
        ("help", "") => Turn::Help,
        _ => Turn::Unknown(line.to_owned()),
    }
}

fn talk(mut conversation: Conversation, host: &mut Host, display: &mut Display) -> Result<()> {
    let is_terminal = io::stdin().is_terminal();
    if is_terminal {
        print_note(HELP);
    }
    let mut lines = io::stdin().lock();
    loop {
        if is_terminal {
            drop(io::Write::write_all(&mut io::stderr(), b"> "));
        }
        let mut line = String::new();
        let read = interrupt::idle(|| lines.read_line(&mut line));
        if read.map_err(|source| Error::file("standard input", source))? == 0 {
            return Ok(());
        }
        let result = match parse_turn(&line) {
            Turn::Quit => return Ok(()),
            Turn::Nothing => Ok(()),
            Turn::Help => {
                print_note(HELP);
                Ok(())
            }
            Turn::StartOver => {
                conversation.inputs.clear();
                Ok(())
            }
            Turn::Unknown(order) => Err(Error::BadInput(format!("{order}: no such order; {HELP}"))),
            Turn::Show(path) => imagefile::read(&path).map_err(Error::from).map(|_| {
                conversation.inputs.push(Input::Image { path });
            }),
            Turn::Say(text) => {
                // A question without an answer is not read again with the next one.
                let n_before = conversation.inputs.len();
                conversation.inputs.push(Input::Text { text });
                conversation.answer(host, display).inspect_err(|_| conversation.inputs.truncate(n_before))
            }
        };
        match result {
            // At a terminal Ctrl-C ends the answer, not the conversation.
            Err(error) if error.exit_code() == 130 && is_terminal => {
                interrupt::clear();
                print_note("stopped");
            }
            Err(error) if error.exit_code() == 130 => return Err(error),
            Err(error) => print_note(&format!("error: {}", error.line())),
            Ok(()) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_words_images_or_orders() {
        assert_eq!(parse_turn(" what is it?\n"), Turn::Say("what is it?".to_owned()));
        assert_eq!(parse_turn("/image my photo.png\n"), Turn::Show("my photo.png".into()));
        assert_eq!(parse_turn("/quit"), Turn::Quit);
        assert_eq!(parse_turn("/new"), Turn::StartOver);
        assert_eq!(parse_turn("\n"), Turn::Nothing);
        assert_eq!(parse_turn("/image"), Turn::Unknown("/image".to_owned()));
        assert_eq!(parse_turn("/dance"), Turn::Unknown("/dance".to_owned()));
    }
}

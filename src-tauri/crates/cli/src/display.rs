//! Progress in the terminal: bars with the time left, or JSON events, one per line.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use protocol::{Event, Frame, TextChannel};
use serde::Serialize;

use crate::host::Listener;
use crate::{Error, Result, interrupt};

/// The stream of generated text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streaming {
    /// Answers are the result: they go to stdout.
    Answers,
    /// A plan precedes the result: it goes to stderr if that is a terminal.
    Plan,
}

/// Shows the events of one job.
pub struct Display {
    json: bool,
    streaming: Streaming,
    bar: ProgressBar,
    stage: Stage,
    in_line: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    Loading,
    Reading,
    Writing,
    Denoising,
    Decoding,
}

impl Display {
    /// A display without content.
    pub fn new(json: bool, streaming: Streaming) -> Self {
        Self { json, streaming, bar: ProgressBar::hidden(), stage: Stage::Waiting, in_line: false }
    }

    /// Whether events go out as JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Removes the bar and ends the line.
    pub fn finish(&mut self) {
        self.bar.finish_and_clear();
        self.stage = Stage::Waiting;
        if std::mem::take(&mut self.in_line) {
            self.stream("\n");
        }
    }

    fn enter(&mut self, stage: Stage, total: Option<u64>, template: &str) {
        if self.stage == stage {
            return;
        }
        self.finish();
        self.stage = stage;
        self.bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("━╸ "));
        }
    }

    fn show(&mut self, event: &Event) {
        match event {
            Event::Loading { bytes, total_bytes, .. } => {
                let template = "loading  {bar:32.cyan} {bytes} of {total_bytes}, {eta} left";
                self.enter(Stage::Loading, Some(*total_bytes), template);
                self.bar.set_position(*bytes);
            }
            Event::Started { .. } => self.enter(Stage::Reading, None, "{spinner:.cyan} reading the inputs, {elapsed}"),
            Event::Context { .. } => self.enter(Stage::Denoising, None, "{spinner:.cyan} starting, {elapsed}"),
            Event::Text { channel, delta, .. } => self.show_text(*channel, delta),
            Event::Step { step, steps, .. } => {
                if self.bar.length() != Some((*steps).into()) {
                    self.stage = Stage::Waiting;
                }
                let template = "denoising {bar:32.cyan} step {pos} of {len}, {eta} left";
                self.enter(Stage::Denoising, Some((*steps).into()), template);
                self.bar.set_position((*step).into());
            }
            Event::Decoding { .. } => self.enter(Stage::Decoding, None, "{spinner:.cyan} decoding, {elapsed}"),
            _ => {}
        }
    }

    fn show_text(&mut self, channel: TextChannel, delta: &str) {
        if self.streaming == Streaming::Plan && !io::stderr().is_terminal() {
            return;
        }
        if self.stage != Stage::Writing {
            self.finish();
            self.stage = Stage::Writing;
        }
        let text = harmless(delta);
        self.in_line = !text.ends_with('\n');
        let dim = channel == TextChannel::Plan && io::stdout().is_terminal();
        self.stream(&if dim { console::style(text).dim().to_string() } else { text });
    }

    /// A closed pipe is noticed when the result is written.
    fn stream(&self, text: &str) {
        let written = match self.streaming {
            Streaming::Answers => write_now(&mut io::stdout(), text),
            Streaming::Plan => write_now(&mut io::stderr(), text),
        };
        drop(written);
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Listener for Display {
    fn keep_going(&mut self) -> ControlFlow<()> {
        self.bar.tick();
        if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn hear(&mut self, mut frame: Frame<Event>) {
        if self.json {
            if let Event::Step { preview, .. } = &mut frame.header {
                *preview = None;
            }
            drop(print_json(&frame.header));
        } else {
            self.show(&frame.header);
        }
    }
}

/// Progress counted in bytes; not shown with `--json`.
pub struct Bar {
    bar: ProgressBar,
    stage: &'static str,
    json: bool,
}

impl Bar {
    /// A bar without content.
    pub fn new(json: bool) -> Self {
        Self { bar: ProgressBar::hidden(), stage: "", json }
    }

    /// Shows the progress.
    pub fn show(&mut self, stage: &'static str, bytes: u64, total_bytes: u64) {
        if self.json {
            return;
        }
        if self.stage != stage {
            self.finish();
            self.stage = stage;
            self.bar = ProgressBar::new(total_bytes);
            let template = "{prefix:<11} {bar:32.cyan} {bytes} of {total_bytes}, {eta} left";
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.bar.set_style(style.progress_chars("━╸ "));
            }
            self.bar.set_prefix(stage);
            // Bytes of an earlier download would distort the speed.
            self.bar.set_position(bytes);
            self.bar.reset_eta();
        }
        self.bar.set_length(total_bytes);
        self.bar.set_position(bytes);
    }

    /// Removes the bar and ends the line.
    pub fn finish(&mut self) {
        self.bar.finish_and_clear();
        self.stage = "";
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A result that only the command line reports.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Note<'a> {
    /// An image file was written.
    Saved {
        /// The file.
        path: &'a Path,
    },
}

/// Writes one line of JSON on stdout.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let line = serde_json::to_string(value).map_err(|error| Error::Internal(error.to_string()))?;
    print_line(&line)
}

/// Writes one line on stdout.
pub fn print_line(line: &str) -> Result<()> {
    write_now(&mut io::stdout(), &format!("{line}\n")).map_err(|source| Error::file("standard output", source))
}

/// Writes one line on stderr, for people only.
pub fn print_note(line: &str) {
    drop(write_now(&mut io::stderr(), &format!("{line}\n")));
}

fn write_now(stream: &mut impl Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

/// Text of a model or a file without control characters, which a terminal would interpret.
pub fn harmless(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_a_model_do_not_reach_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2J\u{7}b\n\tc\u{9b}d"), "a[2Jb\n\tcd");
    }
}

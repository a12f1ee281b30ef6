//! What can be written after `bagel`, in one spelling for all commands.

mod image;
mod inputs;
mod model;
mod text;
mod value;

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{Args, Parser, Subcommand};

pub use image::{ImageOptions, OutputOptions, RecipeOptions};
pub use inputs::{Items, Prompts};
pub use model::ModelOptions;
pub(crate) use model::load_options;
pub use text::{TextOptions, ThinkingOptions};
pub(crate) use value::{parse_size, parse_whole, quantization_parser};

use crate::commands::{bench, chat, check, convert, edit, generate, inspect, models, synthesize};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Yellow.on_default().bold())
    .usage(AnsiColor::Yellow.on_default().bold())
    .literal(AnsiColor::Green.on_default())
    .placeholder(AnsiColor::Cyan.on_default());

macro_rules! exit_codes {
    () => {
        "Exit codes:
  0    done
  1    failed: a file, the model, memory or the device
  2    wrong usage: an unknown option or a value that cannot be
  130  stopped with Ctrl-C; nothing half-written stays behind"
    };
}

const EXIT_CODES: &str = exit_codes!();

const CONVERSATION: &str = concat!(
    "In a conversation:
  /image FILE  show an image
  /new         start over
  /quit        leave
  Ctrl-C       stop an answer; at the prompt, leave

",
    exit_codes!()
);

/// Create images, edit them by prompt and ask about them with BAGEL.
#[derive(Debug, Parser)]
#[command(name = "bagel", version, styles = STYLES, after_help = EXIT_CODES)]
#[command(arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands, one file each under `commands/`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Paint an image from words
    #[command(after_help = EXIT_CODES)]
    Generate(Box<generate::Options>),
    /// Change an image by prompt; the last image is the one that is changed
    #[command(after_help = EXIT_CODES)]
    Edit(Box<edit::Options>),
    /// Ask about images and anything else; a conversation when no prompt is given
    #[command(after_help = CONVERSATION)]
    Chat(chat::Options),
    /// Quantize a model into one GGUF file
    #[command(after_help = EXIT_CODES)]
    Convert(convert::Options),
    /// Say what a model file holds and how much memory it needs
    #[command(after_help = EXIT_CODES)]
    Inspect(inspect::Options),
    /// List, fetch, take up and remove models
    #[command(after_help = EXIT_CODES)]
    Models(models::Options),
    /// Compare this engine with the reference's numbers
    #[command(after_help = EXIT_CODES)]
    Check(check::Options),
    /// List what can be computed on
    #[command(after_help = EXIT_CODES)]
    Devices(ReportOptions),
    /// Measure time and memory of each stage
    #[command(after_help = EXIT_CODES)]
    Bench(bench::Options),
    /// Make a checkpoint of random weights, to try a machine with before a model is there
    #[command(after_help = EXIT_CODES)]
    Synthesize(synthesize::Options),
    /// Serve the studio over stdin and stdout
    #[command(after_help = EXIT_CODES)]
    Engine,
}

impl Command {
    /// Whether stdout carries one event a line.
    pub fn is_json(&self) -> bool {
        match self {
            Self::Generate(options) => options.report().json,
            Self::Edit(options) => options.report().json,
            Self::Chat(options) => options.report.json,
            Self::Convert(options) => options.report.json,
            Self::Inspect(options) => options.report.json,
            Self::Models(options) => options.report.json,
            Self::Check(options) => options.report.json,
            Self::Devices(report) => report.json,
            Self::Bench(options) => options.report.json,
            Self::Synthesize(options) => options.report.json,
            Self::Engine => false,
        }
    }
}

/// How a command reports.
#[derive(Clone, Copy, Debug, Args)]
pub struct ReportOptions {
    /// Print one event a line as JSON on stdout
    #[arg(long)]
    pub json: bool,
}

//! The commands, one file each.

mod bench;
mod chat;
mod check;
mod convert;
mod devices;
mod edit;
mod generate;
mod image_request;
mod inspect;
mod models;
mod synthesize;

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{Parser, Subcommand};

use crate::arguments::ReportOptions;
use crate::{Result, engine};

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
  2    wrong usage: an unknown option or an invalid value
  130  stopped with Ctrl-C; no incomplete file stays behind"
    };
}

const EXIT_CODES: &str = exit_codes!();

const CONVERSATION: &str = concat!(
    "In a conversation:
  /image FILE  add an image
  /new         start a new conversation
  /quit        quit
  Ctrl-C       stop an answer; at the prompt, quit

",
    exit_codes!()
);

/// Generate images, edit them by prompt and chat about them with BAGEL.
#[derive(Debug, Parser)]
#[command(name = "bagel", version, styles = STYLES, after_help = EXIT_CODES)]
#[command(arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// The command to run.
    #[command(subcommand)]
    pub(crate) command: BagelCommand,
}

/// The commands, one file each under `commands/`.
#[derive(Debug, Subcommand)]
pub(crate) enum BagelCommand {
    /// Generate an image from text
    #[command(after_help = EXIT_CODES)]
    Generate(Box<generate::GenerateArgs>),
    /// Edit an image by prompt; with several images, the last one is edited
    #[command(after_help = EXIT_CODES)]
    Edit(Box<edit::EditArgs>),
    /// Chat about images and anything else; without a prompt, a conversation starts
    #[command(after_help = CONVERSATION)]
    Chat(chat::ChatArgs),
    /// Quantize a model into one GGUF file
    #[command(after_help = EXIT_CODES)]
    Convert(convert::ConvertArgs),
    /// Show the contents of a model file and the memory that it needs
    #[command(after_help = EXIT_CODES)]
    Inspect(inspect::InspectArgs),
    /// List, download, import and remove models
    #[command(after_help = EXIT_CODES)]
    Models(models::ModelsArgs),
    /// Compare this engine's numbers with the reference's
    #[command(after_help = EXIT_CODES)]
    Check(check::CheckArgs),
    /// List the devices that can compute
    #[command(after_help = EXIT_CODES)]
    Devices(ReportOptions),
    /// Measure time and memory of each stage
    #[command(after_help = EXIT_CODES)]
    Bench(bench::BenchArgs),
    /// Write a checkpoint of random weights, to test a machine before a model is downloaded
    #[command(after_help = EXIT_CODES)]
    Synthesize(synthesize::SynthesizeArgs),
    /// Serve the studio over stdin and stdout
    #[command(after_help = EXIT_CODES)]
    Engine,
}

impl BagelCommand {
    /// Whether stdout carries JSON events.
    pub(crate) fn is_json(&self) -> bool {
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

    /// Runs the command.
    pub(crate) fn run(&self) -> Result<()> {
        match self {
            Self::Generate(options) => generate::run(options),
            Self::Edit(options) => edit::run(options),
            Self::Chat(options) => chat::run(options),
            Self::Convert(options) => convert::run(options),
            Self::Inspect(options) => inspect::run(options),
            Self::Models(options) => models::run(options),
            Self::Check(options) => check::run(options),
            Self::Devices(report) => devices::run(*report),
            Self::Bench(options) => bench::run(options),
            Self::Synthesize(options) => synthesize::run(options),
            Self::Engine => engine::serve(),
        }
    }

    /// Whether this process serves the studio.
    pub(crate) fn is_engine(&self) -> bool {
        matches!(self, Self::Engine)
    }
}

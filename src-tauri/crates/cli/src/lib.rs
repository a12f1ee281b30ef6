//! The command line of BAGEL and the engine process of the studio.
//!
//! Options are read and checked ([`arguments`], [`output`], [`recipe`]), a
//! request is carried out by the model ([`host`]), and what happens is shown
//! ([`display`]) or sent as frames ([`engine`]). No arithmetic of the model is
//! here, and no window: both are other crates.
//!
//! Read [`arguments`] first, then a file of `commands`.

pub mod arguments;
mod commands;
pub mod display;
pub mod engine;
mod error;
pub mod host;
pub mod interrupt;
pub mod locate;
pub mod noise;
pub mod output;
pub mod recipe;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use tracing_subscriber::EnvFilter;

use crate::commands::Arguments;
pub use crate::error::{Error, Result};

/// Names what the log on stderr says, such as `debug` or `bagel=trace`.
const LOG_VARIABLE: &str = "BAGEL_LOG";

/// Runs the program with the process's arguments.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    let is_engine = arguments.command.is_engine();
    log(if is_engine { "info" } else { "error" });
    let listening = if is_engine { Ok(()) } else { interrupt::listen() };
    match listening.and_then(|()| arguments.command.run()) {
        Ok(()) => ExitCode::SUCCESS,
        // Who reads only the beginning, as `head` does, has what they want.
        Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(1),
        Err(error) => {
            if arguments.command.is_json() {
                let id = protocol::JobId::new();
                drop(display::print_json(&protocol::Event::Failed { id, failure: error.failure() }));
            }
            report(&error.line());
            ExitCode::from(error.exit_code())
        }
    }
}

fn log(default: &str) {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).compact().init();
}

/// Shows help as it is, and everything else that clap has to say on one line.
fn refuse(error: &clap::Error) -> ExitCode {
    let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if is_help || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        drop(error.print());
        return if is_help { ExitCode::SUCCESS } else { ExitCode::from(2) };
    }
    report(&one_line(&error.to_string()));
    ExitCode::from(2)
}

fn report(line: &str) {
    let word = console::style("error:").red().bold().for_stderr();
    display::print_note(&format!("{word} {line}"));
}

/// The first words of clap's message, without its usage.
fn one_line(message: &str) -> String {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let end = ["\n\nUsage:", "\n\nFor more information"].iter().filter_map(|mark| message.find(mark)).min();
    let words = message.get(..end.unwrap_or(message.len())).unwrap_or(message).split_whitespace();
    let line = words.collect::<Vec<_>>().join(" ");
    format!("{line} (--help says more)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let error = Arguments::try_parse_from(line.split(' ')).unwrap_err();
        assert_eq!(one_line(&error.to_string()), expected);
    }

    #[test]
    fn wrong_usage_is_one_line() {
        check(
            "bagel generate --size 12",
            "invalid value '12' for '--size <WxH>': write WIDTHxHEIGHT in pixels, such as 1024x768 (--help says more)",
        );
        check(
            "bagel generate --promt x",
            "unexpected argument '--promt' found tip: a similar argument exists: '--prompt' (--help says more)",
        );
    }

    #[test]
    fn options_are_well_formed() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}

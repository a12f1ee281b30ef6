//! The token that a publisher may want: kept in the system's keyring, or forgotten.

use std::io::{BufRead as _, IsTerminal as _, Read as _, stdin};

use catalog::{Token, host_of};
use clap::Args;
use console::Term;
use serde::Serialize;

use crate::display::{print_json, print_line};
use crate::{Error, Result};

/// More than any token has; what is longer is refused, whoever sends it.
const MAX_BYTES: u64 = 1 << 16;

/// Options of `bagel models token`.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// For this address instead of the publisher's
    #[arg(long, value_name = "ADDRESS")]
    mirror: Option<String>,
    /// Forget the token that is kept
    #[arg(long)]
    forget: bool,
}

/// What was done, for programs; the token itself is never said.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Note<'a> {
    TokenKept { host: &'a str },
    TokenForgotten { host: &'a str },
}

/// Carries out the command.
pub(super) fn run(options: &TokenArgs, json: bool) -> Result<()> {
    let host = host_of(options.mirror.as_deref())?;
    let (note, words) = if options.forget {
        Token::forget(&host)?;
        (Note::TokenForgotten { host: &host }, "forgotten")
    } else {
        let lacking = || Error::BadInput("this is not a token; copy it again".to_owned());
        Token::new(&typed(&host)?).ok_or_else(lacking)?.keep(&host)?;
        (Note::TokenKept { host: &host }, "kept in the system's keyring")
    };
    if json { print_json(&note) } else { print_line(&format!("the token for {host} is {words}")) }
}

/// One line of the input. Not an argument, because arguments stand in histories and lists of processes.
fn typed(host: &str) -> Result<String> {
    let failed = |error: std::io::Error| Error::BadInput(format!("the token cannot be read: {error}"));
    if stdin().is_terminal() {
        let terminal = Term::stderr();
        terminal.write_str(&format!("Token for {host}: ")).map_err(failed)?;
        return terminal.read_secure_line().map_err(failed);
    }
    let mut line = String::new();
    stdin().lock().take(MAX_BYTES).read_line(&mut line).map_err(failed)?;
    Ok(line)
}

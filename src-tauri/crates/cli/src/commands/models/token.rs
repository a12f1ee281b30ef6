//! Stores or deletes a publisher's access token in the system's keyring.

use std::io::{BufRead as _, IsTerminal as _, Read as _, stdin};

use catalog::{Token, host_of};
use clap::Args;
use console::Term;
use serde::Serialize;

use crate::display::{print_json, print_line};
use crate::{Error, Result};

/// Longer than any token; longer input is refused.
const MAX_BYTES: u64 = 1 << 16;

/// Options of `bagel models token`.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// The token of this mirror instead of the publisher's
    #[arg(long, value_name = "ADDRESS")]
    mirror: Option<String>,
    /// Delete the stored token
    #[arg(long)]
    forget: bool,
}

/// The result, as JSON; it never contains the token.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Note<'a> {
    TokenKept { host: &'a str },
    TokenForgotten { host: &'a str },
}

/// Runs the command.
pub(super) fn run(options: &TokenArgs, json: bool) -> Result<()> {
    let host = host_of(options.mirror.as_deref())?;
    let (note, words) = if options.forget {
        Token::forget(&host)?;
        (Note::TokenForgotten { host: &host }, "deleted")
    } else {
        let lacking = || Error::BadInput("this is not a token; copy it again".to_owned());
        Token::new(&read_token(&host)?).ok_or_else(lacking)?.keep(&host)?;
        (Note::TokenKept { host: &host }, "stored in the system's keyring")
    };
    if json { print_json(&note) } else { print_line(&format!("the token for {host} is {words}")) }
}

/// One line of stdin. An argument would appear in shell histories and process lists.
fn read_token(host: &str) -> Result<String> {
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

//! The engine program for work that is no request: converting a model, timing the machine.
//!
//! It writes one line of JSON for each thing it has to say, and its last words
//! to its error output say why it failed.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::{Error, Result};

/// Bytes of a line beyond which it is not one of ours.
const MAX_LINE_BYTES: usize = 1 << 20;

/// Lines of the error output that are kept.
const KEPT_LINES: usize = 12;

/// Runs the program to its end and gives every line to `observe`, which may end it.
///
/// Dropping the future ends the process too.
pub(crate) async fn run(
    program: &Path,
    arguments: Vec<OsString>,
    mut observe: impl FnMut(Value) -> ControlFlow<()> + Send,
) -> Result<()> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    #[cfg(windows)]
    command.creation_flags(super::process::CREATE_NO_WINDOW);
    let mut child =
        command.spawn().map_err(|error| Error::Engine(format!("{} does not start: {error}", program.display())))?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Error::Engine("the engine's pipes are missing".to_owned()));
    };
    let last_words = tokio::spawn(async move {
        let mut lines = BufReader::new(stderr).lines();
        let mut kept = VecDeque::new();
        while let Ok(Some(line)) = lines.next_line().await {
            if kept.len() == KEPT_LINES {
                kept.pop_front();
            }
            kept.push_back(line);
        }
        kept
    });
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await.map_err(|error| Error::Engine(error.to_string()))? {
        let Some(value) =
            Some(line).filter(|it| it.len() <= MAX_LINE_BYTES).and_then(|it| serde_json::from_str(&it).ok())
        else {
            continue;
        };
        if observe(value).is_break() {
            let _ = child.kill().await;
            return Err(Error::Cancelled);
        }
    }
    let status = child.wait().await.map_err(|error| Error::Engine(error.to_string()))?;
    if status.success() {
        return Ok(());
    }
    let words = last_words.await.unwrap_or_default();
    let last = words.iter().rev().map(|line| line.trim()).find(|line| !line.is_empty());
    let line = last.map(|line| line.strip_prefix("error: ").unwrap_or(line).to_owned());
    Err(Error::Engine(line.unwrap_or_else(|| format!("the engine ended unexpectedly ({status}); try again"))))
}

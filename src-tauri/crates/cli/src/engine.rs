//! The process that holds the model: frames in on stdin, frames out on stdout.
//!
//! Four threads: one reads commands (and ends the process when the pipe
//! closes), one writes events, one foresees memory, and the main thread owns
//! the model. Nothing but frames ever reaches stdout; what else is said goes to
//! stderr.

mod commands;
mod outbox;
mod queue;
mod work;

use std::io::{self, BufReader, BufWriter, Write};
use std::process;
use std::sync::{Arc, mpsc};
use std::thread;

use self::outbox::Outbox;
use self::queue::Queue;
use crate::display::print_note;
use crate::{Error, Result};

/// Serves until the studio closes the pipe; returns only when it cannot start.
pub fn serve() -> Result<()> {
    let mut pipe = BufWriter::new(claim_stdout()?);
    let outbox = Arc::new(Outbox::default());
    let queue = Arc::new(Queue::default());

    let writer = Arc::clone(&outbox);
    spawn("frames out", move || {
        let error = writer.write_to(&mut pipe);
        tracing::info!(%error, "the studio no longer listens");
        process::exit(0);
    })?;

    let (estimates, estimate_jobs) = mpsc::channel();
    let estimator = Arc::clone(&outbox);
    spawn("estimates", move || commands::answer_estimates(&estimate_jobs, &estimator))?;

    let (reader, commands) = (Arc::clone(&outbox), Arc::clone(&queue));
    spawn("frames in", move || {
        let ended = commands::read(&mut BufReader::new(io::stdin()), &commands, &reader, &estimates);
        reader.drain();
        if let Err(error) = &ended {
            print_note(&format!("error: {}", error.line()));
        }
        process::exit(ended.map_or_else(|error| error.exit_code().into(), |()| 0));
    })?;

    work::work_off(&queue, &outbox)
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(body);
    thread.map(drop).map_err(|source| Error::file("a thread of the engine", source))
}

/// Takes stdout for frames; whatever else writes to it, a library say, lands on stderr.
#[cfg(unix)]
fn claim_stdout() -> Result<impl Write + Send + 'static> {
    use std::fs::File;
    use std::os::fd::AsFd;

    let stdout = |source| Error::file("standard output", source);
    let pipe = io::stdout().as_fd().try_clone_to_owned().map_err(stdout)?;
    rustix::stdio::dup2_stdout(io::stderr()).map_err(|errno| stdout(errno.into()))?;
    Ok(File::from(pipe))
}

/// Takes stdout for frames.
#[cfg(not(unix))]
fn claim_stdout() -> Result<impl Write + Send + 'static> {
    Ok(io::stdout())
}

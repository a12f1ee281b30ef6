//! Ctrl-C: the first one stops the running command, the second one ends the process.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Error, Result};

static STOP: AtomicBool = AtomicBool::new(false);
static IDLE: AtomicBool = AtomicBool::new(false);

/// Exit code of an interrupted program, by the convention of shells.
const STOPPED: i32 = 130;

/// Installs the handler.
pub fn listen() -> Result<()> {
    ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::SeqCst) || IDLE.load(Ordering::SeqCst) {
            // An exit drops nothing, so an incomplete model would stay on disk.
            checkpoint::remove_unfinished();
            process::exit(STOPPED);
        }
    })
    .map_err(|error| Error::Internal(format!("Ctrl-C cannot be handled: {error}")))
}

/// Whether the running command should stop.
pub fn requested() -> bool {
    STOP.load(Ordering::SeqCst)
}

/// Resets the request after the command has stopped.
pub fn clear() {
    STOP.store(false, Ordering::SeqCst);
}

/// Runs a wait that cannot be stopped; meanwhile Ctrl-C ends the process.
pub fn idle<T>(wait: impl FnOnce() -> T) -> T {
    IDLE.store(true, Ordering::SeqCst);
    let waited = wait();
    IDLE.store(false, Ordering::SeqCst);
    waited
}

//! Ctrl-C: the first one asks the work to stop, the second one ends the process.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Error, Result};

static STOP: AtomicBool = AtomicBool::new(false);
static IDLE: AtomicBool = AtomicBool::new(false);

/// Exit code of a stopped program, as shells have it.
const STOPPED: i32 = 130;

/// Listens from now on.
pub fn listen() -> Result<()> {
    ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::SeqCst) || IDLE.load(Ordering::SeqCst) {
            // Nothing is dropped by an exit, and half a model would stay.
            checkpoint::remove_unfinished();
            process::exit(STOPPED);
        }
    })
    .map_err(|error| Error::Internal(format!("Ctrl-C cannot be listened to: {error}")))
}

/// Whether the work should stop.
pub fn requested() -> bool {
    STOP.load(Ordering::SeqCst)
}

/// Forgets a stop that has been obeyed.
pub fn clear() {
    STOP.store(false, Ordering::SeqCst);
}

/// Waits for something that cannot be told to stop; Ctrl-C ends the process meanwhile.
pub fn idle<T>(wait: impl FnOnce() -> T) -> T {
    IDLE.store(true, Ordering::SeqCst);
    let waited = wait();
    IDLE.store(false, Ordering::SeqCst);
    waited
}

//! What can go wrong, on purpose.

use std::io::{Write, stdout};
use std::ops::ControlFlow;
use std::process::Command;
use std::thread;
use std::time::Duration;

use protocol::{ErrorCode, Event, Failure, JobId};

use crate::say;

const LOST: &str = "the graphics card went away; try again";

/// A way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Exit,
    Abort,
    Segfault,
    BusError,
    Kill,
    /// It beats, and nothing moves.
    Stuck,
    /// Nothing is heard any more.
    Silent,
    Garbage,
    HalfFrame,
    /// A frame of ten gigabytes is announced.
    LongFrame,
    OutOfDeviceMemory,
    OutOfHostMemory,
    /// The allocator's last words.
    AllocationFailed,
    DeviceLost,
    /// The first time; a note beside the program remembers that it happened.
    DeviceLostOnce,
    Internal,
}

impl Fault {
    /// The fault that a word such as `abort@step` asks for at a point.
    pub(crate) fn of(words: &str, point: &str) -> Option<Self> {
        let word = words.split(' ').next().unwrap_or_default();
        let (name, at) = word.split_once('@')?;
        if !at.starts_with(point) {
            return None;
        }
        Some(match name {
            "exit" => Self::Exit,
            "abort" => Self::Abort,
            "segfault" => Self::Segfault,
            "bus" => Self::BusError,
            "kill" => Self::Kill,
            "stuck" => Self::Stuck,
            "silent" => Self::Silent,
            "garbage" => Self::Garbage,
            "half" => Self::HalfFrame,
            "long" => Self::LongFrame,
            "device-memory" => Self::OutOfDeviceMemory,
            "host-memory" => Self::OutOfHostMemory,
            "allocation" => Self::AllocationFailed,
            "lost" => Self::DeviceLost,
            "lost-once" => Self::DeviceLostOnce,
            "internal" => Self::Internal,
            _ => return None,
        })
    }

    /// Does it; breaks when the job is over and the process lives.
    pub(crate) fn happen(self, id: JobId) -> ControlFlow<()> {
        match self {
            Self::Exit => std::process::exit(1),
            Self::Abort => std::process::abort(),
            Self::Segfault => die_of("SEGV"),
            Self::BusError => die_of("BUS"),
            Self::Kill => die_of("KILL"),
            Self::Stuck => loop {
                thread::sleep(Duration::from_millis(50));
                say(&Event::Heartbeat { progress: u64::MAX });
            },
            Self::Silent => loop {
                thread::sleep(Duration::from_secs(3600));
            },
            Self::Garbage => shout(&[0xff; 64]),
            Self::HalfFrame => {
                let _ = shout(&[100, 0, 0, 0, 50, 0, 0, 0, b'{']);
                std::process::exit(0);
            }
            Self::LongFrame => shout(&[0xff, 0xff, 0xff, 0x7f, 2, 0, 0, 0, b'{', b'}']),
            Self::AllocationFailed => {
                #[expect(clippy::print_stderr, reason = "these are the words that the system's allocator ends with")]
                {
                    eprintln!("memory allocation of 8589934592 bytes failed");
                }
                std::process::abort();
            }
            Self::OutOfDeviceMemory => refuse(id, ErrorCode::OutOfDeviceMemory, "the graphics memory did not suffice"),
            Self::OutOfHostMemory => refuse(id, ErrorCode::OutOfHostMemory, "the memory did not suffice"),
            Self::DeviceLost => refuse(id, ErrorCode::DeviceLost, LOST),
            Self::DeviceLostOnce => {
                let note = std::env::current_exe().unwrap_or_default().with_extension("lost");
                let is_first = std::fs::File::options().create_new(true).write(true).open(note).is_ok();
                if is_first { refuse(id, ErrorCode::DeviceLost, LOST) } else { ControlFlow::Continue(()) }
            }
            Self::Internal => refuse(id, ErrorCode::Internal, "an index was out of range; try again"),
        }
    }
}

fn refuse(id: JobId, code: ErrorCode, message: &str) -> ControlFlow<()> {
    say(&Event::Failed { id, failure: Failure { code, message: message.to_owned() } });
    ControlFlow::Break(())
}

fn shout(bytes: &[u8]) -> ControlFlow<()> {
    let _ = stdout().write_all(bytes);
    let _ = stdout().flush();
    ControlFlow::Continue(())
}

/// Ends this process by a signal, without a line of unsafe code.
fn die_of(signal: &str) -> ControlFlow<()> {
    let _ = Command::new("kill").args([format!("-{signal}"), std::process::id().to_string()]).status();
    thread::sleep(Duration::from_secs(5));
    std::process::exit(1);
}

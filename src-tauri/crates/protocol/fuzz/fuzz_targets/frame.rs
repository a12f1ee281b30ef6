//! Whatever a pipe delivers is read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::{Command, frame, read_frame};

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes;
    while let Ok(Some(_)) | Err(frame::Error::Header(_)) = read_frame::<Command>(&mut bytes) {}
});

//! Any bytes as an image: an image or an error, never a panic and never much memory.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = imagefile::read_bytes(Path::new("image"), bytes) {
        assert!(!error.to_string().contains('\n'));
    }
});

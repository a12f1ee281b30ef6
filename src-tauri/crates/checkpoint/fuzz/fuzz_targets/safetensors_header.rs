//! Any bytes as a safetensors file: refused or accepted, never a panic.
#![no_main]

use checkpoint::check_safetensors;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let _ = check_safetensors(file);
});

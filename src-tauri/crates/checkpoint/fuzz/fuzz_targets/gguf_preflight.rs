//! Any bytes as a GGUF file: refused or accepted, and what is accepted lies inside the file.
#![no_main]

use checkpoint::gguf::preflight;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let Ok(header) = preflight(file) else { return };
    let mut end = header.data_start;
    for tensor in header.tensors {
        assert!(tensor.range.start >= end && tensor.range.end <= file.len());
        let n_elements: u64 = tensor.shape.iter().map(|extent| *extent as u64).product();
        assert_eq!(tensor.kind.size_bytes(n_elements), tensor.range.len() as u64);
        end = tensor.range.end;
    }
});

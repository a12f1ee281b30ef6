//! What our preflight accepts, candle's reader reads the same way: no file means two things.
#![allow(clippy::unwrap_used, reason = "a test whose scene cannot be set ends there")]

use std::io::Cursor;
use std::path::Path;

use candle_core::quantized::gguf_file::Content;
use checkpoint::gguf::preflight;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

/// A model as it ships, whole.
fn pocket() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/pocket/pocket-q8_0.gguf");
    std::fs::read(path).unwrap()
}

/// Compares both readings; whether ours accepted the file.
fn agree(bytes: &[u8]) -> Result<bool, String> {
    // What ours refuses is never shown to candle, which would reserve what the header asks for.
    let Ok(header) = preflight(bytes) else { return Ok(false) };
    let theirs = Content::read(&mut Cursor::new(bytes)).map_err(|error| format!("candle refuses: {error}"))?;
    if theirs.tensor_data_offset != header.data_start as u64 {
        return Err(format!("data begins at {} and {}", theirs.tensor_data_offset, header.data_start));
    }
    if theirs.tensor_infos.len() != header.tensors.len() || theirs.metadata.len() != header.metadata.len() {
        return Err("tensors or keys are not as many".to_owned());
    }
    for tensor in &header.tensors {
        let Some(info) = theirs.tensor_infos.get(&tensor.name) else {
            return Err(format!("candle does not know {}", tensor.name));
        };
        let start = theirs.tensor_data_offset + info.offset;
        let kind = format!("{:?}", info.ggml_dtype).to_lowercase();
        if info.shape.dims() != tensor.shape
            || start != tensor.range.start as u64
            || kind.replace('_', "") != tensor.kind.name().to_lowercase().replace('_', "")
        {
            return Err(format!("{tensor:?} is {info:?} to candle"));
        }
    }
    Ok(true)
}

#[test]
fn a_shipped_model_means_the_same_to_both() {
    assert_eq!(agree(&pocket()), Ok(true));
}

#[test]
fn headers_that_were_changed_mean_the_same_to_both_or_are_refused() {
    let mut bytes = pocket();
    let header_len = preflight(&bytes).unwrap().data_start;
    let changes = (
        any::<prop::sample::Index>(),
        prop_oneof![
            prop::collection::vec(any::<u8>(), 1..9),
            (0u32..64).prop_map(|bit| (1u64 << bit).to_le_bytes().to_vec()),
            (0u64..64).prop_map(|value| value.to_le_bytes().to_vec()),
        ],
    );
    // The texts of the tokenizer are most of the header; the beginning and the end are its structure.
    let structure = 2_048.min(header_len / 4);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut n_accepted, mut n_refused) = (0, 0);
    for case in 0..3_000 {
        let (position, change) = changes.new_tree(&mut runner).unwrap().current();
        let start = match case % 3 {
            0 => position.index(header_len - 8),
            1 => position.index(structure),
            _ => header_len - 8 - position.index(header_len / 4),
        };
        let place = start..start + change.len();
        let before = bytes[place.clone()].to_vec();
        bytes[place.clone()].copy_from_slice(&change);
        match agree(&bytes) {
            Ok(true) => n_accepted += 1,
            Ok(false) => n_refused += 1,
            Err(line) => panic!("{change:?} at {start}: {line}"),
        }
        bytes[place].copy_from_slice(&before);
    }
    assert!(n_accepted > 100 && n_refused > 500, "{n_accepted} accepted, {n_refused} refused: the cases are one-sided");
}

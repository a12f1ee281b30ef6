//! Cuts, flips and lies in a file that was good: all found by structure or by hash.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use checkpoint::gguf::preflight;
use checkpoint::{Checkpoint, Result};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::scene::{go_on, noise, write_of, write_tiny};

/// The good file, written once.
static TINY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tiny.gguf");
    write_tiny(&path);
    fs::read(&path).unwrap()
});

fn tiny(folder: &Path) -> (PathBuf, Vec<u8>) {
    let path = folder.join("tiny.gguf");
    fs::write(&path, &*TINY).unwrap();
    (path, TINY.clone())
}

/// A file of 2 MiB, most of it words.
fn large(folder: &Path) -> (PathBuf, Vec<u8>) {
    let path = folder.join("large.gguf");
    write_of(&path, &crate::tiny::config(29_000));
    let bytes = fs::read(&path).unwrap();
    assert!(bytes.len() >= 2 << 20, "{}", bytes.len());
    (path, bytes)
}

/// What stands before the first use of a file.
fn check(path: &Path) -> Result<()> {
    Checkpoint::open(path, None)?.verify(&mut go_on)
}

#[test]
fn whole_file_passes() {
    let folder = TempDir::new().unwrap();
    let (path, bytes) = tiny(folder.path());
    check(&path).unwrap();
    assert!(bytes.len() > 64 << 10, "{}", bytes.len());
}

#[test]
fn every_cut_is_found() {
    let folder = TempDir::new().unwrap();
    let (path, bytes) = large(folder.path());
    let header_len = preflight(&bytes).unwrap().data_start;
    let cuts = (0..bytes.len()).rev().filter(|cut| cut % 512 == 0 || (*cut < header_len && cut % 61 == 0));
    let last_bytes = bytes.len() - 40..bytes.len();
    let file = File::options().write(true).open(&path).unwrap();
    for cut in last_bytes.rev().chain(cuts) {
        file.set_len(cut as u64).unwrap();
        assert!(Checkpoint::open(&path, None).is_err(), "cut at {cut}");
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let folder = TempDir::new().unwrap();
    let (path, bytes) = large(folder.path());
    let mut file = File::options().write(true).open(&path).unwrap();
    let mut put = |position: usize, byte: u8| {
        file.seek(SeekFrom::Start(position as u64)).unwrap();
        file.write_all(&[byte]).unwrap();
    };
    for choice in noise(7, 2_000 * 9).chunks_exact(9) {
        let position = u64::from_le_bytes(choice[..8].try_into().unwrap()) as usize % bytes.len();
        let bit = choice[8] % 8;
        put(position, bytes[position] ^ (1 << bit));
        assert!(check(&path).is_err(), "bit {bit} of byte {position}");
        put(position, bytes[position]);
    }
    check(&path).unwrap();
}

#[test]
fn every_header_byte_is_held_by_its_hash() {
    let folder = TempDir::new().unwrap();
    let (path, bytes) = tiny(folder.path());
    let header_len = preflight(&bytes).unwrap().data_start;
    let mut file = File::options().write(true).open(&path).unwrap();
    for (position, good) in bytes[..header_len].iter().copied().enumerate() {
        for byte in [good.wrapping_add(1), good] {
            file.seek(SeekFrom::Start(position as u64)).unwrap();
            file.write_all(&[byte]).unwrap();
            assert_eq!(Checkpoint::open(&path, None).is_ok(), byte == good, "byte {position}");
        }
    }
}

#[test]
fn damaged_tensor_is_named() {
    let folder = TempDir::new().unwrap();
    let (path, bytes) = tiny(folder.path());
    let tensor = preflight(&bytes).unwrap().tensors.into_iter().find(|it| it.name == "vae2llm.bias").unwrap();
    let mut damaged = bytes;
    damaged[tensor.range.start] ^= 1;
    fs::write(&path, damaged).unwrap();
    let refusal = check(&path).unwrap_err().to_string();
    assert!(refusal.contains("vae2llm.bias") && refusal.contains("1 of its tensors"), "{refusal}");
}

#[test]
fn bytes_appended_are_found() {
    let folder = TempDir::new().unwrap();
    let (path, mut bytes) = tiny(folder.path());
    bytes.push(0);
    fs::write(&path, &bytes).unwrap();
    assert!(Checkpoint::open(&path, None).is_err());
}

/// Where in the file a tensor's line holds the count of dimensions; the fields follow it.
fn fields_of(bytes: &[u8], name: &str) -> usize {
    let wanted = [&(name.len() as u64).to_le_bytes(), name.as_bytes()].concat();
    bytes.windows(wanted.len()).position(|window| window == wanted).unwrap() + wanted.len()
}

/// Makes the header's hash right again, as a forger would.
fn reseal(bytes: &mut [u8]) {
    let wanted = b"bagel.header_hash";
    let key = bytes.windows(wanted.len()).position(|window| window == wanted).unwrap();
    let start = key + wanted.len() + 4 + 8;
    bytes[start..start + 64].fill(b'0');
    let header_len = preflight(bytes).map_or(start + 64, |header| header.data_start);
    let hash = blake3::hash(&bytes[..header_len]).to_hex();
    bytes[start..start + 64].copy_from_slice(hash.as_bytes());
}

#[test]
fn resealed_file_is_good_again() {
    let folder = TempDir::new().unwrap();
    let (path, mut bytes) = tiny(folder.path());
    reseal(&mut bytes);
    fs::write(&path, &bytes).unwrap();
    check(&path).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_lie_about_a_tensor_is_refused_even_with_a_forged_hash(
        tensor in any::<proptest::sample::Index>(),
        field in 0usize..6,
        dimension in any::<proptest::sample::Index>(),
        value in prop_oneof![any::<u64>(), 0u64..200, (0u32..64).prop_map(|bit| 1u64 << bit)],
    ) {
        let folder = TempDir::new().unwrap();
        let (path, mut bytes) = tiny(folder.path());
        let tensors = preflight(&bytes).unwrap().tensors;
        let tensor = tensor.get(&tensors);
        let fields = fields_of(&bytes, &tensor.name);
        let n = tensor.shape.len();
        let (start, len) = match field {
            0..=2 => (fields + 4 + 8 * dimension.index(n), 8),
            3 => (fields + 4 + 8 * n, 4),
            4 => (fields + 4 + 8 * n + 4, 8),
            _ => (fields, 4),
        };
        let lie = &value.to_le_bytes()[..len];
        // F16 for BF16 is the one lie of the right size; no structure tells them apart.
        let is_other_half = field == 3 && tensor.kind == checkpoint::Kind::BF16 && value as u32 == 1;
        prop_assume!(bytes[start..start + len] != *lie && !is_other_half);
        bytes[start..start + len].copy_from_slice(lie);
        reseal(&mut bytes);
        fs::write(&path, &bytes).unwrap();
        // A shorter kind whose padding is as long escapes the structure, and its hash finds it.
        prop_assert!(check(&path).is_err(), "{} field {field} as {value}", tensor.name);
    }

    #[test]
    fn any_few_bytes_changed_anywhere_are_refused(
        position in any::<proptest::sample::Index>(),
        change in proptest::collection::vec(any::<u8>(), 1..16),
    ) {
        let folder = TempDir::new().unwrap();
        let (path, bytes) = tiny(folder.path());
        let mut changed = bytes.clone();
        for (place, byte) in changed[position.index(bytes.len())..].iter_mut().zip(change) {
            *place = byte;
        }
        prop_assume!(changed != bytes);
        fs::write(&path, &changed).unwrap();
        prop_assert!(check(&path).is_err());
    }
}

//! GGUF files made by hand, each wrong in one way, each refused for that reason.
//!
//! [`cases`] is the generator; `tests/it/corpus.rs` keeps the small ones as
//! seeds for the fuzzer.

use std::fs;

use checkpoint::gguf::preflight;
use checkpoint::{Checkpoint, Error, Kind};
use tempfile::TempDir;

const U8: u32 = 0;
const U32: u32 = 4;
const I32: u32 = 5;
const BOOL: u32 = 7;
const TEXT: u32 = 8;
const LIST: u32 = 9;
const U64: u32 = 10;
const F32: u32 = 0;

/// A file in the making; what is not set is as it should be.
#[derive(Clone)]
pub(crate) struct Crafted {
    magic: Vec<u8>,
    version: u32,
    n_tensors: Option<u64>,
    n_keys: Option<u64>,
    keys: Vec<Vec<u8>>,
    tensors: Vec<Line>,
    alignment: u64,
    n_data_bytes: Option<usize>,
}

#[derive(Clone)]
struct Line {
    name_len: Option<u64>,
    name: Vec<u8>,
    n_dimensions: Option<u32>,
    /// As in the file: innermost first.
    extents: Vec<u64>,
    kind: u32,
    offset: Option<u64>,
}

impl Crafted {
    fn new() -> Self {
        Self {
            magic: b"GGUF".to_vec(),
            version: 3,
            n_tensors: None,
            n_keys: None,
            keys: vec![text("general.name", b"crafted")],
            tensors: vec![line("first", &[8], F32), line("second", &[32, 2], 8)],
            alignment: 32,
            n_data_bytes: None,
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn key(self, key: Vec<u8>) -> Self {
        self.with(|it| it.keys.push(key))
    }

    fn first(self, change: impl FnOnce(&mut Line)) -> Self {
        self.with(|it| change(&mut it.tensors[0]))
    }

    fn last(self, change: impl FnOnce(&mut Line)) -> Self {
        self.with(|it| change(it.tensors.last_mut().unwrap()))
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let mut bytes = self.magic.clone();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.n_tensors.unwrap_or(self.tensors.len() as u64).to_le_bytes());
        bytes.extend(self.n_keys.unwrap_or(self.keys.len() as u64).to_le_bytes());
        bytes.extend(self.keys.concat());
        let mut next = 0;
        for line in &self.tensors {
            bytes.extend(line.name_len.unwrap_or(line.name.len() as u64).to_le_bytes());
            bytes.extend(&line.name);
            bytes.extend(line.n_dimensions.unwrap_or(line.extents.len() as u32).to_le_bytes());
            bytes.extend(line.extents.iter().flat_map(|extent| extent.to_le_bytes()));
            bytes.extend(line.kind.to_le_bytes());
            bytes.extend(line.offset.unwrap_or(next).to_le_bytes());
            let n_elements = line.extents.iter().fold(1u64, |product, extent| product.wrapping_mul(*extent));
            let n_bytes = Kind::from_ggml_id(line.kind).map_or(0, |kind| kind.size_bytes(n_elements));
            next = next.wrapping_add(n_bytes).div_ceil(self.alignment).wrapping_mul(self.alignment);
        }
        bytes.resize(bytes.len().next_multiple_of(self.alignment as usize), 0);
        let n_data_bytes = self.n_data_bytes.unwrap_or(next.min(1 << 14) as usize);
        bytes.resize(bytes.len() + n_data_bytes, 0xA5);
        bytes
    }
}

fn line(name: &str, extents: &[u64], kind: u32) -> Line {
    Line { name_len: None, name: name.into(), n_dimensions: None, extents: extents.to_vec(), kind, offset: None }
}

fn raw_key(len: u64, name: &[u8], type_id: u32, content: &[u8]) -> Vec<u8> {
    [&len.to_le_bytes(), name, &type_id.to_le_bytes(), content].concat()
}

fn key(name: &str, type_id: u32, content: &[u8]) -> Vec<u8> {
    raw_key(name.len() as u64, name.as_bytes(), type_id, content)
}

fn text(name: &str, content: &[u8]) -> Vec<u8> {
    long_text(name, content.len() as u64, content)
}

fn long_text(name: &str, len: u64, content: &[u8]) -> Vec<u8> {
    key(name, TEXT, &[&len.to_le_bytes(), content].concat())
}

fn list(name: &str, type_id: u32, len: u64, content: &[u8]) -> Vec<u8> {
    key(name, LIST, &[&type_id.to_le_bytes(), len.to_le_bytes().as_slice(), content].concat())
}

/// Name, file, and what the defect must show of itself.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) file: Vec<u8>,
    pub(crate) defect: &'static str,
}

struct Cases(Vec<Case>);

impl Cases {
    fn add(&mut self, name: impl Into<String>, crafted: &Crafted, defect: &'static str) {
        self.raw(name, crafted.build(), defect);
    }

    fn raw(&mut self, name: impl Into<String>, file: Vec<u8>, defect: &'static str) {
        self.0.push(Case { name: name.into(), file, defect });
    }
}

/// A file as it should be.
pub(crate) fn good() -> Vec<u8> {
    Crafted::new().build()
}

/// All files, made anew.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Cases(Vec::new());
    beginnings(&mut cases);
    counts_and_keys(&mut cases);
    values(&mut cases);
    lists(&mut cases);
    alignments(&mut cases);
    names(&mut cases);
    shapes(&mut cases);
    kinds(&mut cases);
    places(&mut cases);
    cases.0
}

fn beginnings(cases: &mut Cases) {
    for magic in [b"GGML", b"ggjt", b"PK\x03\x04", b"FUGG", b"\x80\x02}q", b"{\"a\""] {
        let name = format!("magic-{}", magic.escape_ascii().to_string().replace(|it: char| !it.is_alphanumeric(), "_"));
        cases.add(name, &Crafted::new().with(|it| it.magic = magic.to_vec()), "Magic");
    }
    for version in [0, 1, 4, 100, u32::MAX] {
        cases.add(format!("version-{version}"), &Crafted::new().with(|it| it.version = version), "Version(");
    }
    for version in [1u32, 2, 3] {
        let crafted = Crafted::new().with(|it| it.version = version.swap_bytes());
        cases.add(format!("big-endian-{version}"), &crafted, "BigEndian");
    }
    for n_bytes in [0, 3, 4, 7, 8, 15, 23] {
        cases.raw(format!("only-{n_bytes}-bytes"), Crafted::new().build()[..n_bytes].to_vec(), "Ends(");
    }
}

fn counts_and_keys(cases: &mut Cases) {
    for n in [4097, 1 << 32, 1 << 63, u64::MAX] {
        cases.add(format!("{n}-tensors"), &Crafted::new().with(|it| it.n_tensors = Some(n)), "TooManyTensors(");
        cases.add(format!("{n}-keys"), &Crafted::new().with(|it| it.n_keys = Some(n)), "TooManyKeys(");
    }
    // One more than there are: what follows is read as what it is not.
    cases.add("one-key-too-many", &Crafted::new().with(|it| it.n_keys = Some(2)), "TensorName(0)");
    cases.add(
        "one-key-too-few",
        &Crafted::new().with(|it| it.n_keys = Some(0)),
        "Dimensions { tensor: \"general.name\"",
    );
    cases.add("one-tensor-too-many", &Crafted::new().with(|it| it.n_tensors = Some(3)), "TensorName(2)");
    cases.add("one-tensor-too-few", &Crafted::new().with(|it| it.n_tensors = Some(1)), "Trailing(");
    for len in [0, 257, 1 << 32, 1 << 63, u64::MAX] {
        let crafted = Crafted::new().key(raw_key(len, b"k", U8, &[0]));
        cases.add(format!("key-of-{len}-bytes"), &crafted, "KeyLength(");
    }
    let long = "k".repeat(257);
    cases.add("key-that-is-too-long", &Crafted::new().key(key(&long, U8, &[0])), "KeyLength(257)");
    cases.add("key-not-utf8", &Crafted::new().key(raw_key(2, b"\xff\xfe", U8, &[0])), "KeyText(1)");
    let twice = Crafted::new().key(key("k", U8, &[0])).key(key("k", U8, &[1]));
    cases.add("key-twice", &twice, "DuplicateKey(\"k\")");
    let filled = (0..4).fold(Crafted::new(), |it, n| it.key(text(&format!("k{n}"), &vec![b' '; 16 << 20])));
    cases.add("too-much-metadata-in-texts", &filled, "MetadataTooLarge(\"k3\")");
    let bytes = vec![0; 65 << 20];
    let filled = Crafted::new().key(list("k", U8, bytes.len() as u64, &bytes));
    cases.add("too-much-metadata-in-a-list", &filled, "MetadataTooLarge(\"k\")");
}

fn values(cases: &mut Cases) {
    for len in [(16 << 20) + 1, 1 << 40, 1 << 63, u64::MAX] {
        let crafted = Crafted::new().key(long_text("k", len, b"text"));
        cases.add(format!("text-of-{len}-bytes"), &crafted, "TextTooLong { key: \"k\"");
    }
    cases.add("text-longer-than-the-file", &Crafted::new().key(long_text("k", 1 << 20, b"text")), "Ends(\"k\")");
    for (name, content) in [("lone-byte", b"\xff".as_slice()), ("half", b"\xe2\x82"), ("surrogate", b"\xed\xa0\x80")] {
        cases.add(format!("text-not-utf8-{name}"), &Crafted::new().key(text("k", content)), "NotText(\"k\")");
    }
    for type_id in [13, 14, 255, 1 << 16, u32::MAX] {
        let crafted = Crafted::new().key(key("k", type_id, &[0; 8]));
        cases.add(format!("type-{type_id}"), &crafted, "UnknownType { key: \"k\"");
        let crafted = Crafted::new().key(list("k", type_id, 1, &[0; 8]));
        cases.add(format!("list-of-type-{type_id}"), &crafted, "UnknownType { key: \"k\"");
    }
    for value in [2, 128, 255] {
        cases.add(format!("truth-{value}"), &Crafted::new().key(key("k", BOOL, &[value])), "NotABool { key: \"k\"");
        let crafted = Crafted::new().key(list("k", BOOL, 3, &[0, 1, value]));
        cases.add(format!("list-with-truth-{value}"), &crafted, "NotABool { key: \"k\"");
    }
}

fn lists(cases: &mut Cases) {
    let inner = [U8.to_le_bytes().as_slice(), &1u64.to_le_bytes(), &[0]].concat();
    cases.add("list-of-lists", &Crafted::new().key(list("k", LIST, 1, &inner)), "NestedList(\"k\")");
    cases.add("empty-list-of-lists", &Crafted::new().key(list("k", LIST, 0, &[])), "NestedList(\"k\")");
    for type_id in 0..=12 {
        for len in [1 << 30, 1 << 61, 1 << 62, u64::MAX] {
            if type_id == LIST || type_id == BOOL || type_id == TEXT {
                continue;
            }
            let crafted = Crafted::new().key(list("k", type_id, len, &[0; 8]));
            cases.add(format!("list-of-{len}-of-type-{type_id}"), &crafted, "Ends(\"k\")");
        }
    }
    for len in [1 << 40, u64::MAX] {
        let crafted = Crafted::new().with(|it| it.tensors.clear()).key(list("k", BOOL, len, &[1; 8]));
        cases.add(format!("list-of-{len}-truths"), &crafted, "Ends(\"k\")");
        let texts = [1u64.to_le_bytes().as_slice(), b"a"].concat();
        let crafted = Crafted::new().with(|it| it.tensors.clear()).key(list("k", TEXT, len, &texts));
        cases.add(format!("list-of-{len}-texts"), &crafted, "Ends(\"k\")");
    }
    let texts = [1u64.to_le_bytes().as_slice(), b"a", &u64::MAX.to_le_bytes(), b"b"].concat();
    cases.add("text-too-long-in-a-list", &Crafted::new().key(list("k", TEXT, 2, &texts)), "TextTooLong { key: \"k\"");
    let texts = [1u64.to_le_bytes().as_slice(), b"\xff"].concat();
    cases.add("text-not-utf8-in-a-list", &Crafted::new().key(list("k", TEXT, 1, &texts)), "NotText(\"k\")");
}

fn alignments(cases: &mut Cases) {
    for value in [0u32, 1, 2, 4, 7, 24, 31, 33, 4095, 8192, 1 << 31, u32::MAX] {
        let crafted = Crafted::new().key(key("general.alignment", U32, &value.to_le_bytes()));
        cases.add(format!("alignment-{value}"), &crafted, "Alignment(");
    }
    for value in [0u64, 1 << 32, 1 << 63] {
        let crafted = Crafted::new().key(key("general.alignment", U64, &value.to_le_bytes()));
        cases.add(format!("alignment-of-64-bits-{value}"), &crafted, "Alignment(");
    }
    let signed = Crafted::new().key(key("general.alignment", I32, &32i32.to_le_bytes()));
    cases.add("alignment-with-a-sign", &signed, "Alignment(");
    cases.add("alignment-as-text", &Crafted::new().key(text("general.alignment", b"32")), "Alignment(");
    cases.add("alignment-as-list", &Crafted::new().key(list("general.alignment", U8, 1, &[32])), "Alignment(");
}

fn names(cases: &mut Cases) {
    for len in [0, 64, 1 << 32, 1 << 63, u64::MAX] {
        let crafted = Crafted::new().last(|it| it.name_len = Some(len));
        cases.add(format!("name-of-{len}-bytes"), &crafted, "TensorName(1)");
    }
    let unusable: [&[u8]; 9] =
        [b"a b", b"a/b", b"..\\a", b"a\0", b"a\nb", b"\xff\xfe", "naïve".as_bytes(), b"a:b", b"\x1b[31m"];
    for (position, name) in unusable.into_iter().enumerate() {
        let crafted = Crafted::new().first(|it| it.name = name.to_vec());
        cases.add(format!("name-unusable-{position}"), &crafted, "TensorName(0)");
    }
    let twice = Crafted::new().last(|it| it.name = b"first".to_vec());
    cases.add("tensor-twice", &twice, "DuplicateTensor(\"first\")");
}

fn shapes(cases: &mut Cases) {
    for n in [0, 5, 255, u32::MAX] {
        let crafted = Crafted::new().first(|it| it.n_dimensions = Some(n));
        cases.add(format!("{n}-dimensions"), &crafted, "Dimensions { tensor: \"first\"");
    }
    for position in 0..4 {
        for extent in [0, (1 << 31) + 1, 1 << 32, 1 << 63, u64::MAX] {
            let crafted = Crafted::new().last(|it| {
                it.kind = F32;
                it.extents = vec![1; 4];
                it.extents[position] = extent;
            });
            cases.add(format!("extent-{position}-of-{extent}"), &crafted, "Extent { tensor: \"second\"");
        }
    }
    let most = 1u64 << 31;
    for (name, extents) in [
        ("62-bits", vec![most, most]),
        ("64-bits", vec![most, most, 4]),
        ("66-bits", vec![most, most, 16]),
        ("93-bits", vec![most, most, most]),
        ("124-bits", vec![most, most, most, most]),
        ("bytes-of-64-bits", vec![most, most, 1]),
    ] {
        let crafted = Crafted::new().last(|it| (it.kind, it.extents) = (F32, extents.clone()));
        cases.add(format!("product-of-{name}"), &crafted, "OutsideFile { tensor: \"second\"");
        let crafted = Crafted::new().first(|it| it.extents = extents);
        cases.add(format!("first-product-of-{name}"), &crafted, "OutsideFile { tensor: \"first\"");
    }
}

fn kinds(cases: &mut Cases) {
    for id in (0..=40).chain([255, 1 << 16, u32::MAX]).filter(|id| Kind::from_ggml_id(*id).is_none()) {
        let crafted = Crafted::new().first(|it| it.kind = id);
        cases.add(format!("kind-{id}"), &crafted, "TensorKind { tensor: \"first\"");
    }
    for kind in Kind::all().filter(|kind| kind.is_quantized()) {
        let block_len = kind.block_len() as u64;
        for row_len in [1, block_len - 1, block_len + 1, block_len * 2 - 1] {
            let crafted = Crafted::new().last(|it| (it.kind, it.extents) = (kind.ggml_id(), vec![row_len, block_len]));
            cases.add(format!("row-of-{row_len}-as-{kind}"), &crafted, "RowLength { tensor: \"second\"");
        }
    }
}

fn places(cases: &mut Cases) {
    for offset in [1, 8, 16, 31, 33, u64::MAX] {
        let crafted = Crafted::new().last(|it| it.offset = Some(offset));
        cases.add(format!("misaligned-at-{offset}"), &crafted, "Misaligned { tensor: \"second\"");
    }
    for (name, offset) in [("overlap", 0), ("gap", 64), ("far", 1 << 40), ("wrap", u64::MAX - 31), ("sign", 1 << 63)] {
        let crafted = Crafted::new().last(|it| it.offset = Some(offset));
        cases.add(format!("offset-{name}"), &crafted, "Offset { tensor: \"second\"");
    }
    let late = Crafted::new().first(|it| it.offset = Some(32));
    cases.add("first-tensor-late", &late, "Offset { tensor: \"first\"");
    let swapped = Crafted::new().with(|it| {
        it.tensors[0].offset = Some(96);
        it.tensors[1].offset = Some(0);
    });
    cases.add("tensors-out-of-order", &swapped, "Offset { tensor: \"first\"");
    for n_data_bytes in [0, 1, 31] {
        let crafted = Crafted::new().with(|it| it.n_data_bytes = Some(n_data_bytes));
        cases.add(format!("{n_data_bytes}-bytes-of-tensors"), &crafted, "OutsideFile { tensor: \"first\"");
    }
    for n_data_bytes in [32, 33, 99] {
        let crafted = Crafted::new().with(|it| it.n_data_bytes = Some(n_data_bytes));
        cases.add(format!("{n_data_bytes}-bytes-of-tensors"), &crafted, "OutsideFile { tensor: \"second\"");
    }
    for n_more in [32, 33, 64, 4096] {
        let crafted = Crafted::new().with(|it| it.n_data_bytes = Some(100 + n_more));
        cases.add(format!("{n_more}-bytes-behind"), &crafted, "Trailing(");
    }
    let nothing = Crafted::new().with(|it| {
        it.tensors.clear();
        it.n_data_bytes = Some(32);
    });
    cases.add("bytes-but-no-tensors", &nothing, "Trailing(32)");
}

#[test]
fn each_crafted_file_is_refused_for_its_own_defect() {
    let cases = cases();
    assert!(cases.len() >= 150, "{}", cases.len());
    for case in &cases {
        let defect = preflight(&case.file).map(|_| "accepted").expect_err(&case.name);
        let shown = format!("{defect:?}");
        assert!(shown.starts_with(case.defect), "{}: {shown} instead of {}", case.name, case.defect);
        let line = defect.to_string();
        assert!(line.len() < 300 && !line.contains('\n'), "{}: {line}", case.name);
    }
}

/// Reads `key` of what the system says of this process, in bytes.
#[cfg(target_os = "linux")]
fn memory(key: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[cfg(target_os = "linux")]
#[test]
fn no_crafted_file_takes_long_or_much_memory() {
    const MAX_BYTES: u64 = 64 << 20;
    const MAX_MS: u128 = 200;
    for case in cases() {
        fs::write("/proc/self/clear_refs", "5").unwrap();
        let held = memory("VmRSS:");
        let timed = || {
            let begun = std::time::Instant::now();
            (preflight(&case.file).is_err(), begun.elapsed().as_millis())
        };
        // Other programs may hold one of them up.
        let (is_refused, took_ms) = [timed(), timed(), timed()].into_iter().min_by_key(|(_, ms)| *ms).unwrap();
        let extra = memory("VmHWM:").saturating_sub(held);
        assert!(is_refused && extra <= MAX_BYTES && took_ms <= MAX_MS, "{}: {extra} bytes, {took_ms} ms", case.name);
    }
}

#[test]
fn names_of_crafted_files_are_unique() {
    let mut names: Vec<String> = cases().into_iter().map(|case| case.name).collect();
    let n = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), n);
}

#[test]
fn what_is_just_allowed_is_accepted() {
    let check = |name: &str, crafted: Crafted| {
        preflight(&crafted.build()).map(|_| ()).unwrap_or_else(|defect| panic!("{name}: {defect}"));
    };
    check("as it should be", Crafted::new());
    check("version 2", Crafted::new().with(|it| it.version = 2));
    check("without padding at the end", Crafted::new().with(|it| it.n_data_bytes = Some(32 + 68)));
    check("longest key", Crafted::new().key(key(&"k".repeat(256), U8, &[0])));
    check("longest name", Crafted::new().first(|it| it.name = vec![b'n'; 63]));
    check("nothing in it", Crafted::new().with(|it| it.tensors.clear()));
    check("longest text", Crafted::new().key(text("k", &vec![b' '; 16 << 20])));
    for alignment in [8u32, 64, 4096] {
        let crafted = Crafted::new().key(key("general.alignment", U32, &alignment.to_le_bytes()));
        check("alignment", crafted.with(|it| it.alignment = alignment.into()));
    }
    let full = Crafted::new().with(|it| {
        it.keys = (0..4096).map(|n| key(&format!("k{n}"), U8, &[0])).collect();
        it.tensors = (0..4096).map(|n| line(&format!("t{n}"), &[8], F32)).collect();
        it.n_data_bytes = Some(4096 * 32);
    });
    check("as many keys and tensors as there may be", full);
}

#[test]
fn every_prefix_of_a_file_is_refused() {
    let file = Crafted::new().build();
    // The last tensor's 68 bytes are padded to 96; a cut in the padding leaves all tensors whole.
    for n_bytes in 0..file.len() - 28 {
        assert!(preflight(&file[..n_bytes]).is_err(), "{n_bytes}");
    }
    preflight(&file).unwrap();
}

#[test]
fn file_of_another_model_is_refused_as_such() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("other.gguf");
    let open = |crafted: &Crafted| {
        fs::write(&path, crafted.build()).unwrap();
        Checkpoint::open(&path, None).unwrap_err()
    };
    let check = |crafted: Crafted, wanted: &str| {
        let refusal = open(&crafted);
        assert!(matches!(refusal, Error::Gguf { .. }) && refusal.to_string().contains(wanted), "{refusal}");
    };
    check(Crafted::new(), "architecture \"\"");
    check(Crafted::new().key(text("general.architecture", b"flux")), "architecture \"flux\"");
    let bagel = Crafted::new().key(text("general.architecture", b"bagel"));
    check(bagel.clone(), "bagel.header_hash is missing");
    check(bagel.clone().key(text("bagel.header_hash", b"short")), "bagel.header_hash: not a hash");
    check(bagel.key(text("bagel.header_hash", &[b'0'; 64])), "header differs");
}

//! Frames survive the pipe, and nothing that a pipe can deliver does harm.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{self, Cursor, Read};
use std::path::Path;

use proptest::prelude::*;
use protocol::frame::{self, MAX_FRAME_BYTES, MAX_HEADER_BYTES};
use protocol::{Command, Event, Frame, JobId, TextChannel, read_frame, write_frame};
use serde_json::{Value, json};

fn frame_bytes(frame_length: u32, header_length: u32, rest: &[u8]) -> Vec<u8> {
    let mut bytes = frame_length.to_le_bytes().to_vec();
    bytes.extend(header_length.to_le_bytes());
    bytes.extend(rest);
    bytes
}

fn read(bytes: &[u8]) -> frame::Result<Option<Frame<Value>>> {
    read_frame(&mut Cursor::new(bytes))
}

fn check_refused(bytes: &[u8], expected: &str) {
    assert_eq!(read(bytes).unwrap_err().to_string(), expected);
}

#[test]
fn layout_is_two_lengths_then_header_then_payload() {
    let mut bytes = Vec::new();
    write_frame(&mut bytes, &Command::Cancel { id: JobId::from_u128(7) }, &[1, 2, 3]).unwrap();
    let header = br#"{"kind":"cancel","id":"00000000-0000-0000-0000-000000000007"}"#;
    assert_eq!(bytes, frame_bytes(header.len() as u32 + 3, header.len() as u32, &[&header[..], &[1, 2, 3]].concat()));
}

#[test]
fn end_between_frames_is_not_an_error() {
    assert_eq!(read(&[]).unwrap(), None);
}

#[test]
fn false_lengths_are_refused() {
    let limit = MAX_FRAME_BYTES;
    check_refused(
        &frame_bytes(limit + 1, 2, b"{}"),
        &format!("a frame of {} bytes is announced, {limit} are allowed", limit + 1),
    );
    check_refused(&frame_bytes(2, 3, b"{}"), "a frame header of 3 bytes is announced in a frame of 2");
    check_refused(
        &frame_bytes(limit, MAX_HEADER_BYTES + 1, b"{}"),
        &format!("a frame header of {} bytes is announced, {MAX_HEADER_BYTES} are allowed", MAX_HEADER_BYTES + 1),
    );
    check_refused(&frame_bytes(limit, 2, b"{}abc"), "the stream ended after 13 of a frame's 67108872 bytes");
}

#[test]
fn frames_beyond_the_limits_are_not_written() {
    let mut bytes = Vec::new();
    let too_long = write_frame(&mut bytes, &json!({}), &vec![0; MAX_FRAME_BYTES as usize - 1]).unwrap_err();
    assert!(matches!(too_long, frame::Error::TooLong { bytes: 67_108_865 }));
    let text = "a".repeat(MAX_HEADER_BYTES as usize);
    let header_too_long = write_frame(&mut bytes, &text, &[]).unwrap_err();
    assert!(matches!(header_too_long, frame::Error::HeaderTooLong { .. }));
    assert_eq!(bytes, [0_u8; 0]);
}

#[test]
fn frame_after_a_header_that_is_not_json_can_be_read() {
    let mut bytes = frame_bytes(4, 3, b"{,}x");
    write_frame(&mut bytes, &json!(1), &[]).unwrap();
    let mut stream = Cursor::new(bytes);
    assert!(matches!(read_frame::<Value>(&mut stream), Err(frame::Error::Header(_))));
    assert_eq!(read_frame::<Value>(&mut stream).unwrap().unwrap().header, json!(1));
    assert_eq!(read_frame::<Value>(&mut stream).unwrap(), None);
}

#[test]
fn header_nested_without_end_is_refused() {
    let header = "[".repeat(100_000);
    let bytes = frame_bytes(header.len() as u32, header.len() as u32, header.as_bytes());
    assert!(matches!(read(&bytes), Err(frame::Error::Header(_))));
}

#[test]
fn seeds_are_whole_numbers_and_absent_fields_are_null() {
    let done = Event::Done { id: JobId::from_u128(1), text: None, parameters: None, statistics: Default::default() };
    let value = serde_json::to_value(done).unwrap();
    assert_eq!(value["text"], Value::Null);
    let parameters = protocol::ImageParameters { seed: Some(protocol::limits::MAX_SEED), ..Default::default() };
    let value = serde_json::to_value(parameters).unwrap();
    assert_eq!(value["seed"], json!(9_007_199_254_740_991_u64));
    assert_eq!(value["size"], Value::Null);
}

/// Gives a byte at a time, as a slow pipe does.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_bytes = buffer.len().min(1);
        self.0.read(&mut buffer[..n_bytes])
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        texts in prop::collection::vec(".*", 0..4),
        payload in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut bytes = Vec::new();
        for delta in &texts {
            let event =
                Event::Text { id: JobId::from_u128(1), channel: TextChannel::Answer, delta: delta.clone() };
            write_frame(&mut bytes, &event, &payload).unwrap();
        }
        let mut stream = Trickle(&bytes);
        for expected in &texts {
            let frame: Frame<Event> = read_frame(&mut stream).unwrap().unwrap();
            let same = matches!(&frame.header, Event::Text { delta, .. } if delta == expected);
            prop_assert!(same, "{:?} became {:?}", expected, frame.header);
            prop_assert_eq!(&frame.payload, &payload);
        }
        prop_assert!(read_frame::<Event>(&mut stream).unwrap().is_none());
    }

    #[test]
    fn cut_frame_is_told_from_the_end(payload in prop::collection::vec(any::<u8>(), 0..64), cut in any::<prop::sample::Index>()) {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, &json!({"kind": "status", "id": "1"}), &payload).unwrap();
        let n_left = 1 + cut.index(bytes.len() - 1);
        let error = read(&bytes[..n_left]).unwrap_err();
        let told = matches!(error, frame::Error::Cut { found, .. } if found == n_left as u64);
        prop_assert!(told, "{} bytes left: {}", n_left, error);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        read_all(&bytes);
    }
}

/// What the fuzz target does with its input.
fn read_all(mut bytes: &[u8]) {
    while let Ok(Some(_)) | Err(frame::Error::Header(_)) = read_frame::<Command>(&mut bytes) {}
}

#[test]
fn corpus_of_the_fuzz_target_is_read_or_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/frame");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 10, "the corpus is missing");
    for file in files {
        read_all(&std::fs::read(file).unwrap());
    }
}

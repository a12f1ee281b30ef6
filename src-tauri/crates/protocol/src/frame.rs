//! Frames over a pipe: `u32` length, `u32` header length (little-endian), JSON header, payload.
//!
//! The length counts header and payload, not the eight bytes that announce
//! them. Both numbers come from the other side and are only claims: nothing is
//! allocated for bytes that have not arrived.

use std::io::{self, ErrorKind, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Most bytes that header and payload of a frame may have together.
pub const MAX_FRAME_BYTES: u32 = 64 << 20;

/// Most bytes that a header may have.
pub const MAX_HEADER_BYTES: u32 = 8 << 20;

/// How much is read at a time, and therefore the most that a false length costs.
const CHUNK_BYTES: usize = 64 << 10;

/// A message with its raw bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame<H> {
    /// The message: [`crate::Command`] towards the engine, [`crate::Event`] back.
    pub header: H,
    /// Pixels of an image, otherwise empty.
    pub payload: Vec<u8>,
}

/// What can be wrong with a frame.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The announced length is beyond [`MAX_FRAME_BYTES`].
    #[error("a frame of {bytes} bytes is announced, {MAX_FRAME_BYTES} are allowed")]
    TooLong {
        /// Bytes announced, or bytes that should be written.
        bytes: u64,
    },
    /// The announced header is beyond [`MAX_HEADER_BYTES`].
    #[error("a frame header of {bytes} bytes is announced, {MAX_HEADER_BYTES} are allowed")]
    HeaderTooLong {
        /// Bytes announced, or bytes that should be written.
        bytes: u64,
    },
    /// The header is announced to be longer than the frame it stands in.
    #[error("a frame header of {header_bytes} bytes is announced in a frame of {frame_bytes}")]
    HeaderBeyondFrame {
        /// Bytes announced for the header.
        header_bytes: u32,
        /// Bytes announced for the frame.
        frame_bytes: u32,
    },
    /// The stream ended inside a frame.
    #[error("the stream ended after {found} of a frame's {expected} bytes")]
    Cut {
        /// Bytes of the frame, the first eight counted.
        expected: u64,
        /// Bytes that arrived.
        found: u64,
    },
    /// The header is not the JSON that is expected; the next frame can still be read.
    #[error("a frame header cannot be understood: {0}")]
    Header(#[source] serde_json::Error),
    /// A header that cannot be written as JSON.
    #[error("a frame header cannot be written: {0}")]
    Unwritable(#[source] serde_json::Error),
    /// The pipe failed.
    #[error("the pipe failed: {0}")]
    Io(#[from] io::Error),
}

/// What reading and writing frames gives.
pub type Result<T> = std::result::Result<T, Error>;

/// Reads one frame; `None` when the stream ends before its first byte.
///
/// After [`Error::Header`] the stream stands at the next frame; after every
/// other error it is lost. The reader should be buffered.
pub fn read_frame<H: DeserializeOwned>(reader: &mut impl Read) -> Result<Option<Frame<H>>> {
    let mut lengths = [0; 8];
    let found = read_up_to(reader, &mut lengths)?;
    if found == 0 {
        return Ok(None);
    }
    if found < lengths.len() {
        return Err(Error::Cut { expected: lengths.len() as u64, found: found as u64 });
    }
    let [a, b, c, d, e, f, g, h] = lengths;
    let frame_bytes = u32::from_le_bytes([a, b, c, d]);
    let header_bytes = u32::from_le_bytes([e, f, g, h]);
    if frame_bytes > MAX_FRAME_BYTES {
        return Err(Error::TooLong { bytes: frame_bytes.into() });
    }
    if header_bytes > frame_bytes {
        return Err(Error::HeaderBeyondFrame { header_bytes, frame_bytes });
    }
    if header_bytes > MAX_HEADER_BYTES {
        return Err(Error::HeaderTooLong { bytes: header_bytes.into() });
    }

    let header = read_claimed(reader, header_bytes)?;
    let payload_bytes = frame_bytes - header_bytes;
    let cut = |found: usize| Error::Cut { expected: 8 + u64::from(frame_bytes), found: 8 + found as u64 };
    if header.len() < header_bytes as usize {
        return Err(cut(header.len()));
    }
    let payload = read_claimed(reader, payload_bytes)?;
    if payload.len() < payload_bytes as usize {
        return Err(cut(header.len() + payload.len()));
    }
    let header = serde_json::from_slice(&header).map_err(Error::Header)?;
    Ok(Some(Frame { header, payload }))
}

/// Writes one frame and flushes.
///
/// A frame that is too long is refused before its first byte is written.
pub fn write_frame<H: Serialize + ?Sized>(writer: &mut impl Write, header: &H, payload: &[u8]) -> Result<()> {
    let header = serde_json::to_vec(header).map_err(Error::Unwritable)?;
    let header_bytes =
        within(header.len(), MAX_HEADER_BYTES).ok_or(Error::HeaderTooLong { bytes: header.len() as u64 })?;
    let n_bytes = header.len().saturating_add(payload.len());
    let frame_bytes = within(n_bytes, MAX_FRAME_BYTES).ok_or(Error::TooLong { bytes: n_bytes as u64 })?;
    writer.write_all(&frame_bytes.to_le_bytes())?;
    writer.write_all(&header_bytes.to_le_bytes())?;
    writer.write_all(&header)?;
    writer.write_all(payload)?;
    writer.flush()?;
    Ok(())
}

fn within(n_bytes: usize, limit: u32) -> Option<u32> {
    u32::try_from(n_bytes).ok().filter(|&n_bytes| n_bytes <= limit)
}

/// Reads `n_bytes`, or what there is of them, growing only as they arrive.
fn read_claimed(reader: &mut impl Read, n_bytes: u32) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity((n_bytes as usize).min(CHUNK_BYTES));
    reader.by_ref().take(n_bytes.into()).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Fills the buffer as far as the stream goes.
fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut found = 0;
    while let Some(rest) = buffer.get_mut(found..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(n_bytes) => found += n_bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

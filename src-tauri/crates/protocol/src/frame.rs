//! Frames over a pipe: `u32` total length, `u32` header length (little-endian), JSON header, payload.

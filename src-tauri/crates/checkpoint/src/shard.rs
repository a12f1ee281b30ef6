//! One safetensors file.
//!
//! The `safetensors` crate reads the header and makes sure that the tensors
//! tile the file. Before it does, this module bounds the header's size and
//! the offsets in it, because the crate adds them up without a check.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use safetensors::tensor::Metadata;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::mapped::Mapped;
use crate::{Error, Kind, Result};

const MAX_HEADER_BYTES: u64 = 16 << 20;
const MAX_TENSORS: usize = 65_536;
const LENGTH_BYTES: usize = 8;

/// Where a tensor lies and what it is.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) file: Arc<Mapped>,
    pub(crate) range: Range<usize>,
    pub(crate) shape: Vec<usize>,
    /// The kind, or the name of one that we do not read.
    pub(crate) kind: std::result::Result<Kind, String>,
    /// blake3 of the bytes, where the file says so.
    pub(crate) hash: Option<[u8; 32]>,
}

impl Entry {
    pub(crate) fn bytes(&self) -> &[u8] {
        // The range was checked against the file when the header was read.
        self.file.bytes().get(self.range.clone()).unwrap_or_default()
    }
}

/// The tensors of one file under the names that it gives them.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) file: Arc<Mapped>,
    pub(crate) tensors: Vec<(String, Entry)>,
}

impl Shard {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = Arc::new(Mapped::open(path)?);
        let (data_start, metadata) =
            read_header(file.bytes()).map_err(|reason| Error::Safetensors { path: path.to_path_buf(), reason })?;
        let mut tensors = Vec::new();
        for (name, info) in metadata.tensors() {
            let (start, end) = info.data_offsets;
            let entry = Entry {
                file: Arc::clone(&file),
                range: data_start + start..data_start + end,
                shape: info.shape.clone(),
                kind: kind_of(info.dtype),
                hash: None,
            };
            tensors.push((name, entry));
        }
        tensors.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Self { file, tensors })
    }
}

/// Checks the structure of a safetensors file, given whole, and counts its tensors.
///
/// The error is what does not hold.
pub fn check_safetensors(file: &[u8]) -> std::result::Result<usize, String> {
    read_header(file).map(|(_, metadata)| metadata.tensors().len())
}

/// Where the tensors begin, and what they are.
fn read_header(file: &[u8]) -> std::result::Result<(usize, Metadata), String> {
    let header_len = check_header(file)?;
    let (_, metadata) = SafeTensors::read_metadata(file).map_err(|error| error.to_string())?;
    Ok((LENGTH_BYTES + header_len, metadata))
}

fn kind_of(dtype: Dtype) -> std::result::Result<Kind, String> {
    match dtype {
        Dtype::F32 => Ok(Kind::F32),
        Dtype::F16 => Ok(Kind::F16),
        Dtype::BF16 => Ok(Kind::BF16),
        other => Err(format!("{other:?}")),
    }
}

/// Length of the JSON header, after its size, its names and its offsets were bounded.
fn check_header(bytes: &[u8]) -> std::result::Result<usize, String> {
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
        return Err("shorter than its header".to_owned());
    };
    let length = u64::from_le_bytes(*length);
    if length > MAX_HEADER_BYTES {
        return Err(format!("a header of {length} bytes (at most {MAX_HEADER_BYTES})"));
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let Some((header, data)) = rest.split_at_checked(length) else {
        return Err(format!("the header needs {length} bytes and the file ends before"));
    };
    if header.first() != Some(&b'{') {
        return Err("its header is not JSON".to_owned());
    }
    let spans: Spans = serde_json::from_slice(header).map_err(|error| format!("its header is not valid: {error}"))?;
    if spans.0.len() > MAX_TENSORS {
        return Err(format!("{} tensors (at most {MAX_TENSORS})", spans.0.len()));
    }
    for (name, span) in &spans.0 {
        let (start, end) = span.data_offsets;
        if start > end || end > data.len() as u64 {
            return Err(format!(
                "{name:?} lies at bytes {start}..{end}, but the file holds {} bytes of tensors",
                data.len()
            ));
        }
    }
    let mut names: Vec<&str> = spans.0.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("{:?} is listed twice", pair[0]));
    }
    Ok(length)
}

#[derive(Deserialize)]
struct Span {
    data_offsets: (u64, u64),
}

/// The offsets in a header, in its order and with duplicates kept.
struct Spans(Vec<(String, Span)>);

impl<'de> Deserialize<'de> for Spans {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Spans;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of tensors")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<Spans, M::Error> {
                let mut spans = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        spans.push((name, map.next_value()?));
                    }
                }
                Ok(Spans(spans))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

//! The structure of a GGUF file, checked before anything else looks at it.
//!
//! Only the header is read. Every count and length is bounded before it is
//! used, every product is taken in 128 bits, and the tensors must tile the
//! rest of the file exactly. Nothing is copied but names.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::cursor::Cursor;
use super::{
    Defect, MAGIC, MAX_KEY_BYTES, MAX_KEYS, MAX_METADATA_BYTES, MAX_NAME_BYTES, MAX_TENSORS, MAX_TEXT_BYTES, key,
    type_id,
};
use crate::Kind;

const DEFAULT_ALIGNMENT: u64 = 32;
const MAX_DIMENSIONS: u32 = 4;
const MAX_EXTENT: u64 = 1 << 31;

/// A header whose structure holds.
#[derive(Debug)]
pub struct Header<'a> {
    /// Version of the format, 2 or 3.
    pub version: u32,
    /// What the tensors' offsets are multiples of.
    pub alignment: u64,
    /// All keys with their values.
    pub metadata: BTreeMap<&'a str, Value<'a>>,
    /// All tensors, in the order of the file.
    pub tensors: Vec<TensorInfo>,
    /// Where the header ends and the tensors begin.
    pub data_start: usize,
}

/// A value of the metadata.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Any of the types without a sign.
    Unsigned(u64),
    /// Any of the types with one.
    Signed(i64),
    /// Either of the floats.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A text, and where in the file it begins.
    Text {
        /// The text.
        text: &'a str,
        /// Position of its first byte.
        start: usize,
    },
    /// A list; its content is checked and passed over.
    List {
        /// How many values it holds.
        len: u64,
    },
}

/// A tensor whose place in the file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Name in the file.
    pub name: String,
    /// How its numbers are stored.
    pub kind: Kind,
    /// Shape, outermost first (the file has it the other way round).
    pub shape: Vec<usize>,
    /// Its bytes in the file.
    pub range: Range<usize>,
}

/// Checks the structure of a file, given whole.
pub fn preflight(file: &[u8]) -> Result<Header<'_>, Defect> {
    let mut cursor = Cursor::new(file);
    if cursor.array("its first bytes")? != MAGIC {
        return Err(Defect::Magic);
    }
    let version = cursor.u32("its version")?;
    match version {
        2 | 3 => {}
        _ if matches!(version.swap_bytes(), 1..=3) => return Err(Defect::BigEndian),
        _ => return Err(Defect::Version(version)),
    }
    let n_tensors = cursor.u64("its counts")?;
    if n_tensors > MAX_TENSORS {
        return Err(Defect::TooManyTensors(n_tensors));
    }
    let n_keys = cursor.u64("its counts")?;
    if n_keys > MAX_KEYS {
        return Err(Defect::TooManyKeys(n_keys));
    }

    let metadata = read_metadata(&mut cursor, n_keys)?;
    let alignment = alignment(&metadata)?;
    let mut claims = Vec::new();
    let mut names = HashSet::new();
    for position in 0..n_tensors {
        let claim = read_claim(&mut cursor, position)?;
        if !names.insert(claim.name) {
            return Err(Defect::DuplicateTensor(claim.name.to_owned()));
        }
        claims.push(claim);
    }
    let header_end = cursor.position() as u64;
    let data_start = header_end.next_multiple_of(alignment);
    let tensors = place(&claims, alignment, data_start, file.len() as u64)?;
    Ok(Header { version, alignment, metadata, tensors, data_start: usize::try_from(data_start).unwrap_or(usize::MAX) })
}

impl<'a> Value<'a> {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&'a str> {
        match self {
            Self::Text { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The number, if it has no sign.
    pub fn as_unsigned(&self) -> Option<u64> {
        match self {
            Self::Unsigned(value) => Some(*value),
            _ => None,
        }
    }
}

fn read_metadata<'a>(cursor: &mut Cursor<'a>, n_keys: u64) -> Result<BTreeMap<&'a str, Value<'a>>, Defect> {
    let start = cursor.position();
    let mut metadata = BTreeMap::new();
    for position in 0..n_keys {
        let what = "its metadata";
        let len = cursor.u64(what)?;
        if len == 0 || len > MAX_KEY_BYTES {
            return Err(Defect::KeyLength(len));
        }
        let Ok(key) = std::str::from_utf8(cursor.take(len, what)?) else {
            return Err(Defect::KeyText(position));
        };
        let id = cursor.u32(key)?;
        let value = read_value(cursor, key, id)?;
        if (cursor.position() - start) as u64 > MAX_METADATA_BYTES {
            return Err(Defect::MetadataTooLarge(key.to_owned()));
        }
        if metadata.insert(key, value).is_some() {
            return Err(Defect::DuplicateKey(key.to_owned()));
        }
    }
    Ok(metadata)
}

fn read_value<'a>(cursor: &mut Cursor<'a>, key: &str, id: u32) -> Result<Value<'a>, Defect> {
    Ok(match id {
        type_id::U8 => Value::Unsigned(u8::from_le_bytes(cursor.array(key)?).into()),
        type_id::U16 => Value::Unsigned(u16::from_le_bytes(cursor.array(key)?).into()),
        type_id::U32 => Value::Unsigned(cursor.u32(key)?.into()),
        type_id::U64 => Value::Unsigned(cursor.u64(key)?),
        type_id::I8 => Value::Signed(i8::from_le_bytes(cursor.array(key)?).into()),
        type_id::I16 => Value::Signed(i16::from_le_bytes(cursor.array(key)?).into()),
        type_id::I32 => Value::Signed(i32::from_le_bytes(cursor.array(key)?).into()),
        type_id::I64 => Value::Signed(i64::from_le_bytes(cursor.array(key)?)),
        type_id::F32 => Value::Float(f32::from_le_bytes(cursor.array(key)?).into()),
        type_id::F64 => Value::Float(f64::from_le_bytes(cursor.array(key)?)),
        type_id::BOOL => match cursor.array(key)? {
            [value @ 0..=1] => Value::Bool(value == 1),
            [value] => return Err(Defect::NotABool { key: key.to_owned(), value }),
        },
        type_id::TEXT => read_text(cursor, key)?,
        type_id::LIST => read_list(cursor, key)?,
        id => return Err(Defect::UnknownType { key: key.to_owned(), id }),
    })
}

fn read_text<'a>(cursor: &mut Cursor<'a>, key: &str) -> Result<Value<'a>, Defect> {
    let len = cursor.u64(key)?;
    if len > MAX_TEXT_BYTES {
        return Err(Defect::TextTooLong { key: key.to_owned(), len });
    }
    let start = cursor.position();
    let Ok(text) = std::str::from_utf8(cursor.take(len, key)?) else {
        return Err(Defect::NotText(key.to_owned()));
    };
    Ok(Value::Text { text, start })
}

fn read_list<'a>(cursor: &mut Cursor<'a>, key: &str) -> Result<Value<'a>, Defect> {
    let id = cursor.u32(key)?;
    let len = cursor.u64(key)?;
    let start = cursor.position();
    let element_bytes = match id {
        type_id::U8 | type_id::I8 => 1,
        type_id::U16 | type_id::I16 => 2,
        type_id::U32 | type_id::I32 | type_id::F32 => 4,
        type_id::U64 | type_id::I64 | type_id::F64 => 8,
        type_id::LIST => return Err(Defect::NestedList(key.to_owned())),
        type_id::BOOL | type_id::TEXT => {
            // Each takes at least a byte of the file, so the file's end bounds the loop.
            for _ in 0..len {
                read_value(cursor, key, id)?;
                if (cursor.position() - start) as u64 > MAX_METADATA_BYTES {
                    return Err(Defect::MetadataTooLarge(key.to_owned()));
                }
            }
            return Ok(Value::List { len });
        }
        id => return Err(Defect::UnknownType { key: key.to_owned(), id }),
    };
    let n_bytes = u64::try_from(u128::from(len) * element_bytes).unwrap_or(u64::MAX);
    cursor.take(n_bytes, key)?;
    Ok(Value::List { len })
}

fn alignment(metadata: &BTreeMap<&str, Value<'_>>) -> Result<u64, Defect> {
    match metadata.get(key::ALIGNMENT) {
        None => Ok(DEFAULT_ALIGNMENT),
        Some(Value::Unsigned(value)) if value.is_power_of_two() && (8..=4096).contains(value) => Ok(*value),
        Some(Value::Unsigned(value)) => Err(Defect::Alignment(value.to_string())),
        Some(_) => Err(Defect::Alignment("that is not a number without a sign".to_owned())),
    }
}

/// What the table says about a tensor, its size not yet held against the file.
struct Claim<'a> {
    name: &'a str,
    kind: Kind,
    shape: Vec<usize>,
    offset: u64,
    n_bytes: u128,
}

fn read_claim<'a>(cursor: &mut Cursor<'a>, position: u64) -> Result<Claim<'a>, Defect> {
    let what = "its table of tensors";
    let len = cursor.u64(what)?;
    if len == 0 || len > MAX_NAME_BYTES as u64 {
        return Err(Defect::TensorName(position));
    }
    let name = cursor.take(len, what)?;
    let is_usable = name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte));
    let Some(name) = std::str::from_utf8(name).ok().filter(|_| is_usable) else {
        return Err(Defect::TensorName(position));
    };
    let n = cursor.u32(what)?;
    if n == 0 || n > MAX_DIMENSIONS {
        return Err(Defect::Dimensions { tensor: name.to_owned(), n });
    }
    let mut extents = Vec::new();
    for _ in 0..n {
        let extent = cursor.u64(what)?;
        if extent == 0 || extent > MAX_EXTENT {
            return Err(Defect::Extent { tensor: name.to_owned(), extent });
        }
        extents.push(extent);
    }
    let id = cursor.u32(what)?;
    let Some(kind) = Kind::from_ggml_id(id) else {
        return Err(Defect::TensorKind { tensor: name.to_owned(), id });
    };
    let row_len = extents.first().copied().unwrap_or(1);
    let block_len = kind.block_len() as u64;
    if !row_len.is_multiple_of(block_len) {
        return Err(Defect::RowLength { tensor: name.to_owned(), row_len, kind: kind.name() });
    }
    // Four dimensions of at most 2^31 stay below 2^124, and a block adds less than 2^8.
    let n_elements: u128 = extents.iter().map(|extent| u128::from(*extent)).product();
    let n_bytes = n_elements / u128::from(block_len) * kind.block_bytes() as u128;
    let shape = extents.iter().rev().map(|extent| usize::try_from(*extent).unwrap_or(usize::MAX)).collect();
    Ok(Claim { name, kind, shape, offset: cursor.u64(what)?, n_bytes })
}

/// Holds the claims against the file: sorted, aligned, without gap or overlap, and up to its end.
fn place(claims: &[Claim<'_>], alignment: u64, data_start: u64, file_bytes: u64) -> Result<Vec<TensorInfo>, Defect> {
    let mut tensors = Vec::with_capacity(claims.len());
    let mut expected: u128 = 0;
    let mut end = u128::from(data_start);
    for claim in claims {
        let tensor = || claim.name.to_owned();
        if !claim.offset.is_multiple_of(alignment) {
            return Err(Defect::Misaligned { tensor: tensor(), offset: claim.offset, alignment });
        }
        if u128::from(claim.offset) != expected {
            return Err(Defect::Offset { tensor: tensor(), offset: claim.offset, expected: expected.to_string() });
        }
        let start = u128::from(data_start) + expected;
        end = start + claim.n_bytes;
        let outside = || Defect::OutsideFile { tensor: tensor(), end: end.to_string(), file_bytes };
        if end > u128::from(file_bytes) {
            return Err(outside());
        }
        let (Ok(range_start), Ok(range_end)) = (usize::try_from(start), usize::try_from(end)) else {
            return Err(outside());
        };
        expected = (expected + claim.n_bytes).next_multiple_of(u128::from(alignment));
        tensors.push(TensorInfo {
            name: tensor(),
            kind: claim.kind,
            shape: claim.shape.clone(),
            range: range_start..range_end,
        });
    }
    let trailing = u128::from(file_bytes).saturating_sub(end);
    if trailing >= u128::from(alignment) {
        return Err(Defect::Trailing(u64::try_from(trailing).unwrap_or(u64::MAX)));
    }
    Ok(tensors)
}

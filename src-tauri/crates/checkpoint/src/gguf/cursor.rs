//! Reading numbers and texts off the front of a file, never past its end.

use super::Defect;

/// A position in a file's bytes.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// The next bytes; `what` says what the file would end inside.
    pub(crate) fn take(&mut self, n_bytes: u64, what: &str) -> Result<&'a [u8], Defect> {
        let ends = || Defect::Ends(what.to_owned());
        let end = usize::try_from(n_bytes).ok().and_then(|n| self.position.checked_add(n)).ok_or_else(ends)?;
        let taken = self.bytes.get(self.position..end).ok_or_else(ends)?;
        self.position = end;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Defect> {
        let taken = self.take(N as u64, what)?;
        taken.first_chunk().copied().ok_or_else(|| Defect::Ends(what.to_owned()))
    }

    pub(crate) fn u32(&mut self, what: &str) -> Result<u32, Defect> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self, what: &str) -> Result<u64, Defect> {
        self.array(what).map(u64::from_le_bytes)
    }
}

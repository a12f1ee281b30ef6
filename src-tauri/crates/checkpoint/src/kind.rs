//! How numbers are stored.

use std::fmt;

/// The kinds of numbers that are read and written; all others are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// 16-bit floats with the exponent of 32-bit ones.
    BF16,
    /// 8 bits and a scale each 32.
    Q8_0,
    /// 4 bits and a scale each 32.
    Q4_0,
    /// 4 bits, a scale and a minimum each 32.
    Q4_1,
    /// 5 bits and a scale each 32.
    Q5_0,
    /// 5 bits, a scale and a minimum each 32.
    Q5_1,
    /// 4 bits, with scales of scales each 256.
    Q4K,
    /// 5 bits, with scales of scales each 256.
    Q5K,
    /// 6 bits, with scales of scales each 256.
    Q6K,
}

/// Name, ggml's number, numbers in a block, bytes of a block.
const TABLE: [(Kind, &str, u32, usize, usize); 11] = [
    (Kind::F32, "f32", 0, 1, 4),
    (Kind::F16, "f16", 1, 1, 2),
    (Kind::BF16, "bf16", 30, 1, 2),
    (Kind::Q8_0, "q8_0", 8, 32, 34),
    (Kind::Q4_0, "q4_0", 2, 32, 18),
    (Kind::Q4_1, "q4_1", 3, 32, 20),
    (Kind::Q5_0, "q5_0", 6, 32, 22),
    (Kind::Q5_1, "q5_1", 7, 32, 24),
    (Kind::Q4K, "q4_k", 12, 256, 144),
    (Kind::Q5K, "q5_k", 13, 256, 176),
    (Kind::Q6K, "q6_k", 14, 256, 210),
];

impl Kind {
    /// All kinds.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    /// The name that people know it by, in lower case.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The number that GGUF files carry.
    pub fn ggml_id(self) -> u32 {
        self.row().2
    }

    /// The kind with this number in GGUF files, if it is one that we read.
    pub fn from_ggml_id(id: u32) -> Option<Self> {
        TABLE.iter().find(|row| row.2 == id).map(|row| row.0)
    }

    /// How many numbers share a block; rows hold whole blocks.
    pub fn block_len(self) -> usize {
        self.row().3
    }

    /// Bytes of a block.
    pub fn block_bytes(self) -> usize {
        self.row().4
    }

    /// Whether it is stored in blocks with scales rather than as floats.
    pub fn is_quantized(self) -> bool {
        self.block_len() > 1
    }

    /// Whether rows of this length can be stored.
    pub fn holds_rows_of(self, row_len: usize) -> bool {
        row_len.is_multiple_of(self.block_len())
    }

    /// Bytes of this many numbers (a multiple of the block; a last part of a block counts whole).
    pub fn size_bytes(self, n_elements: u64) -> u64 {
        n_elements.div_ceil(self.block_len() as u64).saturating_mul(self.block_bytes() as u64)
    }

    fn row(self) -> &'static (Self, &'static str, u32, usize, usize) {
        // The table is in the order of the variants; a test holds it to that.
        &TABLE[self as usize]
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_in_the_order_of_the_variants() {
        for (position, kind) in Kind::all().enumerate() {
            assert_eq!(kind as usize, position, "{kind}");
            assert_eq!(Kind::from_ggml_id(kind.ggml_id()), Some(kind));
        }
    }

    #[test]
    fn sizes_are_those_of_ggml() {
        assert_eq!(Kind::F32.size_bytes(3), 12);
        assert_eq!(Kind::Q8_0.size_bytes(64), 68);
        assert_eq!(Kind::Q4K.size_bytes(512), 288);
        assert!(!Kind::Q6K.holds_rows_of(4304));
        assert!(Kind::Q8_0.holds_rows_of(1152));
    }
}

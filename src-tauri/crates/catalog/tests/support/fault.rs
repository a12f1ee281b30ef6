//! What a server can do wrong.

use super::scene::Numbers;

/// One wrong answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing is wrong.
    Behaves,
    /// The connection is reset after so many bytes.
    Reset { after: u64 },
    /// Nothing more comes after so many bytes, and the connection stays.
    Stall { after: u64 },
    /// No answer at all.
    Silent,
    /// The connection closes before the first byte of the body.
    Empty,
    /// An answer of length 0.
    Nothing,
    /// The body ends early, and nothing says how long it should have been.
    Short { after: u64 },
    /// The whole file although a part was asked for.
    Whole,
    /// A part from another place than was asked for, and says so.
    WrongRange { shift: u64 },
    /// A length of the file that is not true.
    WrongTotal,
    /// A length of the file that cannot be meant.
    Huge,
    /// The same bytes under another name for them.
    ChangedEtag,
    /// Other bytes of the same length under another name.
    Replaced,
    /// An address that has expired.
    Expired,
    /// Too much to do.
    Busy { status: u16, retry_after: Option<u64> },
    /// Redirects without end.
    RedirectLoop,
    /// Compressed without having been asked.
    Gzip,
    /// A page to log in, as if all were well.
    Login,
    /// More bytes than the file has, after its end.
    Extra { n: u64 },
    /// A part of the bytes twice.
    Duplicated { at: u64 },
    /// One bit is another.
    Altered { at: u64 },
    /// No HTTP.
    Garbage,
    /// No bytes there, it says.
    NotSatisfiable,
}

impl Fault {
    /// Any of them; positions are within a file of `n_bytes`.
    pub(crate) fn draw(numbers: &mut Numbers, n_bytes: u64) -> Self {
        let at = numbers.below(n_bytes);
        match numbers.below(23) {
            0..=2 => Self::Reset { after: at },
            3 => Self::Stall { after: at },
            4 => Self::Silent,
            5 => Self::Empty,
            6 => Self::Nothing,
            7 | 8 => Self::Short { after: at },
            9 => Self::Whole,
            10 => Self::WrongRange { shift: 1 + numbers.below(1 << 16) },
            11 => Self::WrongTotal,
            12 => Self::ChangedEtag,
            13 => Self::Replaced,
            14 => Self::Expired,
            15 => Self::Busy { status: 429, retry_after: Some(numbers.below(3)) },
            16 => Self::Busy { status: 503, retry_after: None },
            17 => Self::RedirectLoop,
            18 => Self::Gzip,
            19 => Self::Login,
            20 => Self::Extra { n: 1 + numbers.below(1 << 16) },
            21 => match numbers.below(3) {
                0 => Self::Duplicated { at },
                1 => Self::Altered { at },
                _ => Self::NotSatisfiable,
            },
            _ => Self::Garbage,
        }
    }

    /// A row of faults after which the server behaves.
    pub(crate) fn schedule(seed: u64, n_bytes: u64) -> Vec<Self> {
        let mut numbers = Numbers(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        // Small files come first; some of the faults are for the large one.
        let n_faults = 3 + numbers.below(14);
        let mut faults = Vec::new();
        for _ in 0..n_faults {
            if numbers.below(3) == 0 {
                faults.push(Self::Behaves);
            }
            faults.push(Self::draw(&mut numbers, n_bytes));
        }
        faults
    }

    /// Whether a row of faults makes bytes that have arrived worthless, whatever the client does.
    pub(crate) fn spoil(faults: &[Self]) -> bool {
        let insists = |fault: &Self| matches!(fault, Self::Whole | Self::NotSatisfiable);
        let spoils = |fault: &Self| {
            matches!(fault, Self::ChangedEtag | Self::Replaced | Self::Duplicated { .. } | Self::Altered { .. })
        };
        faults.iter().any(spoils) || faults.iter().filter(|fault| insists(fault)).count() > 2
    }
}

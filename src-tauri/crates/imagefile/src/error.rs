//! What can be wrong with a file, in one line each.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use protocol::ErrorCode;

use crate::limits::{MAX_FILE_BYTES, MAX_PIXELS, MAX_SIDE, MAX_TEXT_BYTES};
use crate::{Format, RecipeProblem};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An image that could not be read or written; every message is one line that names the file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing lies under the path.
    #[error("{}: no such file; check the path", Shown(path))]
    Missing {
        /// The path as given.
        path: PathBuf,
    },
    /// A folder, a pipe, a device or a socket lies under the path.
    #[error("{}: is {what}, not an image file; give a PNG, JPEG or WebP file", Shown(path))]
    NotAFile {
        /// The path as given.
        path: PathBuf,
        /// What it is, with its article.
        what: &'static str,
    },
    /// The system refused to read the file.
    #[error("{}: cannot be read: {source}", Shown(path))]
    Read {
        /// The path as given.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is longer than any image should be.
    #[error("{}: {} MB is more than the {} MB that are read; save it smaller", Shown(path), size_bytes / 1_000_000, MAX_FILE_BYTES / 1_000_000)]
    TooLong {
        /// The path as given.
        path: PathBuf,
        /// Length of the file.
        size_bytes: u64,
    },
    /// The file is not a PNG, JPEG or WebP.
    #[error("{}: is {what}, which is not read; save the image as PNG, JPEG or WebP", Shown(path))]
    Foreign {
        /// The path as given.
        path: PathBuf,
        /// What it is, with its article.
        what: &'static str,
    },
    /// The file is a PNG, JPEG or WebP that cannot be used.
    #[error("{}: this {format} {problem}", Shown(path))]
    Unusable {
        /// The path as given.
        path: PathBuf,
        /// What its first bytes say.
        format: Format,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A recipe was needed and the image has none.
    #[error("{}: carries no recipe; only PNG files that this program made do", Shown(path))]
    NoRecipe {
        /// The path as given.
        path: PathBuf,
    },
    /// A recipe was needed and the image's cannot be used.
    #[error("{}: its recipe {problem}", Shown(path))]
    BadRecipe {
        /// The path as given.
        path: PathBuf,
        /// What is wrong with it.
        problem: RecipeProblem,
    },
    /// Something lies under the name already.
    #[error("{}: exists already; choose another name or allow it to be replaced", Shown(path))]
    Exists {
        /// The path as given.
        path: PathBuf,
    },
    /// What lies under the name cannot be replaced by a file.
    #[error("{}: is {what} and cannot be replaced; choose another name", Shown(path))]
    NotReplaceable {
        /// The path as given.
        path: PathBuf,
        /// What it is, with its article.
        what: &'static str,
    },
    /// The path ends without a file name.
    #[error("{}: names no file; add a name that ends in .png, .jpg or .webp", Shown(path))]
    NoName {
        /// The path as given.
        path: PathBuf,
    },
    /// The folder for the file does not exist.
    #[error("{}: no such folder; make it first or choose another", Shown(path))]
    NoFolder {
        /// The missing folder.
        path: PathBuf,
    },
    /// The name does not say which format to write.
    #[error("{}: the name must end in .png, .jpg, .jpeg or .webp", Shown(path))]
    UnknownExtension {
        /// The path as given.
        path: PathBuf,
    },
    /// JPEG quality outside 1 to 100.
    #[error("JPEG quality {quality} is outside 1 to 100")]
    Quality {
        /// The value as given.
        quality: u8,
    },
    /// The image is too large for the format.
    #[error("{}: {width} x {height} is too large for a {format}; save it as PNG", Shown(path))]
    TooLargeToWrite {
        /// The path as given.
        path: PathBuf,
        /// The format asked for.
        format: Format,
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The recipe would not be read back.
    #[error(
        "{}: a recipe of {size_bytes} bytes is more than the {MAX_TEXT_BYTES} that an image carries; shorten its texts",
        Shown(path)
    )]
    RecipeTooLong {
        /// The path as given.
        path: PathBuf,
        /// Length of the recipe as JSON.
        size_bytes: usize,
    },
    /// The encoder failed.
    #[error("{}: cannot be encoded as {format}: {reason}", Shown(path))]
    Encode {
        /// The path as given.
        path: PathBuf,
        /// The format asked for.
        format: Format,
        /// The encoder's reason.
        reason: String,
    },
    /// The disk is full.
    #[error("{}: the disk is full; free some space and save again", Shown(path))]
    DiskFull {
        /// The path as given.
        path: PathBuf,
    },
    /// The system refused to write the file.
    #[error("{}: cannot be written: {source}", Shown(path))]
    Write {
        /// The path as given.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl Error {
    /// The class of failure that the window acts on.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::DiskFull { .. } => ErrorCode::DiskFull,
            Self::Encode { .. } => ErrorCode::Internal,
            Self::Foreign { .. } | Self::NotAFile { .. } => ErrorCode::NotAnImage,
            Self::Unusable { problem, .. } => match problem {
                Problem::TooManyPixels { .. } | Problem::TooMuchMemory { .. } => ErrorCode::ImageTooLarge,
                Problem::Truncated | Problem::Animated | Problem::Empty { .. } | Problem::Damaged { .. } => {
                    ErrorCode::NotAnImage
                }
            },
            Self::TooLong { .. } | Self::TooLargeToWrite { .. } => ErrorCode::ImageTooLarge,
            Self::Missing { .. }
            | Self::Read { .. }
            | Self::Exists { .. }
            | Self::NotReplaceable { .. }
            | Self::NoName { .. }
            | Self::NoFolder { .. }
            | Self::UnknownExtension { .. }
            | Self::Write { .. } => ErrorCode::FileUnusable,
            Self::NoRecipe { .. } | Self::BadRecipe { .. } | Self::Quality { .. } => ErrorCode::BadInput,
            Self::RecipeTooLong { .. } => ErrorCode::TextTooLong,
        }
    }

    /// A failure to write, with a full disk told apart.
    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Write { path, source },
        }
    }
}

/// What is wrong with an image whose format is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file ends too early.
    #[error("ends too early; copy or download it again")]
    Truncated,
    /// It has more than one frame.
    #[error("is animated; save one frame of it as a still image")]
    Animated,
    /// A side is zero.
    #[error("is {width} x {height} and has no pixels")]
    Empty {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// A side or the area is out of bounds.
    #[error("claims {width} x {height}, more than {MAX_SIDE} a side or {} megapixels; save it smaller", MAX_PIXELS / 1_000_000)]
    TooManyPixels {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// Decoding would need too much memory.
    #[error("would need {needed_mib} MiB to decode; save it smaller or as PNG")]
    TooMuchMemory {
        /// The estimate.
        needed_mib: u64,
    },
    /// The decoder gave up.
    #[error("is damaged ({reason}); open and save it anew in an image program")]
    Damaged {
        /// The decoder's reason, made safe to show.
        reason: String,
    },
}

impl Problem {
    /// A decoder's reason, cut to one short line.
    pub(crate) fn damaged(reason: impl fmt::Display) -> Self {
        Self::Damaged { reason: one_line(&reason.to_string()) }
    }
}

/// Text from outside as one line of bounded length without control characters.
pub(crate) fn one_line(text: &str) -> String {
    const MOST: usize = 200;
    let mut line: String =
        text.chars().take(MOST).map(|c| if c.is_control() || is_bidi(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(MOST).is_some() {
        line.push('…');
    }
    line
}

/// Whether a character reorders the text around it.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A path on one line, however odd its name.
struct Shown<'a>(&'a Path);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.to_string_lossy().chars() {
            if c.is_control() || is_bidi(c) {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                write!(f, "{c}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_stay_on_one_line() {
        let error = Error::Missing { path: "a\nb\u{1b}[31m\u{202e}gnp.png".into() };
        assert_eq!(error.to_string(), "a\\u{a}b\\u{1b}[31m\\u{202e}gnp.png: no such file; check the path");
    }

    #[test]
    fn unicode_names_stay_readable() {
        let error = Error::Exists { path: "画/🦊 é.png".into() };
        assert!(error.to_string().starts_with("画/🦊 é.png: exists already"));
    }

    #[test]
    fn reasons_are_cut_and_cleaned() {
        assert_eq!(one_line("a\nb\u{202e}"), "a\u{fffd}b\u{fffd}");
        assert_eq!(one_line(&"x".repeat(500)).chars().count(), 201);
    }

    #[test]
    fn full_disk_is_told_apart() {
        let check = |kind: io::ErrorKind, code| assert_eq!(Error::write(Path::new("a"), kind.into()).code(), code);
        check(io::ErrorKind::StorageFull, ErrorCode::DiskFull);
        check(io::ErrorKind::PermissionDenied, ErrorCode::FileUnusable);
    }
}

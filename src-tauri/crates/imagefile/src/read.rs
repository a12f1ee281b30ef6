//! Reading an image.
//!
//! Whatever lies under a path, one of two things comes back within bounded
//! memory: an image, or one line that says what is wrong with which file.

use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use image::metadata::Orientation;
use protocol::{Image, Size};

use crate::decode::decode;
use crate::format::{Sniffed, sniff};
use crate::limits::MAX_FILE_BYTES;
use crate::{EmbeddedRecipe, Error, Format, Problem, ReadRecipe, Result};

/// An image with what its file said about it.
#[derive(Debug)]
pub struct ReadImage {
    /// The pixels, upright and without alpha.
    pub image: Image,
    /// The recipe that made it, if the file carries one.
    pub recipe: EmbeddedRecipe,
    /// Where it comes from.
    pub source: ImageSource,
}

/// The file that an image was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSource {
    /// The path as given.
    pub path: PathBuf,
    /// What its first bytes say.
    pub format: Format,
    /// Length of the file.
    pub size_bytes: u64,
    /// Width and height as stored, before orientation.
    pub stored: Size,
    /// EXIF orientation, 1 to 8; it has been applied.
    pub orientation: u8,
    /// Whether the file had an alpha channel; it has been composited on white.
    pub had_alpha: bool,
}

impl ReadImage {
    /// The recipe, or why there is none to use.
    pub fn into_recipe(self) -> Result<ReadRecipe> {
        let path = self.source.path;
        match self.recipe {
            EmbeddedRecipe::Found(recipe) => Ok(*recipe),
            EmbeddedRecipe::Absent => Err(Error::NoRecipe { path }),
            EmbeddedRecipe::Refused(problem) => Err(Error::BadRecipe { path, problem }),
        }
    }
}

/// Reads a PNG, JPEG or WebP file.
///
/// Takes up to 512 MiB beside the file for the largest images. Pipes, devices
/// and folders are refused without waiting for them.
pub fn read(path: &Path) -> Result<ReadImage> {
    read_bytes(path, &read_file(path)?)
}

/// Decodes the bytes of a file; `path` only names them in the result and in errors.
pub fn read_bytes(path: &Path, bytes: &[u8]) -> Result<ReadImage> {
    let size_bytes = bytes.len() as u64;
    if size_bytes > MAX_FILE_BYTES {
        return Err(Error::TooLong { path: path.to_owned(), size_bytes });
    }
    let foreign = |what| Error::Foreign { path: path.to_owned(), what };
    let format = match sniff(bytes) {
        Sniffed::Known(format) => format,
        Sniffed::Foreign(what) => return Err(foreign(what)),
        Sniffed::Unknown if bytes.is_empty() => return Err(foreign("an empty file")),
        Sniffed::Unknown => return Err(foreign("no image that is known here")),
    };
    let unusable = |problem| Error::Unusable { path: path.to_owned(), format, problem };

    let (decoded, recipe) = decode(format, bytes).map_err(unusable)?;
    let source = ImageSource {
        path: path.to_owned(),
        format,
        size_bytes,
        stored: decoded.size,
        orientation: Orientation::to_exif(decoded.orientation),
        had_alpha: decoded.layout.has_alpha(),
    };
    let image = decoded.into_image().ok_or_else(|| unusable(Problem::damaged("too few pixels")))?;
    Ok(ReadImage { image, recipe, source })
}

/// All bytes of a regular file that is no longer than an image may be; the bytes are not looked at.
///
/// Pipes, devices and folders are refused without waiting for them.
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => Error::Missing { path: path.to_owned() },
        _ => Error::Read { path: path.to_owned(), source },
    };
    let refused = |metadata: &Metadata| Error::NotAFile { path: path.to_owned(), what: kind_of(metadata.file_type()) };
    let file = match open(path) {
        Ok(file) => file,
        // A socket, or a folder on Windows, cannot be opened at all; its kind says more than the system's reason.
        Err(error) => {
            let other = fs::metadata(path).ok().filter(|metadata| !metadata.is_file());
            return Err(other.map_or_else(|| failed(error), |metadata| refused(&metadata)));
        }
    };
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(refused(&metadata));
    }
    let too_long = |size_bytes| Error::TooLong { path: path.to_owned(), size_bytes };
    if metadata.len() > MAX_FILE_BYTES {
        return Err(too_long(metadata.len()));
    }
    // The file may grow while it is read, or say nothing of its length.
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(too_long(bytes.len() as u64));
    }
    Ok(bytes)
}

/// Opens without waiting for the other end of what may be a pipe.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    options.open(path)
}

/// What a thing that is no file is, with its article.
pub(crate) fn kind_of(file_type: FileType) -> &'static str {
    if file_type.is_dir() {
        return "a folder";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;

        if file_type.is_fifo() {
            return "a pipe";
        }
        if file_type.is_socket() {
            return "a socket";
        }
        if file_type.is_block_device() || file_type.is_char_device() {
            return "a device";
        }
    }
    "not a regular file"
}

//! A GGUF of ours, written a tensor at a time.
//!
//! All tensors are declared first, so the header has its final size and the
//! bytes stream behind it; only hashes are filled in at the end. The file
//! grows under a temporary name in the destination's folder and takes its own
//! name when it is complete and on the disk. A writer that is dropped before
//! leaves nothing.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use durable::{Overwrite, PendingFile};

use super::header::{ALIGNMENT, FileHeader, Line};
use super::{MAX_NAME_BYTES, MAX_TENSORS, MAX_TEXT_BYTES, Provenance, names};
use crate::hash::{PARALLEL_HASH_BYTES, TensorHash};
use crate::unfinished::Unfinished;
use crate::{Checkpoint, Config, Error, Kind, ObserveBytes, Result};

/// A tensor to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Published name.
    pub name: String,
    /// How its numbers will be stored.
    pub kind: Kind,
    /// Shape, outermost first.
    pub shape: Vec<usize>,
}

/// Writes one file.
#[derive(Debug)]
pub struct Writer {
    destination: PathBuf,
    file: PendingFile,
    _unfinished: Unfinished,
    header: FileHeader,
    declared: Vec<Declared>,
    lines: Vec<Line>,
    hashes: Vec<TensorHash>,
    hasher: blake3::Hasher,
    /// Bytes of the current tensor that are written.
    written: u64,
}

impl Writer {
    /// Begins a file; fails at once where the disk cannot hold it.
    ///
    /// An existing file at `destination` is replaced when the new one is finished, not before.
    pub fn create(
        destination: &Path,
        config: &Config,
        tokenizer_json: &[u8],
        provenance: &Provenance,
        tensors: &[Declared],
    ) -> Result<Self> {
        let misuse = |reason: String| Error::Write { path: destination.to_path_buf(), reason };
        let lines = lay_out(tensors).map_err(misuse)?;
        let config_json = serde_json::to_string(config).map_err(|error| misuse(error.to_string()))?;
        let Ok(tokenizer_json) = std::str::from_utf8(tokenizer_json) else {
            return Err(misuse("tokenizer.json is not UTF-8".to_owned()));
        };
        if tokenizer_json.len() as u64 > MAX_TEXT_BYTES {
            return Err(misuse(format!("tokenizer.json is larger than {MAX_TEXT_BYTES} bytes")));
        }
        let header = FileHeader::new(&config_json, tokenizer_json, provenance, &lines);
        let folder = durable::folder_of(destination);
        check_free(folder, destination, header.file_bytes)?;
        if destination.file_name().is_none() {
            return Err(misuse("not the name of a file".to_owned()));
        }
        let mut file = PendingFile::create(destination).map_err(|source| Error::io(folder, source))?;
        file.file().write_all(header.bytes()).map_err(|source| write_error(destination, header.file_bytes, source))?;
        Ok(Self {
            destination: destination.to_path_buf(),
            _unfinished: Unfinished::note(file.path()),
            file,
            header,
            declared: tensors.to_vec(),
            lines,
            hashes: Vec::with_capacity(tensors.len()),
            hasher: blake3::Hasher::new(),
            written: 0,
        })
    }

    /// Bytes of the whole file.
    pub fn file_bytes(&self) -> u64 {
        self.header.file_bytes
    }

    /// Writes the next tensor, whole or its next part, in the order of declaration.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let position = self.hashes.len();
        let (Some(declared), Some(line)) = (self.declared.get(position), self.lines.get(position)) else {
            return Err(self.misuse(format!("{name} was not declared")));
        };
        if declared.name != name {
            return Err(self.misuse(format!("{name} came where {} was declared", declared.name)));
        }
        let n_bytes = line.n_bytes;
        if bytes.len() as u64 > n_bytes - self.written {
            return Err(self.misuse(format!("{name} has more than the {n_bytes} bytes declared")));
        }
        self.put(bytes)?;
        if bytes.len() >= PARALLEL_HASH_BYTES {
            self.hasher.update_rayon(bytes);
        } else {
            self.hasher.update(bytes);
        }
        self.written += bytes.len() as u64;
        if self.written == n_bytes {
            let padding = n_bytes.next_multiple_of(ALIGNMENT) - n_bytes;
            self.put(&[0; ALIGNMENT as usize][..padding as usize])?;
            self.hashes.push(*self.hasher.finalize().as_bytes());
            self.hasher.reset();
            self.written = 0;
        }
        Ok(())
    }

    /// Fills in the hashes, makes sure that everything is on the disk, checks it, and gives the file its name.
    pub fn finish(self) -> Result<()> {
        self.finish_observed(&mut |_, _| ControlFlow::Continue(()))
    }

    /// The same, told of bytes that are read back out of all, and stopped by it.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the disk gives back other bytes than it was given.
    pub fn finish_observed(mut self, observe: &mut ObserveBytes<'_>) -> Result<()> {
        if let Some(missing) = self.declared.get(self.hashes.len()) {
            return Err(self.misuse(format!("{} is not complete", missing.name)));
        }
        self.header.seal(&self.hashes);
        let needed_bytes = self.header.file_bytes;
        let failed = |source| write_error(&self.destination, needed_bytes, source);
        self.file.file().seek(SeekFrom::Start(0)).map_err(failed)?;
        self.file.file().write_all(self.header.bytes()).map_err(failed)?;
        self.file.file().sync_all().map_err(failed)?;
        forget_cached(self.file.file());
        // Read back under its temporary name: what is damaged never gets the destination's.
        Checkpoint::open_gguf(self.file.path()).and_then(|written| written.verify(observe)).map_err(
            |error| match error {
                Error::Damaged { first, n_tensors, .. } => {
                    Error::Damaged { path: self.destination.clone(), first, n_tensors }
                }
                error => error,
            },
        )?;
        self.file.commit(Overwrite::Replace).map_err(failed)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        let needed_bytes = self.header.file_bytes;
        self.file.file().write_all(bytes).map_err(|source| write_error(&self.destination, needed_bytes, source))
    }

    fn misuse(&self, reason: String) -> Error {
        Error::Write { path: self.destination.clone(), reason }
    }
}

/// The table of tensors, each beginning where the one before ends.
fn lay_out(tensors: &[Declared]) -> std::result::Result<Vec<Line>, String> {
    if tensors.len() as u64 > MAX_TENSORS {
        return Err(format!("{} tensors (at most {MAX_TENSORS})", tensors.len()));
    }
    let mut offset: u64 = 0;
    let mut lines = Vec::with_capacity(tensors.len());
    for Declared { name, kind, shape } in tensors {
        let gguf_name = names::to_gguf(name).filter(|it| it.len() <= MAX_NAME_BYTES);
        let gguf_name = gguf_name.ok_or_else(|| format!("{name} has no name in this format"))?;
        if shape.is_empty() || shape.len() > 4 || shape.contains(&0) {
            return Err(format!("{name} has the shape {shape:?}, which this format cannot hold"));
        }
        if !kind.holds_rows_of(shape.last().copied().unwrap_or(0)) {
            return Err(format!("{name} {shape:?} has rows that {kind} cannot hold"));
        }
        let n_elements = shape.iter().try_fold(1u64, |product, extent| product.checked_mul(*extent as u64));
        let n_bytes = n_elements.map(|n| kind.size_bytes(n)).filter(|n| *n < 1 << 60);
        let n_bytes = n_bytes.ok_or_else(|| format!("{name} {shape:?} is too large"))?;
        lines.push(Line { name: gguf_name, kind: *kind, shape: shape.clone(), offset, n_bytes });
        offset = offset.saturating_add(n_bytes).next_multiple_of(ALIGNMENT);
        if offset >= 1 << 60 {
            return Err("the tensors are too large for one file".to_owned());
        }
    }
    let mut names: Vec<&str> = tensors.iter().map(|it| it.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("{} is declared twice", pair[0])),
        None => Ok(lines),
    }
}

/// Asks the disk before hours of work rather than after.
#[cfg(unix)]
fn check_free(folder: &Path, destination: &Path, needed_bytes: u64) -> Result<()> {
    // A folder that cannot be asked will tell when it is written to.
    let Ok(about) = rustix::fs::statvfs(folder) else { return Ok(()) };
    let free_bytes = about.f_bavail.saturating_mul(about.f_frsize);
    if free_bytes < needed_bytes {
        return Err(Error::DiskFull { path: destination.to_path_buf(), needed_bytes });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_free(_folder: &Path, _destination: &Path, _needed_bytes: u64) -> Result<()> {
    Ok(())
}

/// What is read next comes from the disk, not from memory.
#[cfg(target_os = "linux")]
fn forget_cached(file: &File) {
    // A file system that cannot do this gives back what it holds; the check is weaker then.
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
}

#[cfg(not(target_os = "linux"))]
fn forget_cached(_file: &File) {}

fn write_error(destination: &Path, needed_bytes: u64, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Error::DiskFull { path: destination.to_path_buf(), needed_bytes }
        }
        _ => Error::Io { path: destination.to_path_buf(), source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn full_disk_is_told_with_what_the_file_needs() {
        // A device that answers every write as a full disk does.
        let full = File::options().write(true).open("/dev/full").unwrap().write_all(&[0]).unwrap_err();
        let error = write_error(Path::new("model.gguf"), 123, full);
        assert!(matches!(error, Error::DiskFull { needed_bytes: 123, .. }), "{error}");
    }

    #[test]
    fn other_errors_keep_their_reason() {
        let error = write_error(Path::new("model.gguf"), 123, io::ErrorKind::PermissionDenied.into());
        assert!(matches!(&error, Error::Io { .. }), "{error}");
    }
}

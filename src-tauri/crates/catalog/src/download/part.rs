//! The file that grows, with the hash of what is in it.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::watch::Watch;
use crate::catalog::Claim;
use crate::{Error, Result};

/// Written and hashed at once; what a killed program has to fetch again.
pub(crate) const BLOCK_BYTES: usize = 256 << 10;

/// Written between two syncs.
const SYNC_BYTES: u64 = 256 << 20;

/// Read at once where an existing file is hashed.
const READ_BYTES: usize = 4 << 20;

/// An unfinished file.
#[derive(Debug)]
pub(crate) struct Part {
    path: PathBuf,
    /// Taken while a blocking thread writes.
    growing: Option<Growing>,
    buffer: Vec<u8>,
    n_bytes: u64,
}

#[derive(Debug)]
struct Growing {
    file: File,
    hasher: Sha256,
    n_unsynced: u64,
    /// Nobody else may have the file before the last write is over, also one that was left behind by a stop.
    _claim: Arc<Claim>,
}

impl Part {
    /// Opens or makes the file, and hashes once what is in it.
    pub(crate) async fn open(path: &Path, claim: Arc<Claim>, watch: &mut Watch<'_>) -> Result<Self> {
        // Never through a link: it could lead out of the folder.
        if std::fs::symlink_metadata(path).is_ok_and(|about| !about.is_file()) {
            return Err(Error::Damaged { path: path.to_path_buf(), reason: "it is not a regular file".to_owned() });
        }
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = file.map_err(Error::io(path))?;
        let mut hasher = Sha256::new();
        let mut n_bytes = 0;
        loop {
            let step = tokio::task::spawn_blocking(move || read_step(file, hasher));
            let read = watch.run(step).await?.map_err(|error| Error::io(path)(error.into()))?;
            let n_read;
            (file, hasher, n_read) = read.map_err(Error::io(path))?;
            if n_read == 0 {
                break;
            }
            n_bytes += n_read as u64;
            watch.set_bytes(n_bytes);
        }
        let growing = Some(Growing { file, hasher, n_unsynced: 0, _claim: claim });
        Ok(Self { path: path.to_path_buf(), growing, buffer: Vec::with_capacity(BLOCK_BYTES), n_bytes })
    }

    /// Bytes that are here, those not yet written counted.
    pub(crate) fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Appends.
    pub(crate) async fn push(&mut self, mut bytes: &[u8], watch: &mut Watch<'_>) -> Result<()> {
        while !bytes.is_empty() {
            let room = BLOCK_BYTES - self.buffer.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.buffer.extend_from_slice(now);
            self.n_bytes += now.len() as u64;
            bytes = later;
            if self.buffer.len() == BLOCK_BYTES {
                self.flush(watch).await?;
            }
        }
        Ok(())
    }

    /// Writes what is in memory.
    pub(crate) async fn flush(&mut self, watch: &mut Watch<'_>) -> Result<()> {
        let bytes = std::mem::take(&mut self.buffer);
        self.work(watch, move |growing| {
            growing.file.write_all(&bytes)?;
            growing.hasher.update(&bytes);
            growing.n_unsynced += bytes.len() as u64;
            if growing.n_unsynced >= SYNC_BYTES {
                growing.file.sync_data()?;
                growing.n_unsynced = 0;
            }
            Ok(bytes)
        })
        .await
        .map(|mut bytes| {
            bytes.clear();
            self.buffer = bytes;
        })
    }

    /// Begins anew.
    pub(crate) async fn restart(&mut self, watch: &mut Watch<'_>) -> Result<()> {
        self.buffer.clear();
        self.n_bytes = 0;
        watch.set_bytes(0);
        self.work(watch, |growing| {
            growing.file.set_len(0)?;
            growing.file.seek(SeekFrom::Start(0))?;
            growing.hasher = Sha256::new();
            Ok(())
        })
        .await
    }

    /// Brings all bytes to the disk and gives their hash.
    pub(crate) async fn finish(&mut self, watch: &mut Watch<'_>) -> Result<String> {
        self.flush(watch).await?;
        self.work(watch, |growing| {
            growing.file.sync_all()?;
            growing.n_unsynced = 0;
            Ok(to_hex(growing.hasher.clone()))
        })
        .await
    }

    /// Does something that may block, elsewhere.
    async fn work<T: Send + 'static>(
        &mut self,
        watch: &mut Watch<'_>,
        step: impl FnOnce(&mut Growing) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T> {
        // Nothing is taken twice: a step that was left behind by a stop ends the whole download.
        let Some(mut growing) = self.growing.take() else { return Err(Error::Cancelled) };
        let done = tokio::task::spawn_blocking(move || {
            let output = step(&mut growing);
            (growing, output)
        });
        let (growing, output) = watch.run(done).await?.map_err(|error| Error::io(&self.path)(error.into()))?;
        self.growing = Some(growing);
        output.map_err(Error::io(&self.path))
    }
}

/// What is still in memory is kept too when a download is stopped.
impl Drop for Part {
    fn drop(&mut self) {
        if let Some(growing) = &mut self.growing {
            drop(growing.file.write_all(&self.buffer));
        }
    }
}

fn read_step(mut file: File, mut hasher: Sha256) -> std::io::Result<(File, Sha256, usize)> {
    let mut bytes = vec![0; READ_BYTES];
    let n_read = file.read(&mut bytes)?;
    hasher.update(bytes.get(..n_read).unwrap_or_default());
    Ok((file, hasher, n_read))
}

fn to_hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of a file.
pub(crate) async fn hash_file(path: &Path, watch: &mut Watch<'_>) -> Result<String> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let mut hasher = Sha256::new();
    let mut n_bytes = 0;
    loop {
        let step = tokio::task::spawn_blocking(move || read_step(file, hasher));
        let read = watch.run(step).await?.map_err(|error| Error::io(path)(error.into()))?;
        let n_read;
        (file, hasher, n_read) = read.map_err(Error::io(path))?;
        if n_read == 0 {
            return Ok(to_hex(hasher));
        }
        n_bytes += n_read as u64;
        watch.set_bytes(n_bytes);
    }
}

//! The open library.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::{Connection, Transaction};
use tempfile::TempDir;

use crate::files::{self, FileChanges};
use crate::table::{connection, meta, pending_delete};
use crate::{Error, Result, backup, shutdown_marker};

/// Idle connections that are kept for later reads.
const MAX_READERS: usize = 4;

/// An open library; can be used from any thread.
#[derive(Debug)]
pub struct Store {
    pub(crate) folder: PathBuf,
    database: PathBuf,
    writer: Mutex<Option<Connection>>,
    readers: Mutex<Vec<Connection>>,
    sequence: AtomicI64,
    /// Held while the library contains files without rows, so that none of them is deleted as unused.
    pub(crate) opening: Mutex<()>,
    /// Held while a thumbnail is made, because that needs the whole image in memory.
    pub(crate) reducing: Mutex<()>,
    /// Whether the newest backup is out of date.
    is_changed: AtomicBool,
    /// Whether the next start must check the database.
    is_suspicious: AtomicBool,
    /// Beside `writer`, so that reads need not wait for a running change.
    is_closed: AtomicBool,
    /// Folder of the database copy of a read-only library.
    pub(crate) copy: Option<TempDir>,
    // The system releases it when the process exits.
    _lock: Option<File>,
}

pub(crate) struct StoreParts {
    pub(crate) folder: PathBuf,
    pub(crate) database: PathBuf,
    pub(crate) writer: Connection,
    pub(crate) sequence: i64,
    pub(crate) is_changed: bool,
    pub(crate) copy: Option<TempDir>,
    pub(crate) lock: Option<File>,
}

impl Store {
    pub(crate) fn new(parts: StoreParts) -> Self {
        Self {
            folder: parts.folder,
            database: parts.database,
            writer: Mutex::new(Some(parts.writer)),
            readers: Mutex::default(),
            sequence: AtomicI64::new(parts.sequence),
            opening: Mutex::default(),
            reducing: Mutex::default(),
            is_changed: AtomicBool::new(parts.is_changed),
            is_suspicious: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            copy: parts.copy,
            _lock: parts.lock,
        }
    }

    /// Root folder of the library.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether every change fails with [`Error::ReadOnly`], because the folder is not writable.
    pub fn is_read_only(&self) -> bool {
        self.copy.is_some()
    }

    /// Closes the library, with a backup if something changed; the next start can then skip its checks.
    ///
    /// Later calls fail with [`Error::Closed`].
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn close(&self, now_ms: u64) -> Result<()> {
        let mut writer = lock(&self.writer);
        let Some(mut connection) = writer.take() else { return Ok(()) };
        self.is_closed.store(true, Ordering::Relaxed);
        lock(&self.readers).clear();
        if self.is_read_only() {
            return Ok(());
        }
        let is_due = self.is_changed.load(Ordering::Relaxed) && !self.is_suspicious.load(Ordering::Relaxed);
        let backed_up = if is_due { self.copy_database(&mut connection, now_ms).map(drop) } else { Ok(()) };
        let is_complete = connection::checkpoint(&connection)?;
        connection.close().map_err(|(_connection, error)| error)?;
        if is_complete && !self.is_suspicious.load(Ordering::Relaxed) {
            shutdown_marker::write(&self.folder, backed_up.is_ok())?;
        }
        backed_up
    }

    /// Makes the daily backup and runs the weekly full check of the database, if they are due.
    ///
    /// Both take time; call this while the program is idle.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn run_maintenance(&self, now_ms: u64) -> Result<()> {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        let is_due = |key, interval_ms: u64| {
            self.read(|db| Ok(meta::get(db, key)?.is_none_or(|last_ms| now_ms.abs_diff(last_ms) >= interval_ms)))
        };
        if self.is_read_only() {
            return Ok(());
        }
        if is_due(meta::CHECKED_MS, 7 * DAY_MS)? {
            let finding = self.read(|db| connection::check(db, connection::Check::Full))?;
            if let Some(reason) = finding {
                self.is_suspicious.store(true, Ordering::Relaxed);
                shutdown_marker::mark_suspect(&self.folder)?;
                return Err(Error::Damaged { reason });
            }
            self.write(|tx, _files| meta::set(tx, meta::CHECKED_MS, now_ms))?;
        }
        if self.is_changed.load(Ordering::Relaxed) && is_due(meta::BACKUP_MS, DAY_MS)? {
            self.back_up(now_ms)?;
        }
        Ok(())
    }

    /// Makes a backup now and returns its path.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn back_up(&self, now_ms: u64) -> Result<PathBuf> {
        if self.is_read_only() {
            return Err(Error::ReadOnly { folder: self.folder.clone() });
        }
        let mut writer = lock(&self.writer);
        let connection = writer.as_mut().ok_or(Error::Closed)?;
        let path = self.copy_database(connection, now_ms).map_err(|error| self.explain(error))?;
        self.is_changed.store(false, Ordering::Relaxed);
        Ok(path)
    }

    fn copy_database(&self, connection: &mut Connection, now_ms: u64) -> Result<PathBuf> {
        let tx = connection::begin(connection)?;
        meta::set(&tx, meta::BACKUP_MS, now_ms)?;
        tx.commit()?;
        backup::make(connection, &self.folder, now_ms)
    }

    /// A sequence number larger than all others in the library.
    pub(crate) fn next_sequence(&self) -> i64 {
        self.sequence.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Absolute path of a file of the library.
    pub(crate) fn file_path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// Reads the database; does not wait for a running change.
    pub(crate) fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(Error::Closed);
        }
        let idle = lock(&self.readers).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connection::reader(&self.database)?,
        };
        // One snapshot for all statements, which also saves a lock for each of them.
        let snapshot = connection.unchecked_transaction()?;
        let answer = query(&snapshot).inspect_err(|error| self.note_suspicion(error));
        drop(snapshot);
        let mut readers = lock(&self.readers);
        if readers.len() < MAX_READERS && !self.is_closed.load(Ordering::Relaxed) {
            readers.push(connection);
        }
        answer
    }

    /// Changes the database and its files, all or nothing; the change is on disk when this returns.
    ///
    /// Changes run one at a time, so that no file is deleted for one node while it is added for another.
    pub(crate) fn write<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>, &mut FileChanges<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut writer = lock(&self.writer);
        let connection = writer.as_mut().ok_or(Error::Closed)?;
        if self.is_read_only() {
            return Err(Error::ReadOnly { folder: self.folder.clone() });
        }
        let started = Instant::now();
        let mut files = FileChanges::new(&self.folder);
        let tx = connection::begin(connection)?;
        let value = match change(&tx, &mut files) {
            Ok(value) => value,
            Err(error) => {
                drop(tx);
                files.undo();
                return Err(self.explain(error));
            }
        };
        if let Err(error) = tx.commit().map_err(Error::from) {
            // After any other error the commit may have reached the disk, so its files must stay.
            if matches!(error, Error::DiskFull { .. }) {
                files.undo();
            }
            return Err(self.explain(error));
        }
        tracing::debug!(took_ms = started.elapsed().as_secs_f64() * 1e3, "transaction committed");
        self.is_changed.store(true, Ordering::Relaxed);
        if !files.pending_deletes.is_empty() {
            self.delete_pending(connection, &files.pending_deletes);
        }
        Ok(value)
    }

    /// Deletes files; those that cannot be deleted stay pending until the next start.
    fn delete_pending(&self, connection: &mut Connection, paths: &[String]) {
        let mut remove = || -> Result<()> {
            let removed: Vec<&String> =
                paths.iter().filter(|path| files::remove_file(&self.folder.join(path)).is_ok()).collect();
            let tx = connection::begin(connection)?;
            for path in removed {
                pending_delete::cancel(&tx, path)?;
            }
            Ok(tx.commit()?)
        };
        if let Err(error) = remove() {
            self.note_suspicion(&error);
            tracing::warn!(%error, "cannot delete files of removed images; the next start tries again");
        }
    }

    /// Completes an error with the folder and the bytes that are needed.
    fn explain(&self, error: Error) -> Error {
        self.note_suspicion(&error);
        match error {
            Error::DiskFull { needed_bytes, .. } => {
                // A change of the database needs at least this much.
                const MIN_BYTES: u64 = 64 << 10;
                Error::DiskFull { path: self.folder.clone(), needed_bytes: needed_bytes.max(MIN_BYTES) }
            }
            error => error,
        }
    }

    fn note_suspicion(&self, error: &Error) {
        if !error.is_suspicious() {
            return;
        }
        self.is_suspicious.store(true, Ordering::Relaxed);
        if matches!(error, Error::Damaged { .. }) && !self.is_read_only() {
            // If this fails, the next start still checks the database, because the library was not closed.
            let _ = shutdown_marker::mark_suspect(&self.folder);
        }
    }
}

/// Ignores poisoning: every guarded value is changed in one step, so a panic cannot leave it half changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

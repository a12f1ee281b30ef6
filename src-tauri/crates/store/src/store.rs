//! The library as one handle.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction};
use tempfile::TempDir;

use crate::files::{self, DATABASE, FileChanges};
use crate::table::{connection, doomed, meta};
use crate::{Error, Result, backup, mark};

/// Reading connections that are kept for the next call.
const MAX_READERS: usize = 4;

/// A library that this program has open. Any thread may use it.
#[derive(Debug)]
pub struct Store {
    pub(crate) folder: PathBuf,
    database: PathBuf,
    writer: Mutex<Option<Connection>>,
    readers: Mutex<Vec<Connection>>,
    sequence: AtomicI64,
    /// Held while files lie in the library that no entry refers to yet, so that none of them is removed as unused.
    pub(crate) opening: Mutex<()>,
    /// Held while a thumbnail is made: a whole image is in memory for it.
    pub(crate) reducing: Mutex<()>,
    /// Whether there is anything that the newest backup lacks.
    is_changed: AtomicBool,
    /// Whether the next start must look closely.
    is_suspicious: AtomicBool,
    /// Whether it has been closed; asked without waiting for a change that is under way.
    is_closed: AtomicBool,
    /// Holds the copy that is read when the library itself cannot be written.
    pub(crate) copy: Option<TempDir>,
    // Held for as long as the store is; the system lets go of it with the process.
    _lock: Option<File>,
}

/// What a store is made of, once everything is mended.
pub(crate) struct Parts {
    pub(crate) folder: PathBuf,
    pub(crate) database: PathBuf,
    pub(crate) writer: Connection,
    pub(crate) sequence: i64,
    pub(crate) is_changed: bool,
    pub(crate) copy: Option<TempDir>,
    pub(crate) lock: Option<File>,
}

impl Store {
    pub(crate) fn new(parts: Parts) -> Self {
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

    /// The library's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether nothing can be added or changed, because the folder cannot be written.
    pub fn is_read_only(&self) -> bool {
        self.copy.is_some()
    }

    /// Closes the library: all is in the database file, a backup is made if something changed, and the next start
    /// need not look for damage. Whatever is called after that fails.
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
            mark::write(&self.folder, backed_up.is_ok())?;
        }
        backed_up
    }

    /// Does what is due now and then, best when nothing else is going on: the daily backup, and the weekly
    /// full check of the database.
    pub fn tend(&self, now_ms: u64) -> Result<()> {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        let due = |key, interval_ms: u64| {
            self.read(|db| Ok(meta::get(db, key)?.is_none_or(|last_ms| now_ms.abs_diff(last_ms) >= interval_ms)))
        };
        if self.is_read_only() {
            return Ok(());
        }
        if due(meta::CHECKED_MS, 7 * DAY_MS)? {
            let finding = self.read(|db| connection::check(db, connection::Check::Full))?;
            if let Some(reason) = finding {
                self.is_suspicious.store(true, Ordering::Relaxed);
                mark::suspect(&self.folder)?;
                return Err(Error::Damaged { reason });
            }
            self.write(|tx, _files| meta::set(tx, meta::CHECKED_MS, now_ms))?;
        }
        if self.is_changed.load(Ordering::Relaxed) && due(meta::BACKUP_MS, DAY_MS)? {
            self.back_up(now_ms)?;
        }
        Ok(())
    }

    /// Makes a backup now and gives back where it lies.
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

    /// A number larger than any before.
    pub(crate) fn next_sequence(&self) -> i64 {
        self.sequence.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Where a file of the library lies.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// Asks the database, beside whoever changes it.
    pub(crate) fn read<T>(&self, ask: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(Error::Closed);
        }
        let kept = lock(&self.readers).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => connection::reader(&self.database)?,
        };
        // One view of the library for all that is asked, and one lock in place of one for each statement.
        let view = connection.unchecked_transaction()?;
        let answer = ask(&view).inspect_err(|error| self.suspect(error));
        drop(view);
        let mut readers = lock(&self.readers);
        if readers.len() < MAX_READERS && !self.is_closed.load(Ordering::Relaxed) {
            readers.push(connection);
        }
        answer
    }

    /// Changes the database and the files that it names: everything or nothing, on the disk when it returns.
    ///
    /// One change at a time: a file cannot be removed for one image while it is entered for another.
    pub(crate) fn write<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>, &mut FileChanges<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut writer = lock(&self.writer);
        let connection = writer.as_mut().ok_or(Error::Closed)?;
        if self.is_read_only() {
            return Err(Error::ReadOnly { folder: self.folder.clone() });
        }
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
            // After any other failure the commit may yet have reached the disk: its files must stay.
            if matches!(error, Error::DiskFull { .. }) {
                files.undo();
            }
            return Err(self.explain(error));
        }
        self.is_changed.store(true, Ordering::Relaxed);
        if !files.doomed.is_empty() {
            self.remove_doomed(connection, &files.doomed);
        }
        Ok(value)
    }

    /// Removes files that nothing needs any more; those that resist stay on the list for the next start.
    fn remove_doomed(&self, connection: &mut Connection, paths: &[String]) {
        let mut remove = || -> Result<()> {
            let removed: Vec<&String> =
                paths.iter().filter(|path| files::remove_file(&self.folder.join(path)).is_ok()).collect();
            let tx = connection::begin(connection)?;
            for path in removed {
                doomed::spare(&tx, path)?;
            }
            Ok(tx.commit()?)
        };
        if let Err(error) = remove() {
            self.suspect(&error);
            tracing::warn!(%error, "files stay until the next start");
        }
    }

    /// An error with what the store knows about it.
    fn explain(&self, error: Error) -> Error {
        self.suspect(&error);
        match error {
            Error::DiskFull { needed_bytes, .. } => {
                // The database grows by pages; one less than this is never enough.
                const LEAST_BYTES: u64 = 64 << 10;
                Error::DiskFull { path: self.folder.clone(), needed_bytes: needed_bytes.max(LEAST_BYTES) }
            }
            error => error,
        }
    }

    fn suspect(&self, error: &Error) {
        if !error.is_suspicious() {
            return;
        }
        self.is_suspicious.store(true, Ordering::Relaxed);
        if matches!(error, Error::Damaged { .. }) && !self.is_read_only() {
            // Without the mark the next start looks as closely as after any crash.
            let _ = mark::suspect(&self.folder);
        }
    }
}

/// A lock whose holder may have panicked: what it guards is changed as a whole or not at all.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the database of a library lies.
pub(crate) fn database_path(folder: &Path) -> PathBuf {
    folder.join(DATABASE)
}

//! Opening a library, and mending what the last run left behind.

mod read_only;
mod rebuild;
mod upgrade;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use protocol::NodeId;
use rusqlite::Connection;

use crate::files::{database_path, make_folders, sync_folder};
use crate::reconcile::{self, Reconciled};
use crate::store::{Store, StoreParts};
use crate::table::connection::{self, APPLICATION_ID, Check};
use crate::table::{meta, pending_delete, schema};
use crate::{Error, Result, backup, shutdown_marker};

/// A library that is open now, with what was found.
#[derive(Debug)]
pub struct Opened {
    /// The library.
    pub store: Store,
    /// What was found and mended.
    pub recovery: Recovery,
}

/// What the start found and mended. Nothing here needs an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Whether the last run closed the library.
    pub was_closed: bool,
    /// What became of the database.
    pub database: DatabaseState,
    /// Where a damaged database was put.
    pub set_aside: Option<PathBuf>,
    /// Whether the queue was lost with the database.
    pub lost_jobs: bool,
    /// Images that were found without an entry and have one again: finished, but not yet acknowledged.
    pub adopted: Vec<NodeId>,
    /// Images whose file is gone.
    pub missing: Vec<NodeId>,
    /// Files among the images that nobody knows; they stay.
    pub unknown: Vec<PathBuf>,
    /// Half-written files that were removed.
    pub n_removed: usize,
}

/// What became of the database at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseState {
    /// It was there and sound.
    Sound,
    /// There was none, and no images either.
    Created,
    /// It was made newer; a backup of the older one was made before.
    Migrated {
        /// The form that it had.
        from: i64,
    },
    /// It was damaged or lost, and a backup took its place; newer images came from their files.
    Restored {
        /// When the backup was made.
        backup_ms: u64,
        /// What was wrong.
        reason: String,
    },
    /// It was damaged or lost, and made anew from the files; names, tags, stars and conversations are gone.
    Rebuilt {
        /// What was wrong.
        reason: String,
    },
}

impl Store {
    /// Opens the library in a folder, which is made if it is not there.
    ///
    /// Takes well under a second for ten thousand images, more when the database must be made anew. A folder that
    /// cannot be written gives a store that can only be read.
    pub fn open(folder: &Path, now_ms: u64) -> Result<Opened> {
        match lock(folder) {
            Ok(lock) => open_locked(folder, lock, now_ms),
            Err(Error::Disk { source, .. }) if is_refusal(&source) && database_path(folder).is_file() => {
                read_only::open_copy(folder)
            }
            Err(error) => Err(error),
        }
    }
}

fn is_refusal(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

fn lock(folder: &Path) -> Result<File> {
    fs::create_dir_all(folder).map_err(Error::disk("make the folder", folder))?;
    let path = folder.join("lock");
    let lock = File::options().create(true).truncate(false).write(true).open(&path);
    let lock = lock.map_err(Error::disk("open", &path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(Error::disk("lock", path)(source)),
    }
}

/// What is there to start from.
enum Found {
    Sound(Connection),
    Damaged(String),
    Nothing,
}

fn open_locked(folder: &Path, lock: File, now_ms: u64) -> Result<Opened> {
    // A newer library stays as it is, to the last file.
    refuse_newer(folder)?;
    make_folders(folder)?;
    let mark = shutdown_marker::read(folder);
    let was_closed = mark.is_some();
    let is_backed_up = mark.as_ref().is_some_and(|mark| mark.is_backed_up);
    let agrees = mark.as_ref().is_some_and(|mark| mark.matches(folder));
    let found = if was_closed && !agrees && is_backed_up && database_path(folder).is_file() {
        Found::Damaged("it is not as it was left".to_owned())
    } else {
        let check = match (shutdown_marker::is_suspect(folder), agrees) {
            (true, _) => Some(Check::Full),
            (false, true) => None,
            (false, false) if was_closed => Some(Check::Full),
            (false, false) => Some(Check::Quick),
        };
        examine(folder, check)?
    };
    shutdown_marker::remove(folder)?;

    let mut recovery = Recovery::new(was_closed);
    let mut needs_replay = !agrees;
    let mut is_current = agrees && is_backed_up;
    let mut writer = match found {
        Found::Sound(connection) => connection,
        Found::Nothing if !reconcile::has_images(folder)? && backup::list(folder)?.is_empty() => {
            needs_replay = false;
            recovery.database = DatabaseState::Created;
            create(folder)?
        }
        found => {
            let reason = match found {
                Found::Damaged(reason) => reason,
                _ => "it was gone".to_owned(),
            };
            tracing::warn!(reason, "the database is made anew");
            let is_exact = was_closed && is_backed_up;
            let (connection, reconciled) = rebuild::rebuild(folder, reason, is_exact, &mut recovery)?;
            recovery.take(reconciled);
            needs_replay = false;
            is_current = false;
            connection
        }
    };
    if let Some(from) = upgrade::upgrade(&mut writer, folder, now_ms)? {
        recovery.database = DatabaseState::Migrated { from };
        is_current = false;
    }
    if needs_replay || !pending_delete::all(&writer)?.is_empty() {
        recovery.take(reconcile::reconcile(&mut writer, folder, reconcile::Missing::Keep)?);
    }
    shutdown_marker::clear_suspect(folder)?;
    if meta::get(&writer, meta::CHECKED_MS)?.is_none() {
        let tx = connection::begin(&mut writer)?;
        meta::set(&tx, meta::CHECKED_MS, now_ms)?;
        meta::set(&tx, meta::BACKUP_MS, now_ms)?;
        tx.commit()?;
    }
    let sequence = schema::last_sequence(&writer)?;
    let store = Store::new(StoreParts {
        folder: folder.to_owned(),
        database: database_path(folder),
        writer,
        sequence,
        is_changed: !is_current,
        copy: None,
        lock: Some(lock),
    });
    Ok(Opened { store, recovery })
}

impl Recovery {
    fn new(was_closed: bool) -> Self {
        Self {
            was_closed,
            database: DatabaseState::Sound,
            set_aside: None,
            lost_jobs: false,
            adopted: Vec::new(),
            missing: Vec::new(),
            unknown: Vec::new(),
            n_removed: 0,
        }
    }

    fn take(&mut self, reconciled: Reconciled) {
        self.adopted = reconciled.adopted;
        self.missing = reconciled.missing;
        self.unknown = reconciled.unknown;
        self.n_removed = reconciled.n_removed;
    }
}

/// Refuses a database that a later version of the program wrote.
fn refuse_newer(folder: &Path) -> Result<()> {
    let path = database_path(folder);
    if !path.is_file() {
        return Ok(());
    }
    // What cannot be read as a database is damaged, and damage is looked at later.
    let Ok(form) = connection::reader(&path).and_then(|connection| schema::read_header(&connection)) else {
        return Ok(());
    };
    if form.application == APPLICATION_ID && form.version > schema::latest_version() {
        return Err(Error::NewerSchema {
            folder: folder.to_owned(),
            found: form.version,
            known: schema::latest_version(),
        });
    }
    Ok(())
}

fn examine(folder: &Path, check: Option<Check>) -> Result<Found> {
    let path = database_path(folder);
    if !path.is_file() {
        return Ok(Found::Nothing);
    }
    let look = || -> Result<Found> {
        let connection = connection::writer(&path)?;
        let form = schema::read_header(&connection)?;
        if form.version == 0 && schema::is_empty(&connection)? {
            return Ok(Found::Nothing);
        }
        if form.application != APPLICATION_ID || form.version <= 0 {
            return Ok(Found::Damaged("it is not a library".to_owned()));
        }
        let finding = match check {
            Some(check) => connection::check(&connection, check)?,
            None => None,
        };
        Ok(finding.map_or(Found::Sound(connection), Found::Damaged))
    };
    match look() {
        Err(Error::Damaged { reason }) => Ok(Found::Damaged(reason)),
        found => found,
    }
}

fn create(folder: &Path) -> Result<Connection> {
    let mut connection = connection::writer(&database_path(folder))?;
    schema::migrate(&mut connection, schema::migrations())?;
    sync_folder(folder)?;
    Ok(connection)
}

/// A database, its log and the index of the log.
fn with_log(path: &Path) -> [PathBuf; 3] {
    let beside = |suffix: &str| {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(suffix);
        path.with_file_name(name)
    };
    [path.to_owned(), beside("-wal"), beside("-shm")]
}

//! A database made anew, the damaged one kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{DatabaseState, Recovery, with_log};
use crate::files::{DAMAGED, database_path, remove_file};
use crate::reconcile::{self, Reconciled};
use crate::table::connection::{self, APPLICATION_ID, Check};
use crate::table::{job, schema};
use crate::{Error, Result, backup};

/// The database while it is made anew.
const DATABASE_NEW: &str = "library.db.new";

/// Makes the database anew: from the newest backup that is sound, and from the files.
pub(super) fn rebuild(
    folder: &Path,
    reason: String,
    is_exact: bool,
    recovery: &mut Recovery,
) -> Result<(Connection, Reconciled)> {
    let new = folder.join(DATABASE_NEW);
    let mut restored = None;
    for backup in backup::list(folder)? {
        remove_database(&new)?;
        fs::copy(&backup.path, &new).map_err(Error::disk("copy the backup", &backup.path))?;
        match check_copy(&new) {
            Ok(connection) => {
                restored = Some((connection, backup.made_ms));
                break;
            }
            Err(error @ (Error::Damaged { .. } | Error::Database(_))) => {
                tracing::warn!(%error, path = %backup.path.display(), "a backup cannot be used");
            }
            Err(error) => return Err(error),
        }
    }
    let is_backup = restored.is_some();
    let (mut connection, state) = match restored {
        Some((connection, backup_ms)) => (connection, DatabaseState::Restored { backup_ms, reason }),
        None => {
            remove_database(&new)?;
            (connection::writer(&new)?, DatabaseState::Rebuilt { reason })
        }
    };
    schema::migrate(&mut connection, schema::migrations())?;
    if !(is_backup && is_exact) {
        // What was waiting when an older backup was made has been done since, or is wanted no more.
        let tx = connection::begin(&mut connection)?;
        job::clear(&tx)?;
        tx.commit()?;
        recovery.lost_jobs = true;
    }
    let reconciled = reconcile::reconcile(&mut connection, folder, reconcile::Missing::DropTrashed)?;
    connection::checkpoint(&connection)?;
    connection.close().map_err(|(_connection, error)| error)?;

    recovery.set_aside = set_aside(folder)?;
    recovery.database = state;
    let path = database_path(folder);
    durable::rename(&new, &path).map_err(Error::disk("write", &path))?;
    Ok((connection::writer(&path)?, reconciled))
}

/// Opens a copy of a backup if it is sound.
fn check_copy(path: &Path) -> Result<Connection> {
    let connection = connection::writer(path)?;
    let form = schema::read_header(&connection)?;
    if form.application != APPLICATION_ID || form.version <= 0 || form.version > schema::latest_version() {
        return Err(Error::Damaged { reason: "it is not a backup of this version".to_owned() });
    }
    match connection::check(&connection, Check::Full)? {
        Some(reason) => Err(Error::Damaged { reason }),
        None => Ok(connection),
    }
}

/// Moves a database and its log to where they can be looked at; gives back the folder if there was anything.
fn set_aside(folder: &Path) -> Result<Option<PathBuf>> {
    let path = database_path(folder);
    let parts: Vec<PathBuf> = with_log(&path).into_iter().filter(|part| part.exists()).collect();
    if parts.is_empty() {
        return Ok(None);
    }
    let mut number = 1;
    let aside = loop {
        let aside = folder.join(DAMAGED).join(number.to_string());
        match fs::create_dir(&aside) {
            Ok(()) => break aside,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(Error::disk("make the folder", aside)(error)),
        }
    };
    // The log first: the database alone is an older one, the log alone is nothing.
    for part in parts.iter().rev() {
        let to = aside.join(part.file_name().unwrap_or_default());
        durable::rename(part, &to).map_err(Error::disk("move", part))?;
    }
    Ok(Some(aside))
}

fn remove_database(path: &Path) -> Result<()> {
    with_log(path).iter().try_for_each(|part| remove_file(part))
}

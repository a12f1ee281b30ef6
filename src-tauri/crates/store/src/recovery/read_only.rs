//! A library on a disk that cannot be written: a copy of its database is read.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::{Opened, Recovery, with_log};
use crate::files::{DATABASE, database_path};
use crate::store::{Store, StoreParts};
use crate::table::connection::{self, Check};
use crate::table::schema;
use crate::{Error, Result, shutdown_marker};

/// Opens a copy of a library that cannot be written.
pub(super) fn open_copy(folder: &Path) -> Result<Opened> {
    refuse_in_use(folder)?;
    let copy = tempfile::tempdir().map_err(Error::disk("make a folder for", folder))?;
    let [database, log, _] = with_log(&database_path(folder));
    let to = copy.path().join(DATABASE);
    fs::copy(&database, &to).map_err(Error::disk("read", &database))?;
    if log.is_file() {
        let [_, log_to, _] = with_log(&to);
        fs::copy(&log, log_to).map_err(Error::disk("read", &log))?;
    }
    let mut writer = connection::writer(&to)?;
    let form = schema::read_header(&writer)?;
    if form.version > schema::latest_version() {
        return Err(Error::NewerSchema {
            folder: folder.to_owned(),
            found: form.version,
            known: schema::latest_version(),
        });
    }
    if let Some(reason) = connection::check(&writer, Check::Quick)? {
        return Err(Error::Damaged { reason });
    }
    schema::migrate(&mut writer, schema::migrations())?;
    let sequence = schema::last_sequence(&writer)?;
    let recovery = Recovery::new(shutdown_marker::read(folder).is_some());
    let store = Store::new(StoreParts {
        folder: folder.to_owned(),
        database: to,
        writer,
        sequence,
        is_changed: false,
        copy: Some(copy),
        lock: None,
    });
    Ok(Opened { store, recovery })
}

/// A library that can only be read here may be open in a program that can write it.
fn refuse_in_use(folder: &Path) -> Result<()> {
    match File::open(folder.join("lock")).map(|lock| lock.try_lock_shared()) {
        Ok(Err(TryLockError::WouldBlock)) => Err(Error::InUse { folder: folder.to_owned() }),
        _ => Ok(()),
    }
}

//! Files to be deleted, on disk before their deletion so that a crash does not leave them behind.

use rusqlite::{Connection, Transaction};

use crate::Result;

/// The path is relative to the library.
pub(crate) fn add(tx: &Transaction<'_>, path: &str) -> Result<()> {
    tx.prepare_cached("INSERT OR IGNORE INTO pending_delete (path) VALUES (?1)")?.execute([path])?;
    Ok(())
}

/// Removes a file from the list, because it is deleted or needed.
pub(crate) fn cancel(tx: &Transaction<'_>, path: &str) -> Result<()> {
    tx.prepare_cached("DELETE FROM pending_delete WHERE path = ?1")?.execute([path])?;
    Ok(())
}

pub(crate) fn all(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached("SELECT path FROM pending_delete")?;
    let paths = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(paths)
}

pub(crate) fn clear(tx: &Transaction<'_>) -> Result<()> {
    tx.execute("DELETE FROM pending_delete", [])?;
    Ok(())
}

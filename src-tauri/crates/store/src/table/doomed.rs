//! Files that are to go, so that a crash in between does not leave them for ever.

use rusqlite::{Connection, Transaction};

use crate::Result;

/// Notes that a file is to go unless an image needs it; the path is relative to the library.
pub(crate) fn add(tx: &Transaction<'_>, path: &str) -> Result<()> {
    tx.prepare_cached("INSERT OR IGNORE INTO doomed (path) VALUES (?1)")?.execute([path])?;
    Ok(())
}

/// Takes a file off the list.
pub(crate) fn spare(tx: &Transaction<'_>, path: &str) -> Result<()> {
    tx.prepare_cached("DELETE FROM doomed WHERE path = ?1")?.execute([path])?;
    Ok(())
}

/// All files that are to go.
pub(crate) fn all(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached("SELECT path FROM doomed")?;
    let paths = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(paths)
}

/// Empties the list.
pub(crate) fn clear(tx: &Transaction<'_>) -> Result<()> {
    tx.execute("DELETE FROM doomed", [])?;
    Ok(())
}

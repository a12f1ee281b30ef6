//! Opening, checking and copying the database.

use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};

use crate::Result;

/// Tells a library apart from other SQLite files: `Bagl`.
pub(crate) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"Bagl");

/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 128;

/// Opens the one connection that writes.
pub(crate) fn writer(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // Full: a commit is on the disk when it returns, also after a loss of power.
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    configure(&connection)?;
    Ok(connection)
}

/// Opens a connection that only reads, beside the one that writes.
pub(crate) fn reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch("PRAGMA query_only = ON;")?;
    configure(&connection)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> Result<()> {
    // macOS syncs to the drive's own memory unless told to empty that too; other systems know no difference.
    connection.execute_batch(
        "PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA mmap_size = 0;
         PRAGMA busy_timeout = 5000;
         PRAGMA cache_size = -16000;",
    )?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// Begins a change; nothing of it stays unless it is committed.
pub(crate) fn begin(connection: &mut Connection) -> Result<Transaction<'_>> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

/// How thoroughly a database is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// The structure of every page.
    Quick,
    /// Also that every index agrees with its table.
    Full,
}

/// The first thing that is wrong with a database; `None` when it is sound.
pub(crate) fn check(connection: &Connection, check: Check) -> Result<Option<String>> {
    let statement = match check {
        Check::Quick => "PRAGMA quick_check(1)",
        Check::Full => "PRAGMA integrity_check(1)",
    };
    let finding: String = connection.query_row(statement, [], |row| row.get(0))?;
    if finding != "ok" {
        return Ok(Some(finding));
    }
    let orphan: Option<String> = connection.query_row("PRAGMA foreign_key_check", [], |row| row.get(0)).optional()?;
    Ok(orphan.map(|table| format!("a row of {table} refers to nothing")))
}

/// Writes all that is in the log into the database itself; whether everything could be.
pub(crate) fn checkpoint(connection: &Connection) -> Result<bool> {
    let is_busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(is_busy == 0)
}

/// Writes a copy of the database to a name that is free; the copy is not synced.
pub(crate) fn copy_into(connection: &Connection, path: &Path) -> Result<()> {
    // A path need not be text, and SQLite takes its bytes as they are.
    let bytes = path.as_os_str().as_encoded_bytes();
    connection.execute("VACUUM INTO ?1", [ToSqlOutput::Borrowed(ValueRef::Text(bytes))])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_has_the_disk_itself_keep_a_commit_and_a_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(&folder.path().join("library.db")).unwrap();
        let set = |pragma: &str| writer.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!((set("synchronous"), set("fullfsync"), set("checkpoint_fullfsync")), (2, 1, 1));
    }
}

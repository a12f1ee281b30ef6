//! Single facts about the library.

use rusqlite::{Connection, OptionalExtension, Transaction};

use crate::Result;

/// When the newest backup was made.
pub(crate) const BACKUP_MS: &str = "backup_ms";

/// When every index was last held against its table.
pub(crate) const CHECKED_MS: &str = "checked_ms";

/// Whether nothing of the queue is begun.
pub(crate) const QUEUE_HELD: &str = "queue_held";

/// A number under a key.
pub(crate) fn get(connection: &Connection, key: &str) -> Result<Option<u64>> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    let value: Option<String> = statement.query_row([key], |row| row.get(0)).optional()?;
    Ok(value.and_then(|value| value.parse().ok()))
}

/// Puts a number under a key.
pub(crate) fn set(tx: &Transaction<'_>, key: &str, value: u64) -> Result<()> {
    let mut statement = tx.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?;
    statement.execute([key, &value.to_string()])?;
    Ok(())
}

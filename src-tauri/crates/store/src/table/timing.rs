//! What past runs took on this machine.

use rusqlite::{Connection, Transaction, params};
use serde_json::Value;

use crate::Result;
use crate::table::{from_json, signed};

/// Runs that are kept for each key.
pub(crate) const KEPT: i64 = 32;

/// Keys that are kept, those that were used last.
const KEPT_KEYS: i64 = 1000;

/// Enters a run, and forgets the oldest beyond what is kept.
pub(crate) fn put(tx: &Transaction<'_>, key: &str, value: &Value, now_ms: u64) -> Result<()> {
    tx.prepare_cached("INSERT INTO timing (key, value, created_ms) VALUES (?1, ?2, ?3)")?.execute(params![
        key,
        value.to_string(),
        signed(now_ms)
    ])?;
    tx.prepare_cached(
        "DELETE FROM timing WHERE key = ?1 AND seq NOT IN
            (SELECT seq FROM timing WHERE key = ?1 ORDER BY seq DESC LIMIT ?2)",
    )?
    .execute(params![key, KEPT])?;
    tx.prepare_cached(
        "DELETE FROM timing WHERE key NOT IN
            (SELECT key FROM timing GROUP BY key ORDER BY max(seq) DESC LIMIT ?1)",
    )?
    .execute([KEPT_KEYS])?;
    Ok(())
}

/// The runs under a key, the newest first.
pub(crate) fn all(connection: &Connection, key: &str) -> Result<Vec<Value>> {
    let mut statement = connection.prepare_cached("SELECT value FROM timing WHERE key = ?1 ORDER BY seq DESC")?;
    let values = statement.query_map([key], |row| from_json(row, 0))?.collect::<rusqlite::Result<_>>()?;
    Ok(values)
}

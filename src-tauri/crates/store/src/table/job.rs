//! The queue, which outlives the program.

use protocol::JobId;
use rusqlite::{Connection, Transaction, params};

use crate::table::{from_json, parsed};
use crate::{Result, StoredJob};

/// Enters a job, or replaces what was known of it.
pub(crate) fn put(tx: &Transaction<'_>, job: &StoredJob) -> Result<()> {
    tx.prepare_cached("INSERT OR REPLACE INTO job (id, position, state, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![job.id.to_string(), job.order, job.state, job.body.to_string()])?;
    Ok(())
}

/// Removes a job; whether it was there.
pub(crate) fn remove(tx: &Transaction<'_>, id: JobId) -> Result<bool> {
    Ok(tx.prepare_cached("DELETE FROM job WHERE id = ?1")?.execute([id.to_string()])? > 0)
}

/// Removes all jobs.
pub(crate) fn clear(tx: &Transaction<'_>) -> Result<usize> {
    Ok(tx.execute("DELETE FROM job", [])?)
}

/// All jobs in their order.
pub(crate) fn all(connection: &Connection) -> Result<Vec<StoredJob>> {
    let mut statement = connection.prepare_cached("SELECT id, position, state, body FROM job ORDER BY position, id")?;
    let jobs = statement
        .query_map([], |row| {
            Ok(StoredJob { id: parsed(row, 0)?, order: row.get(1)?, state: row.get(2)?, body: from_json(row, 3)? })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(jobs)
}

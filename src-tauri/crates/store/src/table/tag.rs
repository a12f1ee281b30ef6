//! The artist's words for images.

use protocol::TagCount;
use rusqlite::{Connection, Transaction, params};

use crate::Result;
use crate::table::unsigned;

/// Gives an image exactly these tags.
pub(crate) fn set(tx: &Transaction<'_>, node: i64, tags: &[String]) -> Result<()> {
    tx.prepare_cached("DELETE FROM tag WHERE node = ?1")?.execute([node])?;
    add(tx, node, tags)
}

/// All tags of images outside of the trash, sorted.
pub(crate) fn counts(connection: &Connection) -> Result<Vec<TagCount>> {
    let mut statement = connection.prepare_cached(
        "SELECT tag.tag, count(*) FROM tag JOIN node ON node.seq = tag.node
         WHERE node.trashed_ms IS NULL GROUP BY tag.tag ORDER BY tag.tag",
    )?;
    let counts = statement
        .query_map([], |row| Ok(TagCount { tag: row.get(0)?, n_nodes: unsigned(row, 1)? }))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(counts)
}

/// Gives an image tags beside those that it has.
pub(crate) fn add(tx: &Transaction<'_>, node: i64, tags: &[String]) -> Result<()> {
    let mut statement = tx.prepare_cached("INSERT OR IGNORE INTO tag (node, tag) VALUES (?1, ?2)")?;
    for tag in tags {
        statement.execute(params![node, tag])?;
    }
    Ok(())
}

/// Takes tags away from an image.
pub(crate) fn remove(tx: &Transaction<'_>, node: i64, tags: &[String]) -> Result<()> {
    let mut statement = tx.prepare_cached("DELETE FROM tag WHERE node = ?1 AND tag = ?2")?;
    for tag in tags {
        statement.execute(params![node, tag])?;
    }
    Ok(())
}

//! Pieces: trees of pictures with the conversation about them.

use protocol::{Piece, PieceId};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::Result;
use crate::table::{parsed, parsed_or_null, signed, unsigned};

const COLUMNS: &str = "
    piece.id,
    coalesce(piece.name, piece.title),
    (SELECT node.id FROM node WHERE node.piece = piece.seq AND node.trashed_ms IS NULL ORDER BY node.seq DESC LIMIT 1),
    (SELECT count(*) FROM node WHERE node.piece = piece.seq AND node.trashed_ms IS NULL),
    piece.created_ms,
    piece.changed_ms";

/// The number of a piece in this database.
pub(crate) fn seq(connection: &Connection, id: PieceId) -> Result<Option<i64>> {
    let mut statement = connection.prepare_cached("SELECT seq FROM piece WHERE id = ?1")?;
    Ok(statement.query_row([id.to_string()], |row| row.get(0)).optional()?)
}

/// Begins a piece.
pub(crate) fn insert(tx: &Transaction<'_>, seq: i64, id: PieceId, title: &str, now_ms: u64) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO piece (seq, id, title, created_ms, changed_ms, changed_seq) VALUES (?1, ?2, ?3, ?4, ?4, ?1)",
    )?
    .execute(params![seq, id.to_string(), title, signed(now_ms)])?;
    Ok(())
}

/// Notes that a picture or an answer joined a piece.
pub(crate) fn touch(tx: &Transaction<'_>, piece: i64, changed_seq: i64, now_ms: u64) -> Result<()> {
    tx.prepare_cached("UPDATE piece SET changed_seq = max(changed_seq, ?2), changed_ms = ?3 WHERE seq = ?1")?
        .execute(params![piece, changed_seq, signed(now_ms)])?;
    Ok(())
}

/// Names a piece; without a name it is called after what it began with.
pub(crate) fn rename(tx: &Transaction<'_>, piece: i64, name: Option<&str>) -> Result<()> {
    tx.prepare_cached("UPDATE piece SET name = ?2 WHERE seq = ?1")?.execute(params![piece, name])?;
    Ok(())
}

/// Removes a piece in which there is nothing any more; whether it did.
pub(crate) fn remove_empty(tx: &Transaction<'_>, piece: i64) -> Result<bool> {
    let n_removed = tx
        .prepare_cached(
            "DELETE FROM piece WHERE seq = ?1
             AND NOT EXISTS (SELECT 1 FROM node WHERE node.piece = ?1)
             AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.piece = ?1)",
        )?
        .execute([piece])?;
    Ok(n_removed > 0)
}

/// A piece as lists show it.
pub(crate) fn get(connection: &Connection, id: PieceId) -> Result<Option<Piece>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM piece WHERE piece.id = ?1"))?;
    Ok(statement.query_row([id.to_string()], piece).optional()?)
}

/// Pieces that changed before `before`, the last changed first, each with where it stands in that order.
pub(crate) fn page(connection: &Connection, before: i64, limit: u32) -> Result<Vec<(i64, Piece)>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, piece.changed_seq FROM piece
         WHERE piece.changed_seq < ?1
           AND (EXISTS (SELECT 1 FROM node WHERE node.piece = piece.seq AND node.trashed_ms IS NULL)
             OR EXISTS (SELECT 1 FROM turn WHERE turn.piece = piece.seq))
         ORDER BY piece.changed_seq DESC LIMIT ?2"
    ))?;
    let pieces = statement
        .query_map(params![before, limit], |row| Ok((row.get(6)?, piece(row)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(pieces)
}

fn piece(row: &Row<'_>) -> rusqlite::Result<Piece> {
    Ok(Piece {
        id: parsed(row, 0)?,
        name: row.get(1)?,
        cover: parsed_or_null(row, 2)?,
        n_nodes: row.get(3)?,
        created_ms: unsigned(row, 4)?,
        changed_ms: unsigned(row, 5)?,
    })
}

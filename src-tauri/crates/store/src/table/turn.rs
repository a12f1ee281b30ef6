//! Conversations about pieces.

use protocol::{NodeId, PieceId, Turn, TurnId};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::Result;
use crate::table::{from_json, parsed, signed, unsigned};

/// Enters a question with its answer.
pub(crate) fn insert(tx: &Transaction<'_>, seq: i64, piece: i64, turn: &Turn) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO turn (seq, id, piece, question, thought, answer, stopped, left_out, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        seq,
        turn.id.to_string(),
        piece,
        turn.question,
        turn.thought,
        turn.answer,
        turn.stopped,
        turn.left_out,
        signed(turn.created_ms)
    ])?;
    let mut statement = tx.prepare_cached("INSERT INTO turn_picture (turn, position, node) VALUES (?1, ?2, ?3)")?;
    for (position, node) in (0_i64..).zip(&turn.pictures) {
        statement.execute(params![seq, position, node.to_string()])?;
    }
    Ok(())
}

/// Leaves a question out of what the model reads, or takes it in again; gives its piece if it is there.
pub(crate) fn set_left_out(tx: &Transaction<'_>, id: TurnId, left_out: bool) -> Result<Option<PieceId>> {
    let mut statement = tx.prepare_cached(
        "UPDATE turn SET left_out = ?2 WHERE id = ?1
         RETURNING (SELECT piece.id FROM piece WHERE piece.seq = turn.piece)",
    )?;
    Ok(statement.query_row(params![id.to_string(), left_out], |row| parsed::<PieceId>(row, 0)).optional()?)
}

/// The conversation of a piece, oldest first.
pub(crate) fn of_piece(connection: &Connection, piece: i64) -> Result<Vec<Turn>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, question,
            (SELECT json_group_array(turn_picture.node ORDER BY turn_picture.position)
                FROM turn_picture WHERE turn_picture.turn = turn.seq),
            thought, answer, stopped, left_out, created_ms
         FROM turn WHERE piece = ?1 ORDER BY seq",
    )?;
    let turns = statement
        .query_map([piece], |row| {
            let pictures: Vec<String> = from_json(row, 2)?;
            Ok(Turn {
                id: parsed::<TurnId>(row, 0)?,
                question: row.get(1)?,
                pictures: pictures.iter().filter_map(|id| id.parse::<NodeId>().ok()).collect(),
                thought: row.get(3)?,
                answer: row.get(4)?,
                stopped: row.get(5)?,
                left_out: row.get(6)?,
                created_ms: unsigned(row, 7)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(turns)
}

/// The pictures that the newest question of a piece is about: its own, or those of the last one that had some.
pub(crate) fn subjects(connection: &Connection, piece: i64) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT node.seq FROM turn_picture JOIN node ON node.id = turn_picture.node
         WHERE turn_picture.turn = (
            SELECT max(turn.seq) FROM turn JOIN turn_picture ON turn_picture.turn = turn.seq WHERE turn.piece = ?1)",
    )?;
    let seqs = statement.query_map([piece], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(seqs)
}

//! Conversations about projects.

use protocol::{NodeId, ProjectId, Turn, TurnId};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::Result;
use crate::table::{from_json, parsed, signed, unsigned};

/// Enters a prompt with its answer.
pub(crate) fn insert(tx: &Transaction<'_>, seq: i64, project: i64, turn: &Turn) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO turn (seq, id, project, prompt, plan, answer, stopped, left_out, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        seq,
        turn.id.to_string(),
        project,
        turn.prompt,
        turn.plan,
        turn.answer,
        turn.stopped,
        turn.left_out,
        signed(turn.created_ms)
    ])?;
    let mut statement = tx.prepare_cached("INSERT INTO turn_image (turn, position, node) VALUES (?1, ?2, ?3)")?;
    for (position, node) in (0_i64..).zip(&turn.images) {
        statement.execute(params![seq, position, node.to_string()])?;
    }
    Ok(())
}

/// Leaves a prompt out of what the model reads, or takes it in again; gives its project if it is there.
pub(crate) fn set_left_out(tx: &Transaction<'_>, id: TurnId, left_out: bool) -> Result<Option<ProjectId>> {
    let mut statement = tx.prepare_cached(
        "UPDATE turn SET left_out = ?2 WHERE id = ?1
         RETURNING (SELECT project.id FROM project WHERE project.seq = turn.project)",
    )?;
    Ok(statement.query_row(params![id.to_string(), left_out], |row| parsed::<ProjectId>(row, 0)).optional()?)
}

/// The conversation of a project, oldest first.
pub(crate) fn list_by_project(connection: &Connection, project: i64) -> Result<Vec<Turn>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, prompt,
            (SELECT json_group_array(turn_image.node ORDER BY turn_image.position)
                FROM turn_image WHERE turn_image.turn = turn.seq),
            plan, answer, stopped, left_out, created_ms
         FROM turn WHERE project = ?1 ORDER BY seq",
    )?;
    let turns = statement
        .query_map([project], |row| {
            let images: Vec<String> = from_json(row, 2)?;
            Ok(Turn {
                id: parsed::<TurnId>(row, 0)?,
                prompt: row.get(1)?,
                images: images.iter().filter_map(|id| id.parse::<NodeId>().ok()).collect(),
                plan: row.get(3)?,
                answer: row.get(4)?,
                stopped: row.get(5)?,
                left_out: row.get(6)?,
                created_ms: unsigned(row, 7)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(turns)
}

/// The images that the newest prompt of a project is about: its own, or those of the last one that had some.
pub(crate) fn subjects(connection: &Connection, project: i64) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT node.seq FROM turn_image JOIN node ON node.id = turn_image.node
         WHERE turn_image.turn = (
            SELECT max(turn.seq) FROM turn JOIN turn_image ON turn_image.turn = turn.seq WHERE turn.project = ?1)",
    )?;
    let seqs = statement.query_map([project], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(seqs)
}

//! Projects: trees of images with the conversation about them.

use protocol::{Project, ProjectId};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::Result;
use crate::table::{parsed, parsed_or_null, signed, unsigned};

const COLUMNS: &str = "
    project.id,
    coalesce(project.name, project.default_name),
    (SELECT node.id FROM node WHERE node.project = project.seq AND node.trashed_ms IS NULL ORDER BY node.seq DESC LIMIT 1),
    (SELECT count(*) FROM node WHERE node.project = project.seq AND node.trashed_ms IS NULL),
    project.created_ms,
    project.changed_ms";

/// The number of a project in this database.
pub(crate) fn seq(connection: &Connection, id: ProjectId) -> Result<Option<i64>> {
    let mut statement = connection.prepare_cached("SELECT seq FROM project WHERE id = ?1")?;
    Ok(statement.query_row([id.to_string()], |row| row.get(0)).optional()?)
}

/// Begins a project.
pub(crate) fn insert(tx: &Transaction<'_>, seq: i64, id: ProjectId, prompt: &str, now_ms: u64) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO project (seq, id, default_name, created_ms, changed_ms, changed_seq) VALUES (?1, ?2, ?3, ?4, ?4, ?1)",
    )?
    .execute(params![seq, id.to_string(), prompt, signed(now_ms)])?;
    Ok(())
}

/// Notes that an image or an answer joined a project.
pub(crate) fn touch(tx: &Transaction<'_>, project: i64, changed_seq: i64, now_ms: u64) -> Result<()> {
    tx.prepare_cached("UPDATE project SET changed_seq = max(changed_seq, ?2), changed_ms = ?3 WHERE seq = ?1")?
        .execute(params![project, changed_seq, signed(now_ms)])?;
    Ok(())
}

/// Names a project; without a name it is called after what it began with.
pub(crate) fn rename(tx: &Transaction<'_>, project: i64, name: Option<&str>) -> Result<()> {
    tx.prepare_cached("UPDATE project SET name = ?2 WHERE seq = ?1")?.execute(params![project, name])?;
    Ok(())
}

/// Removes a project in which there is nothing any more; whether it did.
pub(crate) fn remove_empty(tx: &Transaction<'_>, project: i64) -> Result<bool> {
    let n_removed = tx
        .prepare_cached(
            "DELETE FROM project WHERE seq = ?1
             AND NOT EXISTS (SELECT 1 FROM node WHERE node.project = ?1)
             AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.project = ?1)",
        )?
        .execute([project])?;
    Ok(n_removed > 0)
}

/// A project as lists show it.
pub(crate) fn get(connection: &Connection, id: ProjectId) -> Result<Option<Project>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM project WHERE project.id = ?1"))?;
    Ok(statement.query_row([id.to_string()], project).optional()?)
}

/// Projects that changed before `before`, the last changed first, each with where it stands in that order.
pub(crate) fn page(connection: &Connection, before: i64, limit: u32) -> Result<Vec<(i64, Project)>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, project.changed_seq FROM project
         WHERE project.changed_seq < ?1
           AND (EXISTS (SELECT 1 FROM node WHERE node.project = project.seq AND node.trashed_ms IS NULL)
             OR EXISTS (SELECT 1 FROM turn WHERE turn.project = project.seq))
         ORDER BY project.changed_seq DESC LIMIT ?2"
    ))?;
    let projects = statement
        .query_map(params![before, limit], |row| Ok((row.get(6)?, project(row)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(projects)
}

fn project(row: &Row<'_>) -> rusqlite::Result<Project> {
    Ok(Project {
        id: parsed(row, 0)?,
        name: row.get(1)?,
        cover: parsed_or_null(row, 2)?,
        n_nodes: row.get(3)?,
        created_ms: unsigned(row, 4)?,
        changed_ms: unsigned(row, 5)?,
    })
}

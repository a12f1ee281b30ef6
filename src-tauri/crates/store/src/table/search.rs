//! The words that images are found by.

use rusqlite::{Connection, Transaction, params};

use crate::{Result, tokenizer};

/// Gathers anew all words about an image: its own, its project's name, and what was said about it.
pub(crate) fn reindex(tx: &Transaction<'_>, node: i64) -> Result<()> {
    let texts = texts(tx, node)?;
    tx.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([node])?;
    let entries: Vec<String> = texts.iter().map(|text| tokenizer::index_terms(text)).collect();
    tx.prepare_cached("INSERT INTO search (rowid, terms) VALUES (?1, ?2)")?
        .execute(params![node, entries.join(" ")])?;
    Ok(())
}

/// Forgets the words of an image.
pub(crate) fn remove(tx: &Transaction<'_>, node: i64) -> Result<()> {
    tx.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([node])?;
    Ok(())
}

/// All texts about an image. A prompt without images of its own is about those of the last one that had some.
fn texts(connection: &Connection, node: i64) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT prompt FROM node WHERE seq = ?1
         UNION ALL SELECT name FROM node WHERE seq = ?1
         UNION ALL SELECT plan FROM node WHERE seq = ?1
         UNION ALL SELECT coalesce(project.name, project.default_name)
            FROM project JOIN node ON node.project = project.seq WHERE node.seq = ?1
         UNION ALL SELECT tag FROM tag WHERE node = ?1
         UNION ALL SELECT json_extract(input.value, '$.text')
            FROM recipe, json_each(recipe.body, '$.inputs') AS input WHERE recipe.node = ?1
         UNION ALL
         SELECT turn.prompt || ' ' || coalesce(turn.plan, '') || ' ' || turn.answer
         FROM turn WHERE turn.project IN (
                SELECT other.project FROM turn AS other JOIN turn_image ON turn_image.turn = other.seq
                WHERE turn_image.node = (SELECT id FROM node WHERE seq = ?1))
            AND (SELECT max(asked.seq) FROM turn AS asked JOIN turn_image ON turn_image.turn = asked.seq
                 WHERE asked.project = turn.project AND asked.seq <= turn.seq)
            IN (SELECT turn FROM turn_image WHERE node = (SELECT id FROM node WHERE seq = ?1))",
    )?;
    let texts = statement.query_map([node], |row| row.get(0))?.collect::<rusqlite::Result<Vec<Option<String>>>>()?;
    Ok(texts.into_iter().flatten().collect())
}

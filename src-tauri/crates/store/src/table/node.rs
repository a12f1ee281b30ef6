//! Images of the history.

use protocol::{Node, NodeId, Origin, Size};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::Result;
use crate::table::{from_json, parsed, parsed_or_null, signed, unsigned, unsigned_or_null};

/// What [`node`] reads, from `node` joined with `project` and `image`.
const COLUMNS: &str = "
    node.id,
    project.id,
    (SELECT other.id FROM node AS other WHERE other.seq = node.parent),
    (SELECT json_group_array(reference.target ORDER BY reference.position)
        FROM reference WHERE reference.node = node.seq),
    node.origin,
    node.prompt,
    node.name,
    image.width,
    image.height,
    node.seed,
    node.plan,
    EXISTS (SELECT 1 FROM recipe WHERE recipe.node = node.seq),
    node.model,
    node.starred,
    (SELECT json_group_array(tag.tag ORDER BY tag.tag) FROM tag WHERE tag.node = node.seq),
    node.trashed_ms,
    node.took_ms,
    node.created_ms";

/// An image about to be entered.
#[derive(Clone, Debug)]
pub(crate) struct NodeRow<'a> {
    pub(crate) seq: i64,
    pub(crate) id: NodeId,
    pub(crate) project: i64,
    pub(crate) parent: Option<i64>,
    pub(crate) references: &'a [NodeId],
    pub(crate) image: &'a str,
    pub(crate) origin: Origin,
    pub(crate) prompt: &'a str,
    pub(crate) seed: Option<u64>,
    pub(crate) plan: Option<&'a str>,
    pub(crate) model: Option<&'a str>,
    pub(crate) took_ms: Option<u64>,
    pub(crate) created_ms: u64,
}

/// Where an image stands in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeKey {
    pub(crate) seq: i64,
    pub(crate) project: i64,
    pub(crate) parent: Option<i64>,
    pub(crate) image: String,
}

/// Enters an image with its references.
pub(crate) fn insert(tx: &Transaction<'_>, node: &NodeRow<'_>) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO node
            (seq, id, project, parent, image, origin, prompt, seed, plan, model, took_ms, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        node.seq,
        node.id.to_string(),
        node.project,
        node.parent,
        node.image,
        origin_text(node.origin),
        node.prompt,
        node.seed.map(signed),
        node.plan,
        node.model,
        node.took_ms.map(signed),
        signed(node.created_ms),
    ])?;
    set_references(tx, node.seq, node.references)
}

/// Enters the other images that one was made from; those that are not there are left out.
pub(crate) fn set_references(tx: &Transaction<'_>, node: i64, references: &[NodeId]) -> Result<()> {
    tx.prepare_cached("DELETE FROM reference WHERE node = ?1")?.execute([node])?;
    let mut statement = tx.prepare_cached(
        "INSERT INTO reference (node, position, target) SELECT ?1, ?2, id FROM node WHERE id = ?3 AND seq <> ?1",
    )?;
    for (position, target) in (0_i64..).zip(references) {
        statement.execute(params![node, position, target.to_string()])?;
    }
    Ok(())
}

/// Where an image stands, if it is there.
pub(crate) fn key(connection: &Connection, id: NodeId) -> Result<Option<NodeKey>> {
    let mut statement = connection.prepare_cached("SELECT seq, project, parent, image FROM node WHERE id = ?1")?;
    let key =
        |row: &Row<'_>| Ok(NodeKey { seq: row.get(0)?, project: row.get(1)?, parent: row.get(2)?, image: row.get(3)? });
    Ok(statement.query_row([id.to_string()], key).optional()?)
}

/// An image, if it is there.
pub(crate) fn get(connection: &Connection, id: NodeId) -> Result<Option<Node>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM node JOIN project ON project.seq = node.project JOIN image ON image.hash = node.image
         WHERE node.id = ?1"
    ))?;
    Ok(statement.query_row([id.to_string()], node).optional()?)
}

/// The image under a number.
pub(crate) fn by_seq(connection: &Connection, seq: i64) -> Result<Node> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM node JOIN project ON project.seq = node.project JOIN image ON image.hash = node.image
         WHERE node.seq = ?1"
    ))?;
    Ok(statement.query_row([seq], node)?)
}

/// All images of a project in the order they were made.
pub(crate) fn list_by_project(connection: &Connection, project: i64) -> Result<Vec<Node>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM node JOIN project ON project.seq = node.project JOIN image ON image.hash = node.image
         WHERE node.project = ?1 ORDER BY node.seq"
    ))?;
    let nodes = statement.query_map([project], node)?.collect::<rusqlite::Result<_>>()?;
    Ok(nodes)
}

/// The numbers of all images of a project.
pub(crate) fn seqs_of_project(connection: &Connection, project: i64) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached("SELECT seq FROM node WHERE project = ?1")?;
    let seqs = statement.query_map([project], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(seqs)
}

/// An image together with those it was made from, the nearest first, at most `most` of them.
pub(crate) fn lineage(connection: &Connection, id: NodeId, most: u32) -> Result<Vec<NodeId>> {
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE line (seq, id, parent, depth) AS (
            SELECT seq, id, parent, 1 FROM node WHERE id = ?1
            UNION ALL
            SELECT node.seq, node.id, node.parent, depth + 1 FROM node JOIN line ON node.seq = line.parent
            WHERE depth < ?2)
         SELECT id FROM line ORDER BY depth",
    )?;
    let ids =
        statement.query_map(params![id.to_string(), most], |row| parsed(row, 0))?.collect::<rusqlite::Result<_>>()?;
    Ok(ids)
}

/// The first image outside of the trash, and failing that the first at all, that shows the same.
pub(crate) fn find_by_pixel_hash(connection: &Connection, pixels: &str) -> Result<Option<NodeId>> {
    let mut statement = connection.prepare_cached(
        "SELECT node.id FROM node JOIN image ON image.hash = node.image WHERE image.pixel_hash = ?1
         ORDER BY node.trashed_ms IS NOT NULL, node.seq LIMIT 1",
    )?;
    Ok(statement.query_row([pixels], |row| parsed(row, 0)).optional()?)
}

/// Names an image.
pub(crate) fn rename(tx: &Transaction<'_>, node: i64, name: Option<&str>) -> Result<()> {
    tx.prepare_cached("UPDATE node SET name = ?2 WHERE seq = ?1")?.execute(params![node, name])?;
    Ok(())
}

/// Gives an image a star or takes it away.
pub(crate) fn set_starred(tx: &Transaction<'_>, node: i64, starred: bool) -> Result<()> {
    tx.prepare_cached("UPDATE node SET starred = ?2 WHERE seq = ?1")?.execute(params![node, starred])?;
    Ok(())
}

/// Puts an image into the trash, where it keeps the time it got there, or takes it out.
pub(crate) fn set_trashed(tx: &Transaction<'_>, node: i64, trashed_ms: Option<u64>) -> Result<()> {
    let statement = match trashed_ms {
        Some(_) => "UPDATE node SET trashed_ms = ?2 WHERE seq = ?1 AND trashed_ms IS NULL",
        None => "UPDATE node SET trashed_ms = ?2 WHERE seq = ?1",
    };
    tx.prepare_cached(statement)?.execute(params![node, trashed_ms.map(signed)])?;
    Ok(())
}

/// Makes another image the one that an image was made from.
pub(crate) fn set_parent(tx: &Transaction<'_>, node: i64, parent: Option<i64>) -> Result<()> {
    tx.prepare_cached("UPDATE node SET parent = ?2 WHERE seq = ?1")?.execute(params![node, parent])?;
    Ok(())
}

/// Images that came into the trash up to a time.
pub(crate) fn trashed_until(connection: &Connection, until_ms: u64) -> Result<Vec<NodeId>> {
    let mut statement = connection.prepare_cached("SELECT id FROM node WHERE trashed_ms <= ?1 ORDER BY seq")?;
    let ids = statement.query_map([signed(until_ms)], |row| parsed(row, 0))?.collect::<rusqlite::Result<_>>()?;
    Ok(ids)
}

/// Removes an image and every mention of it; its children become those of the image that it was made from.
pub(crate) fn remove(tx: &Transaction<'_>, id: NodeId, node: &NodeKey) -> Result<()> {
    let id = id.to_string();
    tx.prepare_cached("UPDATE node SET parent = ?2 WHERE parent = ?1")?.execute(params![node.seq, node.parent])?;
    tx.prepare_cached("DELETE FROM reference WHERE target = ?1")?.execute([&id])?;
    tx.prepare_cached("DELETE FROM turn_image WHERE node = ?1")?.execute([&id])?;
    tx.prepare_cached("DELETE FROM node WHERE seq = ?1")?.execute([node.seq])?;
    Ok(())
}

/// All images with the hash of their file.
pub(crate) fn all_images(connection: &Connection) -> Result<Vec<(NodeId, String)>> {
    let mut statement = connection.prepare("SELECT id, image FROM node")?;
    let nodes = statement.query_map([], |row| Ok((parsed(row, 0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    Ok(nodes)
}

/// A row of [`COLUMNS`].
fn node(row: &Row<'_>) -> rusqlite::Result<Node> {
    let references: Vec<String> = from_json(row, 3)?;
    Ok(Node {
        id: parsed(row, 0)?,
        project: parsed(row, 1)?,
        parent: parsed_or_null(row, 2)?,
        references: references.iter().filter_map(|id| id.parse().ok()).collect(),
        origin: origin(&row.get::<_, String>(4)?),
        prompt: row.get(5)?,
        name: row.get(6)?,
        size: Size { width: row.get(7)?, height: row.get(8)? },
        seed: unsigned_or_null(row, 9)?,
        plan: row.get(10)?,
        has_recipe: row.get(11)?,
        model: row.get(12)?,
        starred: row.get(13)?,
        tags: from_json(row, 14)?,
        trashed_ms: unsigned_or_null(row, 15)?,
        took_ms: unsigned_or_null(row, 16)?,
        created_ms: unsigned(row, 17)?,
    })
}

/// An origin as the database names it.
pub(crate) fn origin_text(origin: Origin) -> &'static str {
    match origin {
        Origin::Imported => "imported",
        Origin::Generate => "generate",
        Origin::Edit => "edit",
    }
}

fn origin(text: &str) -> Origin {
    match text {
        "generate" => Origin::Generate,
        "edit" => Origin::Edit,
        _ => Origin::Imported,
    }
}

//! Finding pictures among thousands.

use protocol::{GalleryFilter, Node, Place};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::table::node::{COLUMNS, node, origin_text};
use crate::table::unsigned;
use crate::{Result, words};

/// Where a picture stands in the gallery's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// When its piece changed last.
    pub(crate) changed_seq: i64,
    /// Its own number.
    pub(crate) node: i64,
}

/// Pictures behind a position, at most `limit`, each with its own position.
pub(crate) fn page(
    connection: &Connection,
    filter: &GalleryFilter,
    after: Option<Position>,
    limit: u32,
) -> Result<Vec<(Position, Node)>> {
    let (condition, mut values) = condition(filter);
    let behind = match after {
        Some(after) => {
            values.extend([Value::from(after.changed_seq), Value::from(after.changed_seq), Value::from(after.node)]);
            "AND piece.changed_seq <= ? AND (piece.changed_seq < ? OR node.seq < ?)"
        }
        None => "",
    };
    values.push(Value::from(i64::from(limit)));
    // The pieces are walked in their order and the pictures of each in theirs: nothing is sorted.
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, piece.changed_seq, node.seq
         FROM piece CROSS JOIN node ON node.piece = piece.seq JOIN image ON image.hash = node.image
         WHERE {condition} {behind}
         ORDER BY piece.changed_seq DESC, node.seq DESC LIMIT ?"
    ))?;
    let page = statement
        .query_map(params_from_iter(values), |row| {
            Ok((Position { changed_seq: row.get(18)?, node: row.get(19)? }, node(row)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(page)
}

/// How many pictures match.
pub(crate) fn count(connection: &Connection, filter: &GalleryFilter) -> Result<u64> {
    let (condition, values) = condition(filter);
    let mut statement = connection.prepare_cached(&format!("SELECT count(*) FROM node WHERE {condition}"))?;
    Ok(statement.query_row(params_from_iter(values), |row| unsigned(row, 0))?)
}

fn condition(filter: &GalleryFilter) -> (String, Vec<Value>) {
    let mut values = Vec::new();
    let mut conditions = vec![match filter.place {
        Place::Library => "node.trashed_ms IS NULL",
        Place::Trash => "node.trashed_ms IS NOT NULL",
    }];
    if let Some(expression) = words::query(&filter.text) {
        // The plus has the pieces walked in their order, each picture looked up among those found: not the other way.
        conditions.push("+node.seq IN (SELECT rowid FROM search WHERE search MATCH ?)");
        values.push(Value::from(expression));
    }
    for tag in &filter.tags {
        conditions.push("EXISTS (SELECT 1 FROM tag WHERE tag.node = node.seq AND tag.tag = ?)");
        values.push(Value::from(tag.clone()));
    }
    if filter.starred {
        conditions.push("node.starred = 1");
    }
    if let Some(origin) = filter.origin {
        conditions.push("node.origin = ?");
        values.push(Value::from(origin_text(origin).to_owned()));
    }
    (conditions.join(" AND "), values)
}

//! Finding images among thousands.

use protocol::{GalleryFilter, Node, Place};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::table::node::{self, origin_text};
use crate::table::unsigned;
use crate::{Result, tokenizer};

/// Where an image stands in the gallery's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// When its project changed last.
    pub(crate) changed_seq: i64,
    /// Its own number.
    pub(crate) node: i64,
}

/// How a page is gathered; which way is faster depends on how many images match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Walk {
    /// Through the projects in their order and the images of each in theirs, until there are enough; nothing is sorted.
    Projects,
    /// Through the images that match, which are then sorted.
    Matches,
}

/// Most matches that are sorted for each page.
const MAX_SORTED: u64 = 1000;

/// Images behind a position, at most `limit`, each with its own position; and how many match in all.
pub(crate) fn page(
    connection: &Connection,
    filter: &GalleryFilter,
    after: Option<Position>,
    limit: u32,
) -> Result<(Vec<(Position, Node)>, u64)> {
    let total = count(connection, filter)?;
    let walk = if total > MAX_SORTED { Walk::Projects } else { Walk::Matches };
    let (condition, mut values) = condition(filter, walk);
    let behind = match after {
        Some(after) => {
            values.extend([Value::from(after.changed_seq), Value::from(after.changed_seq), Value::from(after.node)]);
            "AND project.changed_seq <= ? AND (project.changed_seq < ? OR node.seq < ?)"
        }
        None => "",
    };
    values.push(Value::from(i64::from(limit)));
    // SQLite walks in the order in which a CROSS JOIN is written.
    let tables = match walk {
        Walk::Projects => "project CROSS JOIN node ON node.project = project.seq",
        Walk::Matches => "node CROSS JOIN project ON node.project = project.seq",
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT project.changed_seq, node.seq FROM {tables} WHERE {condition} {behind}
         ORDER BY project.changed_seq DESC, node.seq DESC LIMIT ?"
    ))?;
    let positions = statement
        .query_map(params_from_iter(values), |row| Ok(Position { changed_seq: row.get(0)?, node: row.get(1)? }))?
        .collect::<rusqlite::Result<Vec<Position>>>()?;
    // Only now, so that nothing is gathered about images that are sorted and not shown.
    let page = positions.into_iter().map(|position| Ok((position, node::by_seq(connection, position.node)?)));
    Ok((page.collect::<Result<_>>()?, total))
}

/// How many images match.
pub(crate) fn count(connection: &Connection, filter: &GalleryFilter) -> Result<u64> {
    let (condition, values) = condition(filter, Walk::Matches);
    let mut statement = connection.prepare_cached(&format!("SELECT count(*) FROM node WHERE {condition}"))?;
    Ok(statement.query_row(params_from_iter(values), |row| unsigned(row, 0))?)
}

fn condition(filter: &GalleryFilter, walk: Walk) -> (String, Vec<Value>) {
    let mut values = Vec::new();
    let mut conditions = vec![
        match filter.place {
            Place::Library => "node.trashed_ms IS NULL",
            Place::Trash => "node.trashed_ms IS NOT NULL",
        }
        .to_owned(),
    ];
    // With the plus an image is looked up among those found, without it those found are walked.
    let seq = match walk {
        Walk::Projects => "+node.seq",
        Walk::Matches => "node.seq",
    };
    if let Some(expression) = tokenizer::match_expression(&filter.text) {
        conditions.push(format!("{seq} IN (SELECT rowid FROM search WHERE search MATCH ?)"));
        values.push(Value::from(expression));
    }
    for tag in &filter.tags {
        conditions.push(format!("{seq} IN (SELECT tag.node FROM tag WHERE tag.tag = ?)"));
        values.push(Value::from(tag.clone()));
    }
    if filter.starred {
        conditions.push("node.starred = 1".to_owned());
    }
    if let Some(origin) = filter.origin {
        conditions.push("node.origin = ?".to_owned());
        values.push(Value::from(origin_text(origin).to_owned()));
    }
    (conditions.join(" AND "), values)
}

//! How images were made.

use protocol::Recipe;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::Result;

/// Enters an image's recipe.
pub(crate) fn insert(tx: &Transaction<'_>, node: i64, recipe: &Recipe) -> Result<()> {
    tx.prepare_cached("INSERT INTO recipe (node, body) VALUES (?1, ?2)")?.execute(params![node, recipe.to_json()])?;
    Ok(())
}

/// An image's recipe, if it is known.
pub(crate) fn find_by_node(connection: &Connection, node: i64) -> Result<Option<Recipe>> {
    let mut statement = connection.prepare_cached("SELECT body FROM recipe WHERE node = ?1")?;
    let body: Option<String> = statement.query_row([node], |row| row.get(0)).optional()?;
    Ok(body.and_then(|body| imagefile::parse_recipe(&body).ok()).map(|read| read.recipe))
}

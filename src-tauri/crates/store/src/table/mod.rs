//! All SQL of the library, a file for each table or question.
//!
//! What reads takes a `&Connection`, what writes a `&Transaction`. A failing
//! statement is an [`Error`](crate::Error); what a row holds is trusted, because
//! a database that was changed behind our back does not get this far.

pub(crate) mod connection;
pub(crate) mod gallery;
pub(crate) mod image;
pub(crate) mod job;
pub(crate) mod meta;
pub(crate) mod node;
pub(crate) mod pending_delete;
pub(crate) mod project;
pub(crate) mod recipe;
pub(crate) mod schema;
pub(crate) mod search;
pub(crate) mod tag;
pub(crate) mod timing;
pub(crate) mod turn;

use std::str::FromStr;

use rusqlite::Row;
use rusqlite::types::Type;

/// A column that holds one of our own texts, such as an id.
pub(crate) fn parsed<T: FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    parse(column, &row.get::<_, String>(column)?)
}

/// A column that holds one of our own texts or nothing.
pub(crate) fn parsed_or_null<T: FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    row.get::<_, Option<String>>(column)?.map(|text| parse(column, &text)).transpose()
}

/// A column that holds JSON of our own.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| invalid(column, error))
}

/// A column that holds a count, a time or a number that fits into them.
pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.unsigned_abs())
}

/// Such a column, or nothing.
pub(crate) fn unsigned_or_null(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(i64::unsigned_abs))
}

/// A count, a time or a number as the database keeps it.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn parse<T: FromStr>(column: usize, text: &str) -> rusqlite::Result<T> {
    text.parse().map_err(|_invalid| invalid(column, format!("unexpected text in column {column}")))
}

fn invalid(column: usize, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
}

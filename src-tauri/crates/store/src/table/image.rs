//! The files of images, by their content.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::Result;
use crate::files::{ImageFile, ImageFormat};
use crate::table::{parsed, signed, unsigned};

/// Enters a file; one that is known already stays as it is.
pub(crate) fn insert(tx: &Transaction<'_>, file: &ImageFile) -> Result<()> {
    tx.prepare_cached(
        "INSERT OR IGNORE INTO image (hash, format, size_bytes, width, height, pixel_hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        file.hash,
        file.format.extension(),
        signed(file.size_bytes),
        file.size.width,
        file.size.height,
        file.pixel_hash
    ])?;
    Ok(())
}

/// Removes a file from the list if no image uses it; whether it did.
pub(crate) fn remove_unused(tx: &Transaction<'_>, hash: &str) -> Result<bool> {
    let mut statement = tx.prepare_cached(
        "DELETE FROM image WHERE hash = ?1 AND NOT EXISTS (SELECT 1 FROM node WHERE node.image = ?1)",
    )?;
    Ok(statement.execute([hash])? > 0)
}

/// The file of an image.
pub(crate) fn find_by_node(connection: &Connection, node: &str) -> Result<Option<ImageFile>> {
    let mut statement = connection.prepare_cached(
        "SELECT hash, format, size_bytes, width, height, pixel_hash
         FROM image JOIN node ON node.image = image.hash WHERE node.id = ?1",
    )?;
    Ok(statement.query_row([node], image_file).optional()?)
}

/// Whether a file is on the list.
pub(crate) fn exists(connection: &Connection, hash: &str) -> Result<bool> {
    let mut statement = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM image WHERE hash = ?1)")?;
    Ok(statement.query_row([hash], |row| row.get(0))?)
}

fn image_file(row: &Row<'_>) -> rusqlite::Result<ImageFile> {
    Ok(ImageFile {
        hash: row.get(0)?,
        format: parsed::<ImageFormat>(row, 1)?,
        size_bytes: unsigned(row, 2)?,
        size: protocol::Size { width: row.get(3)?, height: row.get(4)? },
        pixel_hash: row.get(5)?,
    })
}

//! Lists of pictures and pieces, a page at a time.

use std::collections::HashSet;

use protocol::{GalleryCounts, GalleryCursor, GalleryFilter, GalleryPage, Piece, Place};

use crate::table::gallery::{Position, count, page};
use crate::table::{piece, tag};
use crate::{Error, Result, Store};

/// Most entries of a page.
const MOST: u32 = 500;

/// Pieces, those that changed last first.
#[derive(Clone, Debug, PartialEq)]
pub struct PiecePage {
    /// The pieces.
    pub pieces: Vec<Piece>,
    /// Where the next page begins; absent at the end.
    pub next: Option<GalleryCursor>,
}

impl Store {
    /// A page of the pictures that a filter lets through, behind a cursor, at most 500 of them.
    pub fn gallery(&self, filter: &GalleryFilter, after: Option<&GalleryCursor>, limit: u32) -> Result<GalleryPage> {
        let after = after.map(position).transpose()?;
        let limit = limit.clamp(1, MOST);
        self.read(|db| {
            // One more than asked for: whether there is a next page.
            let (mut found, total) = page(db, filter, after, limit + 1)?;
            let has_more = found.len() > limit as usize;
            found.truncate(limit as usize);
            let next = found.last().filter(|_| has_more).map(|(position, _)| cursor(*position));
            let mut seen = HashSet::new();
            let mut pieces = Vec::new();
            for (_, node) in &found {
                if seen.insert(node.piece) {
                    pieces.extend(piece::get(db, node.piece)?);
                }
            }
            let nodes = found.into_iter().map(|(_, node)| node).collect();
            Ok(GalleryPage { nodes, pieces, next, total })
        })
    }

    /// What the library holds.
    pub fn counts(&self) -> Result<GalleryCounts> {
        let all = |place, starred| GalleryFilter { place, starred, ..GalleryFilter::default() };
        self.read(|db| {
            Ok(GalleryCounts {
                n_nodes: count(db, &all(Place::Library, false))?,
                n_trashed: count(db, &all(Place::Trash, false))?,
                n_starred: count(db, &all(Place::Library, true))?,
                tags: tag::counts(db)?,
            })
        })
    }

    /// A page of the pieces in which there is anything, behind a cursor, at most 500 of them.
    pub fn pieces(&self, after: Option<&GalleryCursor>, limit: u32) -> Result<PiecePage> {
        let before = match after {
            Some(after) => position(after)?.changed_seq,
            None => i64::MAX,
        };
        let limit = limit.clamp(1, MOST);
        self.read(|db| {
            let mut found = piece::page(db, before, limit + 1)?;
            let has_more = found.len() > limit as usize;
            found.truncate(limit as usize);
            let next = found
                .last()
                .filter(|_| has_more)
                .map(|(changed_seq, _)| cursor(Position { changed_seq: *changed_seq, node: 0 }));
            Ok(PiecePage { pieces: found.into_iter().map(|(_, piece)| piece).collect(), next })
        })
    }
}

fn cursor(position: Position) -> GalleryCursor {
    GalleryCursor(format!("{}.{}", position.changed_seq, position.node))
}

fn position(cursor: &GalleryCursor) -> Result<Position> {
    let parts = cursor.0.split_once('.').and_then(|(changed, node)| Some((changed.parse().ok()?, node.parse().ok()?)));
    let (changed_seq, node) = parts.ok_or(Error::InvalidCursor)?;
    Ok(Position { changed_seq, node })
}

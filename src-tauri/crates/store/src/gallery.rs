//! Lists of images and projects, a page at a time.

use std::collections::HashSet;

use protocol::{GalleryCounts, GalleryCursor, GalleryFilter, GalleryPage, Place, Project};

use crate::table::gallery::{Position, count, page};
use crate::table::{project, tag};
use crate::{Error, Result, Store};

/// Most entries of a page.
const MOST: u32 = 500;

/// Projects, those that changed last first.
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectPage {
    /// The projects.
    pub projects: Vec<Project>,
    /// Where the next page begins; absent at the end.
    pub next: Option<GalleryCursor>,
}

impl Store {
    /// A page of the images that a filter lets through, behind a cursor, at most 500 of them.
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
            let mut projects = Vec::new();
            for (_, node) in &found {
                if seen.insert(node.project) {
                    projects.extend(project::get(db, node.project)?);
                }
            }
            let nodes = found.into_iter().map(|(_, node)| node).collect();
            Ok(GalleryPage { nodes, projects, next, total })
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

    /// A page of the projects in which there is anything, behind a cursor, at most 500 of them.
    pub fn projects(&self, after: Option<&GalleryCursor>, limit: u32) -> Result<ProjectPage> {
        let before = match after {
            Some(after) => position(after)?.changed_seq,
            None => i64::MAX,
        };
        let limit = limit.clamp(1, MOST);
        self.read(|db| {
            let mut found = project::page(db, before, limit + 1)?;
            let has_more = found.len() > limit as usize;
            found.truncate(limit as usize);
            let next = found
                .last()
                .filter(|_| has_more)
                .map(|(changed_seq, _)| cursor(Position { changed_seq: *changed_seq, node: 0 }));
            Ok(ProjectPage { projects: found.into_iter().map(|(_, project)| project).collect(), next })
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

//! The trash, and what leaves it for good.
//!
//! An image in the trash keeps its place in the tree. When it is removed, the
//! images made from it become children of the one that it was made from: the
//! tree stays whole and no empty place is shown. Its file goes when no other
//! image shares it.

use protocol::{Node, NodeId, ProjectId};
use rusqlite::Transaction;

use crate::files::{FileChanges, ImageFile};
use crate::store::lock;
use crate::table::{image, node, project, search};
use crate::{Error, Result, Store};

/// How long an image stays in the trash, in milliseconds.
pub const TRASH_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// What left the trash for good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmptiedTrash {
    /// Images that are gone.
    pub nodes: Vec<NodeId>,
    /// Projects that went with their last image.
    pub projects: Vec<ProjectId>,
    /// Room that became free.
    pub freed_bytes: u64,
}

impl Store {
    /// Puts images into the trash, all of them or none.
    #[tracing::instrument(level = "debug", skip_all, fields(?ids))]
    pub fn trash(&self, ids: &[NodeId], now_ms: u64) -> Result<Vec<Node>> {
        self.change_each(ids, |tx, seq| node::set_trashed(tx, seq, Some(now_ms)))
    }

    /// Takes images out of the trash, all of them or none.
    #[tracing::instrument(level = "debug", skip_all, fields(?ids))]
    pub fn restore(&self, ids: &[NodeId]) -> Result<Vec<Node>> {
        self.change_each(ids, |tx, seq| node::set_trashed(tx, seq, None))
    }

    /// Removes for good what came into the trash up to a time: `now_ms - TRASH_MS` for what is due, `u64::MAX` for all.
    #[tracing::instrument(level = "debug", skip_all, fields(until_ms))]
    pub fn empty_trash(&self, until_ms: u64) -> Result<EmptiedTrash> {
        let _nothing_is_opened = lock(&self.opening);
        let emptied = self.write(|tx, files| {
            let mut emptied = EmptiedTrash::default();
            for id in node::trashed_until(tx, until_ms)? {
                let (file, project) = remove(tx, id)?;
                schedule_deletes(tx, files, id, &file, &mut emptied)?;
                emptied.nodes.push(id);
                emptied.projects.extend(project);
            }
            Ok(emptied)
        })?;
        tracing::info!(n_nodes = emptied.nodes.len(), freed_bytes = emptied.freed_bytes, "trash emptied");
        Ok(emptied)
    }
}

fn schedule_deletes(
    tx: &Transaction<'_>,
    files: &mut FileChanges<'_>,
    id: NodeId,
    file: &ImageFile,
    emptied: &mut EmptiedTrash,
) -> Result<()> {
    files.schedule_delete(tx, file.sidecar_path(id))?;
    if image::remove_unused(tx, &file.hash)? {
        files.schedule_delete(tx, file.path())?;
        files.schedule_delete(tx, file.thumbnail_path())?;
        emptied.freed_bytes += file.size_bytes;
    }
    Ok(())
}

/// Removes an entry, and its project when nothing is left in it; gives back the file it had, which stays.
pub(crate) fn remove(tx: &Transaction<'_>, id: NodeId) -> Result<(ImageFile, Option<ProjectId>)> {
    let found = node::get(tx, id)?.ok_or(Error::NoNode(id))?;
    let key = node::key(tx, id)?.ok_or(Error::NoNode(id))?;
    let file = image::find_by_node(tx, &id.to_string())?.ok_or(Error::NoNode(id))?;
    search::remove(tx, key.seq)?;
    node::remove(tx, id, &key)?;
    let is_last = project::remove_empty(tx, key.project)?;
    Ok((file, is_last.then_some(found.project)))
}

//! Opens a bundle as a new project: the whole project or nothing.

use std::path::Path;

use imagefile::Format;
use protocol::{NodeId, Origin, ProjectId};

use super::{Archive, ListedNode, invalid_bundle, turn_from_list};
use crate::add::{NewEntry, NewNode, PreparedImage, find_or_create_project, found_recipe, prepare_image};
use crate::files::ImageFile;
use crate::history::{clean_name, clean_tags};
use crate::sidecar::MAX_ANCESTORS;
use crate::store::lock;
use crate::table::{image, node, pending_delete, project, search, tag, turn};
use crate::{Result, Store};

/// A node whose files are on disk and whose row is not inserted yet.
struct PlacedNode {
    entry: NewEntry,
    /// Its files, relative to the library.
    paths: Vec<String>,
}

impl Store {
    /// Imports a file that [`Store::write_bundle`] wrote, as a new project.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn open_bundle(&self, path: &Path, now_ms: u64) -> Result<ProjectId> {
        let mut archive = Archive::open(path)?;
        let list = archive.list(now_ms)?;
        if list.nodes.is_empty() && list.turns.is_empty() {
            return Err(invalid_bundle(path, &"it is empty"));
        }
        let _no_file_is_deleted = lock(&self.opening);
        let id = ProjectId::new();
        let ids: Vec<NodeId> = list.nodes.iter().map(|_| NodeId::new()).collect();
        let mut placed = Vec::new();
        let inserted = self.place_files(&mut archive, id, &ids, &list.nodes, &mut placed).and_then(|()| {
            self.write(|tx, _files| {
                let order = self.next_sequence();
                let (seq, _) = find_or_create_project(tx, id, &list.name, order, list.created_ms)?;
                for (placed, listed) in placed.iter().zip(&list.nodes) {
                    let seq = placed.entry.order;
                    placed.entry.insert(tx)?;
                    node::rename(tx, seq, clean_name(listed.name.as_deref())?.as_deref())?;
                    node::set_starred(tx, seq, listed.starred)?;
                    tag::set(tx, seq, &clean_tags(&listed.tags)?)?;
                    placed.paths.iter().try_for_each(|path| pending_delete::cancel(tx, path))?;
                }
                for listed in list.turns {
                    turn::insert(tx, self.next_sequence(), seq, &turn_from_list(listed, &ids))?;
                }
                project::touch(tx, seq, self.next_sequence(), now_ms)?;
                placed.iter().try_for_each(|placed| search::reindex(tx, placed.entry.order))
            })
        });
        if let Err(error) = inserted {
            // If this fails too, the files stay pending deletes for the next start.
            let _ = self.delete_placed(&placed);
            return Err(error);
        }
        tracing::info!(project = %id, n_nodes = ids.len(), "project opened");
        Ok(id)
    }

    /// Writes the files of all nodes, which are pending deletes until their rows are inserted.
    fn place_files(
        &self,
        archive: &mut Archive<'_>,
        project: ProjectId,
        ids: &[NodeId],
        nodes: &[ListedNode],
        placed: &mut Vec<PlacedNode>,
    ) -> Result<()> {
        for (listed, id) in nodes.iter().zip(ids) {
            let bytes = archive.image(&listed.file)?;
            let prepared =
                prepare_image(Path::new(&listed.file), bytes).map_err(|error| invalid_bundle(archive.path, &error))?;
            let PreparedImage { bytes, format, image, recipe } = prepared;
            // Only a PNG can contain its sidecar, so another format was not generated here.
            let origin = if format == Format::Png { listed.origin } else { Origin::Imported };
            let new = NewNode {
                id: *id,
                parent: listed.parent.and_then(|idx| ids.get(idx).copied()),
                references: listed.references.iter().filter_map(|idx| ids.get(*idx).copied()).collect(),
                plan: listed.plan.clone(),
                took_ms: listed.took_ms,
                ..NewNode::new(project, origin, listed.prompt.clone())
            };
            let file = ImageFile::new(&bytes, format, &image);
            let recipe = found_recipe(recipe);
            let mut entry = NewEntry { new, order: self.next_sequence(), file, recipe, created_ms: listed.created_ms };
            let ancestors = ancestors(listed, nodes, ids);
            let files = if origin == Origin::Imported {
                let sidecar = entry.sidecar(ancestors).to_json();
                vec![(entry.file.sidecar_path(*id), sidecar.into_bytes()), (entry.file.path(), bytes)]
            } else {
                let bytes = entry.embed_sidecar(bytes, ancestors);
                vec![(entry.file.path(), bytes)]
            };
            self.write(|tx, _files| files.iter().try_for_each(|(path, _)| pending_delete::add(tx, path)))?;
            placed.push(PlacedNode { entry, paths: files.iter().map(|(path, _)| path.clone()).collect() });
            self.write(|tx, changes| {
                for (path, bytes) in &files {
                    changes.place(tx, path, bytes)?;
                    // Placing removed it from the list, but it still has no row: a crash must delete it.
                    pending_delete::add(tx, path)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Deletes the files of a bundle that could not be opened, except those that other nodes share.
    fn delete_placed(&self, placed: &[PlacedNode]) -> Result<()> {
        self.write(|tx, files| {
            for PlacedNode { entry, paths } in placed {
                let is_shared = image::exists(tx, &entry.file.hash)?;
                for path in paths {
                    if is_shared && *path == entry.file.path() {
                        pending_delete::cancel(tx, path)?;
                    } else {
                        files.schedule_delete(tx, path.clone())?;
                    }
                }
            }
            Ok(())
        })
    }
}

/// The nearest ancestors in the bundle, the parent first.
fn ancestors(listed: &ListedNode, nodes: &[ListedNode], ids: &[NodeId]) -> Vec<NodeId> {
    let parents = std::iter::successors(listed.parent, |idx| nodes.get(*idx).and_then(|node| node.parent));
    parents.take(MAX_ANCESTORS as usize).filter_map(|idx| ids.get(idx).copied()).collect()
}

//! A bundle into the library: the whole project or nothing.

use std::path::Path;

use imagefile::{EmbeddedRecipe, Format};
use protocol::{NodeId, Origin, ProjectId, Recipe};

use super::{Archive, ListedNode, bad, turn};
use crate::add::{Kept, NewNode, begin, describe, enter, keep};
use crate::files::ImageFile;
use crate::history::{clean_name, clean_tags};
use crate::note::{KEYWORD, MAX_ANCESTORS};
use crate::store::lock;
use crate::table::{doomed, image, node, project, search, tag, turn as turns};
use crate::{Result, Store};

/// An image whose file is in place and whose entry is not.
struct Placed {
    new: NewNode,
    order: i64,
    file: ImageFile,
    recipe: Option<Recipe>,
    /// What was put there for it, as paths in the library.
    paths: Vec<String>,
}

impl Store {
    /// Brings a project in from a file that [`Store::bundle`] wrote, as a new project.
    pub fn open_bundle(&self, path: &Path, now_ms: u64) -> Result<ProjectId> {
        let mut archive = Archive::open(path)?;
        let list = archive.list(now_ms)?;
        if list.nodes.is_empty() && list.turns.is_empty() {
            return Err(bad(path, &"there is nothing in it"));
        }
        let _nothing_is_removed = lock(&self.opening);
        let id = ProjectId::new();
        let ids: Vec<NodeId> = list.nodes.iter().map(|_| NodeId::new()).collect();
        let mut placed = Vec::new();
        let entered = self.place_all(&mut archive, id, &ids, &list.nodes, &mut placed).and_then(|()| {
            self.write(|tx, _files| {
                let order = self.next_sequence();
                let (seq, _) = begin(tx, id, &list.name, order, list.created_ms)?;
                for (placed, listed) in placed.iter().zip(&list.nodes) {
                    enter(tx, &placed.new, placed.order, &placed.file, placed.recipe.as_ref(), listed.created_ms)?;
                    node::rename(tx, placed.order, clean_name(listed.name.as_deref())?.as_deref())?;
                    node::set_starred(tx, placed.order, listed.starred)?;
                    tag::set(tx, placed.order, &clean_tags(&listed.tags)?)?;
                    for path in &placed.paths {
                        doomed::spare(tx, path)?;
                    }
                }
                for listed in list.turns {
                    turns::insert(tx, self.next_sequence(), seq, &turn(listed, &ids))?;
                }
                project::touch(tx, seq, self.next_sequence(), now_ms)?;
                for placed in &placed {
                    search::reindex(tx, placed.order)?;
                }
                Ok(())
            })
        });
        match entered {
            Ok(()) => {
                tracing::info!(project = %id, n_nodes = ids.len(), "project opened");
                Ok(id)
            }
            Err(error) => {
                // Failing here too, they stay on the list of what is to go, for the next start.
                let _ = self.abandon(&placed);
                Err(error)
            }
        }
    }

    /// Puts all images in place, each on the list of what is to go until its entry is there.
    fn place_all(
        &self,
        archive: &mut Archive<'_>,
        project: ProjectId,
        ids: &[NodeId],
        nodes: &[ListedNode],
        placed: &mut Vec<Placed>,
    ) -> Result<()> {
        for (listed, id) in nodes.iter().zip(ids) {
            let bytes = archive.image(&listed.file)?;
            let kept = keep(Path::new(&listed.file), bytes).map_err(|error| bad(archive.path, &error))?;
            let Kept { bytes, format, image, recipe } = kept;
            let recipe = match recipe {
                EmbeddedRecipe::Found(found) => Some(found.recipe),
                EmbeddedRecipe::Absent | EmbeddedRecipe::Refused(_) => None,
            };
            // Only a PNG can say inside where it belongs; what is no PNG was not made here.
            let origin = if format == Format::Png { listed.origin } else { Origin::Imported };
            let new = NewNode {
                id: *id,
                project,
                parent: listed.parent.and_then(|place| ids.get(place).copied()),
                references: listed.references.iter().filter_map(|place| ids.get(*place).copied()).collect(),
                origin,
                title: listed.title.clone(),
                seed: None,
                plan: listed.plan.clone(),
                took_ms: listed.took_ms,
            };
            let mut ancestors = Vec::new();
            let mut parent = listed.parent;
            while let Some(place) = parent.filter(|_| ancestors.len() < MAX_ANCESTORS as usize) {
                ancestors.extend(ids.get(place));
                parent = nodes.get(place).and_then(|node| node.parent);
            }
            let order = self.next_sequence();
            let mut file = ImageFile::new(&bytes, format, &image);
            let note = describe(&new, order, ancestors, &file, listed.created_ms).to_json();
            let parts = if origin == Origin::Imported {
                vec![(file.sidecar(*id), note.into_bytes()), (file.path(), bytes)]
            } else {
                let noted = imagefile::with_text(&bytes, KEYWORD, &note).unwrap_or(bytes);
                file.hash = blake3::hash(&noted).to_hex().to_string();
                file.size_bytes = noted.len() as u64;
                vec![(file.path(), noted)]
            };
            self.write(|tx, _files| parts.iter().try_for_each(|(path, _)| doomed::add(tx, path)))?;
            let paths = parts.iter().map(|(path, _)| path.clone()).collect();
            placed.push(Placed { new, order, file, recipe, paths });
            self.write(|tx, files| {
                for (path, bytes) in &parts {
                    files.place(tx, path, bytes)?;
                    // Still without an entry: a crash must take it away again.
                    doomed::add(tx, path)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Removes files that were put in place for nothing, unless another image shares them.
    fn abandon(&self, placed: &[Placed]) -> Result<()> {
        self.write(|tx, files| {
            for placed in placed {
                let is_shared = image::exists(tx, &placed.file.hash)?;
                for path in &placed.paths {
                    if is_shared && *path == placed.file.path() {
                        doomed::spare(tx, path)?;
                    } else {
                        files.doom(tx, path.clone())?;
                    }
                }
            }
            Ok(())
        })
    }
}

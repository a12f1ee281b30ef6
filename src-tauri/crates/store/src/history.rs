//! Reading the history, and the artist's words and marks in it.

use std::path::PathBuf;

use protocol::{Node, NodeId, Project, ProjectContents, ProjectId, Recipe, Turn, TurnId};
use rusqlite::Transaction;

use crate::table::{image, node, project, recipe, search, tag, turn};
use crate::{Error, Result, Store};

/// Longest name, in characters.
const MAX_NAME: usize = 200;

/// Longest tag, in characters.
const MAX_TAG: usize = 64;

impl Store {
    /// A project with everything in it.
    pub fn project(&self, id: ProjectId) -> Result<ProjectContents> {
        self.read(|db| {
            let project = project::get(db, id)?.ok_or(Error::NoProject(id))?;
            let seq = project::seq(db, id)?.ok_or(Error::NoProject(id))?;
            Ok(ProjectContents {
                project,
                nodes: node::list_by_project(db, seq)?,
                turns: turn::list_by_project(db, seq)?,
            })
        })
    }

    /// A project as lists show it.
    pub fn project_summary(&self, id: ProjectId) -> Result<Project> {
        self.read(|db| project::get(db, id)?.ok_or(Error::NoProject(id)))
    }

    /// The conversation of a project, oldest first; empty for a project that has not begun.
    pub fn turns(&self, id: ProjectId) -> Result<Vec<Turn>> {
        self.read(|db| match project::seq(db, id)? {
            Some(seq) => turn::list_by_project(db, seq),
            None => Ok(Vec::new()),
        })
    }

    /// One image.
    pub fn node(&self, id: NodeId) -> Result<Node> {
        self.read(|db| node::get(db, id)?.ok_or(Error::NoNode(id)))
    }

    /// How an image was made, if that is known.
    pub fn recipe(&self, id: NodeId) -> Result<Option<Recipe>> {
        self.read(|db| {
            let key = node::key(db, id)?.ok_or(Error::NoNode(id))?;
            recipe::find_by_node(db, key.seq)
        })
    }

    /// Where the file of an image lies: a PNG, JPEG or WebP, by its extension. It never changes; do not write to it.
    pub fn path(&self, id: NodeId) -> Result<PathBuf> {
        let file = self.read(|db| image::find_by_node(db, &id.to_string())?.ok_or(Error::NoNode(id)))?;
        Ok(self.file_path(&file.path()))
    }

    /// An image of the library that shows what has this [`imagefile::image_hash`], such as the input of a recipe.
    pub fn find_by_pixel_hash(&self, image_hash: &str) -> Result<Option<NodeId>> {
        self.read(|db| node::find_by_pixel_hash(db, image_hash))
    }

    /// Names a project; without a name it is called after what it began with.
    #[tracing::instrument(level = "debug", skip_all, fields(project = %id))]
    pub fn rename_project(&self, id: ProjectId, name: Option<&str>) -> Result<Project> {
        let name = clean_name(name)?;
        self.write(|tx, _files| {
            let seq = project::seq(tx, id)?.ok_or(Error::NoProject(id))?;
            project::rename(tx, seq, name.as_deref())?;
            for node in node::seqs_of_project(tx, seq)? {
                search::reindex(tx, node)?;
            }
            project::get(tx, id)?.ok_or(Error::NoProject(id))
        })
    }

    /// Names an image, or takes its name away.
    #[tracing::instrument(level = "debug", skip_all, fields(node = %id))]
    pub fn rename_node(&self, id: NodeId, name: Option<&str>) -> Result<Node> {
        let name = clean_name(name)?;
        self.write(|tx, _files| {
            change(tx, id, |seq| {
                node::rename(tx, seq, name.as_deref())?;
                search::reindex(tx, seq)
            })
        })
    }

    /// Gives images exactly these tags.
    #[tracing::instrument(level = "debug", skip_all, fields(?ids))]
    pub fn set_tags(&self, ids: &[NodeId], tags: &[String]) -> Result<Vec<Node>> {
        let tags = clean_tags(tags)?;
        self.change_each(ids, |tx, seq| {
            tag::set(tx, seq, &tags)?;
            search::reindex(tx, seq)
        })
    }

    /// Adds tags to images and takes others away; the rest stay.
    #[tracing::instrument(level = "debug", skip_all, fields(?ids))]
    pub fn change_tags(&self, ids: &[NodeId], added: &[String], removed: &[String]) -> Result<Vec<Node>> {
        let (added, removed) = (clean_tags(added)?, clean_tags(removed)?);
        self.change_each(ids, |tx, seq| {
            tag::add(tx, seq, &added)?;
            tag::remove(tx, seq, &removed)?;
            search::reindex(tx, seq)
        })
    }

    /// Gives images a star or takes it away.
    #[tracing::instrument(level = "debug", skip_all, fields(?ids, starred))]
    pub fn set_starred(&self, ids: &[NodeId], starred: bool) -> Result<Vec<Node>> {
        self.change_each(ids, |tx, seq| node::set_starred(tx, seq, starred))
    }

    /// Leaves questions with their answers and images out of what the model reads, or takes them in again.
    ///
    /// Gives back the projects whose conversations changed, with the questions as they are then.
    #[tracing::instrument(level = "debug", skip_all, fields(?ids, left_out))]
    pub fn set_left_out(&self, ids: &[TurnId], left_out: bool) -> Result<Vec<(ProjectId, Vec<Turn>)>> {
        self.write(|tx, _files| {
            let mut projects = Vec::new();
            for id in ids {
                let project = turn::set_left_out(tx, *id, left_out)?.ok_or(Error::NoTurn(*id))?;
                if !projects.contains(&project) {
                    projects.push(project);
                }
            }
            let changed = |project: ProjectId| {
                let seq = project::seq(tx, project)?.ok_or(Error::NoProject(project))?;
                let mut turns = turn::list_by_project(tx, seq)?;
                turns.retain(|turn| ids.contains(&turn.id));
                Ok((project, turns))
            };
            projects.into_iter().map(changed).collect()
        })
    }

    /// Changes images, all of them or none, and gives them back as they are then.
    pub(crate) fn change_each(
        &self,
        ids: &[NodeId],
        each: impl Fn(&Transaction<'_>, i64) -> Result<()>,
    ) -> Result<Vec<Node>> {
        self.write(|tx, _files| ids.iter().map(|id| change(tx, *id, |seq| each(tx, seq))).collect())
    }
}

fn change(tx: &Transaction<'_>, id: NodeId, change: impl FnOnce(i64) -> Result<()>) -> Result<Node> {
    let key = node::key(tx, id)?.ok_or(Error::NoNode(id))?;
    change(key.seq)?;
    node::get(tx, id)?.ok_or(Error::NoNode(id))
}

/// A name without the space around it; none at all when nothing is left.
pub(crate) fn clean_name(name: Option<&str>) -> Result<Option<String>> {
    clean(name.unwrap_or_default(), "the name", MAX_NAME)
}

/// Tags without the space around them, each once, sorted.
pub(crate) fn clean_tags(tags: &[String]) -> Result<Vec<String>> {
    let mut clean: Vec<String> =
        tags.iter().filter_map(|tag| clean(tag, "the tag", MAX_TAG).transpose()).collect::<Result<_>>()?;
    clean.sort();
    clean.dedup();
    Ok(clean)
}

fn clean(text: &str, what: &'static str, most: usize) -> Result<Option<String>> {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = line.trim();
    if line.chars().count() > most {
        return Err(Error::TooLong { what, most });
    }
    Ok((!line.is_empty()).then(|| line.to_owned()))
}

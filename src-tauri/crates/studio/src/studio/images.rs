//! Images and projects: listing, import, changes, export.

use std::path::{Path, PathBuf};

use imagefile::EmbeddedRecipe;
use protocol::{
    Arrival, ErrorCode, ExportFormat, Failure, GalleryCursor, GalleryFilter, GalleryPage, Image, Node, NodeId,
    ProjectContents, ProjectId, RecipeView, StudioEvent, TurnId,
};
use store::trash::TRASH_MS;
use store::{DatabaseState, ImportSource, Recovery, Store};

use super::Studio;
use crate::{Error, Result, history, now_ms};

/// Images that can be changed at once.
const MAX_NODES: usize = 100_000;

/// Which file of an image is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rendition {
    /// The image itself.
    Full,
    /// At most 256 pixels a side.
    Thumbnail,
}

impl Studio {
    /// A project with everything in it.
    pub async fn project(&self, project: ProjectId) -> Result<ProjectContents> {
        self.with_store(move |store| Ok(store.project(project)?)).await
    }

    /// A page of the gallery.
    pub async fn gallery(
        &self,
        filter: GalleryFilter,
        after: Option<GalleryCursor>,
        limit: u32,
    ) -> Result<GalleryPage> {
        self.with_store(move |store| Ok(store.gallery(&filter, after.as_ref(), limit)?)).await
    }

    /// How an image was made, field by field.
    pub async fn recipe(&self, node: NodeId) -> Result<Option<RecipeView>> {
        let engine = self.read(|actor| actor.engine_snapshot()).await?;
        self.with_store(move |store| history::view(node, store, engine.model.as_ref())).await
    }

    /// Images of any project; those that are gone are left out.
    pub async fn nodes(&self, nodes: Vec<NodeId>) -> Result<Vec<Node>> {
        self.with_store(move |store| Ok(nodes.iter().filter_map(|node| store.node(*node).ok()).collect())).await
    }

    /// One image of the history.
    pub async fn node(&self, node: NodeId) -> Result<Node> {
        self.with_store(move |store| Ok(store.node(node)?)).await
    }

    /// Where an image's file lies; blocks, as the first look at a thumbnail makes it.
    pub fn path(&self, node: NodeId, rendition: Rendition) -> Result<PathBuf> {
        Ok(match rendition {
            Rendition::Full => self.shared.store.path(node)?,
            Rendition::Thumbnail => self.shared.store.thumbnail(node)?,
        })
    }

    /// The pixels of an image.
    pub async fn image(&self, node: NodeId) -> Result<Image> {
        self.with_store(move |store| Ok(imagefile::read(&store.path(node)?)?.image)).await
    }

    /// Names a project; an empty name takes the artist's name away.
    pub async fn rename_project(&self, project: ProjectId, name: String) -> Result<()> {
        let project = self.with_store(move |store| Ok(store.rename_project(project, Some(&name))?)).await?;
        self.shared.emit(StudioEvent::ProjectChanged { project });
        Ok(())
    }

    /// Names an image; an empty name takes the artist's name away.
    pub async fn rename_node(&self, node: NodeId, name: String) -> Result<()> {
        let node = self.with_store(move |store| Ok(store.rename_node(node, Some(&name))?)).await?;
        self.emit_changed(vec![node]).await
    }

    /// Adds and removes tags of images in one transaction.
    pub async fn change_tags(&self, nodes: Vec<NodeId>, added: Vec<String>, removed: Vec<String>) -> Result<()> {
        self.change(nodes, move |store, nodes| Ok(store.change_tags(nodes, &added, &removed)?)).await
    }

    /// Gives images a star or takes it away.
    pub async fn set_starred(&self, nodes: Vec<NodeId>, starred: bool) -> Result<()> {
        self.change(nodes, move |store, nodes| Ok(store.set_starred(nodes, starred)?)).await
    }

    /// Puts images into the trash, for 30 days.
    pub async fn trash(&self, nodes: Vec<NodeId>) -> Result<()> {
        self.change(nodes, |store, nodes| Ok(store.trash(nodes, now_ms())?)).await
    }

    /// Takes images out of the trash.
    pub async fn restore(&self, nodes: Vec<NodeId>) -> Result<()> {
        self.change(nodes, |store, nodes| Ok(store.restore(nodes)?)).await
    }

    async fn change(
        &self,
        nodes: Vec<NodeId>,
        change: impl FnOnce(&Store, &[NodeId]) -> Result<Vec<Node>> + Send + 'static,
    ) -> Result<()> {
        if nodes.len() > MAX_NODES {
            return Err(Error::refused(
                ErrorCode::TooMany,
                format!("{MAX_NODES} images can be changed at once; choose fewer"),
            ));
        }
        let nodes = self.with_store(move |store| change(store, &nodes)).await?;
        self.emit_changed(nodes).await
    }

    /// Leaves questions with their answers and images out of what the model reads next, or takes them in again.
    pub async fn leave_out(&self, turns: Vec<TurnId>, left_out: bool) -> Result<()> {
        if turns.len() > MAX_NODES {
            return Err(Error::refused(
                ErrorCode::TooMany,
                format!("{MAX_NODES} questions can be changed at once; choose fewer"),
            ));
        }
        let changed = self.with_store(move |store| Ok(store.set_left_out(&turns, left_out)?)).await?;
        for (project, turns) in changed {
            self.shared.emit(StudioEvent::TurnsChanged { project, turns });
        }
        Ok(())
    }

    async fn emit_changed(&self, nodes: Vec<Node>) -> Result<()> {
        let mut projects: Vec<ProjectId> = nodes.iter().map(|node| node.project).collect();
        projects.sort();
        projects.dedup();
        self.shared.emit(StudioEvent::NodesChanged { nodes });
        self.emit_summaries(projects).await
    }

    /// Tells what lists show of projects, and what the library holds.
    async fn emit_summaries(&self, projects: Vec<ProjectId>) -> Result<()> {
        let (projects, counts) = self
            .with_store(move |store| {
                // One that has gone for good in the meantime has no summary.
                let projects: Vec<_> =
                    projects.into_iter().filter_map(|project| store.project_summary(project).ok()).collect();
                Ok((projects, store.counts()?))
            })
            .await?;
        for project in projects {
            self.shared.emit(StudioEvent::ProjectChanged { project });
        }
        self.shared.emit(StudioEvent::Counts { counts });
        Ok(())
    }

    /// Removes for good what is in the trash.
    pub async fn empty_trash(&self) -> Result<()> {
        self.remove_trashed(u64::MAX).await
    }

    async fn remove_trashed(&self, until_ms: u64) -> Result<()> {
        let emptied = self.with_store(move |store| Ok(store.empty_trash(until_ms)?)).await?;
        if emptied.nodes.is_empty() {
            return Ok(());
        }
        self.shared.emit(StudioEvent::NodesRemoved { nodes: emptied.nodes, projects: emptied.projects });
        self.emit_summaries(Vec::new()).await
    }

    /// Runs what is due: the daily backup, and the removal of images that have been in the trash for 30 days.
    ///
    /// The artist should learn of a failure: see [`Studio::notify`].
    pub async fn run_maintenance(&self) -> Result<()> {
        self.remove_trashed(now_ms().saturating_sub(TRASH_MS)).await?;
        self.with_store(|store| Ok(store.run_maintenance(now_ms())?)).await
    }

    /// Shows the artist a failure that belongs to no request.
    pub fn notify(&self, failure: Failure) {
        self.post(move |actor| {
            actor.notify(failure);
            Box::pin(std::future::ready(()))
        });
    }

    /// Brings images in; listeners learn of them by [`StudioEvent::Arrived`].
    pub async fn import(&self, sources: Vec<ImportSource>, position: Option<[f64; 2]>) {
        let mut arrivals = Vec::new();
        let mut failures: Vec<Failure> = Vec::new();
        for source in sources {
            match self.with_store(move |store| import_one(store, source)).await {
                Ok((arrival, node)) => {
                    arrivals.push(arrival);
                    if let Some(node) = node {
                        self.shared.emit_added(node).await;
                    }
                }
                Err(error) => failures.push(error.failure()),
            }
        }
        self.shared.emit(StudioEvent::Arrived { arrivals, failures, position });
    }

    /// Writes an image to where the artist wants it.
    pub async fn export(&self, node: NodeId, format: ExportFormat, destination: PathBuf) -> Result<()> {
        self.with_store(move |store| Ok(store.export(node, format, &destination)?)).await
    }

    /// Writes images into a folder, under names that are free there. Gives where they are.
    pub async fn export_many(&self, nodes: Vec<NodeId>, format: ExportFormat, folder: PathBuf) -> Result<Vec<PathBuf>> {
        self.with_store(move |store| Ok(store.export_many(&nodes, format, &folder)?)).await
    }

    /// Writes a project with everything in it as one file.
    pub async fn export_project(&self, project: ProjectId, destination: PathBuf) -> Result<()> {
        self.with_store(move |store| Ok(store.write_bundle(project, &destination)?)).await.map(drop)
    }

    /// Brings in a project from such a file.
    pub async fn open_project(&self, path: PathBuf) -> Result<ProjectId> {
        let project = self.with_store(move |store| Ok(store.open_bundle(&path, now_ms())?)).await?;
        self.emit_summaries(vec![project]).await?;
        Ok(project)
    }
}

/// Takes an image into the library, or finds it there.
fn import_one(store: &Store, source: ImportSource) -> Result<(Arrival, Option<Node>)> {
    let (name, bytes) = match source {
        // Asked before it is opened: a pipe would never end, and opening one can wait for ever.
        ImportSource::File(path) => {
            let is_file = std::fs::metadata(&path).map_err(Error::disk("read", &path))?.is_file();
            if !is_file {
                return Err(Error::refused(
                    ErrorCode::NotAnImage,
                    format!("{} is not a file; bring in PNG, JPEG or WebP", path.display()),
                ));
            }
            let bytes = imagefile::read_file(&path)?;
            (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), bytes)
        }
        ImportSource::Bytes { name, bytes } => (name, bytes),
    };
    let read = imagefile::read_bytes(Path::new(&name), &bytes)?;
    let known = store.find_by_pixel_hash(&imagefile::image_hash(&read.image))?;
    if let Some(node) = known.and_then(|id| store.node(id).ok()).filter(|node| node.trashed_ms.is_none()) {
        return Ok((Arrival { node: node.id, is_known: true, has_recipe: node.has_recipe }, None));
    }
    let imported = store.import(ImportSource::Bytes { name, bytes }, None, now_ms())?;
    let has_recipe = matches!(imported.recipe, EmbeddedRecipe::Found(_));
    Ok((Arrival { node: imported.node.id, is_known: false, has_recipe }, Some(imported.node)))
}

/// What the start repaired, as notices.
pub(super) fn recovery_notices(recovery: &Recovery) -> Vec<Failure> {
    let mut lines = Vec::new();
    match &recovery.database {
        DatabaseState::Sound | DatabaseState::Created | DatabaseState::Migrated { .. } => {}
        DatabaseState::Restored { reason, .. } => lines.push(format!(
            "the library's database was damaged ({reason}) and was restored from a backup; newer images were \
             added from their files"
        )),
        DatabaseState::Rebuilt { reason } => lines.push(format!(
            "the library's database was damaged ({reason}) and was rebuilt from the images; names, tags, stars \
             and conversations are lost"
        )),
    }
    if let Some(path) = &recovery.set_aside {
        lines.push(format!("the damaged database is kept as {}", path.display()));
    }
    if recovery.lost_jobs {
        lines.push("queued jobs are lost; queue them again".to_owned());
    }
    match recovery.adopted.len() {
        0 => {}
        1 => lines.push("an image that was finished when the program ended was recovered".to_owned()),
        n => lines.push(format!("{n} images that were finished when the program ended were recovered")),
    }
    match recovery.missing.len() {
        0 => {}
        n => lines.push(format!("the files of {n} images are missing from the library; restore them from a copy")),
    }
    lines.into_iter().map(|message| Failure { code: ErrorCode::Repaired, message }).collect()
}

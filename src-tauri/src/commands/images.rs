//! Projects and images: looked at, found, marked.

use protocol::{
    GalleryCursor, GalleryFilter, GalleryPage, Node, NodeId, PreviewId, ProjectContents, ProjectId, RecipeView, TurnId,
};
use studio::Studio;
use tauri::State;

use super::{Answer, failed};

/// Gives a project with everything in it.
#[tauri::command]
pub(crate) async fn project(studio: State<'_, Studio>, project: ProjectId) -> Answer<ProjectContents> {
    studio.project(project).await.map_err(failed)
}

/// Gives images of any project.
#[tauri::command]
pub(crate) async fn nodes(studio: State<'_, Studio>, nodes: Vec<NodeId>) -> Answer<Vec<Node>> {
    studio.nodes(nodes).await.map_err(failed)
}

/// Gives a page of the gallery.
#[tauri::command]
pub(crate) async fn gallery(
    studio: State<'_, Studio>,
    filter: GalleryFilter,
    after: Option<GalleryCursor>,
    limit: u32,
) -> Answer<GalleryPage> {
    studio.gallery(filter, after, limit).await.map_err(failed)
}

/// Says how an image was made.
#[tauri::command]
pub(crate) async fn recipe(studio: State<'_, Studio>, node: NodeId) -> Answer<Option<RecipeView>> {
    studio.recipe(node).await.map_err(failed)
}

/// Names the steps of an image that are kept.
#[tauri::command]
pub(crate) async fn steps(studio: State<'_, Studio>, node: NodeId) -> Answer<Vec<PreviewId>> {
    Ok(studio.steps(node))
}

/// Names a project.
#[tauri::command]
pub(crate) async fn rename_project(studio: State<'_, Studio>, project: ProjectId, name: String) -> Answer<()> {
    studio.rename_project(project, name).await.map_err(failed)
}

/// Names an image.
#[tauri::command]
pub(crate) async fn rename_node(studio: State<'_, Studio>, node: NodeId, name: String) -> Answer<()> {
    studio.rename_node(node, name).await.map_err(failed)
}

/// Adds and removes tags of images.
#[tauri::command]
pub(crate) async fn change_tags(
    studio: State<'_, Studio>,
    nodes: Vec<NodeId>,
    added: Vec<String>,
    removed: Vec<String>,
) -> Answer<()> {
    studio.change_tags(nodes, added, removed).await.map_err(failed)
}

/// Gives images a star or takes it away.
#[tauri::command]
pub(crate) async fn set_starred(studio: State<'_, Studio>, nodes: Vec<NodeId>, starred: bool) -> Answer<()> {
    studio.set_starred(nodes, starred).await.map_err(failed)
}

/// Puts images into the trash.
#[tauri::command]
pub(crate) async fn trash(studio: State<'_, Studio>, nodes: Vec<NodeId>) -> Answer<()> {
    studio.trash(nodes).await.map_err(failed)
}

/// Takes images out of the trash.
#[tauri::command]
pub(crate) async fn restore(studio: State<'_, Studio>, nodes: Vec<NodeId>) -> Answer<()> {
    studio.restore(nodes).await.map_err(failed)
}

/// Leaves questions out of what the model reads next, or takes them in again.
#[tauri::command]
pub(crate) async fn leave_out(studio: State<'_, Studio>, turns: Vec<TurnId>, left_out: bool) -> Answer<()> {
    studio.leave_out(turns, left_out).await.map_err(failed)
}

/// Removes for good what is in the trash.
#[tauri::command]
pub(crate) async fn empty_trash(studio: State<'_, Studio>) -> Answer<()> {
    studio.empty_trash().await.map_err(failed)
}

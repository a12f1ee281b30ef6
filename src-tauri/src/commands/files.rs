//! Files in and out, by the system's dialogs, the clipboard and the file manager.

use protocol::{ExportFormat, NodeId, ProjectId};
use studio::{ImportSource, Rendition, Studio};
use tauri::ipc::{InvokeBody, Request};
use tauri::{AppHandle, State};

use super::{Answer, failed};
use crate::clipboard::Clipboard;
use crate::{dialogs, drag_out, reveal};

/// Lets the artist choose images to bring in.
#[tauri::command]
pub(crate) async fn open_images(app: AppHandle, studio: State<'_, Studio>) -> Answer<()> {
    let paths = dialogs::open_images(&app).await;
    if !paths.is_empty() {
        studio.import(paths.into_iter().map(ImportSource::File).collect(), None).await;
    }
    Ok(())
}

/// Brings in the bytes of a pasted image; without any, what the system's clipboard holds.
#[tauri::command]
pub(crate) async fn paste_image(
    studio: State<'_, Studio>,
    clipboard: State<'_, Clipboard>,
    request: Request<'_>,
) -> Answer<()> {
    let InvokeBody::Raw(bytes) = request.body() else { return Ok(()) };
    let bytes = if bytes.is_empty() { clipboard.take().await } else { Some(bytes.clone()) };
    if let Some(bytes) = bytes {
        let source = ImportSource::Bytes { name: "clipboard".to_owned(), bytes };
        studio.import(vec![source], None).await;
    }
    Ok(())
}

/// Puts an image on the clipboard.
#[tauri::command]
pub(crate) async fn copy_image(studio: State<'_, Studio>, clipboard: State<'_, Clipboard>, node: NodeId) -> Answer<()> {
    clipboard.put(studio.image(node).await.map_err(failed)?).await
}

/// Lets the artist choose where copies go; gives the name of the file or folder.
#[tauri::command]
pub(crate) async fn export_images(
    app: AppHandle,
    studio: State<'_, Studio>,
    nodes: Vec<NodeId>,
    format: ExportFormat,
) -> Answer<Option<String>> {
    let chosen = match nodes.as_slice() {
        [] => None,
        [node] => {
            let title = title(&studio, *node).await?;
            let Some(path) = dialogs::save_image(&app, &title, format).await else { return Ok(None) };
            studio.export(*node, format, path.clone()).await.map_err(failed)?;
            Some(path)
        }
        _ => {
            let Some(folder) = dialogs::choose_folder(&app).await else { return Ok(None) };
            studio.export_many(nodes, format, folder.clone()).await.map_err(failed)?;
            Some(folder)
        }
    };
    Ok(chosen.as_deref().map(last_part))
}

/// Lets the artist choose where a project goes as one file; gives its name.
#[tauri::command]
pub(crate) async fn export_project(
    app: AppHandle,
    studio: State<'_, Studio>,
    project: ProjectId,
) -> Answer<Option<String>> {
    let name = studio.project(project).await.map_err(failed)?.project.name;
    let Some(path) = dialogs::save_project(&app, &name).await else { return Ok(None) };
    studio.export_project(project, path.clone()).await.map_err(failed)?;
    Ok(Some(last_part(&path)))
}

/// Lets the artist choose a project's file to bring in.
#[tauri::command]
pub(crate) async fn open_project(app: AppHandle, studio: State<'_, Studio>) -> Answer<Option<ProjectId>> {
    let Some(path) = dialogs::open_project(&app).await else { return Ok(None) };
    studio.open_project(path).await.map(Some).map_err(failed)
}

/// Shows an image's file in the system's file manager.
#[tauri::command]
pub(crate) async fn reveal_image(studio: State<'_, Studio>, node: NodeId) -> Answer<()> {
    let path = studio.path(node, Rendition::Full).map_err(failed)?;
    reveal::show_in_file_manager(path).await
}

/// Hands images to the system while the pointer is held down on them: they are dragged as files.
#[tauri::command]
pub(crate) async fn drag_out(app: AppHandle, studio: State<'_, Studio>, nodes: Vec<NodeId>) -> Answer<()> {
    drag_out::start(&app, &studio, nodes).await
}

async fn title(studio: &Studio, node: NodeId) -> Answer<String> {
    let node = studio.node(node).await.map_err(failed)?;
    Ok(node.name.unwrap_or(node.prompt))
}

fn last_part(path: &std::path::Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

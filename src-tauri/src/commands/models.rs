//! Models, the machine, and the engine.

use protocol::{Hardware, ModelChoice, ModelId, Trial};
use serde::Deserialize;
use studio::Studio;
use tauri::{AppHandle, State};

use super::{Answer, failed};
use crate::dialogs;

/// What an artist may have of a model.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ModelKind {
    /// The folder that was published.
    Folder,
    /// One file.
    File,
}

/// Says what the machine has.
#[tauri::command]
pub(crate) async fn hardware(studio: State<'_, Studio>) -> Answer<Hardware> {
    studio.hardware().await.map_err(failed)
}

/// Times one layer of the full model's shape.
#[tauri::command]
pub(crate) async fn try_hardware(studio: State<'_, Studio>) -> Answer<Trial> {
    studio.try_hardware().await.map_err(failed)
}

/// Installs a model, or goes on with that.
#[tauri::command]
pub(crate) async fn install_model(
    studio: State<'_, Studio>,
    model: ModelId,
    quantization: String,
    removes_source: Option<bool>,
) -> Answer<()> {
    studio.install_model(model, quantization, removes_source).await.map_err(failed)
}

/// Holds an installation.
#[tauri::command]
pub(crate) async fn pause_install(studio: State<'_, Studio>, model: ModelId) -> Answer<()> {
    studio.pause_install(model);
    Ok(())
}

/// Ends an installation.
#[tauri::command]
pub(crate) async fn cancel_install(studio: State<'_, Studio>, model: ModelId) -> Answer<()> {
    studio.cancel_install(model);
    Ok(())
}

/// Removes a form of a model, or its published files; gives the bytes freed.
#[tauri::command]
pub(crate) async fn remove_model(
    studio: State<'_, Studio>,
    model: ModelId,
    quantization: Option<String>,
) -> Answer<u64> {
    studio.remove_model(model, quantization).await.map_err(failed)
}

/// Lets the artist choose a model that they have.
#[tauri::command]
pub(crate) async fn import_model(
    app: AppHandle,
    studio: State<'_, Studio>,
    kind: ModelKind,
) -> Answer<Option<ModelId>> {
    let chosen = match kind {
        ModelKind::Folder => dialogs::choose_folder(&app).await,
        ModelKind::File => dialogs::choose_model(&app).await,
    };
    let Some(path) = chosen else { return Ok(None) };
    studio.import_model(path).await.map(Some).map_err(failed)
}

/// Loads an installed model.
#[tauri::command]
pub(crate) async fn use_model(studio: State<'_, Studio>, choice: ModelChoice) -> Answer<()> {
    studio.use_model(choice).await.map_err(failed)
}

/// Starts an engine that was given up.
#[tauri::command]
pub(crate) async fn restart_engine(studio: State<'_, Studio>) -> Answer<()> {
    studio.restart_engine();
    Ok(())
}

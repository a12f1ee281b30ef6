//! The window's stream of events, the settings, and the program itself.

use protocol::{About, Folder, SettingsChange, Snapshot, StudioEvent};
use studio::Studio;
use tauri::ipc::Channel;
use tauri::{AppHandle, State};
use tokio::sync::Mutex;

use super::{Answer, failed};
use crate::feed::{self, Audience, Dragging};
use crate::{dialogs, window};

/// Licenses of everything inside, gathered when the program is built.
const LICENSES: &str = include_str!(concat!(env!("OUT_DIR"), "/licenses.txt"));

/// The stream to the web view as it was loaded last.
#[derive(Debug, Default)]
pub(crate) struct Stream(Mutex<Option<tauri::async_runtime::JoinHandle<()>>>);

/// Everything as it stands; every change after it goes through the channel.
#[tauri::command]
pub(crate) async fn subscribe(
    studio: State<'_, Studio>,
    dragging: State<'_, Dragging>,
    audience: State<'_, Audience>,
    stream: State<'_, Stream>,
    channel: Channel<Vec<StudioEvent>>,
) -> Answer<Snapshot> {
    let (snapshot, events) = studio.subscribe().await.map_err(failed)?;
    let task = tauri::async_runtime::spawn(feed::stream(events, dragging.listen(), channel));
    // A web view that was loaded again has a new channel; the old one leads nowhere.
    if let Some(old) = stream.0.lock().await.replace(task) {
        old.abort();
    }
    audience.has_come();
    Ok(snapshot)
}

/// Makes a change of the settings.
#[tauri::command]
pub(crate) async fn change_settings(studio: State<'_, Studio>, change: SettingsChange) -> Answer<()> {
    studio.change_settings(change).await.map_err(failed)
}

/// Lets the artist choose a folder; says whether they did.
#[tauri::command]
pub(crate) async fn choose_folder(app: AppHandle, studio: State<'_, Studio>, folder: Folder) -> Answer<bool> {
    let Some(path) = dialogs::choose_folder(&app).await else { return Ok(false) };
    studio.set_folder(folder, path).await.map_err(failed)?;
    Ok(true)
}

/// Lets the artist choose an engine program; says whether they did.
#[tauri::command]
pub(crate) async fn choose_engine(app: AppHandle, studio: State<'_, Studio>) -> Answer<bool> {
    let Some(path) = dialogs::choose_program(&app).await else { return Ok(false) };
    studio.set_engine(path).await.map_err(failed)?;
    Ok(true)
}

/// Names what this host can do that not every host can.
#[tauri::command]
pub(crate) async fn abilities() -> Vec<&'static str> {
    vec!["drag_out", "reset_places"]
}

/// Puts a folder back to its usual place.
#[tauri::command]
pub(crate) async fn reset_folder(studio: State<'_, Studio>, folder: Folder) -> Answer<()> {
    studio.reset_folder(folder).await.map_err(failed)
}

/// Runs the engine beside the studio again.
#[tauri::command]
pub(crate) async fn reset_engine(studio: State<'_, Studio>) -> Answer<()> {
    studio.reset_engine().await.map_err(failed)
}

/// Keeps a token for downloads, or forgets it.
#[tauri::command]
pub(crate) async fn set_token(studio: State<'_, Studio>, token: Option<String>) -> Answer<()> {
    studio.set_token(token).await.map_err(failed)
}

/// Gives what helps somebody who helps.
#[tauri::command]
pub(crate) async fn diagnostics(studio: State<'_, Studio>) -> Answer<String> {
    studio.diagnostics().await.map_err(failed)
}

/// Gives versions and licenses.
#[tauri::command]
pub(crate) async fn about(studio: State<'_, Studio>) -> Answer<About> {
    studio.about(LICENSES).await.map_err(failed)
}

/// Closes the window although there is work.
#[tauri::command]
pub(crate) async fn close(app: AppHandle) -> Answer<()> {
    window::close(&app);
    Ok(())
}

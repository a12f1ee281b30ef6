//! What the web view can ask: ids and enums in, ids out.
#![expect(clippy::needless_pass_by_value, reason = "commands own what the window sends them")]

use protocol::{Failure, JobId};
use studio::studio::Source;
use studio::{NewJob, NodeId, Snapshot, Studio, StudioEvent};
use tauri::ipc::{Channel, InvokeBody, Request};
use tauri::{AppHandle, State};
use tokio::sync::Mutex;

use crate::dialogs;
use crate::feed::{self, Dragging};

type Answer<T> = Result<T, Failure>;

/// The stream to the web view as it was loaded last.
#[derive(Debug, Default)]
pub(crate) struct Stream(Mutex<Option<tauri::async_runtime::JoinHandle<()>>>);

/// Everything as it stands; every change after it goes through the channel.
#[tauri::command]
pub(crate) async fn subscribe(
    studio: State<'_, Studio>,
    dragging: State<'_, Dragging>,
    stream: State<'_, Stream>,
    channel: Channel<Vec<StudioEvent>>,
) -> Answer<Snapshot> {
    let (snapshot, events) = studio.subscribe().await.map_err(|error| error.failure())?;
    let task = tauri::async_runtime::spawn(feed::stream(events, dragging.listen(), channel));
    // A web view that was loaded again has a new channel; the old one leads nowhere.
    if let Some(old) = stream.0.lock().await.replace(task) {
        old.abort();
    }
    Ok(snapshot)
}

/// Queues a request.
#[tauri::command]
pub(crate) async fn submit(studio: State<'_, Studio>, job: NewJob) -> Answer<JobId> {
    studio.submit(job).await.map_err(|error| error.failure())
}

/// Stops a job.
#[tauri::command]
pub(crate) fn cancel(studio: State<'_, Studio>, job: JobId) {
    studio.cancel(job);
}

/// Puts a failed job away.
#[tauri::command]
pub(crate) fn dismiss(studio: State<'_, Studio>, job: JobId) {
    studio.dismiss(job);
}

/// Lets the artist choose pictures to bring in.
#[tauri::command]
pub(crate) async fn open_pictures(app: AppHandle, studio: State<'_, Studio>) -> Answer<()> {
    let paths = dialogs::open_pictures(&app).await;
    if !paths.is_empty() {
        studio.import(paths.into_iter().map(Source::File).collect(), None).await;
    }
    Ok(())
}

/// Brings in the bytes of a pasted picture.
#[tauri::command]
pub(crate) async fn paste_picture(studio: State<'_, Studio>, request: Request<'_>) -> Answer<()> {
    if let InvokeBody::Raw(bytes) = request.body() {
        let source = Source::Bytes { name: "clipboard".to_owned(), bytes: bytes.clone() };
        studio.import(vec![source], None).await;
    }
    Ok(())
}

/// Lets the artist choose where a copy goes; gives the name of the file written.
#[tauri::command]
pub(crate) async fn export_picture(app: AppHandle, studio: State<'_, Studio>, node: NodeId) -> Answer<Option<String>> {
    let title = studio.title(node).map_err(|error| error.failure())?;
    let Some(path) = dialogs::save_picture(&app, &title).await else { return Ok(None) };
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    studio.export(node, path).await.map_err(|error| error.failure())?;
    Ok(name)
}

/// Lets the artist choose a model to load.
#[tauri::command]
pub(crate) async fn choose_model(app: AppHandle, studio: State<'_, Studio>) -> Answer<()> {
    if let Some(path) = dialogs::choose_model(&app).await {
        studio.use_model(path);
    }
    Ok(())
}

/// Starts an engine that was given up.
#[tauri::command]
pub(crate) fn retry_engine(studio: State<'_, Studio>) {
    studio.retry_engine();
}

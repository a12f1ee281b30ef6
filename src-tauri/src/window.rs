//! The main window: opening, closing, and files that arrive from outside.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use protocol::StudioEvent;
use studio::{ImportSource, Studio, handover};
use tauri::{AppHandle, DragDropEvent, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent};

use crate::drag_out::Outgoing;
use crate::feed::{Audience, Dragging};
use crate::geometry::Geometry;

/// Time between two checks for files of a second start.
const HANDOVER_INTERVAL: Duration = Duration::from_millis(500);

/// How long files wait for the page, which misses events until it subscribes. Shorter than a later start waits for this
/// one.
const PAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// A second request to close within this time is granted even if the page does not answer: it may have crashed.
const FORCE_CLOSE_WINDOW: Duration = Duration::from_secs(10);

/// Progress of closing.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    /// When the page was last asked whether the window may close.
    asked: Mutex<Option<Instant>>,
    has_begun: AtomicBool,
}

impl Closing {
    /// Stops taking files: closing may take a while, and later starts wait for it and then open the studio themselves.
    pub(crate) fn begin(&self) {
        self.has_begun.store(true, Ordering::Relaxed);
    }

    /// Takes the files of later starts; `None` once closing has begun.
    fn take(&self, data_folder: &Path) -> Option<Vec<Vec<PathBuf>>> {
        (!self.has_begun.load(Ordering::Relaxed)).then(|| handover::take(data_folder))
    }
}

/// Opens the window with the geometry of the last run.
pub(crate) fn open(app: &AppHandle) -> tauri::Result<()> {
    let geometry = Geometry::read(app.state::<Studio>().data_folder());
    let builder = WebviewWindowBuilder::new(app, "main", WebviewUrl::App("index.html".into()))
        .title("Bagel Studio")
        .inner_size(1440.0, 900.0)
        .min_inner_size(880.0, 560.0)
        .center()
        .background_color(tauri::window::Color(21, 21, 22, 255))
        .on_navigation(is_own_page)
        .on_new_window(|_, _| tauri::webview::NewWindowResponse::Deny);
    let window = builder.build()?;
    if let Some(geometry) = geometry {
        geometry.apply(&window);
    }
    crate::linux::reload_when_page_dies(&window);
    let observed = window.clone();
    window.on_window_event(move |event| match event {
        WindowEvent::DragDrop(event) => drag(&observed, event),
        WindowEvent::CloseRequested { api, .. } => {
            api.prevent_close();
            ask_to_close(&observed);
        }
        _ => {}
    });
    Ok(())
}

/// Closes the window; the program ends with it.
pub(crate) fn close(app: &AppHandle) {
    app.state::<Closing>().begin();
    let Some(window) = app.get_webview_window("main") else { return };
    let data_folder = window.state::<Studio>().data_folder().to_path_buf();
    let before = Geometry::read(&data_folder);
    if let Some(geometry) = Geometry::measure(&window, before).filter(|now| before.as_ref() != Some(now)) {
        geometry.write(&data_folder);
    }
    if let Err(error) = window.destroy() {
        tracing::warn!(%error, "the window cannot be closed; the program exits");
        app.exit(0);
    }
}

/// Closes the window at once when no job is running, and otherwise asks for confirmation in the page.
fn ask_to_close(window: &WebviewWindow) {
    let (app, studio) = (window.app_handle().clone(), window.state::<Studio>().inner().clone());
    let is_forced = {
        let closing = window.state::<Closing>();
        let mut asked = closing.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.replace(Instant::now()).is_some_and(|before| before.elapsed() < FORCE_CLOSE_WINDOW)
    };
    tauri::async_runtime::spawn(async move {
        if is_forced || !studio.is_working().await {
            close(&app);
        } else {
            studio.emit(StudioEvent::CloseAsked);
        }
    });
}

/// Imports the files that the program was started with, and those of later starts as they arrive.
pub(crate) async fn take_files(app: AppHandle, studio: Studio, files: Vec<PathBuf>) {
    import_files(&app, &studio, files).await;
    let mut ticks = tokio::time::interval(HANDOVER_INTERVAL);
    loop {
        ticks.tick().await;
        let (app_handle, data_folder) = (app.clone(), studio.data_folder().to_path_buf());
        let take = move || app_handle.state::<Closing>().take(&data_folder);
        let Ok(Some(taken)) = tauri::async_runtime::spawn_blocking(take).await else { return };
        for files in taken {
            show(&app);
            import_files(&app, &studio, files).await;
        }
    }
}

/// Imports files from outside the window as soon as its page receives events.
pub(crate) async fn import_files(app: &AppHandle, studio: &Studio, files: Vec<PathBuf>) {
    if files.is_empty() {
        return;
    }
    app.state::<Audience>().wait(PAGE_TIMEOUT).await;
    studio.import(files.into_iter().map(ImportSource::File).collect(), None).await;
}

/// Brings the window to the front.
fn show(app: &AppHandle) {
    if let Some(window) = app.get_webview_window("main") {
        let _ = window.unminimize();
        let _ = window.set_focus();
    }
}

/// Whether the web view may navigate to an address: only to files of the program itself.
fn is_own_page(url: &Url) -> bool {
    let is_app = url.scheme() == "tauri" || url.host_str() == Some("tauri.localhost");
    let is_dev_server = cfg!(not(feature = "custom-protocol")) && url.host_str() == Some("localhost");
    is_app || is_dev_server
}

fn drag(window: &WebviewWindow, event: &DragDropEvent) {
    // Images that are dragged out of the window are in the library already.
    if window.state::<Outgoing>().is_under_way() {
        return;
    }
    let scale = window.scale_factor().unwrap_or(1.0);
    let place = |position: &tauri::PhysicalPosition<f64>| [position.x / scale, position.y / scale];
    let dragging = window.state::<Dragging>();
    match event {
        DragDropEvent::Enter { position, .. } | DragDropEvent::Over { position } => dragging.set(Some(place(position))),
        DragDropEvent::Drop { paths, position } => {
            dragging.set(None);
            import(window.state::<Studio>().inner().clone(), paths.clone(), place(position));
        }
        _ => dragging.set(None),
    }
}

fn import(studio: Studio, paths: Vec<PathBuf>, position: [f64; 2]) {
    let sources = paths.into_iter().map(ImportSource::File).collect();
    tauri::async_runtime::spawn(async move { studio.import(sources, Some(position)).await });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_later_starts_are_not_taken_once_closing_has_begun() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.png");
        std::fs::write(&file, "x").unwrap();
        let offer = |timeout| {
            let (folder, files) = (folder.path().to_path_buf(), vec![file.clone()]);
            std::thread::spawn(move || handover::offer(&folder, &files, timeout))
        };
        let closing = Closing::default();
        let second = offer(Duration::from_secs(60));
        let taken = loop {
            let taken = closing.take(folder.path()).unwrap();
            if !taken.is_empty() {
                break taken;
            }
        };
        assert_eq!((taken, second.join().unwrap()), (vec![vec![file.clone()]], true));

        closing.begin();
        let third = offer(Duration::from_millis(100));
        while !third.is_finished() {
            assert_eq!(closing.take(folder.path()), None);
        }
        assert!(!third.join().unwrap(), "the third start opens the studio itself");
    }

    #[test]
    fn the_web_view_navigates_only_to_own_pages() {
        let check = |url: &str, expected: bool| assert_eq!(is_own_page(&Url::parse(url).unwrap()), expected, "{url}");
        check("tauri://localhost/index.html", true);
        check("http://tauri.localhost/", true);
        for url in
            ["https://example.org/", "http://localhost:1420/", "file:///etc/passwd", "data:text/html,x", "about:blank"]
        {
            check(url, false);
        }
    }
}

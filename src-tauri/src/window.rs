//! The one window, and what may happen to it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use protocol::StudioEvent;
use studio::{Source, Studio, handover};
use tauri::{AppHandle, DragDropEvent, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent};

use crate::drag_out::Outgoing;
use crate::feed::{Audience, Dragging};
use crate::place::Place;

/// How often a second start is looked for.
const HANDOVER: Duration = Duration::from_millis(500);

/// How long files wait for the page, which would not be told of them before it listens. Shorter than a later start
/// waits for this one.
const PAGE: Duration = Duration::from_secs(10);

/// A second wish to close within this time is granted, whatever the page says: it may be dead.
const INSISTENCE: Duration = Duration::from_secs(10);

/// How far closing is.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    /// When the page was last asked whether the window may close.
    asked: Mutex<Option<Instant>>,
    has_begun: AtomicBool,
}

impl Closing {
    /// The program ends now, which may take a while: later starts wait for that, and then open the studio themselves.
    pub(crate) fn begin(&self) {
        self.has_begun.store(true, Ordering::Relaxed);
    }

    /// Takes what later starts handed over, as long as there is a studio to bring it into.
    fn take(&self, data_folder: &Path) -> Option<Vec<Vec<PathBuf>>> {
        (!self.has_begun.load(Ordering::Relaxed)).then(|| handover::take(data_folder))
    }
}

/// Opens it.
pub(crate) fn open(app: &AppHandle) -> tauri::Result<()> {
    let place = Place::read(app.state::<Studio>().data_folder());
    let builder = WebviewWindowBuilder::new(app, "main", WebviewUrl::App("index.html".into()))
        .title("Bagel Studio")
        .inner_size(1440.0, 900.0)
        .min_inner_size(880.0, 560.0)
        .center()
        .background_color(tauri::window::Color(21, 21, 22, 255))
        .on_navigation(is_ours)
        .on_new_window(|_, _| tauri::webview::NewWindowResponse::Deny);
    let window = builder.build()?;
    if let Some(place) = place {
        place.apply(&window);
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
    let before = Place::read(&data_folder);
    if let Some(place) = Place::of(&window, before).filter(|place| before.as_ref() != Some(place)) {
        place.write(&data_folder);
    }
    if let Err(error) = window.destroy() {
        tracing::warn!(%error, "the window does not close");
        app.exit(0);
    }
}

/// Closes the window at once when nothing would be lost, and otherwise has the page ask.
fn ask_to_close(window: &WebviewWindow) {
    let (app, studio) = (window.app_handle().clone(), window.state::<Studio>().inner().clone());
    let insists = {
        let closing = window.state::<Closing>();
        let mut asked = closing.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.replace(Instant::now()).is_some_and(|before| before.elapsed() < INSISTENCE)
    };
    tauri::async_runtime::spawn(async move {
        if insists || !studio.is_working().await {
            close(&app);
        } else {
            studio.announce(StudioEvent::CloseAsked);
        }
    });
}

/// Brings in the files that the program was started with, and those of later starts as they come.
pub(crate) async fn take_files(app: AppHandle, studio: Studio, files: Vec<PathBuf>) {
    bring_in(&app, &studio, files).await;
    let mut ticks = tokio::time::interval(HANDOVER);
    loop {
        ticks.tick().await;
        let (app_handle, data_folder) = (app.clone(), studio.data_folder().to_path_buf());
        let take = move || app_handle.state::<Closing>().take(&data_folder);
        let Ok(Some(taken)) = tauri::async_runtime::spawn_blocking(take).await else { return };
        for files in taken {
            show(&app);
            bring_in(&app, &studio, files).await;
        }
    }
}

/// Brings in files from outside the window, as soon as its page would be told of them.
pub(crate) async fn bring_in(app: &AppHandle, studio: &Studio, files: Vec<PathBuf>) {
    if files.is_empty() {
        return;
    }
    app.state::<Audience>().wait(PAGE).await;
    studio.import(files.into_iter().map(Source::File).collect(), None).await;
}

/// Brings the window to the front.
fn show(app: &AppHandle) {
    if let Some(window) = app.get_webview_window("main") {
        let _ = window.unminimize();
        let _ = window.set_focus();
    }
}

/// The web view stays with the program's own files.
fn is_ours(url: &Url) -> bool {
    let is_app = url.scheme() == "tauri" || url.host_str() == Some("tauri.localhost");
    let is_dev_server = cfg!(not(feature = "custom-protocol")) && url.host_str() == Some("localhost");
    is_app || is_dev_server
}

fn drag(window: &WebviewWindow, event: &DragDropEvent) {
    // Its own images are here already.
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
    let sources = paths.into_iter().map(Source::File).collect();
    tauri::async_runtime::spawn(async move { studio.import(sources, Some(position)).await });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_starts_are_left_alone_once_it_closes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.png");
        std::fs::write(&file, "x").unwrap();
        let offer = |timeouts| {
            let (folder, files) = (folder.path().to_path_buf(), vec![file.clone()]);
            std::thread::spawn(move || handover::offer(&folder, &files, timeouts))
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
        assert!(!third.join().unwrap(), "it opens the studio itself");
    }

    #[test]
    fn the_web_view_goes_nowhere_else() {
        let check = |url: &str, expected: bool| assert_eq!(is_ours(&Url::parse(url).unwrap()), expected, "{url}");
        check("tauri://localhost/index.html", true);
        check("http://tauri.localhost/", true);
        for url in
            ["https://example.org/", "http://localhost:1420/", "file:///etc/passwd", "data:text/html,x", "about:blank"]
        {
            check(url, false);
        }
    }
}

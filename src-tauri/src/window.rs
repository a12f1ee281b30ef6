//! The one window, and what may happen to it.

use std::path::PathBuf;

use studio::Studio;
use studio::studio::Source;
use tauri::{AppHandle, DragDropEvent, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent};

use crate::feed::Dragging;

/// Files beyond this number were hardly meant.
const MOST_FILES: usize = 64;

/// Opens it.
pub(crate) fn open(app: &AppHandle) -> tauri::Result<()> {
    let window = WebviewWindowBuilder::new(app, "main", WebviewUrl::App("index.html".into()))
        .title("Bagel Studio")
        .inner_size(1440.0, 900.0)
        .min_inner_size(880.0, 560.0)
        .center()
        .background_color(tauri::window::Color(21, 21, 22, 255))
        .on_navigation(is_ours)
        .on_new_window(|_, _| tauri::webview::NewWindowResponse::Deny)
        .build()?;
    let dropped_on = window.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::DragDrop(event) = event {
            drag(&dropped_on, event);
        }
    });
    Ok(())
}

/// The web view stays with the program's own files.
fn is_ours(url: &Url) -> bool {
    let is_app = url.scheme() == "tauri" || url.host_str() == Some("tauri.localhost");
    let is_dev_server = cfg!(not(feature = "custom-protocol")) && url.host_str() == Some("localhost");
    is_app || is_dev_server
}

fn drag(window: &WebviewWindow, event: &DragDropEvent) {
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
    let sources = paths.into_iter().take(MOST_FILES).map(Source::File).collect();
    tauri::async_runtime::spawn(async move { studio.import(sources, Some(position)).await });
}

#[cfg(test)]
mod tests {
    use super::*;

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

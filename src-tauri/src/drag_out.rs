//! Images dragged from the window into other programs, as files.
//!
//! Copies with their recipe are dragged, named like exported ones. They stay until the program starts again, because the
//! receiving program may read them at any time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use protocol::{ErrorCode, ExportFormat, Failure, NodeId};
use studio::{Rendition, Studio};
use tauri::{AppHandle, Manager};
use tokio::sync::oneshot;

/// More images would not be exported while the button is still held.
const MAX_IMAGES: usize = 64;

/// State of dragging out.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    is_under_way: Arc<AtomicBool>,
    n_drags: AtomicU64,
}

impl Outgoing {
    /// Whether the drag over the window started in it.
    pub(crate) fn is_under_way(&self) -> bool {
        self.is_under_way.load(Ordering::Relaxed)
    }
}

/// Removes the copies of earlier runs.
pub(crate) fn remove_old_copies(data_folder: &Path) {
    let folder = folder(data_folder);
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, folder = %folder.display(), "copies of earlier drags cannot be removed");
        }
        _ => {}
    }
}

/// Exports images and starts the system's drag with them.
pub(crate) async fn start(app: &AppHandle, studio: &Studio, nodes: Vec<NodeId>) -> Result<(), Failure> {
    if nodes.len() > MAX_IMAGES {
        let message = format!("at most {MAX_IMAGES} images can be dragged at once. Export them instead.");
        return Err(Failure { code: ErrorCode::TooMany, message });
    }
    let Some(first) = nodes.first() else { return Ok(()) };
    let icon = studio.path(*first, Rendition::Thumbnail).map_err(|error| error.failure())?;
    let n_drag = app.state::<Outgoing>().n_drags.fetch_add(1, Ordering::Relaxed);
    // One folder for each drag: the same image keeps its name when it is dragged again.
    let folder = folder(studio.data_folder()).join(n_drag.to_string());
    std::fs::create_dir_all(&folder).map_err(|error| refused(&error.to_string()))?;
    let files = studio.export_many(nodes, ExportFormat::Png, folder).await.map_err(|error| error.failure())?;
    let (reply, answer) = oneshot::channel();
    let handle = app.clone();
    app.run_on_main_thread(move || {
        let _ = reply.send(start_system_drag(&handle, &files, &icon));
    })
    .map_err(|error| refused(&error.to_string()))?;
    answer.await.unwrap_or_else(|_closed| Err("the window was closed".to_owned())).map_err(|why| refused(&why))
}

fn folder(data_folder: &Path) -> PathBuf {
    data_folder.join("dragged")
}

fn refused(why: &str) -> Failure {
    Failure {
        code: ErrorCode::Internal,
        message: format!("the image cannot be dragged out: {why}. Export it instead."),
    }
}

/// Starts the system's drag, unless the button was released meanwhile.
#[cfg(target_os = "linux")]
fn start_system_drag(app: &AppHandle, files: &[PathBuf], icon: &Path) -> Result<(), String> {
    use std::cell::RefCell;
    use std::rc::Rc;

    use gtk::prelude::*;
    use gtk::{TargetEntry, TargetFlags, TargetList, gdk, gdk_pixbuf, glib};

    /// Side of the image under the pointer.
    const ICON_SIDE: i32 = 112;
    const FIRST_BUTTON: i32 = 1;

    let Some(window) = app.get_webview_window("main") else { return Ok(()) };
    let window = window.gtk_window().map_err(|error| error.to_string())?;
    let pointer = window.display().default_seat().and_then(|seat| seat.pointer());
    let pressed = window.window().zip(pointer).map(|(surface, pointer)| surface.device_position(&pointer).3);
    if !pressed.is_some_and(|state| state.contains(gdk::ModifierType::BUTTON1_MASK)) {
        return Ok(());
    }
    let addresses = files.iter().map(|file| glib::filename_to_uri(file, None));
    let addresses: Vec<glib::GString> = addresses.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    let targets = TargetList::new(&[TargetEntry::new("text/uri-list", TargetFlags::empty(), 0)]);
    let copy = gdk::DragAction::COPY;
    let drag = window.drag_begin_with_coordinates(&targets, copy, FIRST_BUTTON, None, -1, -1);
    let Some(drag) = drag else { return Err("the system refused the drag".to_owned()) };
    if let Ok(icon) = gdk_pixbuf::Pixbuf::from_file_at_scale(icon, ICON_SIDE, ICON_SIDE, true) {
        drag.drag_set_icon_pixbuf(&icon, icon.width() / 2, icon.height() / 2);
    }
    let is_under_way = app.state::<Outgoing>().is_under_way.clone();
    is_under_way.store(true, Ordering::Relaxed);
    // Requested after the drop, so the handler stays until the whole drag has ended.
    let given = window.connect_drag_data_get(move |_, _, data, _, _| {
        data.set_uris(&addresses.iter().map(glib::GString::as_str).collect::<Vec<_>>());
    });
    let handlers = Rc::new(RefCell::new(vec![given]));
    let ending = handlers.clone();
    let ended = window.connect_drag_end(move |window, _| {
        is_under_way.store(false, Ordering::Relaxed);
        for handler in ending.borrow_mut().drain(..) {
            window.disconnect(handler);
        }
    });
    handlers.borrow_mut().push(ended);
    Ok(())
}

/// Starts the system's drag.
#[cfg(any(windows, target_os = "macos"))]
fn start_system_drag(app: &AppHandle, files: &[PathBuf], icon: &Path) -> Result<(), String> {
    let Some(window) = app.get_webview_window("main") else { return Ok(()) };
    let icon = drag::Image::File(icon.to_path_buf());
    let is_under_way = app.state::<Outgoing>().is_under_way.clone();
    is_under_way.store(true, Ordering::Relaxed);
    let ended = is_under_way.clone();
    let when_ended = move |_, _| ended.store(false, Ordering::Relaxed);
    drag::start_drag(&window, drag::DragItem::Files(files.to_vec()), icon, when_ended, drag::Options::default())
        .map_err(|error| {
            is_under_way.store(false, Ordering::Relaxed);
            error.to_string()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_copies_of_earlier_runs_are_removed() {
        let data = tempfile::tempdir().unwrap();
        remove_old_copies(data.path());
        std::fs::create_dir_all(folder(data.path()).join("3")).unwrap();
        std::fs::write(folder(data.path()).join("3/A boat.png"), "").unwrap();
        std::fs::write(data.path().join("settings.json"), "").unwrap();
        remove_old_copies(data.path());
        assert!(!folder(data.path()).exists());
        assert!(data.path().join("settings.json").exists());
    }
}

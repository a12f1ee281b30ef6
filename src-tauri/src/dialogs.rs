//! The system's own dialogs. Paths stay on this side.

use std::fs;
use std::path::PathBuf;

use protocol::{ExportFormat, Failure, Language};
use rfd::{AsyncFileDialog, FileHandle};
use tauri::{AppHandle, Manager};
use tokio::sync::oneshot;

use crate::language;

/// How a project's file ends.
const PROJECT: &[&str] = &["bagelproject"];

/// Images to bring in; none when the artist changes their mind.
pub(crate) async fn open_images(app: &AppHandle) -> Vec<PathBuf> {
    let dialog =
        |dialog: AsyncFileDialog| dialog.add_filter("PNG, JPEG, WebP", &["png", "jpg", "jpeg", "webp"]).pick_files();
    let files: Vec<FileHandle> = show(app, dialog).await.unwrap_or_default();
    files.iter().map(|file| file.path().to_path_buf()).collect()
}

/// Where a copy of an image goes.
pub(crate) async fn save_image(app: &AppHandle, title: &str, format: ExportFormat) -> Option<PathBuf> {
    let (label, extensions): (_, &[&str]) = match format {
        ExportFormat::Png | ExportFormat::PngPlain => ("PNG", &["png"]),
        ExportFormat::Jpeg => ("JPEG", &["jpg", "jpeg"]),
        ExportFormat::Webp => ("WebP", &["webp"]),
    };
    save(app, title, label, extensions).await
}

/// Where a project goes as one file.
pub(crate) async fn save_project(app: &AppHandle, name: &str) -> Option<PathBuf> {
    save(app, name, "Bagel Studio", PROJECT).await
}

/// A project's file.
pub(crate) async fn open_project(app: &AppHandle) -> Option<PathBuf> {
    let dialog = |dialog: AsyncFileDialog| dialog.add_filter("Bagel Studio", PROJECT).pick_file();
    let file: FileHandle = show(app, dialog).await?;
    Some(file.path().to_path_buf())
}

/// A model's file.
pub(crate) async fn choose_model(app: &AppHandle) -> Option<PathBuf> {
    let dialog = |dialog: AsyncFileDialog| dialog.add_filter("GGUF, safetensors", &["gguf", "safetensors"]).pick_file();
    let file: FileHandle = show(app, dialog).await?;
    Some(file.path().to_path_buf())
}

/// A folder.
pub(crate) async fn choose_folder(app: &AppHandle) -> Option<PathBuf> {
    let folder: FileHandle = show(app, |dialog: AsyncFileDialog| dialog.pick_folder()).await?;
    Some(folder.path().to_path_buf())
}

/// A program.
pub(crate) async fn choose_program(app: &AppHandle) -> Option<PathBuf> {
    let file: FileHandle = show(app, |dialog: AsyncFileDialog| dialog.pick_file()).await?;
    Some(file.path().to_path_buf())
}

/// Where a file goes whose name ends in one of the extensions, the first one unless the artist says otherwise.
async fn save(
    app: &AppHandle,
    title: &str,
    label: &'static str,
    extensions: &'static [&'static str],
) -> Option<PathBuf> {
    let extension = extensions.first().copied().unwrap_or_default();
    let name = format!("{}.{extension}", studio::file_name(title));
    let dialog = move |dialog: AsyncFileDialog| dialog.set_file_name(name).add_filter(label, extensions).save_file();
    let file: FileHandle = show(app, dialog).await?;
    Some(with_extension(file.path().to_path_buf(), extensions))
}

/// The path that was chosen, with the first extension if it has none of them.
///
/// What the dialog asked about was the name as it was typed: one that is made of it here is of no file that is there.
fn with_extension(mut path: PathBuf, extensions: &[&str]) -> PathBuf {
    let ends = |known: &&str| path.extension().is_some_and(|given| given.eq_ignore_ascii_case(known));
    if extensions.iter().any(ends) {
        return path;
    }
    let extension = extensions.first().copied().unwrap_or_default();
    // Added rather than replaced: a dot in a name is part of the name.
    let typed = path.file_name().unwrap_or_default().to_os_string();
    let mut number = 1_u32;
    loop {
        let mut name = typed.clone();
        name.push(if number == 1 { format!(".{extension}") } else { format!(" ({number}).{extension}") });
        path.set_file_name(name);
        if fs::symlink_metadata(&path).is_err() {
            return path;
        }
        number += 1;
    }
}

/// Says why there is no window.
pub(crate) fn fatal(failure: &Failure) {
    if crate::linux::check_display().is_ok() {
        rfd::MessageDialog::new()
            .set_level(rfd::MessageLevel::Error)
            .set_title("Bagel Studio")
            .set_description(language::obstacle(failure, language::is_chinese(Language::System)))
            .show();
    }
}

/// Opens a dialog on the main thread, as every system wants it, and waits for it elsewhere.
async fn show<T, F>(app: &AppHandle, open: impl FnOnce(AsyncFileDialog) -> F + Send + 'static) -> Option<T>
where
    T: Send + 'static,
    F: Future<Output = Option<T>> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let handle = app.clone();
    let posted = app.run_on_main_thread(move || {
        let mut dialog = AsyncFileDialog::new();
        if let Some(window) = handle.get_webview_window("main") {
            dialog = dialog.set_parent(&window);
        }
        let chosen = open(dialog);
        tauri::async_runtime::spawn(async move { reply.send(chosen.await) });
    });
    posted.ok()?;
    answer.await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_not_asked_about_replaces_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let named = |typed: &str| {
            let path = with_extension(folder.path().join(typed), &["jpg", "jpeg"]);
            path.file_name().unwrap_or_default().to_string_lossy().into_owned()
        };
        assert_eq!(named("boat"), "boat.jpg");
        for taken in ["boat.jpg", "boat (2).jpg"] {
            fs::write(folder.path().join(taken), "").expect("a file");
        }
        assert_eq!(named("boat"), "boat (3).jpg");
        assert_eq!(named("boat.jpg"), "boat.jpg", "the dialog has asked");
        assert_eq!(named("boat.JPEG"), "boat.JPEG");
        assert_eq!(named("v1.2"), "v1.2.jpg");
    }
}

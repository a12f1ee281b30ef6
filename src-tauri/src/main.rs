//! The window of Bagel Studio.
//!
//! Thin on purpose: it opens one web view on the embedded frontend, passes its commands to [`studio`], and streams
//! events back. Images go through a URI scheme, never through messages. No path ever comes from the web view or goes to
//! it.
//!
//! Read [`commands`] for what the window can request, and [`scheme`] for what it can show.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod announce;
mod clipboard;
mod coming;
mod commands;
mod dialogs;
mod drag_out;
mod feed;
mod geometry;
mod language;
mod linux;
mod reveal;
mod scheme;
mod window;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use protocol::{ErrorCode, Failure};
use studio::logs::Log;
use studio::{Studio, StudioOptions, handover, locate};
use tauri::Manager;
use tracing_subscriber::EnvFilter;

use crate::clipboard::Clipboard;
use crate::drag_out::Outgoing;
use crate::feed::{Audience, Dragging};
use crate::window::Closing;

/// How long a second start waits for the first one to take its files, on each attempt.
const HANDOVER_TIMEOUT: Duration = Duration::from_secs(1);

/// A program that is closing takes no files but may still be writing its backup, so one attempt is not enough.
const MAX_ATTEMPTS: usize = 15;

/// Time between two checks whether a backup is due and the trash is to be emptied.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(60 * 60);

fn main() -> ExitCode {
    linux::avoid_blank_window();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tracing::error!("{}", failure.message);
            dialogs::fatal(&failure);
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let options = StudioOptions::new().map_err(|error| error.failure())?;
    write_log(&options.data_folder);
    linux::check_display().map_err(cannot_open)?;
    let files = handover::files(std::env::args_os().skip(1));
    match open_or_hand_over(&options, &files)? {
        Some(studio) => open_window(studio, files),
        None => Ok(()),
    }
}

fn cannot_open(message: String) -> Failure {
    Failure { code: ErrorCode::Internal, message }
}

/// Opens the studio; `None` when the studio that is open already has taken the files.
fn open_or_hand_over(options: &StudioOptions, files: &[PathBuf]) -> Result<Option<Studio>, Failure> {
    let mut n_attempts = 1;
    loop {
        match tauri::async_runtime::block_on(async { Studio::open(options.clone()) }) {
            Ok(studio) => return Ok(Some(studio)),
            Err(error) if error.is_in_use() => {
                if handover::offer(&options.data_folder, files, HANDOVER_TIMEOUT) {
                    return Ok(None);
                }
                if n_attempts == MAX_ATTEMPTS {
                    return Err(error.failure());
                }
            }
            Err(error) => return Err(error.failure()),
        }
        n_attempts += 1;
    }
}

fn write_log(data_folder: &Path) {
    match Log::open(&locate::logs_folder(data_folder)) {
        Ok(log) => log.install(),
        Err(error) => {
            let filter = EnvFilter::try_from_env("BAGEL_LOG").unwrap_or_else(|_unset| EnvFilter::new("info"));
            let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
            tracing::warn!(%error, "the log file cannot be opened; messages go to standard error only");
        }
    }
}

fn open_window(studio: Studio, files: Vec<PathBuf>) -> Result<(), Failure> {
    let closing = studio.clone();
    let app = tauri::Builder::default()
        .manage(studio)
        .manage(Dragging::default())
        .manage(Audience::default())
        .manage(Outgoing::default())
        .manage(Clipboard::default())
        .manage(Closing::default())
        .manage(commands::program::Stream::default())
        .register_asynchronous_uri_scheme_protocol(scheme::NAME, |context, request, responder| {
            scheme::answer(context.app_handle().state::<Studio>().inner().clone(), &request, responder);
        })
        .invoke_handler(tauri::generate_handler![
            commands::program::subscribe,
            commands::jobs::submit,
            commands::jobs::estimate,
            commands::jobs::cancel,
            commands::jobs::cancel_all,
            commands::jobs::dismiss,
            commands::jobs::retry,
            commands::jobs::keep,
            commands::jobs::move_job,
            commands::jobs::pause_queue,
            commands::jobs::pause_plan,
            commands::jobs::paint_plan,
            commands::jobs::replay,
            commands::jobs::verify,
            commands::images::project,
            commands::images::nodes,
            commands::images::gallery,
            commands::images::recipe,
            commands::images::steps,
            commands::images::rename_project,
            commands::images::rename_node,
            commands::images::change_tags,
            commands::images::set_starred,
            commands::images::trash,
            commands::images::restore,
            commands::images::leave_out,
            commands::images::empty_trash,
            commands::files::open_images,
            commands::files::paste_image,
            commands::files::copy_image,
            commands::files::export_images,
            commands::files::export_project,
            commands::files::open_project,
            commands::files::reveal_image,
            commands::files::drag_out,
            commands::models::hardware,
            commands::models::try_hardware,
            commands::models::install_model,
            commands::models::pause_install,
            commands::models::cancel_install,
            commands::models::remove_model,
            commands::models::import_model,
            commands::models::use_model,
            commands::models::restart_engine,
            commands::program::change_settings,
            commands::program::choose_folder,
            commands::program::choose_engine,
            commands::program::abilities,
            commands::program::reset_folder,
            commands::program::reset_engine,
            commands::program::set_token,
            commands::program::diagnostics,
            commands::program::about,
            commands::program::close,
        ])
        .setup(move |app| {
            window::open(app.handle())?;
            let studio = app.state::<Studio>().inner().clone();
            drag_out::remove_old_copies(studio.data_folder());
            tauri::async_runtime::spawn(announce::follow(app.handle().clone(), studio.clone()));
            tauri::async_runtime::spawn(window::take_files(app.handle().clone(), studio.clone(), files));
            tauri::async_runtime::spawn(run_maintenance(studio));
            Ok(())
        })
        .build(tauri::generate_context!())
        .map_err(|error| cannot_open(format!("the window cannot be opened: {error}")))?;
    app.run(move |app, event| match event {
        tauri::RunEvent::Exit => {
            app.state::<Closing>().begin();
            tauri::async_runtime::block_on(closing.close());
        }
        // macOS names files by an event, at the start as well as later, and shows the window itself.
        #[cfg(target_os = "macos")]
        tauri::RunEvent::Opened { urls } => {
            let paths = urls.iter().filter_map(|url| url.to_file_path().ok()).map(PathBuf::into_os_string);
            let (app, studio, files) = (app.clone(), closing.clone(), handover::files(paths));
            tauri::async_runtime::spawn(async move { window::import_files(&app, &studio, files).await });
        }
        _ => {}
    });
    Ok(())
}

/// Makes backups and empties the trash when they are due, for as long as the program runs.
async fn run_maintenance(studio: Studio) {
    let mut ticks = tokio::time::interval(MAINTENANCE_INTERVAL);
    let mut last = None;
    loop {
        ticks.tick().await;
        let failure = studio.run_maintenance().await.err().map(|error| error.failure());
        // The same failure is shown once and not every hour.
        if let Some(failure) = failure.clone().filter(|_| failure != last) {
            studio.notify(failure);
        }
        last = failure;
    }
}

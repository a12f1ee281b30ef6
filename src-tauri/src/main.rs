//! The window of Bagel Studio.
//!
//! Thin on purpose: it opens one web view on the embedded frontend, passes its
//! commands to [`studio`], and streams back what changes. Pictures go by a URI
//! scheme of their own, never through messages. No path ever comes from the
//! web view or goes to it.
//!
//! Read [`commands`] for what the window can ask, and [`scheme`] for what it
//! can see.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod commands;
mod dialogs;
mod feed;
mod linux;
mod scheme;
mod window;

use std::process::ExitCode;

use studio::{Options, Studio};
use tauri::Manager;
use tracing_subscriber::EnvFilter;

use crate::feed::Dragging;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    linux::avoid_blank_window();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            tracing::error!("{message}");
            dialogs::fatal(&message);
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    linux::check_display()?;
    let options = Options::usual().map_err(|error| error.to_string())?;
    let studio = tauri::async_runtime::block_on(async { Studio::open(options) }).map_err(|error| error.to_string())?;
    let closing = studio.clone();
    let app = tauri::Builder::default()
        .manage(studio)
        .manage(Dragging::default())
        .manage(commands::Stream::default())
        .register_asynchronous_uri_scheme_protocol(scheme::NAME, |context, request, responder| {
            scheme::answer(context.app_handle().state::<Studio>().inner().clone(), &request, responder);
        })
        .invoke_handler(tauri::generate_handler![
            commands::subscribe,
            commands::submit,
            commands::cancel,
            commands::dismiss,
            commands::open_pictures,
            commands::paste_picture,
            commands::export_picture,
            commands::choose_model,
            commands::retry_engine,
        ])
        .setup(|app| Ok(window::open(app.handle())?))
        .build(tauri::generate_context!())
        .map_err(|error| format!("the window cannot be opened: {error}"))?;
    app.run(move |_, event| {
        if let tauri::RunEvent::Exit = event {
            tauri::async_runtime::block_on(closing.close());
        }
    });
    Ok(())
}

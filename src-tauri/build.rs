//! Embeds the window's files and declares exactly which commands it may call.

#[path = "build/licences.rs"]
mod licences;

use std::path::{Path, PathBuf};

/// Every command of the window; whatever is not here cannot be permitted.
const COMMANDS: &[&str] = &[
    "subscribe",
    "submit",
    "price",
    "cancel",
    "cancel_all",
    "dismiss",
    "retry",
    "keep",
    "move_job",
    "pause_queue",
    "pause_plan",
    "paint_plan",
    "replay",
    "verify",
    "piece",
    "nodes",
    "gallery",
    "recipe",
    "steps",
    "rename_piece",
    "rename_node",
    "set_tags",
    "set_starred",
    "trash",
    "restore",
    "leave_out",
    "empty_trash",
    "open_pictures",
    "paste_picture",
    "copy_picture",
    "export_pictures",
    "export_piece",
    "open_piece",
    "reveal_picture",
    "drag_out",
    "hardware",
    "try_hardware",
    "install_model",
    "pause_install",
    "cancel_install",
    "remove_model",
    "import_model",
    "use_model",
    "retry_engine",
    "change_settings",
    "choose_folder",
    "choose_engine",
    "abilities",
    "reset_folder",
    "reset_engine",
    "set_token",
    "diagnostics",
    "about",
    "close",
];

fn main() {
    println!("cargo::rerun-if-changed=../ui/dist");
    let is_embedded = std::env::var_os("CARGO_FEATURE_CUSTOM_PROTOCOL").is_some();
    if is_embedded && !Path::new("../ui/dist/index.html").exists() {
        println!("cargo::error=ui/dist is missing: run `npm ci && npm run build` in ui, or `cargo xtask run`");
        return;
    }
    let folder = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    if let Err(error) = licences::write(&folder.join("licences.txt")) {
        println!("cargo::error=the licences cannot be gathered: {error}");
        return;
    }
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest)) {
        println!("cargo::error={error:#}");
    }
}

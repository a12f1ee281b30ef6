//! Embeds the window's files and declares exactly which commands it may call.

#[path = "build/licenses.rs"]
mod licenses;

use std::path::{Path, PathBuf};

/// Every command of the window; whatever is not here cannot be permitted.
const COMMANDS: &[&str] = &[
    "subscribe",
    "submit",
    "estimate",
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
    "project",
    "nodes",
    "gallery",
    "recipe",
    "steps",
    "rename_project",
    "rename_node",
    "change_tags",
    "set_starred",
    "trash",
    "restore",
    "leave_out",
    "empty_trash",
    "open_images",
    "paste_image",
    "copy_image",
    "export_images",
    "export_project",
    "open_project",
    "reveal_image",
    "drag_out",
    "hardware",
    "try_hardware",
    "install_model",
    "pause_install",
    "cancel_install",
    "remove_model",
    "import_model",
    "use_model",
    "restart_engine",
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
    if let Err(error) = licenses::write(&folder.join("licenses.txt")) {
        println!("cargo::error=the licenses cannot be gathered: {error}");
        return;
    }
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest)) {
        println!("cargo::error={error:#}");
    }
}

//! Embeds the window's files and declares exactly which commands it may call.

use std::path::Path;

/// Every command of the window; whatever is not here cannot be permitted.
const COMMANDS: &[&str] = &[
    "subscribe",
    "submit",
    "cancel",
    "dismiss",
    "open_pictures",
    "paste_picture",
    "export_picture",
    "choose_model",
    "retry_engine",
];

fn main() {
    println!("cargo::rerun-if-changed=../ui/dist");
    let is_embedded = std::env::var_os("CARGO_FEATURE_CUSTOM_PROTOCOL").is_some();
    if is_embedded && !Path::new("../ui/dist/index.html").exists() {
        println!("cargo::error=ui/dist is missing: run `npm ci && npm run build` in ui, or `cargo xtask run`");
        return;
    }
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest)) {
        println!("cargo::error={error:#}");
    }
}

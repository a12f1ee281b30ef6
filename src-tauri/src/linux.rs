//! What Linux needs before a window can open; nothing elsewhere.

/// Starts the program again with WebKit's DMA-BUF renderer off where an NVIDIA driver is present.
///
/// The renderer leaves the window blank there (tauri-apps/tauri#9304). The
/// variable must be set before the first thread starts, which setting it from
/// within cannot promise.
#[cfg(target_os = "linux")]
pub(crate) fn avoid_blank_window() {
    use std::os::unix::process::CommandExt;

    const VARIABLE: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
    if std::env::var_os(VARIABLE).is_some() || !std::path::Path::new("/proc/driver/nvidia/version").exists() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let error = std::process::Command::new(program).args(std::env::args_os().skip(1)).env(VARIABLE, "1").exec();
    tracing::warn!(%error, "the window may stay blank on this NVIDIA driver");
}

/// Nothing to avoid.
#[cfg(not(target_os = "linux"))]
pub(crate) fn avoid_blank_window() {}

/// Says what is missing where there is no display, which the window's library would answer with a panic.
#[cfg(target_os = "linux")]
pub(crate) fn check_display() -> Result<(), String> {
    if ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) {
        return Ok(());
    }
    Err("there is no display; start the studio in a desktop session, or use the `bagel` program in a terminal"
        .to_owned())
}

/// A display is always there.
#[cfg(not(target_os = "linux"))]
pub(crate) fn check_display() -> Result<(), String> {
    Ok(())
}

/// Loads the page again when its process dies; jobs go on meanwhile, and the page begins with everything as it stands.
#[cfg(target_os = "linux")]
pub(crate) fn reload_when_page_dies(window: &tauri::WebviewWindow) {
    use webkit2gtk::WebViewExt;

    let watched = window.with_webview(|view| {
        view.inner().connect_web_process_terminated(|view, reason| {
            tracing::warn!(?reason, "the page's process ended; it is loaded again");
            view.reload();
        });
    });
    if let Err(error) = watched {
        tracing::warn!(%error, "the page is not watched");
    }
}

/// The systems' other web views look after their processes themselves.
#[cfg(not(target_os = "linux"))]
pub(crate) fn reload_when_page_dies(_: &tauri::WebviewWindow) {}

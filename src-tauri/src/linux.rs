//! Workarounds for WebKitGTK and its drivers; nothing on other systems.

/// Restarts the program with WebKit's DMA-BUF renderer off where an NVIDIA driver is present.
///
/// The renderer leaves the window blank there (<https://github.com/tauri-apps/tauri/issues/9304>). The variable must be
/// set before the first thread starts, which a running program cannot guarantee.
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

/// Other systems use no WebKitGTK.
#[cfg(not(target_os = "linux"))]
pub(crate) fn avoid_blank_window() {}

/// Checks for a display, without which the window library panics.
#[cfg(target_os = "linux")]
pub(crate) fn check_display() -> Result<(), String> {
    if ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) {
        return Ok(());
    }
    Err("there is no display; start the studio in a desktop session, or use the program `bagel` in a terminal"
        .to_owned())
}

/// Other systems always have a display.
#[cfg(not(target_os = "linux"))]
pub(crate) fn check_display() -> Result<(), String> {
    Ok(())
}

/// Reloads the page when its process crashes; jobs continue, and the page subscribes again with the current state.
#[cfg(target_os = "linux")]
pub(crate) fn reload_when_page_dies(window: &tauri::WebviewWindow) {
    use webkit2gtk::WebViewExt;

    let watched = window.with_webview(|view| {
        view.inner().connect_web_process_terminated(|view, reason| {
            tracing::warn!(?reason, "the page's process ended; the page is reloaded");
            view.reload();
        });
    });
    if let Err(error) = watched {
        tracing::warn!(%error, "crashes of the page cannot be detected");
    }
}

/// The web views of other systems restart their processes themselves.
#[cfg(not(target_os = "linux"))]
pub(crate) fn reload_when_page_dies(_: &tauri::WebviewWindow) {}

//! Showing a file in the system's file manager.
//!
//! Kept instead of tauri-plugin-opener: on Linux the plugin needs a session bus and has no other way, while a desktop
//! without one, or without a file manager on it, still has `xdg-open`.

use std::path::{Path, PathBuf};
use std::process::Command;

use protocol::{ErrorCode, Failure};

/// Opens the file manager on the file's folder, with the file selected where that is possible.
pub(crate) async fn show_in_file_manager(path: PathBuf) -> Result<(), Failure> {
    let shown = tauri::async_runtime::spawn_blocking(move || {
        if commands(&path).into_iter().any(|mut command| succeeds(&mut command)) { Ok(()) } else { Err(path) }
    });
    match shown.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(path)) => Err(refused(&path.display().to_string())),
        Err(_panic) => Err(refused("the file")),
    }
}

fn refused(what: &str) -> Failure {
    Failure {
        code: ErrorCode::Internal,
        message: format!("{what} could not be shown in a file manager. Open its folder by hand."),
    }
}

fn succeeds(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

/// Commands to try, best first.
#[cfg(target_os = "linux")]
fn commands(path: &Path) -> Vec<Command> {
    let mut select = Command::new("dbus-send");
    select.args(["--session", "--print-reply", "--reply-timeout=3000", "--dest=org.freedesktop.FileManager1"]);
    select.args(["/org/freedesktop/FileManager1", "org.freedesktop.FileManager1.ShowItems"]);
    select.arg(format!("array:string:{}", file_url(path))).arg("string:");
    select.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut open = Command::new("xdg-open");
    open.arg(path.parent().unwrap_or(path));
    vec![select, open]
}

/// Commands to try, best first.
#[cfg(target_os = "macos")]
fn commands(path: &Path) -> Vec<Command> {
    let mut select = Command::new("open");
    select.arg("-R").arg(path);
    vec![select]
}

/// Commands to try, best first.
#[cfg(windows)]
fn commands(path: &Path) -> Vec<Command> {
    use std::os::windows::process::CommandExt;
    let mut select = Command::new("explorer");
    // It parses its command line itself, and its exit status is 1 even on success.
    select.raw_arg(format!("/select,\"{}\"", path.display()));
    let mut succeed = Command::new("cmd");
    succeed.args(["/c", "exit", "0"]);
    vec![select, succeed]
}

/// A path as a `file:` URL; everything but letters, digits and a few marks is percent-encoded, also the comma, at which
/// `dbus-send` splits lists.
#[cfg(target_os = "linux")]
fn file_url(path: &Path) -> String {
    use std::fmt::Write;
    use std::os::unix::ffi::OsStrExt;

    let mut url = "file://".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => url.push(char::from(*byte)),
            _ => {
                // Writing to a `String` cannot fail.
                let _ = write!(url, "%{byte:02X}");
            }
        }
    }
    url
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn marks_with_a_meaning_in_a_list_of_urls_are_encoded() {
        assert_eq!(file_url(Path::new("/a b/船,\"%.png")), "file:///a%20b/%E8%88%B9%2C%22%25.png");
    }
}

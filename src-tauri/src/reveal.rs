//! Showing a file where the system shows files.

use std::path::{Path, PathBuf};
use std::process::Command;

use protocol::{ErrorCode, Failure};

/// Opens the file manager on the file's folder, with the file chosen where that is possible.
pub(crate) async fn show(path: PathBuf) -> Result<(), Failure> {
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
    Failure { code: ErrorCode::Internal, message: format!("no file manager shows {what}; look for it by hand") }
}

fn succeeds(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

/// What to try, the best first.
#[cfg(target_os = "linux")]
fn commands(path: &Path) -> Vec<Command> {
    let mut choose = Command::new("dbus-send");
    choose.args(["--session", "--print-reply", "--reply-timeout=3000", "--dest=org.freedesktop.FileManager1"]);
    choose.args(["/org/freedesktop/FileManager1", "org.freedesktop.FileManager1.ShowItems"]);
    choose.arg(format!("array:string:{}", address(path))).arg("string:");
    choose.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut open = Command::new("xdg-open");
    open.arg(path.parent().unwrap_or(path));
    vec![choose, open]
}

/// What to try, the best first.
#[cfg(target_os = "macos")]
fn commands(path: &Path) -> Vec<Command> {
    let mut choose = Command::new("open");
    choose.arg("-R").arg(path);
    vec![choose]
}

/// What to try, the best first.
#[cfg(windows)]
fn commands(path: &Path) -> Vec<Command> {
    use std::os::windows::process::CommandExt;
    let mut choose = Command::new("explorer");
    // It reads its arguments in a way of its own, and its status says nothing.
    choose.raw_arg(format!("/select,\"{}\"", path.display()));
    let mut settled = Command::new("cmd");
    settled.args(["/c", "exit", "0"]);
    vec![choose, settled]
}

/// A path as an address; everything but letters, digits and a few marks is written as its bytes.
#[cfg(target_os = "linux")]
fn address(path: &Path) -> String {
    use std::fmt::Write;
    use std::os::unix::ffi::OsStrExt;

    let mut address = "file://".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => address.push(char::from(*byte)),
            _ => {
                // Writing into a text cannot fail.
                let _ = write!(address, "%{byte:02X}");
            }
        }
    }
    address
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_no_mark_of_its_own() {
        assert_eq!(address(Path::new("/a b/船,\"%.png")), "file:///a%20b/%E8%88%B9%2C%22%25.png");
    }
}

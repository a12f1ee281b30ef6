//! A second start hands its files to the studio that has the library open, and exits.
//!
//! The library's lock decides which one is first. The second program writes a note into a folder that the first one
//! checks twice a second; a note that is not taken is withdrawn, and the second program reports why it cannot start.
//!
//! Kept instead of tauri-plugin-single-instance: on Linux the plugin panics without a session bus, as in containers and
//! over SSH; it passes arguments on as text, which loses names in other encodings; and it allows one instance a user,
//! where two libraries may be open at once.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use durable::Overwrite;
use uuid::Uuid;

/// Bytes of one note: more than the longest command line, whose bytes are written as decimal numbers.
const MAX_BYTES: u64 = 64 << 20;

/// The regular files among a program's arguments, as absolute paths.
pub fn files(arguments: impl Iterator<Item = OsString>) -> Vec<PathBuf> {
    let paths = arguments.map(PathBuf::from).filter(|path| !path.to_string_lossy().starts_with('-'));
    // Asking is safe for a pipe or a device; opening one may never end.
    let regular = paths.filter(|path| fs::metadata(path).is_ok_and(|about| about.is_file()));
    regular.filter_map(|path| std::path::absolute(path).ok()).collect()
}

/// Hands files to the studio that has a data folder open, and blocks until it takes them. Returns whether it did.
pub fn offer(data_folder: &Path, files: &[PathBuf], timeout: Duration) -> bool {
    let folder = folder(data_folder);
    let note = folder.join(format!("{}.json", Uuid::now_v7()));
    // A file name need not be UTF-8.
    let names: Vec<&OsStr> = files.iter().map(|file| file.as_os_str()).collect();
    let Ok(bytes) = serde_json::to_vec(&names) else { return false };
    if fs::create_dir_all(&folder).is_err() || durable::write(&note, &bytes, Overwrite::Refuse).is_err() {
        return false;
    }
    let until = Instant::now() + timeout;
    while Instant::now() < until {
        if !note.exists() {
            return true;
        }
        thread::sleep(Duration::from_millis(50));
    }
    // The program that removes the note owns it: a failure here means that the first one has taken it after all.
    fs::remove_file(&note).is_err()
}

/// Takes the files of each later start; a list without files only asks for the window to be shown.
pub fn take(data_folder: &Path) -> Vec<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder(data_folder)) else { return Vec::new() };
    let is_note = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
    let mut notes: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_note).collect();
    notes.sort();
    notes.iter().filter_map(|note| take_one(note)).collect()
}

fn take_one(note: &Path) -> Option<Vec<PathBuf>> {
    let is_small = fs::symlink_metadata(note).is_ok_and(|about| about.is_file() && about.len() <= MAX_BYTES);
    let bytes = if is_small { fs::read(note).ok() } else { None };
    fs::remove_file(note).ok()?;
    let files: Vec<OsString> = serde_json::from_slice(&bytes?).ok()?;
    let is_regular = |path: &PathBuf| path.is_absolute() && fs::metadata(path).is_ok_and(|about| about.is_file());
    Some(files.into_iter().map(PathBuf::from).filter(is_regular).collect())
}

fn folder(data_folder: &Path) -> PathBuf {
    data_folder.join("handover")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_reach_the_first_studio() {
        let folder = tempfile::tempdir().unwrap();
        #[cfg_attr(not(target_os = "linux"), expect(unused_mut, reason = "elsewhere every name is text"))]
        let mut images: Vec<PathBuf> = (0..200).map(|number| folder.path().join(format!("船 {number}.png"))).collect();
        #[cfg(target_os = "linux")]
        images.push(folder.path().join(not_text()));
        for image in &images {
            fs::write(image, "x").unwrap();
        }
        let (data_folder, mut offered) = (folder.path().to_path_buf(), images.clone());
        offered.push("/nowhere.png".into());
        let second = thread::spawn(move || offer(&data_folder, &offered, Duration::from_secs(60)));
        let taken = loop {
            let taken = take(folder.path());
            if !taken.is_empty() {
                break taken;
            }
            thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(taken, [images]);
        assert!(second.join().unwrap());
    }

    #[test]
    fn a_note_that_is_not_taken_is_withdrawn() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!offer(folder.path(), &[], Duration::from_millis(20)));
        assert!(take(folder.path()).is_empty());
    }

    #[test]
    fn only_regular_files_are_taken_from_arguments() {
        let strange = [
            "",
            " ",
            "-",
            "--",
            "---",
            "--flag",
            "--flag=a.png",
            "-a.png",
            "--help",
            "\0",
            "a\0b",
            "\n",
            "\t.png",
            "~",
            "~/a.png",
            ".",
            "..",
            "../..",
            "./",
            "/",
            "//",
            "/nowhere.png",
            "/nowhere/a.png",
            "a.png/",
            "a.png/..",
            "*",
            "*.png",
            "?",
            "$HOME",
            "${PATH}",
            "`id`",
            "$(id)",
            "; id",
            "| id",
            "%41.png",
            "C:\\a.png",
            "\\\\server\\a.png",
            "NUL",
            "CON",
            "https://x/y.png",
            "file:///etc/passwd",
            "file://localhost/etc/passwd",
            "data:image/png;base64,AAAA",
            "image://localhost/image/x",
            "\u{202e}gnp.a",
            "\u{feff}a.png",
            "a\u{301}.png",
            "🖼.png",
            "ａ.png",
        ];
        let mut arguments: Vec<OsString> = strange.map(OsString::from).to_vec();
        for length in [255, 256, 4095, 4096, 100_000] {
            arguments.push("n".repeat(length).into());
        }
        arguments.push("../".repeat(10_000).into());
        let folder = tempfile::tempdir().unwrap();
        arguments.push(folder.path().into());
        arguments.push(folder.path().join("a.png/inside").into());
        arguments.push(folder.path().join("missing.png").into());
        #[cfg(unix)]
        arguments.extend(never_ending(folder.path()));
        assert_eq!(files(arguments.clone().into_iter()), Vec::<PathBuf>::new());

        // Regular files among all of these are taken, under any name.
        let mut expected = Vec::new();
        for name in ["a.png", "--flag.png", "船.png", " ", "%41.png", "\u{202e}gnp.a", "a\nb.png", &"n".repeat(200)] {
            let path = folder.path().join(name);
            // Some systems refuse some of these names.
            if fs::write(&path, "x").is_ok() {
                expected.push(path);
            }
        }
        #[cfg(target_os = "linux")]
        {
            expected.push(folder.path().join(not_text()));
            fs::write(&expected[expected.len() - 1], "x").unwrap();
        }
        arguments.extend(expected.iter().map(|path| path.clone().into_os_string()));
        assert_eq!(files(arguments.into_iter()), expected);
    }

    /// A name that is not UTF-8.
    #[cfg(target_os = "linux")]
    fn not_text() -> &'static OsStr {
        use std::os::unix::ffi::OsStrExt;
        OsStr::from_bytes(b"\xff\xfe\x80.png")
    }

    /// Devices, pipes and sockets, some of them behind links, and a link to itself.
    #[cfg(unix)]
    fn never_ending(folder: &Path) -> Vec<OsString> {
        use std::os::unix::{fs::symlink, net::UnixListener};
        let inside = |name: &str| folder.join(name);
        assert!(std::process::Command::new("mkfifo").arg(inside("pipe.png")).status().unwrap().success());
        drop(UnixListener::bind(inside("socket.png")).unwrap());
        symlink("/dev/zero", inside("zero.png")).unwrap();
        symlink(inside("pipe.png"), inside("to-pipe.png")).unwrap();
        symlink(inside("itself.png"), inside("itself.png")).unwrap();
        symlink(inside("gone"), inside("dangling.png")).unwrap();
        symlink(folder, inside("folder.png")).unwrap();
        let made = ["pipe", "socket", "zero", "to-pipe", "itself", "dangling", "folder"];
        let devices = ["/dev/zero", "/dev/null", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/full"];
        made.iter().map(|name| inside(&format!("{name}.png")).into()).chain(devices.map(Into::into)).collect()
    }

    #[test]
    fn a_note_that_cannot_be_parsed_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("handover")).unwrap();
        fs::write(folder.path().join("handover/x.json"), "{").unwrap();
        assert!(take(folder.path()).is_empty());
        assert_eq!(fs::read_dir(folder.path().join("handover")).unwrap().count(), 0);
    }
}

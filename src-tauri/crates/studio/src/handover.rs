//! A second start hands its files to the studio that has the library, and ends.
//!
//! The library's lock says who is first. The second program lays a note into a
//! folder that the first one looks into; a note that nobody takes is taken
//! back, and then the second program says why it cannot start.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use imagefile::{Overwrite, place_bytes};
use uuid::Uuid;

/// Files of one note; more were hardly meant.
const MOST_FILES: usize = 64;

/// Bytes of one note.
const MOST_BYTES: u64 = 1 << 20;

/// Files among a program's arguments that can be opened: regular ones, by their whole path.
pub fn files(arguments: impl Iterator<Item = std::ffi::OsString>) -> Vec<PathBuf> {
    let paths = arguments.map(PathBuf::from).filter(|path| !path.to_string_lossy().starts_with('-'));
    // Asking is safe for a pipe or a device; opening one may never end.
    let regular = paths.filter(|path| fs::metadata(path).is_ok_and(|about| about.is_file()));
    regular.filter_map(|path| std::path::absolute(path).ok()).take(MOST_FILES).collect()
}

/// Hands files to the studio that is open on a data folder; blocks. Gives back whether it took them.
pub fn offer(data_folder: &Path, files: &[PathBuf], patience: Duration) -> bool {
    let folder = folder(data_folder);
    let note = folder.join(format!("{}.json", Uuid::now_v7()));
    let Ok(bytes) = serde_json::to_vec(files) else { return false };
    if fs::create_dir_all(&folder).is_err() || place_bytes(&note, &bytes, Overwrite::Refuse).is_err() {
        return false;
    }
    let until = Instant::now() + patience;
    while Instant::now() < until {
        if !note.exists() {
            return true;
        }
        thread::sleep(Duration::from_millis(50));
    }
    // Whoever removes it has it: if that is not possible any more, it was taken after all.
    fs::remove_file(&note).is_err()
}

/// Takes what other starts handed over: the files of each; an empty one only wants the window to be seen.
pub fn take(data_folder: &Path) -> Vec<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder(data_folder)) else { return Vec::new() };
    let is_note = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
    let mut notes: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_note).collect();
    notes.sort();
    notes.iter().filter_map(|note| take_one(note)).collect()
}

fn take_one(note: &Path) -> Option<Vec<PathBuf>> {
    let is_small = fs::symlink_metadata(note).is_ok_and(|about| about.is_file() && about.len() <= MOST_BYTES);
    let bytes = if is_small { fs::read(note).ok() } else { None };
    fs::remove_file(note).ok()?;
    let files: Vec<PathBuf> = serde_json::from_slice(&bytes?).ok()?;
    let is_meant = |path: &PathBuf| path.is_absolute() && fs::metadata(path).is_ok_and(|about| about.is_file());
    Some(files.into_iter().filter(is_meant).take(MOST_FILES).collect())
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
        let picture = folder.path().join("船.png");
        fs::write(&picture, "x").unwrap();
        let (data_folder, offered) = (folder.path().to_path_buf(), vec![picture.clone(), "/nowhere.png".into()]);
        let second = thread::spawn(move || offer(&data_folder, &offered, Duration::from_secs(60)));
        let taken = loop {
            let taken = take(folder.path());
            if !taken.is_empty() {
                break taken;
            }
            thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(taken, [[picture]]);
        assert!(second.join().unwrap());
    }

    #[test]
    fn a_note_that_nobody_takes_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!offer(folder.path(), &[], Duration::from_millis(20)));
        assert!(take(folder.path()).is_empty());
    }

    #[test]
    fn only_regular_files_are_meant() {
        let folder = tempfile::tempdir().unwrap();
        let picture = folder.path().join("a.png");
        fs::write(&picture, "x").unwrap();
        let arguments = ["--flag", "/dev/zero", "", "https://x/y.png", "../..", "file:///etc/passwd", "\0", "-"]
            .map(std::ffi::OsString::from)
            .into_iter()
            .chain([folder.path().into(), picture.clone().into()]);
        assert_eq!(files(arguments), [picture]);
    }

    #[test]
    fn a_note_of_nonsense_is_put_away() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("handover")).unwrap();
        fs::write(folder.path().join("handover/x.json"), "{").unwrap();
        assert!(take(folder.path()).is_empty());
        assert_eq!(fs::read_dir(folder.path().join("handover")).unwrap().count(), 0);
    }
}

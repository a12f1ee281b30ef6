//! The one way to save a file: it appears under its name complete and on the disk, or not at all.
//!
//! [`write()`] saves bytes; [`PendingFile`] is for content that is produced piece by piece; [`rename`] gives a
//! complete file or folder its final name. Each writes to a temporary name in the destination's folder, syncs,
//! renames, and syncs the folder, because a rename survives a loss of power only when its folder has been synced.
//! Errors are those of the system; callers add the path and what it means.

#![warn(missing_docs)]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

const SUFFIX: &str = ".part";

/// What happens to a file that already has the destination's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// It stays, and saving fails with [`io::ErrorKind::AlreadyExists`], even if it appears while we write.
    Refuse,
    /// The new file replaces it in one step.
    Replace,
}

/// A file that is being written; it has a temporary name until [`commit`](Self::commit), and is removed when dropped.
#[derive(Debug)]
pub struct PendingFile {
    file: NamedTempFile,
    destination: PathBuf,
}

impl PendingFile {
    /// Creates the temporary file in the destination's folder, with the permissions that the umask gives any new file.
    pub fn create(destination: &Path) -> io::Result<Self> {
        let name = destination.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let prefix = part_prefix(name);
        let mut builder = Builder::new();
        builder.prefix(&prefix).suffix(SUFFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // The default of `tempfile` is 0o600, which the saved file would keep.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder_of(destination))?;
        Ok(Self { file, destination: destination.to_owned() })
    }

    /// The open file.
    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// The temporary path.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Syncs the file, gives it the destination's name, and syncs the folder.
    ///
    /// After an error the destination is unchanged, unless only the sync of the folder failed.
    pub fn commit(self, overwrite: Overwrite) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        match overwrite {
            Overwrite::Refuse => self.file.persist_noclobber(&self.destination)?,
            Overwrite::Replace => self.file.persist(&self.destination)?,
        };
        sync_folder(folder_of(&self.destination))
    }
}

/// Saves bytes; when this returns, the file survives a loss of power.
pub fn write(destination: &Path, bytes: &[u8], overwrite: Overwrite) -> io::Result<()> {
    let mut pending = PendingFile::create(destination)?;
    pending.file().write_all(bytes)?;
    pending.commit(overwrite)
}

/// Replaces a file in one step but syncs nothing: for content that can be made again, where a sync costs too much.
///
/// Readers never see half a file while the system runs; after a loss of power the file may be empty.
pub fn write_unsynced(destination: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut pending = PendingFile::create(destination)?;
    pending.file().write_all(bytes)?;
    pending.file.persist(destination)?;
    Ok(())
}

/// Gives a complete file or folder another name on the same file system, synced before and after.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_file() {
        // Windows syncs only what is open for writing; elsewhere reading is enough, also of a read-only file.
        File::options().read(true).write(cfg!(windows)).open(from)?.sync_all()?;
    } else {
        sync_folder(from)?;
    }
    fs::rename(from, to)?;
    let (old, new) = (folder_of(from), folder_of(to));
    sync_folder(new)?;
    if old == new { Ok(()) } else { sync_folder(old) }
}

/// Makes created, renamed and removed names in a folder survive a loss of power.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // Windows has no such call; NTFS keeps a journal of names.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The folder that a file lies in, or will lie in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether a name is one that a file has while it is being written.
pub fn is_temporary(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(".bagel-") && name.ends_with(SUFFIX))
}

/// Removes the temporary files of one destination that killed writers left behind; a writer still at work fails.
pub fn remove_leftovers(destination: &Path) {
    let Some(name) = destination.file_name() else { return };
    let prefix = part_prefix(name);
    let is_leftover = |name: &OsStr| {
        let rest = name.to_str().and_then(|name| name.strip_prefix(&prefix)?.strip_suffix(SUFFIX));
        rest.is_some_and(|random| random.chars().all(|c| c.is_ascii_alphanumeric()))
    };
    for entry in fs::read_dir(folder_of(destination)).into_iter().flatten().flatten() {
        if is_leftover(&entry.file_name()) {
            // One that cannot be removed takes up space and does no other harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Begins with the destination's name, cut short: a name may be as long as the file system allows.
fn part_prefix(name: &OsStr) -> String {
    let name: String = name.to_string_lossy().chars().take(40).collect();
    format!(".bagel-{name}-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn existing_file_is_replaced_only_when_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        write(&path, b"first", Overwrite::Refuse).unwrap();
        let error = write(&path, b"second", Overwrite::Refuse).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        write(&path, b"third", Overwrite::Replace).unwrap();
        write_unsynced(&path, b"fourth").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"fourth");
        assert_eq!(names(folder.path()), ["a.bin"]);
    }

    #[test]
    fn one_of_many_writers_wins_and_the_others_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        let n_won = std::thread::scope(|scope| {
            let start = |value| {
                let path = &path;
                scope.spawn(move || write(path, &vec![value; 100_000], Overwrite::Refuse))
            };
            let writers: Vec<_> = (0..16u8).map(start).collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).filter(Result::is_ok).count()
        });
        assert_eq!(n_won, 1);
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.len() == 100_000 && bytes.iter().all(|byte| *byte == bytes[0]));
        assert_eq!(names(folder.path()), ["a.bin"]);
    }

    #[test]
    fn pending_file_that_is_dropped_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut pending = PendingFile::create(&folder.path().join("a.bin")).unwrap();
        pending.file().write_all(b"half").unwrap();
        assert!(is_temporary(pending.path().file_name().unwrap()));
        drop(pending);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn longest_names_can_be_saved() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a".repeat(255), "狐".repeat(85)] {
            write(&folder.path().join(&name), b"", Overwrite::Refuse).unwrap();
        }
        assert_eq!(write(Path::new("/"), b"", Overwrite::Replace).unwrap_err().kind(), io::ErrorKind::InvalidFilename);
    }

    #[test]
    fn leftovers_of_one_destination_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("q8.gguf");
        let leftover = PendingFile::create(&target).unwrap().file.keep().unwrap().1;
        let kept = [".bagel-q4.gguf-ab12.part", ".bagel-q8.gguf-x.gguf-ab12.part", "q8.gguf", "q8.gguf.part"];
        for name in kept {
            fs::write(folder.path().join(name), "").unwrap();
        }
        remove_leftovers(&target);
        assert!(!leftover.exists());
        assert_eq!(names(folder.path()), kept);
    }

    #[test]
    fn files_and_folders_are_renamed() {
        let folder = tempfile::tempdir().unwrap();
        let [part, inner, moved] = ["a.part", "inner", "moved"].map(|name| folder.path().join(name));
        fs::write(&part, "a").unwrap();
        fs::create_dir(&inner).unwrap();
        rename(&part, &inner.join("a")).unwrap();
        rename(&inner, &moved).unwrap();
        assert_eq!(fs::read(moved.join("a")).unwrap(), b"a");
        assert!(rename(&part, &inner).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn saved_files_have_the_usual_permissions() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        fs::write(folder.path().join("plain"), b"").unwrap();
        write(&folder.path().join("saved"), b"", Overwrite::Refuse).unwrap();
        write_unsynced(&folder.path().join("cached"), b"").unwrap();
        assert_eq!([mode("saved"), mode("cached")], [mode("plain"), mode("plain")]);
    }
}

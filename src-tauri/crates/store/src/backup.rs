//! Copies of the database, for the day that it is damaged.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::files::{BACKUPS, remove_file};
use crate::table::connection;
use crate::{Error, Result};

/// Backups that are kept.
const KEPT: usize = 7;

/// The newest of these are kept whatever their day; of the others one a day.
const KEPT_NEWEST: usize = 3;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A backup, named by its number and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Backup {
    pub(crate) number: u64,
    pub(crate) made_ms: u64,
    pub(crate) path: PathBuf,
}

/// Copies the database, whole and synced, and removes backups beyond those that are kept.
pub(crate) fn make(connection: &Connection, folder: &Path, now_ms: u64) -> Result<PathBuf> {
    let backups = folder.join(BACKUPS);
    let number = list(folder)?.first().map_or(1, |newest| newest.number + 1);
    let part = backups.join(format!(".bagel-{number}.part"));
    remove_file(&part)?;
    let path = backups.join(format!("{number:06}-{now_ms}.db"));
    let made = connection::copy_into(connection, &part)
        .and_then(|()| durable::rename(&part, &path).map_err(Error::disk("write the backup", &path)));
    if let Err(error) = made {
        // Half a copy must not take the room of what is to be saved.
        let _ = fs::remove_file(&part);
        return Err(error);
    }
    for outdated in outdated(&list(folder)?) {
        remove_file(&outdated.path)?;
    }
    Ok(path)
}

/// All backups, the newest first.
pub(crate) fn list(folder: &Path) -> Result<Vec<Backup>> {
    let backups = folder.join(BACKUPS);
    let mut list = Vec::new();
    for entry in fs::read_dir(&backups).map_err(Error::disk("read the folder", &backups))? {
        let path = entry.map_err(Error::disk("read the folder", &backups))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".db"));
        let parts = name.and_then(|name| name.split_once('-'));
        if let Some((Ok(number), Ok(made_ms))) = parts.map(|(number, made_ms)| (number.parse(), made_ms.parse())) {
            list.push(Backup { number, made_ms, path });
        }
    }
    list.sort_by_key(|backup| std::cmp::Reverse(backup.number));
    Ok(list)
}

/// Those that are not kept, of all backups from the newest on.
fn outdated(backups: &[Backup]) -> Vec<&Backup> {
    let mut n_kept = 0;
    let mut last_day = None;
    let mut outdated = Vec::new();
    for (backup_idx, backup) in backups.iter().enumerate() {
        let day = backup.made_ms / DAY_MS;
        if n_kept < KEPT && (backup_idx < KEPT_NEWEST || last_day != Some(day)) {
            n_kept += 1;
            last_day = Some(day);
        } else {
            outdated.push(backup);
        }
    }
    outdated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_and_one_of_each_day_are_kept() {
        let check = |days: &[u64], expected: &[u64]| {
            let backup =
                |(number, day): (u64, &u64)| Backup { number, made_ms: day * DAY_MS + number, path: PathBuf::new() };
            let backups: Vec<Backup> = (0..).zip(days).map(backup).collect();
            let gone: Vec<u64> = outdated(&backups).iter().map(|backup| backup.number).collect();
            assert_eq!(gone, expected, "{days:?}");
        };
        check(&[], &[]);
        check(&[9, 9, 9], &[]);
        check(&[9, 9, 9, 9, 9, 8, 8, 7], &[3, 4, 6]);
        check(&[9, 8, 7, 6, 5, 4, 3, 2, 1], &[7, 8]);
        // A clock that jumps makes days strange, and backups neither fewer nor endless.
        check(&[1, 900, 1, 900, 1, 900, 1, 900], &[7]);
    }
}

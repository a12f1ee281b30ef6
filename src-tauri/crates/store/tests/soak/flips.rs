//! Damages databases; the store must notice and repair it, and keep the damaged database.

use std::fs;
use std::path::Path;

use store::{DatabaseState, Store};

use crate::Outcome;
use crate::model::Model;
use crate::random::Random;
use crate::work::Work;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    /// One flipped bit in the database of a closed library.
    BitWhileClosed,
    /// One flipped bit in the database after a crash.
    BitAfterCrash,
    /// A page of noise, after a crash.
    PageAfterCrash,
    /// A truncated database.
    Cut,
    /// No write-ahead log, after a crash.
    LogMissing,
    /// No database and no backups.
    AllMissing,
}

const DAMAGES: [Damage; 6] = [
    Damage::BitWhileClosed,
    Damage::BitAfterCrash,
    Damage::PageAfterCrash,
    Damage::Cut,
    Damage::LogMissing,
    Damage::AllMissing,
];

pub(crate) fn run(n_copies: usize) -> Outcome<()> {
    let closed = tempfile::tempdir()?;
    let mut work = Work::open(closed.path(), 7)?;
    work.steps(250)?;
    let expected = Model::read(work.store())?;
    // All changes are now in the log and in the newest backup, and no marker says that the library was closed.
    work.store().back_up(2)?;
    let crashed = tempfile::tempdir()?;
    copy_library(closed.path(), crashed.path())?;
    work.store().close(3)?;
    drop(work);

    let mut random = Random::new(0xf11b);
    let (mut n_restored, mut n_rebuilt, mut n_readopted, mut n_undetected) = (0, 0, 0, 0);
    for number in 0..n_copies {
        let damage = DAMAGES.get(number % DAMAGES.len()).copied().unwrap_or(Damage::Cut);
        let folder = tempfile::tempdir()?;
        let is_closed = matches!(damage, Damage::BitWhileClosed | Damage::Cut | Damage::AllMissing);
        copy_library(if is_closed { closed.path() } else { crashed.path() }, folder.path())?;
        damage_copy(damage, folder.path(), &mut random)?;

        let opened = Store::open(folder.path(), 4).map_err(|error| format!("copy {number}, {damage:?}: {error}"))?;
        let fail = |what: &str| Err(format!("copy {number}, {damage:?}: {what}; {:?}", opened.recovery).into());
        let found = match opened
            .store
            .run_maintenance(u64::MAX / 4)
            .map_err(Into::into)
            .and_then(|()| Model::read_without(&opened.store, &opened.recovery.missing))
        {
            Ok(found) => found,
            // What only the full check finds is repaired at the next start.
            Err(_) if damage == Damage::BitAfterCrash || damage == Damage::PageAfterCrash => {
                drop(opened.store);
                let again = Store::open(folder.path(), 5)?;
                if !matches!(again.recovery.database, DatabaseState::Restored { .. }) {
                    return Err(format!("copy {number}, {damage:?}: not repaired at the second start").into());
                }
                n_restored += 1;
                continue;
            }
            Err(error) => return fail(&error.to_string()),
        };
        let is_set_aside = opened.recovery.set_aside.as_ref().is_some_and(|aside| aside.join("library.db").is_file());
        match &opened.recovery.database {
            DatabaseState::Restored { .. } if !is_set_aside => return fail("the damaged database was not kept"),
            DatabaseState::Restored { .. } => {
                n_restored += 1;
                let lost = expected.with_empty_queue().find_missing(&found.with_empty_queue(), None);
                if let Some(lost) = lost.or_else(|| is_closed.then(|| expected.find_missing(&found, None)).flatten()) {
                    return fail(&lost);
                }
            }
            DatabaseState::Rebuilt { .. } => {
                n_rebuilt += 1;
                if let Some(lost) = expected.find_missing_image(&found) {
                    return fail(&lost);
                }
            }
            DatabaseState::Sound if damage == Damage::LogMissing => {
                n_readopted += opened.recovery.adopted.len();
                if let Some(lost) = expected.find_missing_image(&found) {
                    return fail(&lost);
                }
            }
            // Inside a text or in unused space, where no check of SQLite finds it.
            DatabaseState::Sound if !is_closed => n_undetected += 1,
            state => return fail(&format!("{state:?}")),
        }
    }
    println!(
        "flips: {n_copies} copies damaged; {n_restored} restored from a backup, {n_rebuilt} rebuilt from the files, \
         {n_readopted} images adopted again after their log was lost, {n_undetected} damaged after a crash where \
         no check finds it; 0 images lost, 0 damaged databases discarded"
    );
    Ok(())
}

fn damage_copy(damage: Damage, folder: &Path, random: &mut Random) -> Outcome<()> {
    let path = folder.join("library.db");
    let mut bytes = fs::read(&path)?;
    let place = random.below(bytes.len());
    match damage {
        Damage::BitWhileClosed | Damage::BitAfterCrash => {
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1 << random.below(8);
            }
        }
        Damage::PageAfterCrash => {
            for byte in bytes.iter_mut().skip(place / 4096 * 4096).take(4096) {
                *byte = random.next() as u8;
            }
        }
        Damage::Cut => bytes.truncate(place),
        Damage::LogMissing => {
            fs::remove_file(folder.join("library.db-wal"))?;
            return Ok(());
        }
        Damage::AllMissing => {
            fs::remove_file(&path)?;
            fs::remove_dir_all(folder.join("backups"))?;
            return Ok(());
        }
    }
    Ok(fs::write(path, bytes)?)
}

/// Copies a library; images are hard links, because they never change.
fn copy_library(from: &Path, to: &Path) -> Outcome<()> {
    for entry in fs::read_dir(from)? {
        let (from, to) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        let is_image =
            from.parent().and_then(Path::parent).and_then(Path::file_name).is_some_and(|name| name == "images");
        if from.is_dir() {
            fs::create_dir(&to)?;
            copy_library(&from, &to)?;
        } else if is_image {
            fs::hard_link(&from, &to)?;
        } else if !from.ends_with("library.db-shm") {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

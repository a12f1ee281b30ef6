//! Databases are damaged; it must be noticed and mended, and the damaged one kept.

use std::fs;
use std::path::Path;

use store::{DatabaseState, Store};

use crate::Outcome;
use crate::chance::Chance;
use crate::model::Model;
use crate::work::Work;

/// What happens to a copy of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    /// One bit of the database of a closed library.
    BitWhileClosed,
    /// One bit of the database of a library that crashed.
    BitAfterCrash,
    /// A page of it full of noise, after a crash.
    PageAfterCrash,
    /// The end of it is gone.
    Cut,
    /// The log and its index are gone, after a crash.
    LogGone,
    /// All of it is gone, and the backups too.
    Gone,
}

const DAMAGES: [Damage; 6] =
    [Damage::BitWhileClosed, Damage::BitAfterCrash, Damage::PageAfterCrash, Damage::Cut, Damage::LogGone, Damage::Gone];

pub(crate) fn run(n_copies: usize) -> Outcome<()> {
    let closed = tempfile::tempdir()?;
    let mut work = Work::open(closed.path(), 7)?;
    work.steps(250)?;
    let expected = Model::read(work.store())?;
    // Everything is in the log then, and in the newest backup, and nothing says that the library was closed.
    work.store().back_up(2)?;
    let crashed = tempfile::tempdir()?;
    copy(closed.path(), crashed.path())?;
    work.store().close(3)?;
    drop(work);

    let mut chance = Chance::new(0xf11b);
    let (mut n_restored, mut n_rebuilt, mut n_readopted, mut n_unseen) = (0, 0, 0, 0);
    for number in 0..n_copies {
        let damage = DAMAGES.get(number % DAMAGES.len()).copied().unwrap_or(Damage::Cut);
        let folder = tempfile::tempdir()?;
        let is_closed = matches!(damage, Damage::BitWhileClosed | Damage::Cut | Damage::Gone);
        copy(if is_closed { closed.path() } else { crashed.path() }, folder.path())?;
        inflict(damage, folder.path(), &mut chance)?;

        let opened = Store::open(folder.path(), 4).map_err(|error| format!("copy {number}, {damage:?}: {error}"))?;
        let fail = |what: &str| Err(format!("copy {number}, {damage:?}: {what}; {:?}", opened.recovery).into());
        let found = match opened
            .store
            .tend(u64::MAX / 4)
            .map_err(Into::into)
            .and_then(|()| Model::read_without(&opened.store, &opened.recovery.missing))
        {
            Ok(found) => found,
            // What only the thorough check sees is mended at the next start.
            Err(_) if damage == Damage::BitAfterCrash || damage == Damage::PageAfterCrash => {
                drop(opened.store);
                let again = Store::open(folder.path(), 5)?;
                if !matches!(again.recovery.database, DatabaseState::Restored { .. }) {
                    return Err(format!("copy {number}, {damage:?}: not mended the second time").into());
                }
                n_restored += 1;
                continue;
            }
            Err(error) => return fail(&error.to_string()),
        };
        let is_kept = opened.recovery.set_aside.as_ref().is_some_and(|aside| aside.join("library.db").is_file());
        match &opened.recovery.database {
            DatabaseState::Restored { .. } if !is_kept => return fail("the damaged database was not kept"),
            DatabaseState::Restored { .. } => {
                n_restored += 1;
                let lost = expected.without_jobs().missing_in(&found.without_jobs(), None);
                if let Some(lost) = lost.or_else(|| is_closed.then(|| expected.missing_in(&found, None)).flatten()) {
                    return fail(&lost);
                }
            }
            DatabaseState::Rebuilt { .. } => {
                n_rebuilt += 1;
                if let Some(lost) = expected.images_missing_in(&found) {
                    return fail(&lost);
                }
            }
            DatabaseState::Sound if damage == Damage::LogGone => {
                n_readopted += opened.recovery.adopted.len();
                if let Some(lost) = expected.images_missing_in(&found) {
                    return fail(&lost);
                }
            }
            // In the middle of a text, or where nothing is: no check of SQLite's sees it.
            DatabaseState::Sound if !is_closed => n_unseen += 1,
            state => return fail(&format!("{state:?}")),
        }
    }
    println!(
        "flips: {n_copies} copies damaged; {n_restored} restored from a backup, {n_rebuilt} rebuilt from the files, \
         {n_readopted} images taken in again after their log was gone, {n_unseen} after a crash in places that \
         no check sees; 0 images lost, 0 damaged databases thrown away"
    );
    Ok(())
}

fn inflict(damage: Damage, folder: &Path, chance: &mut Chance) -> Outcome<()> {
    let path = folder.join("library.db");
    let mut bytes = fs::read(&path)?;
    let place = chance.below(bytes.len());
    match damage {
        Damage::BitWhileClosed | Damage::BitAfterCrash => {
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1 << chance.below(8);
            }
        }
        Damage::PageAfterCrash => {
            for byte in bytes.iter_mut().skip(place / 4096 * 4096).take(4096) {
                *byte = chance.next() as u8;
            }
        }
        Damage::Cut => bytes.truncate(place),
        Damage::LogGone => {
            fs::remove_file(folder.join("library.db-wal"))?;
            return Ok(());
        }
        Damage::Gone => {
            fs::remove_file(&path)?;
            fs::remove_dir_all(folder.join("backups"))?;
            return Ok(());
        }
    }
    Ok(fs::write(path, bytes)?)
}

/// A copy of a library; images are linked, because nothing ever changes them.
fn copy(from: &Path, to: &Path) -> Outcome<()> {
    for entry in fs::read_dir(from)? {
        let (from, to) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        let is_image =
            from.parent().and_then(Path::parent).and_then(Path::file_name).is_some_and(|name| name == "images");
        if from.is_dir() {
            fs::create_dir(&to)?;
            copy(&from, &to)?;
        } else if is_image {
            fs::hard_link(&from, &to)?;
        } else if !from.ends_with("library.db-shm") {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

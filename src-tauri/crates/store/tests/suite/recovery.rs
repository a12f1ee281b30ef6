//! What a start finds and mends.

use std::fs;
use std::path::Path;

use protocol::{GalleryFilter, Node, ProjectId};
use store::{DatabaseState, Error, ImportSource, NewTurn, Store, StoredJob};

use crate::support::*;

/// Everything about a library that its user can see.
fn all(store: &Store) -> (Vec<Node>, Vec<protocol::Turn>, Vec<StoredJob>) {
    let nodes = store.gallery(&GalleryFilter::default(), None, 500).unwrap().nodes;
    let projects = store.projects(None, 500).unwrap().projects;
    let turns = projects.iter().flat_map(|project| store.turns(project.id).unwrap()).collect();
    (nodes, turns, store.jobs().unwrap())
}

fn filled() -> Library {
    let library = Library::new();
    let first = library.import("photo.png").node;
    let second = library.edit(&first, "snow").node;
    library.edit(&second, "more snow");
    library.create("一只猫");
    library.store.rename_node(second.id, Some("Winter")).unwrap();
    library.store.set_tags(&[second.id], &["best".to_owned()]).unwrap();
    library.store.set_starred(&[second.id], true).unwrap();
    let turn = NewTurn { prompt: "Why?".to_owned(), answer: "Snow.".to_owned(), ..NewTurn::default() };
    let (turn, _) = library.store.add_turn(first.project, turn, 1).unwrap();
    library.store.set_left_out(&[turn.id], true).unwrap();
    let job =
        StoredJob { id: protocol::JobId::new(), order: 1, state: "queued".to_owned(), body: serde_json::json!({}) };
    library.store.put_job(&job).unwrap();
    library
}

fn flip(path: &Path, position: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[position] ^= 0xff;
    fs::write(path, bytes).unwrap();
}

/// Closes, does something to the folder, and opens again.
fn after(library: Library, damage: impl FnOnce(&Path)) -> (Library, store::Recovery) {
    library.store.close(50).unwrap();
    let Library { store, folder } = library;
    drop(store);
    damage(folder.path());
    let opened = Store::open(folder.path(), 60).unwrap();
    (Library { store: opened.store, folder }, opened.recovery)
}

#[test]
fn a_closed_library_opens_as_it_was() {
    let library = filled();
    let expected = all(&library.store);
    let (library, recovery) = library.close_and_reopen();
    assert!(recovery.was_closed);
    assert_eq!(recovery.database, DatabaseState::Sound);
    assert_eq!(all(&library.store), expected);
}

#[test]
fn a_crash_loses_nothing() {
    let library = filled();
    let expected = all(&library.store);
    let (library, recovery) = library.crash_and_reopen();
    assert!(!recovery.was_closed && recovery.adopted.is_empty() && recovery.missing.is_empty());
    assert_eq!(all(&library.store), expected);
}

#[test]
fn a_bit_that_changed_while_closed_is_noticed_and_nothing_is_lost() {
    for position in [0, 30, 5_000, 20_000, 40_001] {
        let library = filled();
        let expected = all(&library.store);
        let (library, recovery) = after(library, |folder| flip(&folder.join("library.db"), position));
        assert!(matches!(recovery.database, DatabaseState::Restored { backup_ms: 50, .. }), "{recovery:?}");
        assert!(recovery.set_aside.unwrap().join("library.db").is_file() && !recovery.lost_jobs);
        assert_eq!(all(&library.store), expected);
    }
}

#[test]
fn a_damaged_backup_is_passed_over() {
    let library = filled();
    library.store.back_up(20).unwrap();
    let expected = all(&library.store);
    library.store.set_starred(&[expected.0[0].id], true).unwrap();
    let (library, recovery) = after(library, |folder| {
        flip(&folder.join("library.db"), 30_000);
        let mut backups: Vec<_> =
            fs::read_dir(folder.join("backups")).unwrap().map(|entry| entry.unwrap().path()).collect();
        backups.sort();
        assert_eq!(backups.len(), 2);
        fs::write(&backups[1], b"SQLite format 3\0 and nothing else").unwrap();
    });
    assert!(matches!(recovery.database, DatabaseState::Restored { backup_ms: 20, .. }), "{recovery:?}");
    assert_eq!(all(&library.store).0, expected.0);
}

#[test]
fn a_lost_database_is_rebuilt_from_the_files() {
    let library = filled();
    let (nodes, ..) = all(&library.store);
    let (library, recovery) = after(library, |folder| {
        fs::remove_file(folder.join("library.db")).unwrap();
        fs::remove_dir_all(folder.join("backups")).unwrap();
    });
    assert!(matches!(recovery.database, DatabaseState::Rebuilt { .. }));
    assert_eq!(recovery.adopted.len(), 4);
    assert!(recovery.lost_jobs);
    let (rebuilt, turns, jobs) = all(&library.store);
    assert!(turns.is_empty() && jobs.is_empty());
    // Everything but what is in the database only.
    let bare = |node: &Node| Node { name: None, tags: vec![], starred: false, took_ms: None, ..node.clone() };
    let (mut expected, mut rebuilt): (Vec<_>, Vec<_>) =
        (nodes.iter().map(bare).collect(), rebuilt.iter().map(bare).collect());
    expected.sort_by_key(|node| node.id);
    rebuilt.sort_by_key(|node| node.id);
    assert_eq!(rebuilt, expected);
    assert_eq!(library.search("猫").len(), 1);
    library.create("life goes on");
}

#[test]
fn what_is_newer_than_the_backup_comes_from_the_files() {
    let library = filled();
    library.store.back_up(20).unwrap();
    let old = all(&library.store).0;
    let newer = library.edit(&old[0], "newer").node;
    let imported = library.import("newer.png").node;
    let folder = {
        let Library { store, folder } = library;
        drop(store);
        folder
    };
    fs::write(folder.path().join("library.db"), b"damaged").unwrap();
    fs::remove_file(folder.path().join("library.db-wal")).ok();
    let opened = Store::open(folder.path(), 60).unwrap();
    assert!(matches!(opened.recovery.database, DatabaseState::Restored { backup_ms: 20, .. }));
    assert_eq!(opened.recovery.adopted, [newer.id, imported.id]);
    assert!(opened.recovery.lost_jobs);
    assert_eq!(opened.store.node(newer.id).unwrap().parent, Some(old[0].id));
    assert_eq!(opened.store.node(old[0].id).unwrap().name, old[0].name);
}

#[test]
fn finished_images_without_an_entry_are_taken_in() {
    let library = filled();
    library.store.back_up(20).unwrap();
    // As if the crash came between the file and its entry.
    let made = library.create("just done").node;
    let Library { store, folder } = library;
    drop(store);
    let backup = fs::read_dir(folder.path().join("backups")).unwrap().next().unwrap().unwrap().path();
    for log in ["library.db-wal", "library.db-shm"] {
        fs::remove_file(folder.path().join(log)).ok();
    }
    fs::copy(backup, folder.path().join("library.db")).unwrap();
    let shard = folder.path().join("images/00");
    fs::write(shard.join(".bagel-x1y2.part"), b"half a pict").unwrap();
    fs::write(shard.join("holiday.png"), png("holiday")).unwrap();
    let lonely = format!("{}.{}.json", "00".repeat(32), protocol::NodeId::new());
    fs::write(shard.join(&lonely), b"{}").unwrap();

    let opened = Store::open(folder.path(), 60).unwrap();
    assert_eq!(opened.recovery.adopted, [made.id]);
    assert_eq!(opened.recovery.unknown, [shard.join("holiday.png")]);
    assert_eq!(opened.recovery.n_removed, 2);
    assert!(shard.join("holiday.png").exists() && !shard.join(lonely).exists());
    assert_eq!(opened.store.node(made.id).unwrap().prompt, "just done");
}

#[test]
fn images_whose_file_is_gone_are_named() {
    let library = filled();
    let node = all(&library.store).0.remove(0);
    fs::remove_file(library.store.path(node.id).unwrap()).unwrap();
    let (library, recovery) = library.crash_and_reopen();
    assert_eq!(recovery.missing, [node.id]);
    assert!(library.store.thumbnail(node.id).is_err());
    // It can be put away like any other.
    library.store.trash(&[node.id], 1).unwrap();
    assert_eq!(library.store.empty_trash(u64::MAX).unwrap().nodes, [node.id]);
}

#[test]
fn notes_cannot_lead_in_circles_or_out_of_the_library() {
    let library = Library::new();
    let first = library.create("first").node;
    let second = library.edit(&first, "second").node;
    let path = library.store.path(first.id).unwrap();
    let head = imagefile::read_head(&path, "bagel-history").unwrap();
    let mut note: serde_json::Value = serde_json::from_str(&head.text.unwrap()).unwrap();
    note["ancestors"] = serde_json::json!([second.id, first.id]);
    note["references"] = serde_json::json!([first.id, second.id, protocol::NodeId::new()]);
    note["prompt"] = "../../evil".into();
    let plain = imagefile::without_text(&fs::read(&path).unwrap(), "bagel-history").unwrap();
    fs::write(&path, imagefile::with_text(&plain, "bagel-history", &note.to_string()).unwrap()).unwrap();
    let (library, recovery) = after(library, |folder| {
        fs::remove_file(folder.join("library.db")).unwrap();
        fs::remove_dir_all(folder.join("backups")).unwrap();
    });
    assert_eq!(recovery.adopted.len(), 2);
    let mended = library.store.node(first.id).unwrap();
    assert_eq!((mended.parent, mended.prompt.as_str()), (None, "../../evil"));
    assert!(!mended.references.contains(&first.id));
    assert_eq!(library.store.node(second.id).unwrap().parent, Some(first.id));
}

#[test]
fn a_note_that_counts_beyond_all_numbers_is_no_note() {
    let library = Library::new();
    let kept = library.create("kept").node;
    let other = library.create("other").node;
    let path = library.store.path(other.id).unwrap();
    let head = imagefile::read_head(&path, "bagel-history").unwrap();
    let mut note: serde_json::Value = serde_json::from_str(&head.text.unwrap()).unwrap();
    note["order"] = i64::MAX.into();
    let plain = imagefile::without_text(&fs::read(&path).unwrap(), "bagel-history").unwrap();
    fs::write(&path, imagefile::with_text(&plain, "bagel-history", &note.to_string()).unwrap()).unwrap();
    let (library, recovery) = after(library, |folder| {
        fs::remove_file(folder.join("library.db")).unwrap();
        fs::remove_dir_all(folder.join("backups")).unwrap();
    });
    assert_eq!((recovery.adopted, recovery.unknown), (vec![kept.id], vec![path]));
    library.create("life goes on");
}

#[test]
fn a_second_program_is_refused_with_a_line() {
    let library = filled();
    let expected = all(&library.store);
    let Err(error) = Store::open(library.folder.path(), 1) else { panic!("two have it open") };
    assert!(matches!(error, Error::InUse { .. }));
    assert!(error.to_string().contains("another window"), "{error}");
    assert_eq!(all(&library.store), expected);
    library.create("still works");
}

#[test]
fn a_newer_library_is_refused_and_stays_as_it_is() {
    let library = filled();
    library.store.close(1).unwrap();
    let Library { store, folder } = library;
    drop(store);
    let path = folder.path().join("library.db");
    let mut bytes = fs::read(&path).unwrap();
    // The form stands here in the header of every SQLite file.
    bytes[63] += 1;
    fs::write(&path, &bytes).unwrap();
    let before = fs::read_dir(folder.path()).unwrap().count();
    let Err(error) = Store::open(folder.path(), 1) else { panic!("it was opened") };
    assert!(matches!(error, Error::NewerSchema { found, known, .. } if found == known + 1), "{error}");
    assert!(error.to_string().contains("update Bagel Studio"));
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), before);
    bytes[63] -= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(Store::open(folder.path(), 1).unwrap().recovery.was_closed);
}

/// The library of version 1 that [`write_the_fixture`] made, which every later version must open completely.
#[test]
fn a_library_of_version_1_opens() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join(FIXTURE);
    let folder = Library::outside();
    fs::copy(fixture, folder.path().join("library.db")).unwrap();
    let opened = Store::open(folder.path(), 1).unwrap();
    assert_eq!(opened.recovery.database, DatabaseState::Sound);
    assert_eq!(opened.recovery.missing.len(), 4, "the fixture has no image files");
    let (nodes, turns, jobs) = all(&opened.store);
    let prompts: Vec<_> = nodes.iter().map(|node| node.prompt.as_str()).collect();
    assert_eq!(prompts, ["more snow", "snow", "photo.png", "一只猫"]);
    assert_eq!((nodes[1].name.as_deref(), nodes[1].starred), (Some("Winter"), true));
    assert_eq!((turns[0].answer.as_str(), turns[0].left_out, jobs.len()), ("Snow.", true, 1));
    let library = Library { store: opened.store, folder };
    assert_eq!(library.search("只猫").len(), 1);
}

const FIXTURE: &str = "tests/fixtures/v1/library.db";

/// Run it with `--ignored` for a new version of the schema, under a new name; released fixtures never change.
#[test]
#[ignore = "writes the fixture"]
fn write_the_fixture() {
    let library = filled();
    library.store.close(1).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join(FIXTURE);
    fs::create_dir_all(fixture.parent().unwrap()).unwrap();
    fs::copy(library.folder.path().join("library.db"), fixture).unwrap();
}

#[test]
fn an_unfinished_first_start_begins_again() {
    let folder = Library::outside();
    fs::write(folder.path().join("library.db"), b"").unwrap();
    let opened = Store::open(folder.path(), 1).unwrap();
    assert_eq!(opened.recovery.database, DatabaseState::Created);
    let new = new_node(ProjectId::new(), None, "a");
    opened.store.add_result(&new, &image("a"), None, 1).unwrap();
}

#[test]
fn backups_are_made_when_something_changed_and_not_without_end() {
    let library = Library::new();
    let n_backups = |folder: &Path| fs::read_dir(folder.join("backups")).unwrap().count();
    let day = 24 * 60 * 60 * 1000;
    for number in 0..12 {
        library.create(&format!("{number}"));
        library.store.run_maintenance(number * day + 5).unwrap();
    }
    assert_eq!(n_backups(library.folder.path()), 7);
    library.store.run_maintenance(11 * day + 5).unwrap();
    let (library, _) = library.close_and_reopen();
    let names = |library: &Library| -> Vec<_> {
        fs::read_dir(library.folder.path().join("backups")).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    };
    let before = names(&library);
    let (library, _) = library.close_and_reopen();
    assert_eq!(names(&library), before, "nothing changed, nothing was copied");
}

#[test]
fn an_import_of_the_same_file_twice_survives_a_rebuild_twice() {
    let library = Library::new();
    let one = library.import("cat.png").node;
    let source = ImportSource::Bytes { name: "again.png".to_owned(), bytes: png("cat.png") };
    let two = library.store.import(source, None, 1).unwrap().node;
    let (library, recovery) = after(library, |folder| {
        fs::remove_file(folder.join("library.db")).unwrap();
        fs::remove_dir_all(folder.join("backups")).unwrap();
    });
    assert_eq!(recovery.adopted, [one.id, two.id]);
    assert_eq!(library.store.node(two.id).unwrap().prompt, "again.png");
}

/// Puts a file on the list of what is to go, as a program does that ends before it has removed it.
fn schedule_delete(library: &Library, path: &str) {
    let database = rusqlite::Connection::open(library.folder.path().join("library.db")).unwrap();
    database.execute("INSERT INTO pending_delete (path) VALUES (?1)", [path]).unwrap();
}

#[test]
fn a_removed_file_that_resists_keeps_no_library_shut_and_does_not_come_back() {
    let hash = "a".repeat(64);
    let image = format!("images/aa/{hash}.png");
    let library = filled();
    schedule_delete(&library, &image);
    let (library, _) = after(library, |folder| {
        // A folder cannot be removed as a file can, as little as a file that another program holds open elsewhere.
        fs::create_dir(folder.join(&image)).unwrap();
    });
    library.create("life goes on");
    let bytes = fs::read(library.store.path(library.create("as made here").node.id).unwrap()).unwrap();
    let n_before = library.find(&GalleryFilter::default()).len();
    let (library, recovery) = after(library, |folder| {
        fs::remove_dir(folder.join(&image)).unwrap();
        fs::write(folder.join(&image), bytes).unwrap();
    });
    assert!(!library.folder.path().join(&image).exists(), "it is still on the list");
    assert!(recovery.adopted.is_empty());
    assert_eq!(library.find(&GalleryFilter::default()).len(), n_before);
}

/// macOS takes no such name.
#[cfg(target_os = "linux")]
#[test]
fn a_library_whose_path_is_no_text_is_backed_up() {
    use std::os::unix::ffi::OsStrExt;
    let outside = Library::outside();
    let folder = outside.path().join(std::ffi::OsStr::from_bytes(b"l'\xff\xfe\x80"));
    fs::create_dir(&folder).unwrap();
    let store = Store::open(&folder, 1).unwrap().store;
    let backup = store.back_up(2).unwrap();
    assert!(backup.starts_with(&folder) && fs::read(&backup).unwrap().starts_with(b"SQLite format 3\0"));
    store.close(3).unwrap();
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1, "nothing lies beside the library");
}

#[test]
fn the_thumbnail_of_a_removed_image_does_not_stay() {
    let thumbnail = format!("thumbnails/aa/{}.jpg", "a".repeat(64));
    let library = filled();
    schedule_delete(&library, &thumbnail);
    let (library, _) = after(library, |folder| {
        fs::create_dir_all(folder.join("thumbnails/aa")).unwrap();
        fs::write(folder.join(&thumbnail), "small").unwrap();
    });
    assert!(!library.folder.path().join(&thumbnail).exists());
}

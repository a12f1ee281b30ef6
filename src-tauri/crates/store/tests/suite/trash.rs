//! The trash, and what leaves it for good.

use store::trash::TRASH_MS;
use store::{Error, ImportSource, NewTurn};

use crate::support::*;

#[test]
fn a_image_comes_back_from_the_trash_as_it_was() {
    let library = Library::new();
    let first = library.create("first").node;
    let second = library.edit(&first, "second").node;
    let trashed = library.store.trash(&[first.id], 70).unwrap();
    assert_eq!(trashed[0].trashed_ms, Some(70));
    assert_eq!(library.store.trash(&[first.id], 90).unwrap()[0].trashed_ms, Some(70), "the days are not counted anew");
    assert_eq!(library.find(&protocol::GalleryFilter::default()), ["second"]);
    let contents = library.store.project(first.project).unwrap();
    assert_eq!((contents.nodes.len(), contents.project.n_nodes, contents.project.cover), (2, 1, Some(second.id)));
    assert_eq!(contents.nodes[1].parent, Some(first.id), "it keeps its place");
    assert_eq!(library.store.restore(&[first.id]).unwrap()[0], first);
}

#[test]
fn the_trash_is_emptied_after_its_time() {
    let library = Library::new();
    let (old, new) = (library.create("old").node, library.create("new").node);
    library.store.trash(&[old.id], 1_000).unwrap();
    library.store.trash(&[new.id], 2_000).unwrap();
    let (old_path, new_path) = (library.store.path(old.id).unwrap(), library.store.path(new.id).unwrap());
    let thumbnail = library.store.thumbnail(old.id).unwrap();
    let size_bytes = std::fs::metadata(&old_path).unwrap().len();
    let emptied = library.store.empty_trash((TRASH_MS + 1_500) - TRASH_MS).unwrap();
    assert_eq!(emptied.nodes, [old.id]);
    assert_eq!(emptied.projects, [old.project]);
    assert_eq!(emptied.freed_bytes, size_bytes);
    assert!(!old_path.exists() && !thumbnail.exists() && new_path.exists());
    assert!(matches!(library.store.node(old.id), Err(Error::NoNode(_))));
    assert!(matches!(library.store.project(old.project), Err(Error::NoProject(_))));
    assert!(library.search("old").is_empty());
    assert_eq!(library.store.empty_trash(u64::MAX).unwrap().nodes, [new.id]);
    assert!(library.image_files().is_empty());
}

#[test]
fn children_of_a_removed_image_go_to_its_parent() {
    let library = Library::new();
    let first = library.create("first").node;
    let second = library.edit(&first, "second").node;
    let third = library.edit(&second, "third").node;
    let mut new = new_node(first.project, None, "with reference");
    new.references = vec![second.id, third.id];
    library.store.add_result(&new, &image("with reference"), None, 1).unwrap();
    let turn = NewTurn { images: vec![second.id, third.id], ..NewTurn::default() };
    library.store.add_turn(first.project, turn, 1).unwrap();
    library.store.trash(&[second.id], 1).unwrap();
    let emptied = library.store.empty_trash(u64::MAX).unwrap();
    assert!(emptied.projects.is_empty());
    assert_eq!(library.store.node(third.id).unwrap().parent, Some(first.id));
    assert_eq!(library.store.node(new.id).unwrap().references, [third.id]);
    assert_eq!(library.store.turns(first.project).unwrap()[0].images, [third.id]);

    // The same tree comes back from the files alone.
    library.store.close(1).unwrap();
    let Library { store, folder } = library;
    drop(store);
    std::fs::remove_file(folder.path().join("library.db")).unwrap();
    std::fs::remove_dir_all(folder.path().join("backups")).unwrap();
    let store = store::Store::open(folder.path(), 1).unwrap().store;
    assert_eq!(store.node(third.id).unwrap().parent, Some(first.id));
    assert_eq!(store.node(new.id).unwrap().references, [third.id]);
}

#[test]
fn a_shared_file_stays_until_its_last_image_goes() {
    let library = Library::new();
    let one = library.import("cat.png").node;
    let source = ImportSource::Bytes { name: "again.png".to_owned(), bytes: png("cat.png") };
    let two = library.store.import(source, None, 1).unwrap().node;
    let path = library.store.path(one.id).unwrap();
    assert_eq!(library.image_files().len(), 3, "an image and two notes");
    library.store.trash(&[one.id], 1).unwrap();
    assert_eq!(library.store.empty_trash(u64::MAX).unwrap().freed_bytes, 0);
    assert!(path.exists());
    assert_eq!(library.image_files().len(), 2);
    library.store.trash(&[two.id], 1).unwrap();
    library.store.empty_trash(u64::MAX).unwrap();
    assert!(library.image_files().is_empty());
}

//! Images and projects on their way out and back in.

use std::path::Path;

use imagefile::EmbeddedRecipe;
use protocol::{ExportFormat, NodeId};
use store::{Error, ImportSource, NewTurn, Store};

use crate::support::*;

const NOTE: &[u8] = b"bagel-history";
const LABEL: &[u8] = b"trainedAlgorithmicMedia";

fn contains(path: &Path, what: &[u8]) -> bool {
    std::fs::read(path).unwrap().windows(what.len()).any(|window| window == what)
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode()
}

/// What the umask leaves to others.
#[cfg(unix)]
fn mode_of_a_new_file(folder: &Path) -> u32 {
    let path = folder.join("new");
    std::fs::write(&path, "").unwrap();
    mode(&path)
}

#[test]
fn a_image_leaves_in_every_format() {
    let library = Library::new();
    let node = library.create("a fox").node;
    let outside = Library::outside();
    assert!(contains(&library.store.path(node.id).unwrap(), NOTE));
    for (format, name) in [
        (ExportFormat::Png, "a.png"),
        (ExportFormat::PngPlain, "b.png"),
        (ExportFormat::Jpeg, "c.jpg"),
        (ExportFormat::Webp, "d.webp"),
    ] {
        let path = outside.path().join(name);
        library.store.export(node.id, format, &path).unwrap();
        let read = imagefile::read(&path).unwrap();
        assert!(!contains(&path, NOTE), "{name} says where it belongs");
        assert!(!contains(&path, node.id.to_string().as_bytes()));
        assert!(contains(&path, LABEL), "{name} does not say that a model made it");
        assert_eq!(matches!(read.recipe, EmbeddedRecipe::Found(_)), format == ExportFormat::Png, "{name}");
        if format != ExportFormat::Jpeg {
            assert_eq!(read.image, image("a fox"));
        }
    }
}

#[test]
fn many_images_never_take_each_others_names() {
    let library = Library::new();
    let ids: Vec<_> = (0..3).map(|_| library.create("a fox").node.id).collect();
    let named = library.create("x").node.id;
    library.store.rename_node(named, Some("../con/A Fox.png")).unwrap();
    let outside = Library::outside();
    std::fs::write(outside.path().join("a fox.jpg"), b"mine").unwrap();
    let all = [ids, vec![named]].concat();
    let paths = library.store.export_many(&all, ExportFormat::Jpeg, outside.path()).unwrap();
    let names: Vec<_> = paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["a fox (2).jpg", "a fox (3).jpg", "a fox (4).jpg", "con A Fox.jpg"]);
    assert!(paths.iter().all(|path| path.parent() == Some(outside.path())));
    assert_eq!(std::fs::read(outside.path().join("a fox.jpg")).unwrap(), b"mine");
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_out_of_the_folder() {
    let library = Library::new();
    let node = library.create("a fox").node;
    let (outside, target) = (Library::outside(), Library::outside());
    let victim = target.path().join("victim");
    std::fs::write(&victim, b"mine").unwrap();
    std::os::unix::fs::symlink(&victim, outside.path().join("a fox.png")).unwrap();
    std::os::unix::fs::symlink(target.path().join("new"), outside.path().join("a fox (2).png")).unwrap();
    let paths = library.store.export_many(&[node.id], ExportFormat::Png, outside.path()).unwrap();
    assert_eq!(paths, [outside.path().join("a fox (3).png")]);
    library.store.export(node.id, ExportFormat::Png, &outside.path().join("a fox.png")).unwrap();
    assert_eq!(std::fs::read(&victim).unwrap(), b"mine", "the link is replaced, not what it leads to");
    assert!(!target.path().join("new").exists());
}

#[test]
fn nothing_is_written_into_the_library() {
    let library = Library::new();
    let node = library.create("a fox").node;
    let images = library.folder.path().join("images");
    let dotted = library.folder.path().join("thumbnails/../images/ab");
    for folder in [library.folder.path(), &images, &dotted] {
        let one = library.store.export(node.id, ExportFormat::Png, &folder.join("x.png"));
        assert!(matches!(one, Err(Error::InsideLibrary { .. })));
        assert!(matches!(
            library.store.export_many(&[node.id], ExportFormat::Png, folder),
            Err(Error::InsideLibrary { .. })
        ));
        assert!(matches!(
            library.store.write_bundle(node.project, &folder.join("x.zip")),
            Err(Error::InsideLibrary { .. })
        ));
    }
}

#[test]
fn a_project_travels_as_one_file() {
    let library = Library::new();
    let first = library.import("photo.png").node;
    let second = library.edit(&first, "make it snow").node;
    let trashed = library.edit(&second, "too much").node;
    let fourth = library.edit(&trashed, "less of it").node;
    library.store.trash(&[trashed.id], 1).unwrap();
    library.store.rename_project(first.project, Some("冬 Winter")).unwrap();
    library.store.rename_node(second.id, Some("Snow")).unwrap();
    library.store.set_tags(&[second.id], &["best".to_owned()]).unwrap();
    library.store.set_starred(&[fourth.id], true).unwrap();
    let turn = NewTurn {
        prompt: "What is it?".to_owned(),
        images: vec![second.id],
        plan: Some("snow".to_owned()),
        answer: "Snow.".to_owned(),
        stopped: true,
    };
    library.store.add_turn(first.project, turn, 1_234).unwrap();
    let outside = Library::outside();
    let path = outside.path().join("winter.bagel.zip");
    library.store.write_bundle(first.project, &path).unwrap();
    #[cfg(unix)]
    assert_eq!(mode(&path), mode_of_a_new_file(outside.path()));
    assert!(!contains(&path, first.id.to_string().as_bytes()) && !contains(&path, NOTE));

    let other = Library::new();
    for store in [&other.store, &library.store] {
        let id = store.open_bundle(&path, 9_999).unwrap();
        let contents = store.project(id).unwrap();
        assert_eq!((contents.project.name.as_str(), contents.project.n_nodes), ("冬 Winter", 3));
        assert_eq!(contents.project.changed_ms, 9_999);
        let [a, b, c] = contents.nodes.as_slice() else { panic!("{:?}", contents.nodes) };
        assert_eq!((a.parent, b.parent, c.parent), (None, Some(a.id), Some(b.id)));
        assert_eq!((a.prompt.as_str(), a.origin), ("photo.png", first.origin));
        assert_eq!((b.name.as_deref(), b.tags.as_slice()), (Some("Snow"), &["best".to_owned()][..]));
        assert_eq!((c.starred, c.took_ms, c.seed, c.has_recipe), (true, Some(250), Some(42), true));
        assert_eq!(store.recipe(c.id).unwrap(), library.store.recipe(fourth.id).unwrap());
        assert_eq!(imagefile::read(&store.path(b.id).unwrap()).unwrap().image, image("make it snow"));
        let [turn] = contents.turns.as_slice() else { panic!("{:?}", contents.turns) };
        assert_eq!((turn.prompt.as_str(), turn.answer.as_str(), turn.stopped), ("What is it?", "Snow.", true));
        assert_eq!((turn.images.as_slice(), turn.created_ms), (&[b.id][..], 1_234));
    }
    assert_eq!(other.search("snow"), ["make it snow"]);
    assert_eq!(other.search("冬").len(), 3);

    // What came in a bundle is rebuilt from its files like everything else.
    let before = other.store.gallery(&protocol::GalleryFilter::default(), None, 9).unwrap().nodes;
    let Library { store, folder } = other;
    drop(store);
    std::fs::remove_file(folder.path().join("library.db")).unwrap();
    let store = Store::open(folder.path(), 1).unwrap().store;
    let after = store.gallery(&protocol::GalleryFilter::default(), None, 9).unwrap().nodes;
    let tree = |nodes: &[protocol::Node]| nodes.iter().map(|node| (node.id, node.parent)).collect::<Vec<_>>();
    assert_eq!(tree(&before), tree(&after));
}

#[test]
fn a_bundle_that_names_what_it_may_not_is_refused() {
    use std::io::Write;

    let node = |file: &str, parent: Option<usize>| {
        serde_json::json!({
            "file": file, "parent": parent, "references": [], "origin": "generate", "prompt": "a", "name": null,
            "starred": false, "tags": [], "plan": null, "took_ms": null, "created_ms": u64::MAX,
        })
    };
    let turns = |questions: &[&str]| -> Vec<serde_json::Value> {
        let turn = |prompt: &&str| {
            serde_json::json!({
                "prompt": prompt, "images": [], "plan": null, "answer": "a", "stopped": false, "left_out": false, "created_ms": 1,
            })
        };
        questions.iter().map(turn).collect()
    };
    let library = Library::new();
    let outside = Library::outside();
    let path = outside.path().join("a.zip");
    let open = |version: u32, nodes: &[serde_json::Value], questions: &[&str]| {
        let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        archive.start_file("a.png", options).unwrap();
        archive.write_all(&png("a")).unwrap();
        archive.start_file("project.json", options).unwrap();
        let list = serde_json::json!({
            "version": version, "name": "a", "created_ms": 1, "nodes": nodes, "turns": turns(questions),
        });
        archive.write_all(list.to_string().as_bytes()).unwrap();
        archive.finish().unwrap();
        library.store.open_bundle(&path, 1)
    };
    for (version, nodes) in [
        (2, vec![node("a.png", None)]),
        (1, vec![]),
        (1, vec![node("a.png", None), node("a.png", None)]),
        (1, vec![node("a.png", Some(0))]),
        (1, vec![node("../../etc/passwd", None)]),
        (1, vec![node("/etc/passwd", None)]),
        (1, vec![node("project.json", None)]),
    ] {
        let error = open(version, &nodes, &[]).unwrap_err();
        assert_eq!(error.code(), protocol::ErrorCode::NotAProject, "{error}");
        assert_eq!(error.to_string().lines().count(), 1);
    }
    // What could not have been asked here would end the engine, or be in the way of every later prompt.
    for prompt in ["", " \n", &"x".repeat(20_001)] {
        let error = open(1, &[node("a.png", None)], &["What?", prompt]).unwrap_err();
        assert_eq!(error.code(), protocol::ErrorCode::NotAProject, "{error}");
    }
    assert!(library.image_files().is_empty());
    assert!(open(1, &[node("a.png", None)], &["What?", &"画".repeat(20_000)]).is_ok());
}

#[test]
fn a_damaged_bundle_brings_nothing_in() {
    let library = Library::new();
    let first = library.import("photo.png").node;
    library.edit(&first, "second");
    let outside = Library::outside();
    let path = outside.path().join("a.zip");
    library.store.write_bundle(first.project, &path).unwrap();
    let whole = std::fs::read(&path).unwrap();

    let other = Library::new();
    for n_bytes in (0..whole.len()).step_by(61) {
        std::fs::write(&path, &whole[..n_bytes]).unwrap();
        let error = other.store.open_bundle(&path, 1).unwrap_err().to_string();
        assert!(error.lines().count() == 1, "{error}");
    }
    let mut n_refused = 0;
    for position in (0..whole.len()).step_by(41) {
        let mut flipped = whole.clone();
        flipped[position] ^= 0x10;
        std::fs::write(&path, &flipped).unwrap();
        match other.store.open_bundle(&path, 1) {
            Err(_) => n_refused += 1,
            Ok(id) => {
                // Flips in what nobody reads, such as times, do no harm: all of it is there.
                let contents = other.store.project(id).unwrap();
                assert_eq!(contents.nodes.len(), 2);
                let ids: Vec<_> = contents.nodes.iter().map(|node| node.id).collect();
                other.store.trash(&ids, 1).unwrap();
                other.store.empty_trash(u64::MAX).unwrap();
            }
        }
    }
    assert!(n_refused > whole.len() / 41 / 2);
    assert_eq!(other.store.counts().unwrap().n_nodes, 0);
    assert!(other.image_files().is_empty(), "{:?}", other.image_files());
    let (_, recovery) = other.crash_and_reopen();
    assert!(recovery.adopted.is_empty() && recovery.unknown.is_empty());
    for path in [outside.path().to_owned(), outside.path().join("none.zip")] {
        assert!(library.store.open_bundle(&path, 1).is_err());
    }
}

#[test]
fn what_is_opened_again_keeps_its_files_while_the_trash_is_emptied() {
    for delay_ms in 0..8 {
        let library = Library::new();
        let project = library.import("0.png").node.project;
        for number in 1..12 {
            let source = ImportSource::Bytes { name: format!("{number}.png"), bytes: png(&number.to_string()) };
            library.store.import(source, Some(project), 1).unwrap();
        }
        let ids: Vec<NodeId> = library.store.project(project).unwrap().nodes.iter().map(|node| node.id).collect();
        assert_eq!(ids.len(), 12);
        let outside = Library::outside();
        let path = outside.path().join("a.bagelproject");
        library.store.write_bundle(project, &path).unwrap();
        library.store.trash(&ids, 1).unwrap();
        let opened = std::thread::scope(|scope| {
            let opening = scope.spawn(|| library.store.open_bundle(&path, 2).unwrap());
            std::thread::sleep(std::time::Duration::from_millis(delay_ms));
            library.store.empty_trash(u64::MAX).unwrap();
            opening.join().unwrap()
        });
        for node in library.store.project(opened).unwrap().nodes {
            assert!(library.store.path(node.id).unwrap().is_file(), "after {delay_ms} ms");
        }
    }
}

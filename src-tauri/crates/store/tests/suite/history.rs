//! Adding to the history and reading it.

use imagefile::EmbeddedRecipe;
use protocol::{NodeId, Origin, ProjectId, Size, Turn};
use serde_json::json;
use store::{Error, ImportSource, NewTurn, StoredJob};

use crate::support::*;

#[test]
fn a_result_comes_back_as_it_was_added() {
    let library = Library::new();
    let added = library.create("a red fox");
    let project = added.new_project.clone().unwrap();
    assert_eq!((project.name.as_str(), project.n_nodes, project.cover), ("a red fox", 1, Some(added.node.id)));
    assert_eq!(project.id, added.node.project);

    let node = library.store.node(added.node.id).unwrap();
    assert_eq!(node, added.node);
    assert_eq!(node.origin, Origin::Generate);
    assert_eq!(node.size, Size { width: 24, height: 16 });
    assert_eq!(node.seed, Some(42));
    assert_eq!(node.plan.as_deref(), Some("plan for a red fox"));
    assert_eq!(node.model.as_deref(), Some("pocket"));
    assert!(node.has_recipe && !node.starred && node.trashed_ms.is_none() && node.tags.is_empty());
    assert_eq!((node.took_ms, node.created_ms), (Some(250), 1_000));
    assert_eq!(library.store.recipe(node.id).unwrap(), Some(recipe("a red fox", node.size)));

    let read = imagefile::read(&library.store.path(node.id).unwrap()).unwrap();
    assert_eq!(read.image, image("a red fox"));
    assert_eq!(read.into_recipe().unwrap().recipe, recipe("a red fox", node.size));
}

#[test]
fn a_project_is_a_tree_that_can_branch() {
    let library = Library::new();
    let first = library.create("first").node;
    let second = library.edit(&first, "second");
    assert_eq!(second.new_project, None);
    let third = library.edit(&first, "third").node;
    let fourth = library.edit(&second.node, "fourth").node;
    let contents = library.store.project(first.project).unwrap();
    let parents: Vec<_> = contents.nodes.iter().map(|node| (node.prompt.as_str(), node.parent)).collect();
    assert_eq!(
        parents,
        [("first", None), ("second", Some(first.id)), ("third", Some(first.id)), ("fourth", Some(second.node.id))]
    );
    assert_eq!(contents.project.cover, Some(fourth.id));
    assert_eq!(contents.project.n_nodes, 4);
    assert_eq!(third.project, first.project);
}

#[test]
fn references_lead_to_other_projects_and_never_to_nothing() {
    let library = Library::new();
    let other = library.create("other").node;
    let own = library.create("own").node;
    let mut new = new_node(own.project, Some(other.id), "mixed");
    new.references = vec![own.id, NodeId::new()];
    let node = library.store.add_result(&new, &image("mixed"), None, 1).unwrap().node;
    assert_eq!(node.parent, None, "an image of another project cannot be the parent");
    assert_eq!(node.references, [own.id, other.id]);

    let mut orphan = new_node(own.project, Some(NodeId::new()), "orphan");
    orphan.references = Vec::new();
    let node = library.store.add_result(&orphan, &image("orphan"), None, 1).unwrap().node;
    assert_eq!((node.parent, node.references), (None, vec![]), "a result is kept even if its parent is gone");
}

#[test]
fn a_result_is_added_once() {
    let library = Library::new();
    let new = new_node(ProjectId::new(), None, "one");
    library.store.add_result(&new, &image("one"), None, 1).unwrap();
    let again = library.store.add_result(&new, &image("one"), None, 1);
    assert!(matches!(again, Err(Error::Exists(id)) if id == new.id));
    assert!(library.store.path(new.id).unwrap().is_file());
}

#[test]
fn an_upright_image_is_kept_byte_for_byte() {
    let library = Library::new();
    let outside = Library::outside();
    let path = outside.path().join("狐狸 fox.JPG");
    let jpeg = imagefile::encode(&path, &image("fox"), imagefile::Encoding::Jpeg { quality: 90 }, None).unwrap();
    std::fs::write(&path, &jpeg).unwrap();
    let imported = library.store.import(ImportSource::File(path), None, 5).unwrap();
    assert_eq!(imported.node.prompt, "狐狸 fox.JPG");
    assert_eq!(imported.node.origin, Origin::Imported);
    assert_eq!((imported.duplicate_of, &imported.recipe), (None, &EmbeddedRecipe::Absent));
    assert!(imported.new_project.is_some() && !imported.node.has_recipe);
    let kept = library.store.path(imported.node.id).unwrap();
    assert_eq!(kept.extension().unwrap(), "jpg");
    assert_eq!(std::fs::read(kept).unwrap(), jpeg);
}

#[test]
fn what_is_shown_is_what_the_model_reads() {
    let library = Library::new();
    // An RGBA file: viewers show what is behind it, the model sees it on white.
    let bytes = {
        let mut bytes = Vec::new();
        image::write_buffer_with_format(
            &mut std::io::Cursor::new(&mut bytes),
            &[10, 20, 30, 0],
            1,
            1,
            image::ColorType::Rgba8,
            image::ImageFormat::Png,
        )
        .unwrap();
        bytes
    };
    let imported = library.store.import(ImportSource::Bytes { name: "clear.png".to_owned(), bytes }, None, 1).unwrap();
    let read = imagefile::read(&library.store.path(imported.node.id).unwrap()).unwrap();
    assert!(!read.source.had_alpha && read.source.orientation == 1);
    assert_eq!(read.image.rgb(), [255, 255, 255]);
}

#[test]
fn duplicates_are_recognized_and_share_their_file() {
    let library = Library::new();
    let first = library.import("cat.png");
    let bytes = png("cat.png");
    let again = ImportSource::Bytes { name: "copy of cat.png".to_owned(), bytes };
    let second = library.store.import(again, Some(first.node.project), 2).unwrap();
    assert_eq!(second.duplicate_of, Some(first.node.id));
    assert_eq!(second.new_project, None);
    assert_ne!(second.node.id, first.node.id);
    assert_eq!(library.store.path(first.node.id).unwrap(), library.store.path(second.node.id).unwrap());
    let pixels = imagefile::image_hash(&image("cat.png"));
    assert_eq!(library.store.find_by_pixel_hash(&pixels).unwrap(), Some(first.node.id));
}

#[test]
fn an_exported_image_dropped_back_brings_its_recipe() {
    let library = Library::new();
    let made = library.create("a fox").node;
    let outside = Library::outside();
    let path = outside.path().join("out.png");
    library.store.export(made.id, protocol::ExportFormat::Png, &path).unwrap();
    let back = library.store.import(ImportSource::File(path), None, 9).unwrap();
    assert_eq!(back.duplicate_of, Some(made.id));
    assert!(back.node.has_recipe);
    assert_eq!(back.node.seed, Some(42));
    assert!(matches!(back.recipe, EmbeddedRecipe::Found(_)));
}

#[test]
fn what_is_no_image_is_refused_and_leaves_nothing() {
    let library = Library::new();
    for bytes in [&b"hello"[..], b"", b"\x89PNG\r\n\x1a\nbroken", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"] {
        let source = ImportSource::Bytes { name: "x.png".to_owned(), bytes: bytes.to_vec() };
        let error = library.store.import(source, None, 1).unwrap_err();
        assert_eq!(error.code(), protocol::ErrorCode::NotAnImage);
        assert!(!error.to_string().contains('\n'));
    }
    assert!(library.image_files().is_empty());
    assert_eq!(library.store.counts().unwrap().n_nodes, 0);
}

#[test]
fn a_conversation_is_kept_in_order() {
    let library = Library::new();
    let node = library.create("a fox").node;
    let turn = |prompt: &str, images: Vec<NodeId>| NewTurn {
        prompt: prompt.to_owned(),
        images,
        plan: Some("hm".to_owned()),
        answer: format!("answer to {prompt}"),
        stopped: false,
    };
    let (first, began) = library.store.add_turn(node.project, turn("one", vec![node.id]), 5).unwrap();
    assert_eq!(began, None);
    let (second, _) = library.store.add_turn(node.project, turn("two", vec![]), 4).unwrap();
    assert_eq!(library.store.turns(node.project).unwrap(), [first.clone(), second]);
    assert_eq!(first.images, [node.id]);

    let changed = library.store.set_left_out(&[first.id], true).unwrap();
    assert_eq!(changed, [(node.project, vec![Turn { left_out: true, ..first.clone() }])]);
    let (library, _) = library.close_and_reopen();
    let left_out = |turns: Vec<Turn>| turns.iter().map(|turn| turn.left_out).collect::<Vec<_>>();
    assert_eq!(left_out(library.store.turns(node.project).unwrap()), [true, false]);
    library.store.set_left_out(&[first.id], false).unwrap();
    assert_eq!(left_out(library.store.turns(node.project).unwrap()), [false, false]);
    let unknown = protocol::TurnId::new();
    assert!(matches!(library.store.set_left_out(&[first.id, unknown], true), Err(Error::NoTurn(id)) if id == unknown));
    assert_eq!(left_out(library.store.turns(node.project).unwrap()), [false, false], "all of them or none");

    let project = ProjectId::new();
    assert!(library.store.turns(project).unwrap().is_empty());
    let (_, began) = library.store.add_turn(project, turn("what is\nred?", vec![]), 6).unwrap();
    assert_eq!(began.unwrap().name, "what is");
}

#[test]
fn names_tags_and_stars_stay() {
    let library = Library::new();
    let (one, two) = (library.create("one").node, library.create("two").node);
    assert_eq!(
        library.store.rename_node(one.id, Some("  Fox \n of ours ")).unwrap().name.as_deref(),
        Some("Fox   of ours")
    );
    assert_eq!(library.store.rename_node(one.id, Some(" ")).unwrap().name, None);
    assert_eq!(library.store.rename_project(one.project, Some("Foxes")).unwrap().name, "Foxes");
    assert_eq!(library.store.rename_project(one.project, None).unwrap().name, "one");
    let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    let tagged = library.store.set_tags(&[one.id, two.id], &tags(&["snow", " animal", "snow", ""])).unwrap();
    assert_eq!(tagged.iter().map(|node| node.tags.clone()).collect::<Vec<_>>(), vec![tags(&["animal", "snow"]); 2]);
    let changed = library.store.change_tags(&[one.id], &tags(&["best"]), &tags(&["snow"])).unwrap();
    assert_eq!(changed[0].tags, tags(&["animal", "best"]));
    assert!(library.store.set_starred(&[one.id], true).unwrap()[0].starred);

    let (library, _) = library.crash_and_reopen();
    let one = library.store.node(one.id).unwrap();
    assert_eq!((one.starred, one.tags), (true, tags(&["animal", "best"])));
    let long = library.store.rename_node(two.id, Some(&"x".repeat(201)));
    assert!(matches!(long, Err(Error::TooLong { .. })));
}

#[test]
fn a_change_of_several_is_all_or_nothing() {
    let library = Library::new();
    let node = library.create("one").node;
    let absent = NodeId::new();
    let failed = library.store.set_starred(&[node.id, absent], true);
    assert!(matches!(failed, Err(Error::NoNode(id)) if id == absent));
    assert!(!library.store.node(node.id).unwrap().starred);
}

#[test]
fn the_queue_outlives_the_program() {
    let library = Library::new();
    let job = |id: u128, order, state: &str| StoredJob {
        id: protocol::JobId::from_u128(id),
        order,
        state: state.to_owned(),
        body: json!({"prompt": "猫 \u{0}", "strength": 0.1, "seed": 9_007_199_254_740_991_u64}),
    };
    library.store.put_jobs(&[job(2, 2, "queued"), job(1, 1, "running"), job(3, -1, "queued")]).unwrap();
    library.store.put_job(&job(1, 3, "interrupted")).unwrap();
    let (library, _) = library.crash_and_reopen();
    let expected = [job(3, -1, "queued"), job(2, 2, "queued"), job(1, 3, "interrupted")];
    assert_eq!(library.store.jobs().unwrap(), expected);
    library.store.remove_job(expected[1].id).unwrap();
    assert!(matches!(library.store.remove_job(expected[1].id), Err(Error::NoJob(_))));
    assert_eq!(library.store.jobs().unwrap().len(), 2);
}

#[test]
fn past_runs_are_kept_in_bounds() {
    let library = Library::new();
    for run in 0..100 {
        library.store.put_timing("step", &json!({ "ms": run }), run).unwrap();
    }
    library.store.put_timing("other", &json!(1), 1).unwrap();
    let runs = library.store.timings("step").unwrap();
    assert_eq!(runs.len(), 32);
    assert_eq!(runs[0], json!({ "ms": 99 }));
    assert!(library.store.timings("none").unwrap().is_empty());
}

#[test]
fn order_does_not_depend_on_the_clock() {
    let library = Library::new();
    let project = ProjectId::new();
    for (prompt, now_ms) in [("a", 5_000_000), ("b", 10), ("c", u64::MAX), ("d", 0)] {
        library.store.add_result(&new_node(project, None, prompt), &image(prompt), None, now_ms).unwrap();
    }
    let other = library.create("older").node;
    library.store.add_result(&new_node(project, None, "e"), &image("e"), None, 0).unwrap();
    let prompts: Vec<String> =
        library.store.project(project).unwrap().nodes.into_iter().map(|node| node.prompt).collect();
    assert_eq!(prompts, ["a", "b", "c", "d", "e"]);
    assert_eq!(library.find(&protocol::GalleryFilter::default()), ["e", "d", "c", "b", "a", "older"]);
    assert_ne!(other.project, project);
}

#[test]
fn a_closed_library_says_so() {
    let library = Library::new();
    let node = library.create("one").node;
    library.store.close(1).unwrap();
    library.store.close(1).unwrap();
    assert!(matches!(library.store.node(node.id), Err(Error::Closed)));
    assert!(matches!(library.store.set_starred(&[node.id], true), Err(Error::Closed)));
}

#[test]
fn thumbnails_are_made_and_made_again() {
    let library = Library::new();
    let large = protocol::Image::new(1024, 512, vec![90; 1024 * 512 * 3]).unwrap();
    let node = library.store.add_result(&new_node(ProjectId::new(), None, "large"), &large, None, 1).unwrap().node;
    for _ in 0..2 {
        let path = library.store.thumbnail(node.id).unwrap();
        let read = imagefile::read(&path).unwrap();
        assert_eq!(read.image.size(), Size { width: 256, height: 128 });
        std::fs::remove_dir_all(library.folder.path().join("thumbnails")).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_thumbnail_that_many_ask_for_at_once_is_made_once() {
    use std::os::unix::fs::MetadataExt;
    let library = Library::new();
    let large = protocol::Image::new(2048, 1024, vec![90; 2048 * 1024 * 3]).unwrap();
    let node = library.store.add_result(&new_node(ProjectId::new(), None, "large"), &large, None, 1).unwrap().node;
    let store = &library.store;
    let start = std::sync::Barrier::new(16);
    let open = || {
        start.wait();
        std::fs::File::open(store.thumbnail(node.id).unwrap()).unwrap()
    };
    // All stay open: a file that was made anew cannot have the number of one before it.
    let files: Vec<std::fs::File> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut numbers: Vec<u64> = files.iter().map(|file| file.metadata().unwrap().ino()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 1, "made {} times", numbers.len());
}

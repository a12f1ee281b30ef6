//! Finding images.

use protocol::{GalleryCursor, GalleryFilter, Origin, Place, TagCount};
use store::{Error, NewTurn};

use crate::support::*;

#[test]
fn projects_that_changed_last_come_first() {
    let library = Library::new();
    let one = library.create("one").node;
    library.create("two");
    library.create("three");
    library.edit(&one, "one, edited");
    assert_eq!(library.find(&GalleryFilter::default()), ["one, edited", "one", "three", "two"]);
    let projects = library.store.projects(None, 2).unwrap();
    let names: Vec<_> = projects.projects.iter().map(|project| project.name.as_str()).collect();
    assert_eq!(names, ["one", "three"]);
    let rest = library.store.projects(projects.next.as_ref(), 2).unwrap();
    assert_eq!((rest.projects[0].name.as_str(), rest.projects.len(), rest.next), ("two", 1, None));
}

#[test]
fn pages_give_every_image_once() {
    let library = Library::new();
    let mut expected = Vec::new();
    for project in 0..5 {
        let first = library.create(&format!("{project}")).node;
        expected.push(first.id);
        for edit in 0..project {
            expected.push(library.edit(&first, &format!("{project} {edit}")).node.id);
        }
    }
    expected.reverse();
    for limit in 1..=16 {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = library.store.gallery(&GalleryFilter::default(), after.as_ref(), limit).unwrap();
            assert_eq!(page.total, 15);
            assert!(page.nodes.iter().all(|node| page.projects.iter().any(|project| project.id == node.project)));
            found.extend(page.nodes.iter().map(|node| node.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "pages of {limit}");
    }
    for cursor in ["", "1", "a.b", "1.2.3"] {
        let page = library.store.gallery(&GalleryFilter::default(), Some(&GalleryCursor(cursor.to_owned())), 1);
        assert!(matches!(page, Err(Error::InvalidCursor)), "{cursor}");
    }
}

#[test]
fn filters_hold_together() {
    let library = Library::new();
    let one = library.create("one").node;
    let two = library.edit(&one, "two").node;
    let three = library.import("three").node;
    library.store.set_starred(&[one.id, three.id], true).unwrap();
    library.store.set_tags(&[one.id, two.id], &["a".to_owned(), "b".to_owned()]).unwrap();
    library.store.set_tags(&[three.id], &["b".to_owned()]).unwrap();
    let filter = GalleryFilter::default();
    let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect();
    let check = |filter: &GalleryFilter, expected: &[&str]| assert_eq!(library.find(filter), expected, "{filter:?}");
    check(&GalleryFilter { starred: true, ..filter.clone() }, &["three", "one"]);
    check(&GalleryFilter { origin: Some(Origin::Edit), ..filter.clone() }, &["two"]);
    check(&GalleryFilter { tags: tags(&["b"]), ..filter.clone() }, &["three", "two", "one"]);
    check(&GalleryFilter { tags: tags(&["a", "b"]), ..filter.clone() }, &["two", "one"]);
    check(&GalleryFilter { tags: tags(&["a"]), starred: true, ..filter.clone() }, &["one"]);
    check(&GalleryFilter { text: "two".to_owned(), tags: tags(&["a"]), ..GalleryFilter::default() }, &["two"]);
    library.store.trash(&[one.id], 1).unwrap();
    check(&GalleryFilter { starred: true, ..filter.clone() }, &["three"]);
    check(&GalleryFilter { place: Place::Trash, ..filter }, &["one"]);

    let counts = library.store.counts().unwrap();
    assert_eq!((counts.n_nodes, counts.n_trashed, counts.n_starred), (2, 1, 1));
    let count = |tag: &str, n_nodes| TagCount { tag: tag.to_owned(), n_nodes };
    assert_eq!(counts.tags, [count("a", 1), count("b", 2)]);
}

#[test]
fn one_and_two_chinese_characters_are_found() {
    let library = Library::new();
    library.create("一只猫坐在窗边");
    library.create("窗外有狗");
    library.create("狗在窗边 A Fox");
    let check = |text: &str, expected: &[&str]| {
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(library.search(text), expected, "{text}");
    };
    check("猫", &["一只猫坐在窗边"]);
    check("边", &["一只猫坐在窗边", "狗在窗边 A Fox"]);
    check("窗", &["一只猫坐在窗边", "窗外有狗", "狗在窗边 A Fox"]);
    check("窗边", &["一只猫坐在窗边", "狗在窗边 A Fox"]);
    check("在窗边", &["一只猫坐在窗边", "狗在窗边 A Fox"]);
    check("只猫坐在", &["一只猫坐在窗边"]);
    check("边窗", &[]);
    check("狗 fox", &["狗在窗边 A Fox"]);
    check("狗fox", &["狗在窗边 A Fox"]);
}

#[test]
fn words_are_found_without_case_and_accents_and_the_last_unfinished() {
    let library = Library::new();
    library.create("Café Étoile by night, 1920s");
    let check = |text: &str, is_found: bool| assert_eq!(!library.search(text).is_empty(), is_found, "{text}");
    check("cafe", true);
    check("CAFÉ ÉTOI", true);
    check("night etoi", true);
    check("etoi night", false);
    check("192", true);
    check("toile", false);
    check("\"cafe", true);
    check("cafe* OR dog", false);
    check("NOT cafe", false);
    check("  ", true);
    check("prompt:cafe", false);
}

#[test]
fn names_tags_plans_and_answers_are_found() {
    let library = Library::new();
    let node = library.create("a fox").node;
    let other = library.create("a dog").node;
    assert_eq!(library.search("plan").len(), 2);
    library.store.rename_node(node.id, Some("Reineke")).unwrap();
    library.store.set_tags(&[node.id], &["冬天".to_owned()]).unwrap();
    library.store.rename_project(node.project, Some("Fables")).unwrap();
    let turn = |prompt: &str, answer: &str, images| NewTurn {
        prompt: prompt.to_owned(),
        answer: answer.to_owned(),
        images,
        ..NewTurn::default()
    };
    library.store.add_turn(node.project, turn("What season?", "It is winter.", vec![node.id]), 1).unwrap();
    library.store.add_turn(node.project, turn("And the weather?", "Snowfall.", vec![]), 1).unwrap();
    for text in ["reineke", "冬天", "fables", "season", "winter", "snowf", "weather fox reineke"] {
        assert_eq!(library.search(text), ["a fox"], "{text}");
    }
    library.store.rename_node(node.id, None).unwrap();
    library.store.set_tags(&[node.id], &[]).unwrap();
    library.store.rename_project(node.project, None).unwrap();
    for text in ["reineke", "冬天", "fables"] {
        assert!(library.search(text).is_empty(), "{text}");
    }
    assert_eq!(library.search("winter"), ["a fox"], "what was said stays");
    library.store.add_turn(other.project, turn("Winter?", "No.", vec![other.id]), 1).unwrap();
    assert_eq!(library.search("winter"), ["a dog", "a fox"]);
}

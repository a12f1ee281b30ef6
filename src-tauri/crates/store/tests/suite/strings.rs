//! Whatever artists write comes back as they wrote it.

use proptest::prelude::*;
use protocol::ProjectId;
use store::{ImportSource, NewTurn, Store};

use crate::support::*;

/// Texts of any script, with what often goes wrong among them.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "\\PC{0,40}",
        Just("画一只🦊在雪里".to_owned()),
        Just("שלום \u{202e}عالم".to_owned()),
        Just("e\u{301} é ﬁ İ ß".to_owned()),
        Just("'; DROP TABLE node; --".to_owned()),
        Just("%_\"*() NEAR/2 a:b".to_owned()),
        Just("👩‍👩‍👧‍👦\u{0}\r\n\t".to_owned()),
        Just("con.png/../\\..".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn texts_come_back_from_database_file_and_rebuild(prompt in text(), answer in text(), name in text()) {
        let library = Library::new();
        let mut made = new_node(ProjectId::new(), None, &prompt);
        made.plan = Some(answer.clone());
        let image = image("a");
        let known = recipe(&prompt, image.size());
        library.store.add_result(&made, &image, Some(&known), 1).unwrap();
        let turn = NewTurn { prompt: prompt.clone(), answer: answer.clone(), ..NewTurn::default() };
        library.store.add_turn(made.project, turn, 1).unwrap();
        let source = ImportSource::Bytes { name, bytes: png("b") };
        let imported = library.store.import(source, Some(made.project), 1).unwrap().node;

        let check = |store: &Store| {
            let node = store.node(made.id).unwrap();
            assert_eq!(node.prompt, prompt);
            assert_eq!(store.recipe(made.id).unwrap().unwrap(), known);
            assert_eq!(store.node(imported.id).unwrap().prompt, imported.prompt);
            node
        };
        prop_assert_eq!(check(&library.store).plan, Some(answer.clone()));
        prop_assert_eq!(&library.store.turns(made.project).unwrap()[0].answer, &answer);
        prop_assert!(!imported.prompt.chars().any(char::is_control));

        let outside = Library::outside();
        let paths = library.store.export_many(&[made.id, imported.id], protocol::ExportFormat::Png, outside.path()).unwrap();
        prop_assert!(paths.iter().all(|path| path.parent() == Some(outside.path()) && path.is_file()));
        prop_assert_eq!(imagefile::read(&paths[0]).unwrap().into_recipe().unwrap().recipe, known.clone());

        let Library { store, folder } = library;
        drop(store);
        std::fs::remove_file(folder.path().join("library.db")).unwrap();
        check(&Store::open(folder.path(), 1).unwrap().store);
    }

    #[test]
    fn any_query_is_answered(query in text(), prompt in text()) {
        let library = Library::new();
        library.store.add_result(&new_node(ProjectId::new(), None, &prompt), &image("a"), None, 1).unwrap();
        library.search(&query);
        // A text is found by itself, unless there is nothing in it to be found by.
        let found = library.search(&prompt);
        prop_assert_eq!(found, [prompt]);
    }

    #[test]
    fn names_and_tags_come_back(name in text(), tag in text()) {
        let library = Library::new();
        let node = library.create("a").node;
        let clean = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned();
        if let Ok(named) = library.store.rename_node(node.id, Some(&name)) {
            prop_assert_eq!(named.name.unwrap_or_default(), clean(&name));
        }
        if let Ok(tagged) = library.store.set_tags(&[node.id], std::slice::from_ref(&tag)) {
            prop_assert_eq!(tagged[0].tags.first().cloned().unwrap_or_default(), clean(&tag));
            let filter = protocol::GalleryFilter { tags: tagged[0].tags.clone(), ..protocol::GalleryFilter::default() };
            prop_assert_eq!(library.find(&filter), ["a"]);
        }
    }
}

#[test]
fn a_library_may_lie_under_any_name() {
    for name in ["画廊 🦊", "שלום", "a'b\"c", "with space", "e\u{301}", "%41?x=1#y", "long ".repeat(40).as_str()]
    {
        let outside = Library::outside();
        let folder = outside.path().join(name.trim());
        let store = Store::open(&folder, 1).unwrap().store;
        let node = store.add_result(&new_node(ProjectId::new(), None, "a"), &image("a"), None, 1).unwrap().node;
        store.close(2).unwrap();
        drop(store);
        let opened = Store::open(&folder, 3).unwrap();
        assert!(opened.recovery.was_closed, "{name}");
        assert_eq!(opened.store.node(node.id).unwrap(), node);
    }
}

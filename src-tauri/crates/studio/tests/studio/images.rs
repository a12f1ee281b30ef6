//! Images brought in, found, marked, given away, and the settings beside them.

use protocol::{
    Arrival, ErrorCode, ExportFormat, Failure, Folder, GalleryFilter, Kind, Place, SettingsChange, StudioEvent,
};
use studio::ImportSource;

use crate::support::{Bench, bench, bench_with, file, image_file};

async fn arrived(bench: &mut Bench) -> (Vec<Arrival>, Vec<Failure>) {
    bench
        .wait(|event| match event {
            StudioEvent::Arrived { arrivals, failures, .. } => Some((arrivals, failures)),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn what_cannot_be_imported_says_why_and_the_rest_arrives() {
    let mut bench = bench().await;
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.png");
    std::fs::write(&text, "not an image").unwrap();
    let good = image_file(folder.path(), "船.png", 3);
    bench.studio.import(vec![file(text), file(good), file(folder.path())], Some([1.0, 2.0])).await;
    let (arrivals, failures) = arrived(&mut bench).await;
    assert_eq!(failures.len(), 2);
    assert!(failures[0].message.contains("notes.png"), "{}", failures[0].message);
    assert!(failures[1].message.contains("not a file"), "{}", failures[1].message);
    assert_eq!(bench.node(arrivals[0].node).await.prompt, "船.png");
    assert!(!arrivals[0].is_known && !arrivals[0].has_recipe);
}

#[cfg(unix)]
#[tokio::test]
async fn pipes_and_devices_are_refused_without_waiting_for_them() {
    let mut bench = bench().await;
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.png");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let endless = folder.path().join("sparse.png");
    std::fs::File::create(&endless).unwrap().set_len(1 << 40).unwrap();
    bench.studio.import(vec![file(pipe), file("/dev/zero"), file(endless)], None).await;
    let (arrivals, failures) = arrived(&mut bench).await;
    assert_eq!((arrivals.len(), failures.len()), (0, 3), "{failures:?}");
}

#[tokio::test]
async fn a_image_that_is_there_already_is_found_again() {
    let mut bench = bench().await;
    let folder = tempfile::tempdir().unwrap();
    let path = image_file(folder.path(), "a.png", 3);
    bench.studio.import(vec![file(&path)], None).await;
    let (first, _) = arrived(&mut bench).await;
    bench.studio.import(vec![file(&path)], None).await;
    let (second, _) = arrived(&mut bench).await;
    assert!(second[0].is_known);
    assert_eq!(second[0].node, first[0].node);
    assert_eq!(bench.n_images().await, 1);
}

#[tokio::test]
async fn a_image_of_ours_brings_its_recipe_back() {
    let mut bench = bench().await;
    let node = bench.make("a boat").await;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.png");
    bench.studio.export(node, ExportFormat::Png, out.clone()).await.unwrap();
    let mut other = bench_with(|_| {}).await;
    other.studio.import(vec![file(out)], None).await;
    let (arrivals, _) = arrived(&mut other).await;
    assert!(arrivals[0].has_recipe);
    let recipe = other.studio.recipe(arrivals[0].node).await.unwrap().unwrap();
    assert_eq!(recipe.prompt, "a boat");
    let again = other.studio.replay(arrivals[0].node).await.unwrap();
    let copy = other.image_of(again[0]).await;
    assert_eq!(other.studio.image(copy).await.unwrap(), bench.studio.image(node).await.unwrap());
}

#[tokio::test]
async fn marks_are_told_and_found_by() {
    let mut bench = bench().await;
    let (boat, house) = (bench.make("a boat").await, bench.make("a house").await);
    bench.studio.change_tags(vec![boat], vec!["sea".to_owned()], Vec::new()).await.unwrap();
    bench.studio.set_starred(vec![boat, house], true).await.unwrap();
    bench.studio.rename_node(house, "My house".to_owned()).await.unwrap();
    let renamed = bench
        .wait(|event| match event {
            StudioEvent::NodesChanged { nodes } if nodes[0].name.is_some() => Some(nodes[0].clone()),
            _ => None,
        })
        .await;
    assert_eq!((renamed.name.as_deref(), renamed.starred), (Some("My house"), true));
    let find = async |filter: GalleryFilter| {
        let page = bench.studio.gallery(filter, None, 50).await.unwrap();
        page.nodes.iter().map(|node| node.id).collect::<Vec<_>>()
    };
    assert_eq!(find(GalleryFilter { tags: vec!["sea".to_owned()], ..Default::default() }).await, [boat]);
    assert_eq!(find(GalleryFilter { text: "my hou".to_owned(), ..Default::default() }).await, [house]);
    assert_eq!(bench.snapshot().await.counts.n_starred, 2);
    bench.studio.trash(vec![boat]).await.unwrap();
    assert_eq!(find(GalleryFilter::default()).await, [house]);
    assert_eq!(find(GalleryFilter { place: Place::Trash, ..Default::default() }).await, [boat]);
    bench.studio.restore(vec![boat]).await.unwrap();
    assert_eq!(find(GalleryFilter::default()).await.len(), 2);
    let sea = bench.node(boat).await.project;
    bench.studio.trash(vec![boat]).await.unwrap();
    bench.studio.empty_trash().await.unwrap();
    let gone = bench
        .wait(|event| match event {
            StudioEvent::NodesRemoved { nodes, projects } => Some((nodes, projects)),
            _ => None,
        })
        .await;
    assert_eq!(gone, (vec![boat], vec![sea]));
    assert!(bench.studio.nodes(vec![boat, house]).await.unwrap().len() == 1);
}

#[tokio::test]
async fn a_project_travels_as_one_file() {
    let mut bench = bench().await;
    let parent = bench.make("a boat").await;
    let id = bench.submit(Kind::Edit, "red sails", Some(parent)).await;
    bench.image_of(id).await;
    let project = bench.node(parent).await.project;
    let file = bench.folder.path().join("boat.bagelproject");
    bench.studio.export_project(project, file.clone()).await.unwrap();
    let other = bench_with(|_| {}).await;
    let opened = other.studio.open_project(file).await.unwrap();
    let contents = other.studio.project(opened).await.unwrap();
    assert_eq!(contents.nodes.len(), 2);
    assert_eq!(contents.nodes[1].parent, Some(contents.nodes[0].id));
}

#[tokio::test]
async fn bytes_that_were_pasted_arrive() {
    let mut bench = bench().await;
    let folder = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(image_file(folder.path(), "a.png", 3)).unwrap();
    bench.studio.import(vec![ImportSource::Bytes { name: "clipboard".to_owned(), bytes }], None).await;
    assert_eq!(arrived(&mut bench).await.0.len(), 1);
}

#[tokio::test]
async fn settings_are_told_kept_and_read_again() {
    let mut bench = bench().await;
    bench.studio.change_settings(SettingsChange::Theme(protocol::Theme::Light)).await.unwrap();
    let told = bench
        .wait(|event| match event {
            StudioEvent::Settings { settings } => Some(settings),
            _ => None,
        })
        .await;
    assert_eq!(told.theme, protocol::Theme::Light);
    assert!(bench.studio.change_settings(SettingsChange::Mirror(Some("http://x".to_owned()))).await.is_err());
    assert!(bench.studio.set_folder(Folder::Library, "/nowhere".into()).await.is_err());
    let path = bench.folder.path().join("data/settings.toml");
    let text = std::fs::read_to_string(&path).unwrap().replace("follows = true", "follows = 3");
    std::fs::write(&path, text).unwrap();
    let bench = bench.reopen().await;
    assert_eq!(bench.start.settings, told);
    assert_eq!(bench.start.notices.len(), 1);
    assert!(bench.start.notices[0].message.contains("follows"), "{:?}", bench.start.notices);
    assert_eq!(bench.start.notices[0].code, ErrorCode::SettingsUnusable);
}

#[tokio::test]
async fn folders_and_engine_go_back_to_their_usual_places() {
    let bench = bench().await;
    let chosen = tempfile::tempdir().unwrap();
    let program = chosen.path().join("engine");
    std::fs::write(&program, "").unwrap();
    bench.studio.set_folder(Folder::Library, chosen.path().into()).await.unwrap();
    bench.studio.set_engine(program.clone()).await.unwrap();
    let settings = bench.studio.settings().await.unwrap();
    assert_eq!((settings.library_folder.as_deref(), settings.engine), (Some(chosen.path()), Some(program)));
    bench.studio.reset_folder(Folder::Library).await.unwrap();
    bench.studio.reset_engine().await.unwrap();
    let settings = bench.studio.settings().await.unwrap();
    assert_eq!((settings.library_folder, settings.engine), (None, None));
}

#[tokio::test]
async fn a_report_for_a_helper_holds_no_words_of_the_artist() {
    let mut bench = bench().await;
    bench.make("canary prompt").await;
    let plan = protocol::SavedPlan { name: "canary".to_owned(), plan: "canary".to_owned() };
    bench.studio.change_settings(SettingsChange::Plans(vec![plan])).await.unwrap();
    let report = bench.studio.diagnostics().await.unwrap();
    assert!(report.contains("Bagel Studio") && report.contains("1 images"), "{report}");
    assert!(!report.contains("canary"), "{report}");
}

#[tokio::test]
async fn an_edit_from_elsewhere_finds_its_source_by_what_it_shows() {
    let mut bench = bench().await;
    let parent = bench.make("a boat").await;
    let id = bench.submit(Kind::Edit, "red sails", Some(parent)).await;
    let child = bench.image_of(id).await;
    let export = async |node, name: &str| {
        let out = bench.folder.path().join(name);
        bench.studio.export(node, ExportFormat::Png, out.clone()).await.unwrap();
        out
    };
    let (parent_file, child_file) = (export(parent, "parent.png").await, export(child, "child.png").await);
    let mut other = bench_with(|_| {}).await;
    other.studio.import(vec![file(child_file)], None).await;
    let (arrivals, _) = arrived(&mut other).await;
    let recipe = other.studio.recipe(arrivals[0].node).await.unwrap().unwrap();
    assert_eq!((recipe.images.len(), recipe.n_missing), (0, 1));
    let refused = other.studio.replay(arrivals[0].node).await.unwrap_err().failure();
    assert_eq!(refused.code, ErrorCode::NotRepeatable, "its source is not here");
    other.studio.import(vec![file(parent_file)], None).await;
    let (sources, _) = arrived(&mut other).await;
    let recipe = other.studio.recipe(arrivals[0].node).await.unwrap().unwrap();
    assert_eq!((recipe.images, recipe.n_missing), (vec![sources[0].node], 0));
}

#[tokio::test]
async fn the_log_holds_no_words_of_the_artist() {
    let mut bench = bench().await;
    let folder = bench.folder.path().join("data/logs");
    studio::logs::Log::open(&folder).unwrap().install();
    bench.make("canary prompt").await;
    let id = bench.submit(Kind::Chat, "canary question", None).await;
    bench.end_of(id).await;
    bench.submit(Kind::Generate, "abort@step canary", None).await;
    bench.make("canary again").await;
    let log = studio::logs::tail(&folder, 10_000).join("\n");
    assert!(log.contains("image saved") && log.contains("the engine ended"), "{log}");
    assert!(!log.contains("canary"), "{log}");
}

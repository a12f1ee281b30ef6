//! Models on disk: taken up, found, judged, installed and removed.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use catalog::{Catalog, Error, ImportMode, InstallPlan, RemovalTarget};
use checkpoint::Quantization;
use protocol::{
    DeviceDescription, ErrorCode, FilesState, Hardware, InstallStage, ModelCard, ModelChoice, ModelId, ModelOrigin,
    Verdict,
};

use crate::support::drive::{fetch, finish};
use crate::support::scene::{Facts, Files, Scene, WEIGHTS, hurried, id, manifest, published, write_files, write_gguf};
use crate::support::server::Server;

const NOW_MS: i64 = 1_790_000_000_000;

fn small_files() -> Files {
    published(20_000, 1)
}

fn choice(model: &ModelId, quantization: &str) -> ModelChoice {
    ModelChoice { model: model.clone(), quantization: quantization.to_owned() }
}

fn import(catalog: &Catalog, path: &Path, how: ImportMode) -> catalog::Result<ModelId> {
    catalog.import(path, how, NOW_MS, &mut |_, _| ControlFlow::Continue(()))
}

fn machine(gpu_gigabytes: Option<u64>) -> Hardware {
    let card = |gigabytes: u64| DeviceDescription {
        id: "cuda:0".to_owned(),
        name: "a card".to_owned(),
        memory_bytes: Some(gigabytes * 1_000_000_000),
        free_bytes: None,
        compute_capability: Some("8.9".to_owned()),
    };
    Hardware {
        memory_bytes: 64_000_000_000,
        devices: gpu_gigabytes.into_iter().map(card).collect(),
        ..Hardware::default()
    }
}

fn card_of(catalog: &Catalog, id: &ModelId) -> ModelCard {
    catalog.cards(&machine(None)).into_iter().find(|card| card.id == *id).unwrap()
}

fn installed(card: &ModelCard) -> Vec<&str> {
    card.forms.iter().filter(|form| form.is_installed).map(|form| form.quantization.as_str()).collect()
}

/// A scene whose model is here.
async fn fetched() -> Scene {
    let scene = Scene::new(small_files(), Facts::All);
    let server = Server::start(scene.files.clone()).await;
    assert!(finish(&scene, &scene.catalog(), &hurried(&server.origin, 1)).await.is_finished);
    scene
}

#[test]
fn an_empty_folder_offers_what_is_listed_with_a_verdict_for_each_form() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(folder.path().join("models"), None, None).unwrap();
    let cards = catalog.cards(&machine(Some(24)));
    assert_eq!(cards.len(), 6);
    assert_eq!((cards[0].origin, &cards[0].files), (ModelOrigin::Bundled, &FilesState::Absent));
    let full = &cards[1];
    assert_eq!((full.origin, &full.files), (ModelOrigin::Catalog, &FilesState::Absent));
    let forms: Vec<&str> = full.forms.iter().map(|form| form.quantization.as_str()).collect();
    assert_eq!(forms, ["bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m"]);
    assert!(full.forms.is_sorted_by_key(|form| std::cmp::Reverse(form.memory_bytes)));
    assert!(matches!(full.forms[0].verdict, Verdict::DoesNotFit { .. }), "{:?}", full.forms[0]);
    assert_eq!(full.forms.iter().position(|form| form.is_recommended), Some(1));
    assert_eq!(catalog.recommended(&full.id, &machine(Some(24))).as_deref(), Some("q8_0"));
    assert_eq!(catalog.recommended(&full.id, &machine(Some(8))), None);
    // Looking makes nothing.
    assert!(!folder.path().join("models").exists());
    let error = catalog.locate(&choice(&full.id, "q8_0")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ModelMissing);
}

#[test]
fn names_that_are_no_models_lead_nowhere() {
    let scene = Scene::new(small_files(), Facts::All);
    let catalog = scene.catalog();
    fs::write(scene.folder.join("model.json"), "{}").unwrap();
    let paths =
        ["", ".", "..", "../models", "/etc", "small/../..", "small\\source", "C:", "con", "\0", "%2e%2e", "SMALL"];
    for path in paths {
        let unknown = id(path);
        assert!(matches!(catalog.locate(&choice(&unknown, "bf16")), Err(Error::Unknown(_))), "{path:?}");
        assert!(matches!(catalog.remove(&unknown, &RemovalTarget::All), Err(Error::Unknown(_))), "{path:?}");
    }
    assert!(scene.folder.join("models.toml").exists());
    for quantization in ["", "q3_k", "../x", "Q8_0"] {
        let error = catalog.locate(&choice(&id("small"), quantization)).unwrap_err();
        assert!(error.to_string().contains("choose one of bf16, q8_0"), "{error}");
        assert!(catalog.remove(&id("small"), &RemovalTarget::Form(quantization.to_owned())).is_err());
    }
}

#[test]
fn the_bundled_model_is_here_and_cannot_be_removed() {
    let folder = tempfile::tempdir().unwrap();
    let bundled = folder.path().join("pocket");
    fs::create_dir(&bundled).unwrap();
    write_gguf(&bundled.join("pocket.gguf"), Quantization::Q8_0);
    fs::write(bundled.join("broken.gguf"), "GGUF no more").unwrap();
    let catalog = Catalog::open(folder.path().join("models"), None, Some(bundled.clone())).unwrap();
    let card = card_of(&catalog, &id("pocket"));
    assert_eq!((card.name.en.as_str(), card.max_side), ("Pocket", 8));
    assert_eq!(installed(&card), ["q8_0"]);
    assert!(card.forms[0].is_recommended && matches!(card.forms[0].verdict, Verdict::Fits { .. }), "{card:?}");
    let located = catalog.locate(&choice(&id("pocket"), "q8_0")).unwrap();
    assert_eq!(located.path, bundled.join("pocket.gguf"));
    assert!(matches!(catalog.remove(&id("pocket"), &RemovalTarget::All), Err(Error::Unsuitable { .. })));
}

#[test]
fn a_folder_is_taken_up_by_its_tensors_and_linked() {
    let scene = Scene::new(small_files(), Facts::All);
    let catalog = scene.catalog();
    let mine = scene.folder.join("My Model (1)");
    let mut files = small_files();
    // The name says nothing: what counts is what is inside.
    let weights = files.remove(WEIGHTS).unwrap();
    files.insert("whatever.safetensors".to_owned(), weights);
    write_files(&mine, &files);
    let imported = import(&catalog, &mine, ImportMode::Link).unwrap();
    assert_eq!(imported.0, "my-model--1");
    let card = card_of(&catalog, &imported);
    assert_eq!((card.origin, card.name.en.as_str()), (ModelOrigin::Imported, "My Model (1)"));
    assert_eq!(card.files, FilesState::Complete { bytes: 0 });
    assert_eq!(installed(&card), ["bf16"]);
    assert_eq!(catalog.locate(&choice(&imported, "bf16")).unwrap().path, mine);
    // The same folder once more is another model.
    assert_eq!(import(&catalog, &mine, ImportMode::Link).unwrap().0, "my-model--1-2");
    // Forgotten, not removed.
    catalog.remove(&imported, &RemovalTarget::All).unwrap();
    assert!(mine.join("whatever.safetensors").exists());
    assert!(matches!(catalog.locate(&choice(&imported, "bf16")), Err(Error::Unknown(_))));
}

#[test]
fn a_link_whose_files_are_gone_says_so() {
    let scene = Scene::new(small_files(), Facts::All);
    let catalog = scene.catalog();
    let mine = scene.folder.join("mine");
    write_files(&mine, &small_files());
    let imported = import(&catalog, &mine, ImportMode::Link).unwrap();
    fs::remove_dir_all(&mine).unwrap();
    let card = card_of(&catalog, &imported);
    assert!(matches!(card.files, FilesState::Damaged { .. }), "{:?}", card.files);
    assert_eq!(installed(&card), [""; 0]);
    assert!(matches!(catalog.locate(&choice(&imported, "bf16")), Err(Error::NotInstalled { .. })));
}

#[test]
fn a_copy_stands_alone_and_frees_what_it_took() {
    let scene = Scene::new(small_files(), Facts::All);
    let catalog = scene.catalog();
    let mine = scene.folder.join("mine");
    write_files(&mine, &small_files());
    fs::write(mine.join("holiday.png"), "not part of the model").unwrap();
    let mut told = Vec::new();
    let imported = catalog
        .import(&mine, ImportMode::Copy, NOW_MS, &mut |bytes, total| {
            told.push((bytes, total));
            ControlFlow::Continue(())
        })
        .unwrap();
    let total: u64 = small_files().values().map(|bytes| bytes.len() as u64).sum();
    assert_eq!(told.last(), Some(&(total, total)));
    fs::remove_dir_all(&mine).unwrap();
    let located = catalog.locate(&choice(&imported, "bf16")).unwrap();
    assert!(checkpoint::Checkpoint::open(&located.path, None).is_ok());
    assert!(!located.path.join("holiday.png").exists());
    assert_eq!(card_of(&catalog, &imported).files, FilesState::Complete { bytes: total });
    assert!(catalog.remove(&imported, &RemovalTarget::All).unwrap() >= total);
    assert!(!scene.models().join(&imported.0).exists());
}

#[test]
fn a_copy_that_is_stopped_leaves_nothing() {
    let scene = Scene::new(small_files(), Facts::All);
    let catalog = scene.catalog();
    let mine = scene.folder.join("mine");
    write_files(&mine, &small_files());
    let result = catalog.import(&mine, ImportMode::Copy, NOW_MS, &mut |_, _| ControlFlow::Break(()));
    assert!(matches!(result, Err(Error::Cancelled)));
    let left: Vec<PathBuf> = fs::read_dir(scene.models()).unwrap().flatten().map(|entry| entry.path()).collect();
    assert!(left.iter().all(|path| path.ends_with(".locks")), "{left:?}");
    assert!(mine.join(WEIGHTS).exists());
}

#[test]
fn one_file_of_ours_is_a_model_in_one_form() {
    let scene = Scene::new(small_files(), Facts::All);
    let catalog = scene.catalog();
    let file = scene.folder.join("tiny.gguf");
    write_gguf(&file, Quantization::Q4_0);
    for how in [ImportMode::Link, ImportMode::Copy] {
        let imported = import(&catalog, &file, how).unwrap();
        let card = card_of(&catalog, &imported);
        assert_eq!(card.forms.len(), 1);
        assert_eq!(installed(&card), ["q4_0"]);
        let located = catalog.locate(&choice(&imported, "q4_0")).unwrap();
        assert_eq!(located.path == file, how == ImportMode::Link);
        assert!(checkpoint::Checkpoint::open(&located.path, None).is_ok());
    }
}

#[test]
fn what_is_no_model_is_refused_in_one_line() {
    let scene = Scene::new(small_files(), Facts::All);
    let catalog = scene.catalog();
    let check = |name: &str, content: &[u8], expected: &str| {
        let path = scene.folder.join(name);
        fs::write(&path, content).unwrap();
        let line = import(&catalog, &path, ImportMode::Link).unwrap_err().to_string();
        assert!(line.contains(expected) && line.contains(name) && !line.contains('\n'), "{line}");
    };
    check("model.pt", b"PK", "pickle");
    check("model.ckpt", b"\x80\x02", "pickle");
    check("model.zip", b"PK", "zip");
    check("model.txt", b"hello", "not a model");
    check("cut.safetensors", &small_files()[WEIGHTS][..500], "damaged safetensors");
    check("cut.gguf", b"GGUF", "damaged or unknown GGUF");
    let error = import(&catalog, &scene.folder.join("nowhere"), ImportMode::Link).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ModelMissing);
    assert_eq!(catalog.cards(&machine(None)).len(), 7, "nothing was taken up");
}

#[test]
fn a_fine_tune_that_lacks_what_its_base_has_is_taken_up_with_it() {
    let scene = Scene::new(small_files(), Facts::All);
    let tune = scene.folder.join("tune");
    let mut files = small_files();
    files.remove("tokenizer.json");
    write_files(&tune, &files);
    let catalog = scene.catalog();
    let error = import(&catalog, &tune, ImportMode::Link).unwrap_err();
    assert!(error.to_string().contains("tokenizer.json is missing"), "{error}");
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let server = Server::start(scene.files.clone()).await;
        assert!(finish(&scene, &catalog, &hurried(&server.origin, 1)).await.is_finished);
    });
    let imported = import(&catalog, &tune, ImportMode::Copy).unwrap();
    let located = catalog.locate(&choice(&imported, "bf16")).unwrap();
    assert_eq!(located.base, Some(scene.source()));
    let error = catalog.remove(&id("small"), &RemovalTarget::Source).unwrap_err();
    assert!(matches!(&error, Error::Needed { by, .. } if *by == imported), "{error}");
    catalog.remove(&imported, &RemovalTarget::All).unwrap();
    catalog.remove(&id("small"), &RemovalTarget::Source).unwrap();
}

#[tokio::test]
async fn a_listed_fine_tune_waits_for_its_base_and_then_uses_it() {
    let mut files = small_files();
    let scene = Scene::new(files.clone(), Facts::All);
    let whole = Server::start(files.clone()).await;
    files.remove("tokenizer.json");
    let mut text = fs::read_to_string(scene.folder.join("models.toml")).unwrap();
    let entry = manifest("tune", &files, Facts::None);
    text.push_str(&entry.replace("max_side = 8", "max_side = 8\nbase = \"small\""));
    text.push_str("[[model.file]]\npath = \"tokenizer.json\"\noptional = true\n");
    fs::write(scene.folder.join("models.toml"), text).unwrap();
    let catalog = scene.catalog();
    let server = Server::start(files).await;
    let options = hurried(&server.origin, 1);
    let go_on = |_| ControlFlow::Continue(());
    let error = catalog.download(&id("tune"), &options, go_on).await.unwrap_err();
    assert!(matches!(error, Error::BaseMissing { .. }), "{error}");
    assert_eq!(installed(&card_of(&catalog, &id("tune"))), [""; 0]);
    fetch(&catalog, &hurried(&whole.origin, 1)).await.unwrap();
    catalog.download(&id("tune"), &options, go_on).await.unwrap();
    assert_eq!(catalog.locate(&choice(&id("tune"), "bf16")).unwrap().base, Some(scene.source()));
    assert!(matches!(catalog.remove(&id("small"), &RemovalTarget::All), Err(Error::Needed { .. })));
}

#[tokio::test]
async fn an_installation_goes_from_files_to_a_form_and_makes_room() {
    let scene = fetched().await;
    let catalog = scene.catalog();
    let small = id("small");
    let plan = InstallPlan { quantization: "q8_0".to_owned(), removes_source: true };
    catalog.begin_install(&small, plan.clone()).unwrap();
    // Another start of the program finds it waiting.
    let catalog = {
        drop(catalog);
        scene.catalog()
    };
    assert_eq!(catalog.pending_installs(), [(small.clone(), plan)]);
    let waiting = card_of(&catalog, &small).install.unwrap();
    assert_eq!((waiting.stage, waiting.quantization.as_str()), (InstallStage::Paused, "q8_0"));
    assert!(matches!(catalog.finish_install(&small), Err(Error::NotInstalled { .. })));
    let conversion = catalog.conversion(&small, "q8_0").unwrap();
    assert_eq!((&conversion.source, &conversion.base), (&scene.source(), &None));
    assert!(conversion.source_bytes > 10_000);
    assert!(conversion.target_bytes < conversion.source_bytes, "a small model makes small forms: {conversion:?}");
    // Another form under this form's name, a cut file, and at last the right one.
    write_gguf(&conversion.target, Quantization::Q4_0);
    assert!(matches!(catalog.register(&small, "q8_0"), Err(Error::Unsuitable { .. })));
    fs::write(&conversion.target, "GGUF").unwrap();
    assert_eq!(catalog.register(&small, "q8_0").unwrap_err().code(), ErrorCode::ModelInvalid);
    write_gguf(&conversion.target, Quantization::Q8_0);
    assert!(catalog.locate(&choice(&small, "q8_0")).is_err(), "not before it is registered");
    catalog.register(&small, "q8_0").unwrap();
    let freed = catalog.finish_install(&small).unwrap();
    let card = card_of(&catalog, &small);
    assert_eq!((installed(&card), card.install.is_none(), &card.files), (vec!["q8_0"], true, &FilesState::Absent));
    assert!(freed >= scene.files.values().map(|bytes| bytes.len() as u64).sum());
    assert_eq!(catalog.locate(&choice(&small, "q8_0")).unwrap().path, conversion.target);
    // A form that was changed behind our back is not loaded.
    fs::write(&conversion.target, "GGUF").unwrap();
    assert!(matches!(catalog.locate(&choice(&small, "q8_0")), Err(Error::NotInstalled { .. })));
    assert_eq!(catalog.remove(&small, &RemovalTarget::Form("q8_0".to_owned())).unwrap(), 4);
    assert!(matches!(catalog.remove(&small, &RemovalTarget::Form("q8_0".to_owned())), Err(Error::NotInstalled { .. })));
}

#[tokio::test]
async fn a_record_that_was_lost_costs_a_look_and_no_download() {
    let scene = fetched().await;
    fs::write(scene.models().join("small/model.json"), "{ not json").unwrap();
    let catalog = scene.catalog();
    assert!(matches!(card_of(&catalog, &id("small")).files, FilesState::Partial { .. }));
    let server = Server::start(scene.files.clone()).await;
    fetch(&catalog, &hurried(&server.origin, 1)).await.unwrap();
    assert!(server.seen().is_empty(), "{:?}", server.seen());
    assert!(matches!(card_of(&catalog, &id("small")).files, FilesState::Complete { .. }));
}

#[cfg(unix)]
#[tokio::test]
async fn removing_follows_no_link() {
    let scene = fetched().await;
    let catalog = scene.catalog();
    let outside = scene.folder.join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("mine"), "mine").unwrap();
    std::os::unix::fs::symlink(&outside, scene.source().join("link")).unwrap();
    catalog.remove(&id("small"), &RemovalTarget::Source).unwrap();
    assert!(outside.join("mine").exists() && !scene.source().exists());
    catalog.remove(&id("small"), &RemovalTarget::All).unwrap();
    std::os::unix::fs::symlink(&outside, scene.models().join("small")).unwrap();
    assert!(matches!(catalog.remove(&id("small"), &RemovalTarget::All), Err(Error::Unsuitable { .. })));
    assert!(outside.join("mine").exists());
}

#[test]
fn what_a_killed_program_left_is_swept_away() {
    let scene = Scene::new(small_files(), Facts::All);
    let removed = scene.models().join(".removed-abc/model");
    let young = scene.models().join(".import-abc");
    for folder in [&removed, &young] {
        fs::create_dir_all(folder).unwrap();
    }
    drop(scene.catalog());
    assert!(!removed.exists(), "what was on its way out is gone");
    assert!(young.exists(), "a copy may still be under way");
}

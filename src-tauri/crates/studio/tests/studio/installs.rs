//! Models from their publisher to this machine: fetched, checked, converted, used; and whatever comes in between.

use std::fs;
use std::path::{Path, PathBuf};

use checkpoint::Quantization;
use protocol::{
    EngineState, FilesState, Install, InstallStage, Kind, ModelCard, ModelChoice, SettingsChange, StudioEvent,
};

use crate::publisher::scene::{Facts, Files, id, manifest, published, write_files, write_gguf};
use crate::publisher::server::Server;
use crate::support::{Bench, bench_with, engine_called};

const FORM: &str = "q8_0";

/// A studio that knows one model, whose publisher is on this machine, and an engine that converts it.
struct Site {
    bench: Bench,
    server: Server,
    files: Files,
    /// Where the engine and what it converts to lie.
    programs: tempfile::TempDir,
}

async fn site(n_bytes: usize, engine: &str) -> Site {
    let files = published(n_bytes, 1);
    let programs = tempfile::tempdir().unwrap();
    write_gguf(&programs.path().join("q8_0.gguf"), Quantization::Q8_0);
    let program = engine_called(programs.path(), engine);
    let (bench, server) = open(&files, program).await;
    Site { bench, server, files, programs }
}

async fn open(files: &Files, program: PathBuf) -> (Bench, Server) {
    let server = Server::start(files.clone()).await;
    let bench = bench_with(|options| {
        let text = format!("version = 1\n{}", manifest("small", files, Facts::All));
        fs::create_dir_all(&options.data_folder).unwrap();
        fs::write(options.data_folder.join("models.toml"), text).unwrap();
        options.engines = Some(vec![program]);
    })
    .await;
    bench.studio.change_settings(SettingsChange::Mirror(Some(server.origin.clone()))).await.unwrap();
    (bench, server)
}

impl Site {
    fn folder(&self) -> PathBuf {
        self.bench.studio.data_folder().join("models/small")
    }

    async fn begin(&self, removes_source: Option<bool>) {
        self.bench.studio.install_model(id("small"), FORM.to_owned(), removes_source).await.unwrap();
    }

    /// Waits until the installation is in a stage.
    async fn reach(&mut self, stage: &InstallStage) {
        // Checking is over before it is told of a second time.
        let is_under_way = |it: &Install| it.bytes > 0 || *stage == InstallStage::Checking;
        self.moved(|install| install.as_ref().is_some_and(|it| it.stage == *stage && is_under_way(it))).await;
    }

    /// Waits for a stage's first word.
    async fn enter(&mut self, stage: &InstallStage) {
        self.moved(|install| install.as_ref().is_some_and(|it| it.stage == *stage)).await;
    }

    async fn moved(&mut self, wanted: impl Fn(&Option<Install>) -> bool) -> Option<Install> {
        self.bench
            .wait(|event| match event {
                StudioEvent::Install { install, .. } if wanted(&install) => Some(install),
                _ => None,
            })
            .await
    }

    /// Waits for the end, which must be a good one.
    async fn finish(&mut self) {
        let is_over = |install: &Option<Install>| {
            install.as_ref().is_none_or(|it| matches!(it.stage, InstallStage::Failed { .. }))
        };
        assert_eq!(self.moved(is_over).await, None);
    }

    /// Waits for a card; it is made away from the task that answers.
    async fn card(&self, wanted: impl Fn(&ModelCard) -> bool) -> ModelCard {
        for _ in 0..2000 {
            let card = self.bench.snapshot().await.models.into_iter().find(|card| card.id == id("small"));
            if let Some(card) = card.filter(&wanted) {
                return card;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("no such card: {:?}", self.bench.snapshot().await.models);
    }

    async fn crash(self) -> Self {
        Self { bench: self.bench.crash().await, ..self }
    }

    fn n_bytes(&self) -> u64 {
        self.files.values().map(|bytes| bytes.len() as u64).sum()
    }
}

fn installed(card: &ModelCard) -> Vec<&str> {
    card.forms.iter().filter(|form| form.is_installed).map(|form| form.quantization.as_str()).collect()
}

fn choice() -> ModelChoice {
    ModelChoice { model: id("small"), quantization: FORM.to_owned() }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_model_goes_from_its_publisher_to_a_card_that_can_be_used() {
    for removes_source in [false, true] {
        let mut site = site(1 << 20, "engine").await;
        assert_eq!(site.card(|_| true).await.files, FilesState::Absent);
        site.begin(Some(removes_source)).await;
        site.enter(&InstallStage::Downloading).await;
        site.enter(&InstallStage::Converting).await;
        site.finish().await;
        let card = site.card(|card| card.install.is_none() && installed(card).contains(&FORM)).await;
        let complete = FilesState::Complete { bytes: site.n_bytes() };
        assert_eq!(card.files, if removes_source { FilesState::Absent } else { complete });
        assert_eq!(installed(&card).len(), if removes_source { 1 } else { 2 });
        site.bench.studio.use_model(choice()).await.unwrap();
        let ready = site.bench.engine(|state| matches!(state, EngineState::Ready { .. })).await;
        let EngineState::Ready { choice: loaded, .. } = ready else { panic!() };
        assert_eq!(loaded, Some(choice()));
        site.bench.make("a boat").await;
    }
}

#[tokio::test]
async fn a_program_that_is_killed_at_any_stage_goes_on_where_it_was() {
    for stage in [InstallStage::Downloading, InstallStage::Checking, InstallStage::Converting] {
        let mut site = site(8 << 20, "slow").await;
        match stage {
            InstallStage::Downloading => site.server.limit_rate(8_000_000),
            // Files that nobody vouches for, as when the program ended between a file's name and the note of it.
            InstallStage::Checking => write_files(&site.folder().join("small"), &site.files),
            _ => {}
        }
        site.begin(Some(true)).await;
        site.reach(&stage).await;
        let mut site = site.crash().await;
        let card = site.card(|card| card.install.is_some()).await;
        let held = card.install.unwrap();
        assert_eq!((held.stage, held.quantization.as_str(), held.removes_source), (InstallStage::Paused, FORM, true));
        assert!(card.forms.iter().all(|form| !form.is_installed || form.quantization == "bf16"), "{stage:?}");
        site.server.limit_rate(0);
        // What is to be removed is as it was said the first time.
        site.begin(None).await;
        site.finish().await;
        let card = site.card(|card| card.install.is_none() && installed(card) == [FORM]).await;
        assert_eq!(card.files, FilesState::Absent, "{stage:?}");
        assert_eq!(names(&site.folder()), ["model.json", "small-q8_0.gguf"], "{stage:?}: nothing half done is left");
        let sent = site.server.sent_bytes();
        let most = if stage == InstallStage::Checking { 0 } else { site.n_bytes() + (1 << 20) };
        assert!(sent <= most, "{stage:?}: {sent} bytes were sent");
        site.bench.studio.use_model(choice()).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_under_way_is_known_to_whoever_asks() {
    let mut site = site(8 << 20, "engine").await;
    site.card(|_| true).await;
    assert!(!site.bench.studio.is_working().await);
    site.server.limit_rate(1_000_000);
    site.begin(None).await;
    site.reach(&InstallStage::Downloading).await;
    assert!(site.bench.studio.is_working().await, "closing now would interrupt it");
    let models = site.bench.snapshot().await.models;
    let install = models.into_iter().find(|card| card.id == id("small")).unwrap().install;
    assert_eq!(install.map(|it| it.stage), Some(InstallStage::Downloading));
    site.bench.studio.pause_install(id("small"));
    site.moved(|it| it.as_ref().is_some_and(|it| it.stage == InstallStage::Paused)).await;
    assert!(!site.bench.studio.is_working().await, "what is held is not interrupted");
}

#[tokio::test]
async fn what_is_called_off_at_any_stage_is_forgotten_and_what_arrived_is_kept() {
    for stage in [InstallStage::Downloading, InstallStage::Checking, InstallStage::Converting] {
        let mut site = site(8 << 20, "slow").await;
        match stage {
            InstallStage::Downloading => site.server.limit_rate(8_000_000),
            InstallStage::Checking => write_files(&site.folder().join("small"), &site.files),
            _ => {}
        }
        site.begin(Some(true)).await;
        site.reach(&stage).await;
        site.bench.studio.cancel_install(id("small"));
        assert_eq!(site.moved(Option::is_none).await, None);
        let mut site = site.crash().await;
        let card = site.card(|_| true).await;
        assert_eq!(card.install, None, "{stage:?}");
        assert!(!matches!(card.files, FilesState::Absent | FilesState::Damaged { .. }), "{stage:?}: {:?}", card.files);
        site.server.limit_rate(0);
        // Another wish, made anew: nothing of the first is left in it.
        site.begin(None).await;
        site.finish().await;
        let card = site.card(|card| card.install.is_none() && installed(card).contains(&FORM)).await;
        assert_eq!(card.files, FilesState::Complete { bytes: site.n_bytes() }, "{stage:?}");
        assert_eq!(names(&site.folder()), ["model.json", "small", "small-q8_0.gguf"], "{stage:?}");
    }
}

#[tokio::test]
async fn what_is_held_while_it_is_converted_goes_on() {
    let mut site = site(1 << 20, "slow").await;
    site.begin(Some(true)).await;
    site.reach(&InstallStage::Converting).await;
    site.bench.studio.pause_install(id("small"));
    let held = site.moved(|it| it.as_ref().is_some_and(|it| it.stage == InstallStage::Paused)).await.unwrap();
    assert!(held.removes_source);
    let sent = site.server.sent_bytes();
    site.begin(None).await;
    site.finish().await;
    assert_eq!(site.server.sent_bytes(), sent, "nothing is fetched twice");
    site.card(|card| installed(card) == [FORM] && card.files == FilesState::Absent).await;
}

#[tokio::test]
async fn a_form_that_was_finished_just_before_the_end_is_taken_up_without_the_files_it_came_from() {
    let mut site = site(1 << 20, "engine").await;
    site.begin(Some(true)).await;
    site.finish().await;
    let sent = site.server.sent_bytes();
    // As if the program had been killed between the removal of the files and the note of the end.
    site.begin(Some(true)).await;
    site.finish().await;
    assert_eq!(site.server.sent_bytes(), sent, "a form that is here needs no files");
    // And as if it had been killed before the form was entered.
    let record = site.folder().join("model.json");
    let mut known: serde_json::Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    known["forms"] = serde_json::json!({});
    fs::write(&record, known.to_string()).unwrap();
    site.begin(Some(true)).await;
    site.finish().await;
    assert_eq!(site.server.sent_bytes(), sent);
    site.card(|card| installed(card) == [FORM]).await;
}

#[tokio::test]
async fn a_conversion_that_fails_says_so_and_can_be_tried_again() {
    let mut site = site(1 << 20, "engine").await;
    let form = site.programs.path().join("q8_0.gguf");
    let hidden = site.programs.path().join("hidden");
    fs::rename(&form, &hidden).unwrap();
    site.begin(Some(true)).await;
    let failed = site.moved(|it| it.as_ref().is_some_and(|it| matches!(it.stage, InstallStage::Failed { .. }))).await;
    let InstallStage::Failed { failure } = failed.unwrap().stage else { panic!() };
    assert_eq!(failure.code, protocol::ErrorCode::ModelInvalid, "{}", failure.message);
    let complete = FilesState::Complete { bytes: site.n_bytes() };
    site.card(|card| card.install.is_some() && card.files == complete).await;
    fs::rename(&hidden, &form).unwrap();
    site.begin(None).await;
    site.finish().await;
    site.card(|card| installed(card) == [FORM] && card.files == FilesState::Absent).await;
}

/// With the program named by `BAGEL_ENGINE`, or the one that was built, and a model of the published layout.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the engine program"]
async fn the_real_engine_converts_what_was_published_and_paints_with_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let program = std::env::var_os("BAGEL_ENGINE").map_or_else(|| root.join("target/debug/bagel"), PathBuf::from);
    let mini = root.join("src-tauri/crates/bagel/tests/golden/mini/model");
    let read =
        |entry: fs::DirEntry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap());
    let files: Files = fs::read_dir(mini).unwrap().map(|entry| read(entry.unwrap())).collect();
    let (bench, server) = open(&files, program).await;
    let mut site = Site { bench, server, files, programs: tempfile::tempdir().unwrap() };
    site.begin(Some(true)).await;
    site.finish().await;
    let card = site.card(|card| installed(card) == [FORM]).await;
    assert_eq!(card.files, FilesState::Absent);
    assert_eq!(names(&site.folder()), ["model.json", "small-q8_0.gguf"]);
    site.bench.studio.use_model(choice()).await.unwrap();
    site.bench.engine(|state| matches!(state, EngineState::Ready { .. })).await;
    let job = site.bench.submit(Kind::Generate, "a red circle", None).await;
    let node = site.bench.image_of(job).await;
    let model = site.bench.node(node).await.model.unwrap();
    assert!(model.contains("small"), "{model}");
}

//! The studio with an engine that does what it is told, also badly.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use protocol::{ErrorCode, ImageParameters, JobId, Size, TextChannel, Thinking};
use studio::engine::Patience;
use studio::library::Rendition;
use studio::studio::Source;
use studio::{
    EngineState, Error, JobKind, JobStatus, NewJob, Node, NodeId, Options, Snapshot, Studio, StudioEvent, Turn,
};
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;

struct Bench {
    studio: Studio,
    events: Receiver<StudioEvent>,
    start: Snapshot,
    folder: TempDir,
}

fn patience() -> Patience {
    Patience {
        greeting: Duration::from_secs(20),
        silence: Duration::from_secs(20),
        restart: Duration::from_millis(10),
        tick: Duration::from_millis(20),
        ..Patience::default()
    }
}

fn options(folder: &Path) -> Options {
    Options {
        data_folder: folder.join("data"),
        engine: env!("CARGO_BIN_EXE_fake-engine").into(),
        model: Some("/models/pretend".into()),
        patience: patience(),
    }
}

async fn bench(change: impl FnOnce(&mut Options)) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    change(&mut options);
    let studio = Studio::open(options).unwrap();
    let (start, events) = studio.subscribe().await.unwrap();
    Bench { studio, events, start, folder }
}

impl Bench {
    /// Waits for the first event that `pick` takes.
    async fn wait<T>(&mut self, mut pick: impl FnMut(StudioEvent) -> Option<T>) -> T {
        let search = async {
            loop {
                if let Some(found) = pick(self.events.recv().await.unwrap()) {
                    return found;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), search).await.expect("the event came within a minute")
    }

    async fn ready(&mut self) {
        if matches!(self.start.engine, EngineState::Ready { .. }) {
            return;
        }
        self.wait(|event| matches!(event, StudioEvent::Engine { engine: EngineState::Ready { .. } }).then_some(()))
            .await;
    }

    async fn submit(&self, request: JobKind, instruction: &str, picture: Option<NodeId>) -> JobId {
        self.studio.submit(job(request, instruction, picture)).await.unwrap()
    }

    async fn end_of(&mut self, id: &JobId) -> JobStatus {
        self.wait(|event| match event {
            StudioEvent::JobChanged { job, status } if job == *id && status.is_over() => Some(status),
            _ => None,
        })
        .await
    }

    async fn picture_of(&mut self, id: &JobId) -> NodeId {
        match self.end_of(id).await {
            JobStatus::Done { node: Some(node) } => node,
            status => panic!("the job made no picture: {status:?}"),
        }
    }

    async fn nodes(&self) -> Vec<Node> {
        self.studio.subscribe().await.unwrap().0.nodes
    }

    fn pictures_on_disk(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("data/pictures")).unwrap().count()
    }
}

fn job(request: JobKind, instruction: &str, picture: Option<NodeId>) -> NewJob {
    NewJob {
        request,
        instruction: instruction.to_owned(),
        piece: None,
        picture,
        references: Vec::new(),
        thinking: Thinking::Off,
        image: ImageParameters { size: Some(Size { width: 64, height: 48 }), ..ImageParameters::generate() },
    }
}

/// The fake engine under another name, which changes how it starts.
fn engine_called(folder: &Path, name: &str) -> PathBuf {
    let program = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    std::fs::copy(env!("CARGO_BIN_EXE_fake-engine"), &program).unwrap();
    program
}

#[tokio::test]
async fn a_created_picture_is_on_disk_when_the_job_is_done() {
    let mut bench = bench(|_| {}).await;
    let id = bench.submit(JobKind::Create, "a boat", None).await;
    let node = bench.picture_of(&id).await;
    let picture = imagefile::read(&bench.studio.path(node, Rendition::Full).unwrap()).unwrap().picture;
    assert_eq!((picture.width(), picture.height()), (64, 48));
    assert!(bench.studio.path(node, Rendition::Thumbnail).unwrap().exists());
}

#[tokio::test]
async fn steps_and_previews_are_seen_while_it_paints() {
    let mut bench = bench(|_| {}).await;
    bench.submit(JobKind::Create, "slow boat", None).await;
    let preview = bench
        .wait(|event| match event {
            StudioEvent::Preview { preview, .. } => Some(preview),
            _ => None,
        })
        .await;
    assert_eq!(bench.studio.preview(preview).unwrap().width(), 32);
}

#[tokio::test]
async fn an_edit_is_a_child_of_its_picture_and_survives_a_new_start() {
    let mut bench = bench(|_| {}).await;
    let first = bench.submit(JobKind::Create, "a boat", None).await;
    let parent = bench.picture_of(&first).await;
    let second = bench.submit(JobKind::Edit, "red sails", Some(parent)).await;
    let child = bench.picture_of(&second).await;
    let before = bench.nodes().await;
    assert_eq!(before[1].parent, Some(parent));
    assert_eq!(before[1].id, child);
    assert_eq!(before[0].piece, before[1].piece);
    bench.studio.close().await;
    let Bench { studio, folder, .. } = bench;
    drop(studio);
    let reopened = reopen(folder.path()).await;
    assert_eq!(reopened.subscribe().await.unwrap().0.nodes, before);
}

/// The library is let go of a moment after the last handle.
async fn reopen(folder: &Path) -> Studio {
    loop {
        match Studio::open(options(folder)) {
            Ok(studio) => return studio,
            Err(Error::InUse { .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_second_studio_on_the_same_pictures_is_refused() {
    let bench = bench(|_| {}).await;
    let second = Studio::open(options(bench.folder.path()));
    assert!(matches!(second, Err(Error::InUse { .. })));
}

#[tokio::test]
async fn an_answer_streams_and_joins_the_conversation() {
    let mut bench = bench(|_| {}).await;
    let made = bench.submit(JobKind::Create, "a boat", None).await;
    let node = bench.picture_of(&made).await;
    bench.submit(JobKind::Ask, "what is it?", Some(node)).await;
    bench.wait(|event| matches!(event, StudioEvent::Text { channel: TextChannel::Answer, .. }).then_some(())).await;
    let first = next_turn(&mut bench).await;
    assert_eq!(first.answer, "I was shown: [picture] | what is it?");
    assert_eq!(first.pictures, [node]);
    bench.submit(JobKind::Ask, "and now?", Some(node)).await;
    let second = next_turn(&mut bench).await;
    assert!(second.answer.ends_with("[picture] | what is it? | I was shown: [picture] | what is it? | and now?"));
    assert!(second.pictures.is_empty(), "the same picture is not shown twice");
}

async fn next_turn(bench: &mut Bench) -> Turn {
    bench
        .wait(|event| match event {
            StudioEvent::TurnAdded { turn, .. } => Some(turn),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn a_stopped_job_leaves_no_file() {
    let mut bench = bench(|_| {}).await;
    let id = bench.submit(JobKind::Create, "slow boat", None).await;
    bench.wait(|event| matches!(event, StudioEvent::Preview { .. }).then_some(())).await;
    bench.studio.cancel(id.clone());
    assert_eq!(bench.end_of(&id).await, JobStatus::Cancelled);
    assert_eq!(bench.pictures_on_disk(), 0);
}

#[tokio::test]
async fn a_stopped_answer_is_kept_as_far_as_it_came() {
    let mut bench = bench(|_| {}).await;
    let id = bench.submit(JobKind::Ask, "slow question", None).await;
    bench.wait(|event| matches!(event, StudioEvent::Text { .. }).then_some(())).await;
    bench.studio.cancel(id);
    let turn = next_turn(&mut bench).await;
    assert!(turn.stopped && turn.answer.starts_with('I'), "{turn:?}");
}

#[tokio::test]
async fn a_job_that_waits_is_stopped_at_once() {
    let mut bench = bench(|_| {}).await;
    let first = bench.submit(JobKind::Create, "slow boat", None).await;
    let second = bench.submit(JobKind::Create, "another", None).await;
    bench.studio.cancel(second.clone());
    assert_eq!(bench.end_of(&second).await, JobStatus::Cancelled);
    bench.picture_of(&first).await;
}

#[tokio::test]
async fn an_engine_that_dies_fails_its_job_and_the_next_one_runs() {
    for death in ["die", "garbage"] {
        let mut bench = bench(|_| {}).await;
        let lost = bench.submit(JobKind::Create, &format!("{death} now"), None).await;
        let next = bench.submit(JobKind::Create, "a boat", None).await;
        let JobStatus::Failed { failure } = bench.end_of(&lost).await else { panic!("{death} did not fail") };
        assert_eq!(failure.code, ErrorCode::Internal);
        assert!(failure.message.ends_with("try again"), "{}", failure.message);
        bench.picture_of(&next).await;
    }
}

#[tokio::test]
async fn an_engine_that_is_silent_or_stuck_is_replaced() {
    for word in ["hang", "stubborn"] {
        let mut bench = bench(|options| {
            options.patience.silence = Duration::from_millis(700);
            options.patience.stall = Duration::from_millis(900);
        })
        .await;
        let stuck = bench.submit(JobKind::Create, word, None).await;
        let next = bench.submit(JobKind::Create, "a boat", None).await;
        assert!(matches!(bench.end_of(&stuck).await, JobStatus::Failed { .. }), "{word}");
        bench.picture_of(&next).await;
    }
}

#[tokio::test]
async fn an_engine_that_will_not_stop_is_ended() {
    let mut bench = bench(|options| options.patience.cancel = Duration::from_millis(200)).await;
    let id = bench.submit(JobKind::Create, "stubborn", None).await;
    bench
        .wait(|event| matches!(event, StudioEvent::JobChanged { status: JobStatus::Running { .. }, .. }).then_some(()))
        .await;
    bench.studio.cancel(id.clone());
    assert_eq!(bench.end_of(&id).await, JobStatus::Cancelled);
    bench.ready().await;
}

#[tokio::test]
async fn a_failure_keeps_its_class_and_stays_until_dismissed() {
    let mut bench = bench(|_| {}).await;
    let id = bench.submit(JobKind::Create, "oom", None).await;
    let JobStatus::Failed { failure } = bench.end_of(&id).await else { panic!("it did not fail") };
    assert_eq!(failure.code, ErrorCode::OutOfDeviceMemory);
    assert_eq!(bench.studio.subscribe().await.unwrap().0.jobs.len(), 1);
    bench.studio.dismiss(id);
    assert!(bench.studio.subscribe().await.unwrap().0.jobs.is_empty());
}

#[tokio::test]
async fn an_engine_that_cannot_start_is_a_state_with_a_sentence() {
    let check = async |name: &str, expected: &str| {
        let folder = tempfile::tempdir().unwrap();
        let mut bench = bench(|options| {
            options.engine =
                if name == "absent" { "/nowhere/bagel".into() } else { engine_called(folder.path(), name) };
            options.patience.greeting = Duration::from_millis(300);
        })
        .await;
        let failure = match bench.start.engine.clone() {
            EngineState::Failed { failure } => failure,
            _ => {
                bench
                    .wait(|event| match event {
                        StudioEvent::Engine { engine: EngineState::Failed { failure } } => Some(failure),
                        _ => None,
                    })
                    .await
            }
        };
        assert!(failure.message.contains(expected), "{name}: {}", failure.message);
        let id = bench.submit(JobKind::Create, "a boat", None).await;
        assert!(matches!(bench.end_of(&id).await, JobStatus::Failed { .. }), "{name}");
    };
    check("absent", "does not start").await;
    check("old", "speaks version 0").await;
    check("mute", "did not answer").await;
    check("broken", "ended unexpectedly").await;
}

#[tokio::test]
async fn without_a_model_a_request_says_what_is_missing() {
    let mut bench = bench(|options| options.model = None).await;
    let id = bench.submit(JobKind::Create, "a boat", None).await;
    let JobStatus::Failed { failure } = bench.end_of(&id).await else { panic!("it did not fail") };
    assert_eq!(failure.code, ErrorCode::ModelMissing);
    bench.studio.use_model("/models/other".into());
    bench.ready().await;
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused_before_they_are_queued() {
    let bench = bench(|_| {}).await;
    for (request, instruction, expected) in
        [(JobKind::Create, "  ", "empty"), (JobKind::Edit, "red sails", "no picture to edit")]
    {
        let error = bench.studio.submit(job(request, instruction, None)).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn what_cannot_be_imported_says_why_and_the_rest_arrives() {
    let mut bench = bench(|_| {}).await;
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.png");
    std::fs::write(&text, "not a picture").unwrap();
    let picture = protocol::Picture::new(400, 2, vec![7; 400 * 2 * 3]).unwrap();
    let good = folder.path().join("船.png");
    imagefile::write_png(&good, &picture, None, imagefile::Overwrite::Refuse).unwrap();
    bench.studio.import(vec![Source::File(text), Source::File(good)], Some([1.0, 2.0])).await;
    let (nodes, failures) = bench
        .wait(|event| match event {
            StudioEvent::Arrived { nodes, failures, .. } => Some((nodes, failures)),
            _ => None,
        })
        .await;
    assert_eq!(failures.len(), 1);
    assert!(failures[0].message.contains("notes.png"), "{}", failures[0].message);
    assert_eq!(bench.studio.title(nodes[0]).unwrap(), "船.png");
    let thumbnail = imagefile::read(&bench.studio.path(nodes[0], Rendition::Thumbnail).unwrap()).unwrap().picture;
    assert_eq!((thumbnail.width(), thumbnail.height()), (256, 1));
}

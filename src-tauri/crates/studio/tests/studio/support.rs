//! A studio on a folder of its own, and what tests ask of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use protocol::{
    EngineState, Failure, ImageParameters, Job, JobId, JobStatus, Kind, NewJob, Node, NodeId, Size, Snapshot,
    StudioEvent, Thinking, Turn,
};
use studio::engine::EngineTimeouts;
use studio::{ImportSource, Studio, StudioOptions};
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

pub(crate) struct Bench {
    pub(crate) studio: Studio,
    pub(crate) events: Receiver<StudioEvent>,
    pub(crate) start: Snapshot,
    pub(crate) folder: TempDir,
    options: StudioOptions,
}

pub(crate) fn timeouts() -> EngineTimeouts {
    EngineTimeouts {
        hello: Duration::from_secs(20),
        silence: Duration::from_secs(20),
        restart: Duration::from_millis(10),
        tick: Duration::from_millis(20),
        cancel: Duration::from_secs(20),
        ..EngineTimeouts::default()
    }
}

pub(crate) fn options(folder: &Path) -> StudioOptions {
    StudioOptions {
        data_folder: folder.join("data"),
        engines: Some(vec![env!("CARGO_BIN_EXE_fake-engine").into()]),
        model: Some(folder.join("pretend")),
        pocket: None,
        timeouts: timeouts(),
    }
}

pub(crate) async fn bench() -> Bench {
    bench_with(|_| {}).await
}

pub(crate) async fn bench_with(change: impl FnOnce(&mut StudioOptions)) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    change(&mut options);
    open(folder, options).await
}

async fn open(folder: TempDir, options: StudioOptions) -> Bench {
    let studio = Studio::open(options.clone()).unwrap();
    let (start, events) = studio.subscribe().await.unwrap();
    Bench { studio, events, start, folder, options }
}

impl Bench {
    /// Waits for the first event that `pick` takes.
    pub(crate) async fn wait<T>(&mut self, mut pick: impl FnMut(StudioEvent) -> Option<T>) -> T {
        let search = async {
            loop {
                match self.events.recv().await {
                    Ok(event) => {
                        if let Some(found) = pick(event) {
                            return found;
                        }
                    }
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => panic!("the studio closed"),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), search).await.expect("the event came within a minute")
    }

    pub(crate) async fn ready(&mut self) {
        if !matches!(self.start.engine, EngineState::Ready { .. }) {
            self.engine(|state| matches!(state, EngineState::Ready { .. })).await;
        }
    }

    pub(crate) async fn engine(&mut self, wanted: impl Fn(&EngineState) -> bool) -> EngineState {
        self.wait(|event| match event {
            StudioEvent::Engine { engine } if wanted(&engine) => Some(engine),
            _ => None,
        })
        .await
    }

    pub(crate) async fn submit(&self, request: Kind, prompt: &str, image: Option<NodeId>) -> JobId {
        self.queue(job(request, prompt, image)).await
    }

    pub(crate) async fn queue(&self, new: NewJob) -> JobId {
        self.studio.submit(new).await.unwrap().remove(0)
    }

    pub(crate) async fn status(&mut self, id: JobId, wanted: impl Fn(&JobStatus) -> bool) -> JobStatus {
        self.wait(|event| match event {
            StudioEvent::JobChanged { job, status } if job == id && wanted(&status) => Some(status),
            _ => None,
        })
        .await
    }

    pub(crate) async fn running(&mut self, id: JobId) {
        self.status(id, |status| matches!(status, JobStatus::Running { .. })).await;
    }

    pub(crate) async fn end_of(&mut self, id: JobId) -> JobStatus {
        self.status(id, JobStatus::is_over).await
    }

    pub(crate) async fn failure_of(&mut self, id: JobId) -> Failure {
        match self.end_of(id).await {
            JobStatus::Failed { failure, .. } => failure,
            status => panic!("the job did not fail: {status:?}"),
        }
    }

    pub(crate) async fn image_of(&mut self, id: JobId) -> NodeId {
        match self.end_of(id).await {
            JobStatus::Done { node: Some(node) } => node,
            status => panic!("the job made no image: {status:?}"),
        }
    }

    pub(crate) async fn turn(&mut self) -> Turn {
        self.wait(|event| match event {
            StudioEvent::TurnAdded { turn, .. } => Some(turn),
            _ => None,
        })
        .await
    }

    pub(crate) async fn preview(&mut self) -> protocol::PreviewId {
        self.wait(|event| match event {
            StudioEvent::Preview { preview, .. } => Some(preview),
            _ => None,
        })
        .await
    }

    pub(crate) async fn snapshot(&self) -> Snapshot {
        self.studio.subscribe().await.unwrap().0
    }

    pub(crate) async fn job(&self, id: JobId) -> Option<Job> {
        self.snapshot().await.jobs.into_iter().find(|job| job.id == id)
    }

    pub(crate) async fn node(&self, id: NodeId) -> Node {
        self.studio.node(id).await.unwrap()
    }

    pub(crate) async fn n_images(&self) -> u64 {
        self.snapshot().await.counts.n_nodes
    }

    pub(crate) async fn make(&mut self, prompt: &str) -> NodeId {
        let id = self.submit(Kind::Generate, prompt, None).await;
        self.image_of(id).await
    }

    /// Ends the studio and opens it again on the same folder.
    pub(crate) async fn reopen(self) -> Bench {
        let Bench { studio, folder, events, options, .. } = self;
        drop(events);
        studio.close().await;
        drop(studio);
        reopen_at(folder, options).await
    }

    /// Drops the studio as a crash would, without a word of farewell, and opens it again.
    pub(crate) async fn crash(self) -> Bench {
        let Bench { studio, folder, events, options, .. } = self;
        drop((studio, events));
        reopen_at(folder, options).await
    }
}

/// The library is let go of a moment after the last handle.
async fn reopen_at(folder: TempDir, options: StudioOptions) -> Bench {
    for _ in 0..1000 {
        match Studio::open(options.clone()) {
            Ok(studio) => {
                let (start, events) = studio.subscribe().await.unwrap();
                return Bench { studio, events, start, folder, options };
            }
            Err(error) if error.is_in_use() => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the library was not let go of");
}

pub(crate) fn job(kind: Kind, prompt: &str, image: Option<NodeId>) -> NewJob {
    NewJob {
        kind,
        prompt: prompt.to_owned(),
        project: None,
        image,
        references: Vec::new(),
        thinking: Thinking::Off,
        pauses_after_plan: false,
        parameters: ImageParameters { size: Some(Size { width: 64, height: 48 }), ..ImageParameters::generate() },
        variations: 1,
        first: false,
    }
}

/// The fake engine under another name, which changes what it does.
pub(crate) fn engine_called(folder: &Path, name: &str) -> PathBuf {
    let program = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    std::fs::copy(env!("CARGO_BIN_EXE_fake-engine"), &program).unwrap();
    program
}

/// An image file from outside.
pub(crate) fn image_file(folder: &Path, name: &str, shade: u8) -> PathBuf {
    let rgb = (0..400_u32).flat_map(|x| [x as u8, shade, 7]).collect();
    let image = protocol::Image::new(200, 2, rgb).unwrap();
    let path = folder.join(name);
    imagefile::write_png(&path, &image, None, imagefile::Overwrite::Refuse).unwrap();
    path
}

pub(crate) fn file(path: impl Into<PathBuf>) -> ImportSource {
    ImportSource::File(path.into())
}

//! The handle of the studio.

mod actor;
mod images;
mod jobs;
mod models;
mod program;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use catalog::Catalog;
use protocol::{ErrorCode, Failure, Image, Job, Node, NodeId, PreviewId, Settings, Snapshot, StudioEvent};
use store::{Opened, Store};
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::engine::EngineTimeouts;
use crate::estimate::CachedEstimator;
use crate::previews::Previews;
use crate::queue::{self, JobQueue};
use crate::{Error, Result, blocking, locate, now_ms, settings};

use actor::{Actor, ActorStart, ActorState, Message, Pending};

pub use images::Rendition;
pub use store::ImportSource;

/// Events that a slow listener may fall behind before it must start over.
const LISTENER_EVENTS: usize = 4096;

/// Projects that are listed at once; the gallery has them all.
const RECENT_PROJECTS: u32 = 60;

/// Where a studio keeps its files and finds its engine.
#[derive(Clone, Debug)]
pub struct StudioOptions {
    /// Where settings and logs are kept, and images and models unless the settings say otherwise.
    pub data_folder: PathBuf,
    /// The engine programs to choose from; those beside this program when absent.
    pub engines: Option<Vec<PathBuf>>,
    /// A model to load whatever the settings say.
    pub model: Option<PathBuf>,
    /// The folder of the pocket model.
    pub pocket: Option<PathBuf>,
    /// How long to wait for the engine.
    pub timeouts: EngineTimeouts,
}

impl StudioOptions {
    /// The user's data folder, the engine beside the program, and the model chosen last.
    pub fn new() -> Result<Self> {
        Ok(Self {
            data_folder: locate::data_folder()?,
            engines: None,
            model: locate::named_model(),
            pocket: locate::pocket_folder(),
            timeouts: EngineTimeouts::default(),
        })
    }
}

/// Where settings and engine programs are.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    data_folder: PathBuf,
    engines: Option<Vec<PathBuf>>,
}

impl Paths {
    fn engine_programs(&self, settings: &Settings) -> Vec<PathBuf> {
        self.engines.clone().unwrap_or_else(|| locate::engine_programs(settings))
    }
}

/// Shared by the actor and all handles.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Arc<Store>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) previews: Previews,
    pub(crate) estimator: CachedEstimator,
    pub(crate) events: broadcast::Sender<StudioEvent>,
    pub(crate) models_folder: PathBuf,
}

/// The application without a window. Clones are the same studio.
#[derive(Clone, Debug)]
pub struct Studio {
    inbox: mpsc::UnboundedSender<Message>,
    shared: Arc<Shared>,
    data_folder: Arc<Path>,
}

impl Studio {
    /// Opens library, models and settings, and starts the engine in the background.
    ///
    /// Must be called within a Tokio runtime. Fails when the library cannot be
    /// used, as when another program has it open; an engine or a model that
    /// fails is a state that listeners see.
    pub fn open(options: StudioOptions) -> Result<Self> {
        let StudioOptions { data_folder, engines, model, pocket, timeouts } = options;
        let settings::Found { settings, mut notices } = settings::read(&data_folder);
        let library_folder = locate::library_folder(&data_folder, &settings);
        let models_folder = locate::models_folder(&data_folder, &settings);
        let Opened { store, recovery } = Store::open(&library_folder, now_ms())?;
        notices.extend(images::recovery_notices(&recovery));
        if store.is_read_only() {
            notices.push(store::Error::ReadOnly { folder: library_folder }.failure());
        }
        let queue = restore_queue(&store, &mut notices);
        let user_catalog = Some(data_folder.join("models.toml")).filter(|path| path.is_file());
        let pocket_model = pocket.as_deref().and_then(locate::pocket_model);
        let catalog = open_catalog(&models_folder, user_catalog, pocket, &mut notices)?;
        let chosen = crate::models::first(&catalog, model, &settings, pocket_model, &mut notices);
        let (target, defaults) = chosen.map(|it| (Some(it.target), it.defaults)).unwrap_or_default();

        let (events, _) = broadcast::channel(LISTENER_EVENTS);
        let shared = Arc::new(Shared {
            store: Arc::new(store),
            catalog: Arc::new(catalog),
            previews: Previews::default(),
            estimator: CachedEstimator::default(),
            events,
            models_folder,
        });
        let (inbox, messages) = mpsc::unbounded_channel();
        let paths = Paths { data_folder: data_folder.clone(), engines };
        let start =
            ActorStart { shared: Arc::clone(&shared), paths, settings, notices, queue, target, defaults, timeouts };
        tokio::spawn(Actor::new(start, inbox.downgrade()).run(messages));
        Ok(Self { inbox, shared, data_folder: data_folder.into() })
    }

    /// Everything as it stands, and every change after it.
    ///
    /// A change that is made meanwhile may be in both.
    pub async fn subscribe(&self) -> Result<(Snapshot, broadcast::Receiver<StudioEvent>)> {
        let (state, events) = self.read(|actor| (actor.state(), actor.subscribe())).await?;
        let ActorState { engine, jobs, is_paused, defaults, models, settings, notices } = state;
        let store = Arc::clone(&self.shared.store);
        let (projects, counts) =
            blocking(move || Ok((store.projects(None, RECENT_PROJECTS)?.projects, store.counts()?))).await?;
        let snapshot = Snapshot { engine, jobs, is_paused, defaults, projects, counts, models, settings, notices };
        Ok((snapshot, events))
    }

    /// A step's image, while it is kept.
    pub fn preview(&self, preview: PreviewId) -> Option<Arc<Image>> {
        self.shared.previews.get(preview)
    }

    /// Previews of an image's steps, the last one last, while they are kept.
    pub fn steps(&self, node: NodeId) -> Vec<PreviewId> {
        self.shared.previews.steps(node)
    }

    /// Sends an event of the window to all listeners.
    pub fn emit(&self, event: StudioEvent) {
        self.shared.emit(event);
    }

    /// Ends the engine and closes the library. The running job is interrupted.
    pub async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        self.send(Message::Close(reply));
        let _ = closed.await;
        let store = Arc::clone(&self.shared.store);
        if let Err(error) = blocking(move || Ok(store.close(now_ms())?)).await {
            tracing::warn!(%error, "the library was not closed cleanly");
        }
    }

    /// Where settings and logs are kept.
    pub fn data_folder(&self) -> &Path {
        &self.data_folder
    }

    fn send(&self, message: Message) {
        // After the end nobody receives it.
        let _ = self.inbox.send(message);
    }

    /// Runs `work` on the actor, in order with everything else, and waits for its result.
    async fn call<T: Send + 'static>(
        &self,
        work: impl for<'a> FnOnce(&'a mut Actor) -> Pending<'a, T> + Send + 'static,
    ) -> Result<T> {
        let (reply, result) = oneshot::channel();
        self.post(move |actor| {
            let pending = work(actor);
            Box::pin(async move { drop(reply.send(pending.await)) })
        });
        result.await.map_err(|_closed| Error::Closed)
    }

    /// Runs `work` on the actor without waiting.
    fn post(&self, work: impl for<'a> FnOnce(&'a mut Actor) -> Pending<'a, ()> + Send + 'static) {
        self.send(Message::Call(Box::new(work)));
    }

    /// Runs `read` on the actor and waits for its result.
    async fn read<T: Send + 'static>(&self, read: impl FnOnce(&mut Actor) -> T + Send + 'static) -> Result<T> {
        self.call(move |actor| Box::pin(std::future::ready(read(actor)))).await
    }

    /// Reads or writes the library where that may block.
    async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = Arc::clone(&self.shared.store);
        blocking(move || work(&store)).await
    }
}

impl Shared {
    pub(crate) fn emit(&self, event: StudioEvent) {
        // Without listeners the event is lost; a later snapshot contains what it said.
        let _ = self.events.send(event);
    }

    /// Announces an image that joined the history.
    pub(crate) async fn emit_added(&self, node: Node) {
        let store = Arc::clone(&self.store);
        let project = node.project;
        let summary = blocking(move || Ok((store.project_summary(project)?, store.counts()?))).await;
        if let Ok((project, counts)) = summary {
            self.emit(StudioEvent::ProjectChanged { project });
            self.emit(StudioEvent::NodeAdded { node });
            self.emit(StudioEvent::Counts { counts });
        } else {
            self.emit(StudioEvent::NodeAdded { node });
        }
    }
}

/// The catalog; a list of the user's own that cannot be read becomes a notice.
fn open_catalog(
    models_folder: &Path,
    user_catalog: Option<PathBuf>,
    pocket: Option<PathBuf>,
    notices: &mut Vec<Failure>,
) -> Result<Catalog> {
    if let Some(path) = user_catalog {
        match Catalog::open(models_folder.to_path_buf(), Some(path), pocket.clone()) {
            Ok(catalog) => return Ok(catalog),
            Err(error) => notices.push(error.failure()),
        }
    }
    Ok(Catalog::open(models_folder.to_path_buf(), None, pocket)?)
}

/// The queue of an earlier start. Jobs of another version of the program stay in the library for that version.
fn restore_queue(store: &Store, notices: &mut Vec<Failure>) -> JobQueue {
    let (stored, is_paused) = match store.jobs().and_then(|jobs| Ok((jobs, store.is_queue_held()?))) {
        Ok(stored) => stored,
        Err(error) => {
            notices.push(error.failure());
            return JobQueue::default();
        }
    };
    let mut jobs = Vec::new();
    let mut second_tries = Vec::new();
    let mut n_skipped = 0;
    for stored in stored {
        match serde_json::from_value::<Job>(stored.body) {
            Ok(job) => {
                if stored.state == queue::SECOND_TRY {
                    second_tries.push(job.id);
                }
                jobs.push(job);
            }
            Err(error) => {
                tracing::warn!(%error, id = %stored.id, "skipping a job of another version");
                n_skipped += 1;
            }
        }
    }
    if n_skipped > 0 {
        let message = match n_skipped {
            1 => "1 job was queued by another version of Bagel Studio and needs it to run".to_owned(),
            n => format!("{n} jobs were queued by another version of Bagel Studio and need it to run"),
        };
        notices.push(Failure { code: ErrorCode::NewerProgram, message });
    }
    let mut queue = JobQueue::restore(jobs);
    queue.is_paused = is_paused;
    second_tries.into_iter().for_each(|id| queue.mark_second_try(id));
    queue
}

#[cfg(test)]
mod tests {
    use protocol::JobStatus;
    use serde_json::{Value, json};
    use store::StoredJob;

    use super::*;
    use crate::fixtures;

    fn stored(id: &str, order: i64, change: impl FnOnce(&mut Value)) -> StoredJob {
        let job = fixtures::job(id, JobStatus::Queued);
        let id = job.id;
        let mut body = serde_json::to_value(job).unwrap();
        change(&mut body);
        StoredJob { id, order, state: "queued".to_owned(), body }
    }

    #[test]
    fn jobs_of_another_version_stay_in_the_library() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), 1).unwrap().store;
        let put = [
            stored("a", 0, |body| body["parameters"]["a_later_parameter"] = json!(7)),
            stored("b", 1, |_| {}),
            stored("c", 2, |body| body["kind"] = json!("animate")),
        ];
        store.put_jobs(&put).unwrap();
        let mut notices = Vec::new();
        let queue = restore_queue(&store, &mut notices);
        assert_eq!(queue.waiting(), [fixtures::id("b")]);
        assert_eq!(notices.iter().map(|it| it.code).collect::<Vec<_>>(), [ErrorCode::NewerProgram]);
        assert!(notices[0].message.starts_with("2 jobs"), "{}", notices[0].message);
        assert_eq!(store.jobs().unwrap(), put);

        // Writing and removing the known jobs leaves the others alone.
        store.put_jobs(&put[1..2]).unwrap();
        store.remove_job(put[1].id).unwrap();
        assert_eq!(store.jobs().unwrap(), [put[0].clone(), put[2].clone()]);
    }
}

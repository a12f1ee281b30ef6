//! The handle that a window, or a test, holds.

mod actor;
mod images;
mod jobs;
mod models;
mod program;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use catalog::Catalog;
use protocol::{ErrorCode, Failure, Image, Job, JobId, Node, NodeId, PreviewId, Settings, Snapshot, StudioEvent};
use store::{Opened, Store};
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::engine::Timeouts;
use crate::forecast::Forecaster;
use crate::previews::Previews;
use crate::queue::{self, Queue};
use crate::{Error, Result, locate, settings};

use actor::{Actor, Message, Standing, Start};

pub use images::Rendition;
pub use store::Source;

/// Events that a slow listener may fall behind before it must start over.
const LISTENER_EVENTS: usize = 4096;

/// Projects that are listed at once; the gallery has them all.
const RECENT_PROJECTS: u32 = 60;

/// What a studio is opened with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where settings and logs are kept, and images and models unless the settings say otherwise.
    pub data_folder: PathBuf,
    /// The engine programs to choose from; those beside this program when absent.
    pub engines: Option<Vec<PathBuf>>,
    /// A model to load whatever the settings say.
    pub model: Option<PathBuf>,
    /// The folder of the pocket model.
    pub pocket: Option<PathBuf>,
    /// How patient to be with the engine.
    pub timeouts: Timeouts,
}

/// Options with everything where it usually is.
impl Options {
    /// The user's data folder, the engine beside the program, and the model chosen last.
    pub fn usual() -> Result<Self> {
        Ok(Self {
            data_folder: locate::data_folder()?,
            engines: None,
            model: locate::named_model(),
            pocket: locate::pocket_folder(),
            timeouts: Timeouts::default(),
        })
    }
}

/// Where things are.
#[derive(Clone, Debug)]
pub(crate) struct Rooms {
    data_folder: PathBuf,
    engines: Option<Vec<PathBuf>>,
}

impl Rooms {
    fn engine_programs(&self, settings: &Settings) -> Vec<PathBuf> {
        self.engines.clone().unwrap_or_else(|| locate::engine_programs(settings))
    }
}

/// What the task and all handles have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Arc<Store>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) previews: Previews,
    pub(crate) forecaster: Forecaster,
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
    pub fn open(options: Options) -> Result<Self> {
        let Options { data_folder, engines, model, pocket, timeouts } = options;
        let settings::Found { settings, mut notices } = settings::read(&data_folder);
        let library_folder = locate::library_folder(&data_folder, &settings);
        let models_folder = locate::models_folder(&data_folder, &settings);
        let Opened { store, recovery } = Store::open(&library_folder, now_ms())?;
        notices.extend(images::recovered(&recovery));
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
            forecaster: Forecaster::default(),
            events,
            models_folder,
        });
        let (inbox, messages) = mpsc::unbounded_channel();
        let rooms = Rooms { data_folder: data_folder.clone(), engines };
        let start = Start { shared: Arc::clone(&shared), rooms, settings, notices, queue, target, defaults, timeouts };
        tokio::spawn(Actor::new(start, inbox.downgrade()).run(messages));
        Ok(Self { inbox, shared, data_folder: data_folder.into() })
    }

    /// Everything as it stands, and every change after it.
    ///
    /// A change that is made meanwhile may be in both.
    pub async fn subscribe(&self) -> Result<(Snapshot, broadcast::Receiver<StudioEvent>)> {
        let (standing, events) = self.ask(Message::Subscribe).await?;
        let Standing { engine, jobs, is_paused, defaults, models, settings, notices } = standing;
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

    /// Tells whoever listens of something that happened to the window.
    pub fn announce(&self, event: StudioEvent) {
        self.shared.tell(event);
    }

    /// Ends the engine and closes the library. What was saved stays; what runs is interrupted.
    pub async fn close(&self) {
        let _ = self.ask(Message::Close).await;
        let store = Arc::clone(&self.shared.store);
        if let Err(error) = blocking(move || Ok(store.close(now_ms())?)).await {
            tracing::warn!(%error, "the library was not closed cleanly");
        }
    }

    /// Where settings and logs are kept.
    pub fn data_folder(&self) -> &Path {
        &self.data_folder
    }

    fn tell(&self, message: Message) {
        // After the end there is nobody to tell, and nothing to be done about it.
        let _ = self.inbox.send(message);
    }

    async fn ask<T>(&self, message: impl FnOnce(oneshot::Sender<T>) -> Message) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.tell(message(reply));
        answer.await.map_err(|_closed| Error::Closed)
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
    pub(crate) fn tell(&self, event: StudioEvent) {
        // Nobody may be listening; a snapshot catches up with everything.
        let _ = self.events.send(event);
    }

    /// Tells of an image that joined the history.
    pub(crate) async fn tell_added(&self, node: Node) {
        let store = Arc::clone(&self.store);
        let project = node.project;
        let summary = blocking(move || Ok((store.project_summary(project)?, store.counts()?))).await;
        if let Ok((project, counts)) = summary {
            self.tell(StudioEvent::ProjectChanged { project });
            self.tell(StudioEvent::NodeAdded { node });
            self.tell(StudioEvent::Counts { counts });
        } else {
            self.tell(StudioEvent::NodeAdded { node });
        }
    }
}

/// The models; a list of the user's own that cannot be understood is named and left out.
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

/// The queue of an earlier start, as far as it can be understood; the rest stays in the library for the version
/// that entered it.
fn restore_queue(store: &Store, notices: &mut Vec<Failure>) -> Queue {
    let (stored, is_paused) = match store.jobs().and_then(|jobs| Ok((jobs, store.is_queue_held()?))) {
        Ok(stored) => stored,
        Err(error) => {
            notices.push(error.failure());
            return Queue::default();
        }
    };
    let mut jobs = Vec::new();
    let mut second_tries = Vec::new();
    let mut n_left_out = 0;
    for stored in stored {
        match serde_json::from_value::<Job>(stored.body) {
            Ok(job) => {
                if stored.state == queue::SECOND_TRY {
                    second_tries.push(job.id.clone());
                }
                jobs.push(job);
            }
            Err(error) => {
                let JobId(id) = &stored.id;
                tracing::warn!(%error, id, "a job of another version is left out");
                n_left_out += 1;
            }
        }
    }
    if n_left_out > 0 {
        let message = match n_left_out {
            1 => "1 request of another version waits; it comes back with that version".to_owned(),
            n => format!("{n} requests of another version wait; they come back with that version"),
        };
        notices.push(Failure { code: ErrorCode::NewerProgram, message });
    }
    let mut queue = Queue::restore(jobs);
    queue.is_paused = is_paused;
    second_tries.iter().for_each(|id| queue.mark_second_try(id));
    queue
}

/// Does what may block away from the tasks that must not.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(Error::Closed))
}

pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|elapsed| elapsed.as_millis() as u64).unwrap_or_default()
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
        let id = job.id.clone();
        let mut body = serde_json::to_value(job).unwrap();
        change(&mut body);
        StoredJob { id, order, state: "queued".to_owned(), body }
    }

    #[test]
    fn requests_of_another_version_wait_for_it() {
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
        let ids = |jobs: &[StoredJob]| jobs.iter().map(|job| job.id.0.clone()).collect::<Vec<_>>();
        assert_eq!(queue.waiting(), [JobId("b".to_owned())]);
        assert_eq!(notices.iter().map(|it| it.code).collect::<Vec<_>>(), [ErrorCode::NewerProgram]);
        assert!(notices[0].message.starts_with("2 requests"), "{}", notices[0].message);
        assert_eq!(store.jobs().unwrap(), put);

        // What is written of those that are understood, and that they leave, touches no other.
        store.put_jobs(&put[1..2]).unwrap();
        store.remove_job(&put[1].id).unwrap();
        assert_eq!(ids(&store.jobs().unwrap()), ["a", "c"]);
    }
}

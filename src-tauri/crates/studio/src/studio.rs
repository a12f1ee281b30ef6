//! The handle that a window, or a test, holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use protocol::{Failure, JobId, Picture};
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::engine::Patience;
use crate::event::{Snapshot, StudioEvent};
use crate::library::{Library, Rendition};
use crate::previews::Previews;
use crate::{Error, NewJob, NodeId, PreviewId, Result};

mod actor;

use actor::{Actor, Message};

/// Events that a slow listener may fall behind before it must start over.
const LISTENER_EVENTS: usize = 4096;

/// What a studio is opened with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where pictures and settings are kept.
    pub data_folder: PathBuf,
    /// The engine program.
    pub engine: PathBuf,
    /// The model to load at once, if there is one.
    pub model: Option<PathBuf>,
    /// How patient to be with the engine.
    pub patience: Patience,
}

/// A picture brought in from outside.
#[derive(Debug)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// The bytes of a file that has no place, such as a pasted one.
    Bytes {
        /// What to call it.
        name: String,
        /// The file's bytes.
        bytes: Vec<u8>,
    },
}

/// The application without a window. Clones are the same studio.
#[derive(Clone, Debug)]
pub struct Studio {
    inbox: mpsc::UnboundedSender<Message>,
    library: Arc<Library>,
    previews: Arc<Previews>,
}

impl Studio {
    /// Opens the data folder and starts the engine in the background.
    ///
    /// Must be called within a Tokio runtime. Fails when the folder cannot be
    /// used; an engine that fails is a state that listeners see.
    pub fn open(options: Options) -> Result<Self> {
        let library = Arc::new(Library::open(&options.data_folder)?);
        let previews = Arc::new(Previews::default());
        let (inbox, messages) = mpsc::unbounded_channel();
        let (events, _) = broadcast::channel(LISTENER_EVENTS);
        let actor = Actor::new(options, Arc::clone(&library), Arc::clone(&previews), events, inbox.downgrade());
        tokio::spawn(actor.run(messages));
        Ok(Self { inbox, library, previews })
    }

    /// Everything as it stands, and every change after it.
    pub async fn subscribe(&self) -> Result<(Snapshot, broadcast::Receiver<StudioEvent>)> {
        self.ask(Message::Subscribe).await
    }

    /// Queues a request.
    pub async fn submit(&self, job: NewJob) -> Result<JobId> {
        self.ask(|reply| Message::Submit(Box::new(job), reply)).await?
    }

    /// Ends a job that waits at once, and one that runs within a step.
    pub fn cancel(&self, job: JobId) {
        self.tell(Message::Cancel(job));
    }

    /// Puts a failed job away.
    pub fn dismiss(&self, job: JobId) {
        self.tell(Message::Dismiss(job));
    }

    /// Brings pictures in; listeners learn of them by [`StudioEvent::Arrived`].
    pub async fn import(&self, sources: Vec<Source>, position: Option<[f64; 2]>) {
        let library = Arc::clone(&self.library);
        let read = tokio::task::spawn_blocking(move || {
            let import = |source| match source {
                Source::File(path) => library.import(&path, None, now_ms()),
                Source::Bytes { name, bytes } => library.import_bytes(&bytes, name, None, now_ms()),
            };
            sources.into_iter().map(import).collect::<Vec<_>>()
        });
        let Ok(results) = read.await else { return };
        let mut saved = Vec::new();
        let mut failures: Vec<Failure> = Vec::new();
        for result in results {
            match result {
                Ok(picture) => saved.push(picture),
                Err(error) => failures.push(error.failure()),
            }
        }
        self.tell(Message::Arrived { saved, failures, position });
    }

    /// Copies a picture with its recipe to where the artist wants it.
    pub async fn export(&self, node: NodeId, destination: PathBuf) -> Result<()> {
        let library = Arc::clone(&self.library);
        let copy = tokio::task::spawn_blocking(move || library.export(node, &destination));
        copy.await.unwrap_or(Err(Error::Closed))
    }

    /// Loads another model; the engine starts anew, and waiting jobs wait for it.
    pub fn use_model(&self, model: PathBuf) {
        self.tell(Message::UseModel(model));
    }

    /// Starts an engine that was given up.
    pub fn retry_engine(&self) {
        self.tell(Message::RetryEngine);
    }

    /// What a picture is called.
    pub fn title(&self, node: NodeId) -> Result<String> {
        Ok(self.library.node(node)?.title)
    }

    /// Where a picture lies.
    pub fn path(&self, node: NodeId, rendition: Rendition) -> Result<PathBuf> {
        self.library.path(node, rendition)
    }

    /// A step's picture, while it is kept.
    pub fn preview(&self, preview: PreviewId) -> Option<Arc<Picture>> {
        self.previews.get(preview)
    }

    /// Ends the engine. What was saved stays; what runs is lost.
    pub async fn close(&self) {
        let _ = self.ask(Message::Close).await;
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
}

/// Options with everything where it usually is.
impl Options {
    /// The user's data folder, the engine beside the program, and the model chosen last.
    pub fn usual() -> Result<Self> {
        let data_folder = crate::locate::data_folder()?;
        let settings = crate::locate::Settings::read(&data_folder);
        let model = crate::locate::model(&settings);
        Ok(Self { engine: crate::locate::engine_program(), model, data_folder, patience: Patience::default() })
    }

    /// Where pictures and settings are kept.
    pub fn data_folder(&self) -> &Path {
        &self.data_folder
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|elapsed| elapsed.as_millis() as u64).unwrap_or_default()
}

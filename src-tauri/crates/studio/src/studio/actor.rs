//! The task that owns queue, engine and settings, so that everything happens in one order.
//!
//! Handles send it closures ([`Call`]) that run here, one after the other;
//! work that blocks or waits happens elsewhere and comes back the same way.

mod installs;
mod jobs;
mod results;
mod running;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use protocol::{
    DeviceDescription, EngineState, Event, Failure, Image, Job, ModelCard, ModelDefaults, ModelDescription, Settings,
    SettingsChange, StudioEvent,
};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::{self, MissedTickBehavior};

use super::{Paths, Shared};
use crate::engine::EngineTimeouts;
use crate::engine::process::ProcessOutput;
use crate::engine::supervisor::{EngineUpdate, Supervisor, Target};
use crate::engine::variants::{self, Variant};
use crate::queue::JobQueue;
use crate::{Error, Result, models, settings};

use installs::Installs;
use results::SavedImage;
pub(super) use results::expected_secs;
use running::RunningJob;

/// Work on the actor that is under way.
pub(super) type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Work for the actor.
pub(super) type Call = Box<dyn for<'a> FnOnce(&'a mut Actor) -> Pending<'a, ()> + Send>;

/// What arrives at the actor.
pub(super) enum Message {
    Call(Call),
    /// The one kind of message that closing still waits for.
    Saved(Box<SavedImage>),
    Close(oneshot::Sender<()>),
}

/// The way back to the actor for work that happens elsewhere; what arrives after the end is dropped.
#[derive(Clone, Debug)]
pub(super) struct Inbox(mpsc::WeakUnboundedSender<Message>);

impl Inbox {
    fn send(&self, message: Message) {
        if let Some(inbox) = self.0.upgrade() {
            let _ = inbox.send(message);
        }
    }

    fn call(&self, work: impl for<'a> FnOnce(&'a mut Actor) -> Pending<'a, ()> + Send + 'static) {
        self.send(Message::Call(Box::new(work)));
    }
}

/// What only the actor knows of the studio's state.
#[derive(Debug)]
pub(super) struct ActorState {
    pub(super) engine: EngineState,
    pub(super) jobs: Vec<Job>,
    pub(super) is_paused: bool,
    pub(super) defaults: ModelDefaults,
    pub(super) models: Vec<ModelCard>,
    pub(super) settings: Settings,
    pub(super) notices: Vec<Failure>,
}

/// The engine and its model, as estimates and reports need them.
#[derive(Clone, Debug)]
pub(super) struct EngineSnapshot {
    /// The model that is loaded, or was until it was unloaded while idle.
    pub(super) model: Option<ModelDescription>,
    pub(super) is_loaded: bool,
    /// The model to load, whether it is loaded or not.
    pub(super) target: Option<Target>,
    pub(super) obstacle: Option<Failure>,
    pub(super) devices: Vec<DeviceDescription>,
    pub(super) defaults: ModelDefaults,
    pub(super) version: Option<String>,
    pub(super) program: PathBuf,
    pub(super) settings: Settings,
    pub(super) state: EngineState,
}

pub(super) struct Actor {
    shared: Arc<Shared>,
    paths: Paths,
    inbox: Inbox,
    queue: JobQueue,
    engine: Supervisor,
    timeouts: EngineTimeouts,
    running: Option<RunningJob>,
    last_activity: Instant,
    settings: Settings,
    notices: Vec<Failure>,
    defaults: ModelDefaults,
    /// The model that was loaded last.
    model: Option<ModelDescription>,
    /// What all variants of the engine together can compute on.
    devices: Vec<DeviceDescription>,
    /// Whether the engine variant is being chosen: a job that started now would be lost with the old process.
    is_choosing: bool,
    /// Counts choices of a variant: only the newest answer is used.
    n_choices: u64,
    /// The models as the catalog listed them last; `installs` knows better what is under way.
    models: Vec<ModelCard>,
    /// Counts listings of models: an older one that arrives late must not replace a newer one.
    n_listings: u64,
    installs: Installs,
}

/// What the actor starts with.
pub(super) struct ActorStart {
    pub(super) shared: Arc<Shared>,
    pub(super) paths: Paths,
    pub(super) settings: Settings,
    pub(super) notices: Vec<Failure>,
    pub(super) queue: JobQueue,
    pub(super) target: Option<Target>,
    pub(super) defaults: ModelDefaults,
    pub(super) timeouts: EngineTimeouts,
}

impl Actor {
    pub(super) fn new(start: ActorStart, inbox: mpsc::WeakUnboundedSender<Message>) -> Self {
        let ActorStart { shared, paths, settings, notices, queue, target, defaults, timeouts } = start;
        let engine = Supervisor::new(PathBuf::new(), target, settings.device.clone(), timeouts);
        Self {
            shared,
            paths,
            inbox: Inbox(inbox),
            queue,
            engine,
            timeouts,
            running: None,
            last_activity: Instant::now(),
            settings,
            notices,
            defaults,
            model: None,
            devices: Vec::new(),
            is_choosing: false,
            n_choices: 0,
            models: Vec::new(),
            n_listings: 0,
            installs: Installs::default(),
        }
    }

    pub(super) async fn run(mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        let mut ticks = time::interval(self.timeouts.tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.choose_variant();
        self.refresh_models();
        loop {
            self.start_next_job().await;
            tokio::select! {
                message = messages.recv() => match message {
                    Some(Message::Close(reply)) => {
                        self.finish_saving(&mut messages).await;
                        self.save_queue().await;
                        self.engine.shut_down().await;
                        drop(self);
                        let _ = reply.send(());
                        return;
                    }
                    Some(message) => self.receive(message).await,
                    None => return,
                },
                output = self.engine.next_output() => match output {
                    ProcessOutput::Frame(frame) => self.on_engine_event(frame.header, frame.payload).await,
                    ProcessOutput::Ended { error } => {
                        self.on_engine_exit(error.map(|error| format!("it sent an invalid frame: {error}"))).await;
                    }
                },
                _ = ticks.tick() => self.on_tick().await,
            }
        }
    }

    async fn receive(&mut self, message: Message) {
        match message {
            Message::Call(call) => call(self).await,
            Message::Saved(saved) => self.on_saved(*saved).await,
            Message::Close(reply) => drop(reply.send(())),
        }
    }

    /// Watches the engine: restarts it when due, ends it when it hangs, unloads it when nothing was asked for long.
    async fn on_tick(&mut self) {
        if let Some(reason) = self.engine.find_hang() {
            self.on_engine_exit(Some(reason)).await;
        }
        if self.engine.restart_if_due() {
            self.emit_engine_state();
        }
        if self.queue.has_work() {
            self.last_activity = Instant::now();
        }
        let idle_limit = self.timeouts.idle_minute.saturating_mul(self.settings.idle_minutes);
        let may_suspend = self.settings.idle_minutes > 0 && matches!(self.engine.state(), EngineState::Ready { .. });
        if may_suspend && self.last_activity.elapsed() > idle_limit {
            tracing::info!(minutes = self.settings.idle_minutes, "the engine is idle; unloading the model");
            self.engine.suspend().await;
            self.emit_engine_state();
        }
    }

    pub(super) fn state(&self) -> ActorState {
        let mut models = self.models.clone();
        self.installs.apply_to(&mut models);
        ActorState {
            engine: self.engine.state().clone(),
            jobs: self.queue.snapshot(),
            is_paused: self.queue.is_paused,
            defaults: self.defaults.clone(),
            models,
            settings: self.settings.clone(),
            notices: self.notices.clone(),
        }
    }

    pub(super) fn engine_snapshot(&self) -> EngineSnapshot {
        EngineSnapshot {
            model: self.model.clone(),
            is_loaded: matches!(self.engine.state(), EngineState::Ready { .. }),
            target: self.engine.target().cloned(),
            obstacle: self.engine.obstacle(),
            devices: self.all_devices(),
            defaults: self.defaults.clone(),
            version: self.engine.version().map(str::to_owned),
            program: self.engine.program().clone(),
            settings: self.settings.clone(),
            state: self.engine.state().clone(),
        }
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<StudioEvent> {
        self.shared.events.subscribe()
    }

    pub(super) fn engine_mut(&mut self) -> &mut Supervisor {
        &mut self.engine
    }

    fn all_devices(&self) -> Vec<DeviceDescription> {
        if self.devices.is_empty() { self.engine.devices().to_vec() } else { self.devices.clone() }
    }

    /// Chooses the program to run, in the background: a driver may take its time to answer.
    fn choose_variant(&mut self) {
        self.is_choosing = true;
        self.n_choices += 1;
        let number = self.n_choices;
        let programs = self.paths.engine_programs(&self.settings);
        let (device, inbox) = (self.settings.device.clone(), self.inbox.clone());
        tokio::spawn(async move {
            let variant = variants::choose(programs, device).await;
            inbox.call(move |actor| Box::pin(actor.use_variant(number, variant)));
        });
    }

    async fn use_variant(&mut self, number: u64, variant: Variant) {
        if number != self.n_choices {
            return;
        }
        self.is_choosing = false;
        self.devices = variant.devices;
        self.engine.use_program(variant.program, self.settings.device.clone()).await;
        self.emit_engine_state();
    }

    pub(super) async fn use_model(&mut self, target: Target, defaults: ModelDefaults) -> Result<()> {
        self.save_settings(Settings { model: target.choice.clone(), ..self.settings.clone() }).await?;
        self.interrupt_job("another model was chosen").await;
        self.model = None;
        self.engine.use_model(Some(target)).await;
        self.defaults = defaults;
        self.emit(StudioEvent::Defaults { defaults: self.defaults.clone() });
        self.emit_engine_state();
        self.refresh_models();
        Ok(())
    }

    pub(super) async fn restart_engine(&mut self) {
        self.interrupt_job("the engine was restarted").await;
        self.engine.restart().await;
        self.emit_engine_state();
    }

    pub(super) async fn change_settings(&mut self, change: SettingsChange) -> Result<()> {
        let device = self.settings.device.clone();
        let mut changed = self.settings.clone();
        settings::apply(&mut changed, change)?;
        self.save_settings(changed).await?;
        if device != self.settings.device {
            self.interrupt_job("another device was chosen").await;
            self.choose_variant();
        }
        Ok(())
    }

    pub(super) async fn set_library_folder(&mut self, library_folder: Option<PathBuf>) -> Result<()> {
        self.save_settings(Settings { library_folder, ..self.settings.clone() }).await
    }

    pub(super) async fn set_models_folder(&mut self, models_folder: Option<PathBuf>) -> Result<()> {
        self.save_settings(Settings { models_folder, ..self.settings.clone() }).await
    }

    pub(super) async fn set_engine(&mut self, engine: Option<PathBuf>) -> Result<()> {
        self.save_settings(Settings { engine, ..self.settings.clone() }).await?;
        self.interrupt_job("another engine was chosen").await;
        self.choose_variant();
        Ok(())
    }

    /// Writes settings, which hold from then on; those that cannot be written change nothing.
    async fn save_settings(&mut self, changed: Settings) -> Result<()> {
        let (folder, written) = (self.paths.data_folder.clone(), changed.clone());
        crate::blocking(move || settings::write(&folder, &written)).await?;
        self.settings = changed;
        self.emit(StudioEvent::Settings { settings: self.settings.clone() });
        Ok(())
    }

    /// Lists the models again, in the background.
    pub(super) fn refresh_models(&mut self) {
        self.n_listings += 1;
        let number = self.n_listings;
        let (shared, inbox, devices) = (Arc::clone(&self.shared), self.inbox.clone(), self.all_devices());
        tokio::task::spawn_blocking(move || {
            let hardware = models::hardware(&shared.models_folder, devices);
            let cards = shared.catalog.cards(&hardware);
            inbox.call(move |actor| {
                actor.on_models_listed(number, cards);
                Box::pin(std::future::ready(()))
            });
        });
    }

    async fn on_engine_event(&mut self, event: Event, payload: Vec<u8>) {
        match self.engine.on_event(event, payload) {
            EngineUpdate::None => {}
            EngineUpdate::State => {
                match self.engine.state() {
                    EngineState::Ready { model, .. } => self.model = Some(model.clone()),
                    // It has just listed its devices, which decide what fits.
                    EngineState::Loading { bytes: 0, .. } | EngineState::NoModel => self.refresh_models(),
                    _ => {}
                }
                self.last_activity = Instant::now();
                self.emit_engine_state();
            }
            EngineUpdate::Job(event, payload) => self.on_job_event(*event, payload).await,
        }
    }

    pub(super) fn notify(&mut self, failure: Failure) {
        tracing::warn!(code = ?failure.code, "{}", failure.message);
        self.notices.push(failure.clone());
        self.emit(StudioEvent::Notice { failure });
    }

    fn emit_engine_state(&self) {
        self.emit(StudioEvent::Engine { engine: self.engine.state().clone() });
    }

    fn emit(&self, event: StudioEvent) {
        self.shared.emit(event);
    }
}

/// An image of the engine's bytes.
fn image(size: protocol::Size, rgb: Vec<u8>) -> Result<Image> {
    Image::new(size.width, size.height, rgb)
        .ok_or_else(|| Error::Engine("the engine's image is not of the size it names; try again".to_owned()))
}
#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::path::Path;

    use catalog::{Catalog, ImportMode};
    use protocol::{JobPlace, JobStatus, Thinking};

    use super::*;
    use crate::estimate::CachedEstimator;
    use crate::fixtures::{id, job};
    use crate::previews::Previews;

    fn actor(folder: &Path, inbox: mpsc::WeakUnboundedSender<Message>) -> Actor {
        let models_folder = folder.join("models");
        let shared = Shared {
            store: Arc::new(store::Store::open(&folder.join("library"), 1).unwrap().store),
            catalog: Arc::new(Catalog::open(models_folder.clone(), None, None).unwrap()),
            previews: Previews::default(),
            estimator: CachedEstimator::default(),
            events: broadcast::channel(8).0,
            models_folder,
        };
        let start = ActorStart {
            shared: Arc::new(shared),
            paths: Paths { data_folder: folder.to_owned(), engines: Some(Vec::new()) },
            settings: Settings::default(),
            notices: Vec::new(),
            queue: JobQueue::default(),
            target: None,
            defaults: ModelDefaults::default(),
            timeouts: EngineTimeouts::default(),
        };
        Actor::new(start, inbox)
    }

    #[tokio::test]
    async fn a_change_of_the_queue_that_cannot_be_saved_is_undone() {
        let folder = tempfile::tempdir().unwrap();
        let (inbox, _messages) = mpsc::unbounded_channel();
        let mut actor = actor(folder.path(), inbox.downgrade());
        let mut thinks = job("thinks", JobStatus::Queued);
        thinks.thinking = Thinking::On;
        let jobs = [thinks, job("waits", JobStatus::Queued), job("broken", JobStatus::Interrupted)];
        actor.queue.add(jobs.to_vec(), false);
        actor.queue.add(vec![job("planned", JobStatus::Planned)], false);
        let before = actor.queue.jobs().to_vec();
        actor.shared.store.close(1).unwrap();

        assert!(actor.enqueue(vec![job("new", JobStatus::Queued)], true).await.is_err());
        assert!(actor.retry(id("broken")).await.is_err());
        assert!(actor.move_job(id("waits"), JobPlace::First).await.is_err());
        assert!(actor.pause_plan(id("thinks")).await.is_err());
        assert!(actor.paint_plan(id("planned"), "A green square.".to_owned()).await.is_err());
        assert_eq!(actor.queue.jobs(), before);
    }

    #[tokio::test]
    async fn a_late_list_of_models_does_not_replace_a_newer_one() {
        let folder = tempfile::tempdir().unwrap();
        let (inbox, mut messages) = mpsc::unbounded_channel();
        let mut actor = actor(folder.path(), inbox.downgrade());
        actor.refresh_models();
        let late = messages.recv().await.unwrap();

        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/pocket/pocket-q8_0.gguf");
        let id =
            actor.shared.catalog.import(&path, ImportMode::Link, 1, &mut |_, _| ControlFlow::Continue(())).unwrap();
        actor.refresh_models();
        let newer = messages.recv().await.unwrap();

        actor.receive(newer).await;
        actor.receive(late).await;
        assert!(actor.models.iter().any(|card| card.id == id), "what was imported is forgotten");
    }
}

//! The one task that owns queue, engine and settings.

mod installs;
mod jobs;
mod results;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use protocol::{
    DeviceDescription, EngineState, Event, Failure, Image, Job, JobId, JobPlace, ModelCard, ModelDefaults,
    ModelDescription, ModelId, NodeId, Request, Settings, SettingsChange, StudioEvent, Verification,
};
use store::Added;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::{self, MissedTickBehavior};

use super::{Rooms, Shared};
use crate::engine::process::Output;
use crate::engine::supervisor::{EstimateReply, Heard, Supervisor, Target};
use crate::engine::variants::{self, Variant};
use crate::queue::Queue;
use crate::{Error, Result, models, settings};

pub(super) use installs::InstallChange;
use installs::Installs;
pub(super) use results::expected_secs;
use work::Work;

type Reply<T> = oneshot::Sender<T>;

/// What a handle says to the task.
#[derive(Debug)]
pub(super) enum Message {
    Subscribe(Reply<(Standing, broadcast::Receiver<StudioEvent>)>),
    Submit { jobs: Vec<Job>, first: bool, reply: Reply<Result<Vec<JobId>>> },
    Cancel(JobId, Reply<Result<()>>),
    Keep(JobId, Reply<Result<()>>),
    CancelAll(Reply<Result<()>>),
    Dismiss(JobId, Reply<Result<()>>),
    Retry(JobId, Reply<Result<()>>),
    Place(JobId, JobPlace, Reply<Result<()>>),
    Pause(bool),
    PausePlan(JobId, Reply<Result<()>>),
    PaintPlan(JobId, String, Reply<Result<()>>),
    Basis(Reply<Basis>),
    Estimate(Box<Request>, EstimateReply),
    Kept { job: JobId, result: Result<Box<Added>> },
    Compared { job: JobId, node: NodeId, outcome: Verification },
    UseModel { target: Box<Target>, defaults: Box<ModelDefaults>, reply: Reply<Result<()>> },
    Variant { number: u64, variant: Variant },
    RetryEngine,
    Models { number: u64, cards: Vec<ModelCard> },
    RefreshModels,
    Notice(Failure),
    Install { model: ModelId, quantization: String, removes_source: Option<bool>, reply: Reply<Result<()>> },
    PauseInstall(ModelId),
    CancelInstall(ModelId),
    InstallMoved { model: ModelId, number: u64, change: InstallChange },
    Change(Box<SettingsChange>, Reply<Result<()>>),
    Choose(Choice, Reply<Result<()>>),
    Close(Reply<()>),
}

/// A path that the artist chose in a dialog of the host; nothing for the usual one.
#[derive(Debug)]
pub(super) enum Choice {
    Library(Option<PathBuf>),
    Models(Option<PathBuf>),
    Engine(Option<PathBuf>),
}

/// What the task alone knows of how everything stands.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) engine: EngineState,
    pub(super) jobs: Vec<Job>,
    pub(super) is_paused: bool,
    pub(super) defaults: ModelDefaults,
    pub(super) models: Vec<ModelCard>,
    pub(super) settings: Settings,
    pub(super) notices: Vec<Failure>,
}

/// What a price is reckoned with.
#[derive(Clone, Debug)]
pub(super) struct Basis {
    /// The model that is loaded, or was until it was put to rest.
    pub(super) model: Option<ModelDescription>,
    pub(super) is_loaded: bool,
    /// The model to load, whether it is loaded or not.
    pub(super) target: Option<Target>,
    pub(super) obstacle: Option<Failure>,
    pub(super) devices: Vec<DeviceDescription>,
    pub(super) defaults: ModelDefaults,
    pub(super) engine_version: Option<String>,
    pub(super) engine_program: PathBuf,
    pub(super) settings: Settings,
    pub(super) engine: EngineState,
}

pub(super) struct Actor {
    shared: Arc<Shared>,
    rooms: Rooms,
    inbox: mpsc::WeakUnboundedSender<Message>,
    queue: Queue,
    engine: Supervisor,
    timeouts: crate::engine::Timeouts,
    work: Option<Work>,
    last_work: Instant,
    settings: Settings,
    notices: Vec<Failure>,
    defaults: ModelDefaults,
    /// The model that was loaded last.
    model: Option<ModelDescription>,
    /// What all variants of the engine together can compute on.
    devices: Vec<DeviceDescription>,
    /// Whether the program to run is being looked for: until it is found nothing begins, because it would be lost.
    is_choosing: bool,
    /// How often it was looked for; only the answer to the newest question counts.
    n_choices: u64,
    /// The models as the catalog had them at the newest look; what their installations do is known better.
    models: Vec<ModelCard>,
    /// How often models were looked at; an answer may come after a newer one, and would undo it.
    n_looks: u64,
    installs: Installs,
}

/// What the task begins with.
pub(super) struct Start {
    pub(super) shared: Arc<Shared>,
    pub(super) rooms: Rooms,
    pub(super) settings: Settings,
    pub(super) notices: Vec<Failure>,
    pub(super) queue: Queue,
    pub(super) target: Option<Target>,
    pub(super) defaults: ModelDefaults,
    pub(super) timeouts: crate::engine::Timeouts,
}

impl Actor {
    pub(super) fn new(start: Start, inbox: mpsc::WeakUnboundedSender<Message>) -> Self {
        let Start { shared, rooms, settings, notices, queue, target, defaults, timeouts } = start;
        let engine = Supervisor::new(PathBuf::new(), target, settings.device.clone(), timeouts);
        Self {
            shared,
            rooms,
            inbox,
            queue,
            engine,
            timeouts,
            work: None,
            last_work: Instant::now(),
            settings,
            notices,
            defaults,
            model: None,
            devices: Vec::new(),
            is_choosing: false,
            n_choices: 0,
            models: Vec::new(),
            n_looks: 0,
            installs: Installs::default(),
        }
    }

    pub(super) async fn run(mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        let mut ticks = time::interval(self.timeouts.tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.choose_variant();
        self.refresh_models();
        loop {
            self.pump().await;
            tokio::select! {
                message = messages.recv() => match message {
                    Some(Message::Close(reply)) => {
                        self.finish_saving(&mut messages).await;
                        self.save_queue().await;
                        self.engine.let_go().await;
                        drop(self);
                        let _ = reply.send(());
                        return;
                    }
                    Some(message) => self.receive(message).await,
                    None => return,
                },
                output = self.engine.next_output() => match output {
                    Output::Frame(frame) => self.hear(frame.header, frame.payload).await,
                    Output::Ended { fault } => self.bury(fault.map(|fault| format!("it spoke nonsense: {fault}"))).await,
                },
                _ = ticks.tick() => self.look_after_engine().await,
            }
        }
    }

    async fn look_after_engine(&mut self) {
        if let Some(trouble) = self.engine.trouble() {
            self.bury(Some(trouble)).await;
        }
        if self.engine.restart_if_due() {
            self.tell_engine_state();
        }
        if self.queue.has_work() {
            self.last_work = Instant::now();
        }
        let timeouts = self.timeouts.idle_minute.saturating_mul(self.settings.idle_minutes);
        let may_rest = self.settings.idle_minutes > 0 && matches!(self.engine.state(), EngineState::Ready { .. });
        if may_rest && self.last_work.elapsed() > timeouts {
            tracing::info!("nothing was asked for some time; the model's memory is given back");
            self.engine.rest().await;
            self.tell_engine_state();
        }
    }

    async fn receive(&mut self, message: Message) {
        match message {
            Message::Subscribe(reply) => {
                let _ = reply.send((self.standing(), self.shared.events.subscribe()));
            }
            Message::Submit { jobs, first, reply } => answer(reply, self.submit(jobs, first).await),
            Message::Cancel(job, reply) => answer(reply, self.cancel(&job).await),
            Message::Keep(job, reply) => answer(reply, self.keep_newest(&job).await),
            Message::CancelAll(reply) => answer(reply, self.cancel_all().await),
            Message::Dismiss(job, reply) => answer(reply, self.dismiss(&job).await),
            Message::Retry(job, reply) => answer(reply, self.retry(&job).await),
            Message::Place(job, place, reply) => answer(reply, self.place(&job, &place).await),
            Message::Pause(is_paused) => self.pause(is_paused).await,
            Message::PausePlan(job, reply) => answer(reply, self.pause_plan(&job).await),
            Message::PaintPlan(job, plan, reply) => answer(reply, self.paint_plan(&job, &plan).await),
            Message::Basis(reply) => answer(reply, self.basis()),
            Message::Estimate(request, reply) => self.engine.estimate(*request, reply),
            Message::Kept { job, result } => self.kept(&job, result).await,
            Message::Compared { job, node, outcome } => self.compared(&job, node, outcome).await,
            Message::UseModel { target, defaults, reply } => answer(reply, self.use_model(*target, *defaults).await),
            Message::Variant { number, variant } => self.use_variant(number, variant).await,
            Message::RetryEngine => {
                self.abandon("the engine was started again").await;
                self.engine.retry().await;
                self.tell_engine_state();
            }
            Message::Models { number, cards } => self.take_models(number, cards),
            Message::RefreshModels => self.refresh_models(),
            Message::Notice(failure) => self.notice(failure),
            Message::Install { model, quantization, removes_source, reply } => {
                answer(reply, self.install(model, quantization, removes_source).await);
            }
            Message::PauseInstall(model) => self.pause_install(&model),
            Message::CancelInstall(model) => self.cancel_install(&model).await,
            Message::InstallMoved { model, number, change } => self.install_moved(&model, number, change),
            Message::Change(change, reply) => answer(reply, self.change(*change).await),
            Message::Choose(choice, reply) => answer(reply, self.choose(choice).await),
            Message::Close(reply) => answer(reply, ()),
        }
    }

    fn standing(&self) -> Standing {
        let mut models = self.models.clone();
        self.installs.complete(&mut models);
        Standing {
            engine: self.engine.state().clone(),
            jobs: self.queue.snapshot(),
            is_paused: self.queue.is_paused,
            defaults: self.defaults.clone(),
            models,
            settings: self.settings.clone(),
            notices: self.notices.clone(),
        }
    }

    fn basis(&self) -> Basis {
        Basis {
            model: self.model.clone(),
            is_loaded: matches!(self.engine.state(), EngineState::Ready { .. }),
            target: self.engine.target().cloned(),
            obstacle: self.engine.obstacle(),
            devices: self.all_devices(),
            defaults: self.defaults.clone(),
            engine_version: self.engine.version().map(str::to_owned),
            engine_program: self.engine.program().clone(),
            settings: self.settings.clone(),
            engine: self.engine.state().clone(),
        }
    }

    fn all_devices(&self) -> Vec<DeviceDescription> {
        if self.devices.is_empty() { self.engine.devices().to_vec() } else { self.devices.clone() }
    }

    /// Finds the program to run, away from this task: a driver may take its time.
    fn choose_variant(&mut self) {
        self.is_choosing = true;
        self.n_choices += 1;
        let number = self.n_choices;
        let programs = self.rooms.engine_programs(&self.settings);
        let (device, inbox) = (self.settings.device.clone(), self.inbox.clone());
        tokio::spawn(async move {
            let variant = variants::choose(programs, device).await;
            if let Some(inbox) = inbox.upgrade() {
                let _ = inbox.send(Message::Variant { number, variant });
            }
        });
    }

    async fn use_variant(&mut self, number: u64, variant: Variant) {
        if number != self.n_choices {
            return;
        }
        self.is_choosing = false;
        self.devices = variant.devices;
        self.engine.use_program(variant.program, self.settings.device.clone()).await;
        self.tell_engine_state();
    }

    async fn use_model(&mut self, target: Target, defaults: ModelDefaults) -> Result<()> {
        self.save_settings(Settings { model: target.choice.clone(), ..self.settings.clone() }).await?;
        self.abandon("another model was chosen").await;
        self.model = None;
        self.engine.use_model(Some(target)).await;
        self.defaults = defaults;
        self.tell(StudioEvent::Defaults { defaults: self.defaults.clone() });
        self.tell_engine_state();
        self.refresh_models();
        Ok(())
    }

    async fn change(&mut self, change: SettingsChange) -> Result<()> {
        let device = self.settings.device.clone();
        let mut changed = self.settings.clone();
        settings::apply(&mut changed, change)?;
        self.save_settings(changed).await?;
        if device != self.settings.device {
            self.abandon("another device was chosen").await;
            self.choose_variant();
        }
        Ok(())
    }

    async fn choose(&mut self, choice: Choice) -> Result<()> {
        let changed = self.settings.clone();
        match choice {
            Choice::Library(library_folder) => self.save_settings(Settings { library_folder, ..changed }).await,
            Choice::Models(models_folder) => self.save_settings(Settings { models_folder, ..changed }).await,
            Choice::Engine(engine) => {
                self.save_settings(Settings { engine, ..changed }).await?;
                self.abandon("another engine was chosen").await;
                self.choose_variant();
                Ok(())
            }
        }
    }

    /// Writes settings, which hold from then on; those that cannot be written change nothing.
    async fn save_settings(&mut self, changed: Settings) -> Result<()> {
        let (folder, written) = (self.rooms.data_folder.clone(), changed.clone());
        super::blocking(move || settings::write(&folder, &written)).await?;
        self.settings = changed;
        self.tell(StudioEvent::Settings { settings: self.settings.clone() });
        Ok(())
    }

    /// Looks at models and machine anew, away from this task.
    fn refresh_models(&mut self) {
        self.n_looks += 1;
        let number = self.n_looks;
        let (shared, inbox, devices) = (Arc::clone(&self.shared), self.inbox.clone(), self.all_devices());
        tokio::task::spawn_blocking(move || {
            let hardware = models::hardware(&shared.models_folder, devices);
            let cards = shared.catalog.cards(&hardware);
            if let Some(inbox) = inbox.upgrade() {
                let _ = inbox.send(Message::Models { number, cards });
            }
        });
    }

    async fn hear(&mut self, event: Event, payload: Vec<u8>) {
        match self.engine.hear(event, payload) {
            Heard::Nothing => {}
            Heard::State => {
                match self.engine.state() {
                    EngineState::Ready { model, .. } => self.model = Some(model.clone()),
                    // It has just said what it can compute on.
                    EngineState::Loading { bytes: 0, .. } | EngineState::NoModel => self.refresh_models(),
                    _ => {}
                }
                self.last_work = Instant::now();
                self.tell_engine_state();
            }
            Heard::Job(event, payload) => self.hear_of_job(*event, payload).await,
        }
    }

    fn notice(&mut self, failure: Failure) {
        tracing::warn!(code = ?failure.code, "{}", failure.message);
        self.notices.push(failure.clone());
        self.tell(StudioEvent::Notice { failure });
    }

    fn tell_engine_state(&self) {
        self.tell(StudioEvent::Engine { engine: self.engine.state().clone() });
    }

    fn tell(&self, event: StudioEvent) {
        self.shared.tell(event);
    }
}

/// The asker may have gone; then nobody wants the answer.
fn answer<T>(reply: Reply<T>, value: T) {
    let _ = reply.send(value);
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
    use protocol::{JobStatus, Thinking};

    use super::*;
    use crate::engine::Timeouts;
    use crate::fixtures::job;
    use crate::forecast::Forecaster;
    use crate::previews::Previews;

    fn actor(folder: &Path, inbox: mpsc::WeakUnboundedSender<Message>) -> Actor {
        let models_folder = folder.join("models");
        let shared = Shared {
            store: Arc::new(store::Store::open(&folder.join("library"), 1).unwrap().store),
            catalog: Arc::new(Catalog::open(models_folder.clone(), None, None).unwrap()),
            previews: Previews::default(),
            forecaster: Forecaster::default(),
            events: broadcast::channel(8).0,
            models_folder,
        };
        let start = Start {
            shared: Arc::new(shared),
            rooms: Rooms { data_folder: folder.to_owned(), engines: Some(Vec::new()) },
            settings: Settings::default(),
            notices: Vec::new(),
            queue: Queue::default(),
            target: None,
            defaults: ModelDefaults::default(),
            timeouts: Timeouts::default(),
        };
        Actor::new(start, inbox)
    }

    #[tokio::test]
    async fn what_cannot_be_written_down_did_not_happen() {
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

        let id = |name: &str| JobId(name.to_owned());
        assert!(actor.submit(vec![job("new", JobStatus::Queued)], true).await.is_err());
        assert!(actor.retry(&id("broken")).await.is_err());
        assert!(actor.place(&id("waits"), &JobPlace::First).await.is_err());
        assert!(actor.pause_plan(&id("thinks")).await.is_err());
        assert!(actor.paint_plan(&id("planned"), "A green square.").await.is_err());
        assert_eq!(actor.queue.jobs(), before);
    }

    #[tokio::test]
    async fn a_look_at_the_models_that_comes_late_does_not_undo_a_newer_one() {
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

//! The one task that owns queue and engine.

use std::path::PathBuf;
use std::sync::Arc;

use protocol::{ErrorCode, Event, Failure, JobId, Picture, Size, TextChannel};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::{self, MissedTickBehavior};

use super::{Options, now_ms};
use crate::engine::process::Output;
use crate::engine::supervisor::{Heard, Supervisor};
use crate::library::{Library, Node, Origin, Saved};
use crate::locate::Settings;
use crate::previews::Previews;
use crate::queue::{MOST_WAITING, Queue, failed};
use crate::request::prepare;
use crate::{Defaults, Error, JobKind, JobStatus, NewJob, NodeId, Phase, Result, Snapshot, StudioEvent, Turn};

/// What a handle says to the task.
#[derive(Debug)]
pub(super) enum Message {
    Subscribe(oneshot::Sender<(Snapshot, broadcast::Receiver<StudioEvent>)>),
    Submit(Box<NewJob>, oneshot::Sender<Result<JobId>>),
    Cancel(JobId),
    Dismiss(JobId),
    Arrived { saved: Vec<Saved>, failures: Vec<Failure>, position: Option<[f64; 2]> },
    Kept { job: JobId, result: Result<Saved> },
    UseModel(PathBuf),
    RetryEngine,
    Close(oneshot::Sender<()>),
}

/// What has come of the running job.
#[derive(Debug, Default)]
struct Outcome {
    is_done: bool,
    text: Option<String>,
    image: Image,
}

#[derive(Debug, Default)]
enum Image {
    #[default]
    None,
    Saving,
    Saved(NodeId),
}

pub(super) struct Actor {
    data_folder: PathBuf,
    library: Arc<Library>,
    previews: Arc<Previews>,
    events: broadcast::Sender<StudioEvent>,
    inbox: mpsc::WeakUnboundedSender<Message>,
    queue: Queue,
    engine: Supervisor,
    outcome: Outcome,
    tick: time::Duration,
}

impl Actor {
    pub(super) fn new(
        options: Options,
        library: Arc<Library>,
        previews: Arc<Previews>,
        events: broadcast::Sender<StudioEvent>,
        inbox: mpsc::WeakUnboundedSender<Message>,
    ) -> Self {
        let tick = options.patience.tick;
        Self {
            engine: Supervisor::new(options.engine, options.model, options.patience),
            data_folder: options.data_folder,
            library,
            previews,
            events,
            inbox,
            queue: Queue::default(),
            outcome: Outcome::default(),
            tick,
        }
    }

    pub(super) async fn run(mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        let mut ticks = time::interval(self.tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.engine.start();
        self.tell_engine_state();
        loop {
            self.pump();
            tokio::select! {
                message = messages.recv() => match message {
                    Some(Message::Close(reply)) => {
                        drop(self);
                        let _ = reply.send(());
                        return;
                    }
                    Some(message) => self.receive(message),
                    None => return,
                },
                output = self.engine.next_output() => match output {
                    Output::Frame(frame) => self.hear(frame.header, frame.payload).await,
                    Output::Ended { fault } => self.bury(fault.map(|fault| format!("it spoke nonsense: {fault}"))).await,
                },
                _ = ticks.tick() => {
                    if let Some(trouble) = self.engine.trouble() {
                        self.bury(Some(trouble)).await;
                    }
                    if self.engine.restart_if_due() {
                        self.tell_engine_state();
                    }
                }
            }
        }
    }

    /// Gives the engine its next job, or ends what it can never do.
    fn pump(&mut self) {
        if let Some(obstacle) = self.engine.obstacle() {
            for job in self.queue.waiting() {
                self.set(&job, failed(obstacle.clone()));
            }
        }
        if !self.engine.is_ready() {
            return;
        }
        let Some(next) = self.queue.next() else { return };
        let (id, request) = (next.job.id.clone(), next.request.clone());
        self.outcome = Outcome::default();
        self.engine.run(id.clone(), request);
        self.set(&id, JobStatus::Running { phase: Phase::Reading });
    }

    fn receive(&mut self, message: Message) {
        match message {
            Message::Subscribe(reply) => {
                let (pieces, nodes) = self.library.all();
                let engine = self.engine.state().clone();
                let snapshot =
                    Snapshot { engine, pieces, nodes, jobs: self.queue.snapshot(), defaults: Defaults::default() };
                let _ = reply.send((snapshot, self.events.subscribe()));
            }
            Message::Submit(new, reply) => {
                let _ = reply.send(self.submit(*new));
            }
            Message::Cancel(job) => self.cancel(&job),
            Message::Dismiss(job) => {
                if self.queue.dismiss(&job) {
                    self.tell(StudioEvent::JobDismissed { job });
                }
            }
            Message::Arrived { saved, failures, position } => {
                let nodes = saved.iter().map(|saved| saved.node.id).collect();
                for saved in saved {
                    self.tell_saved(saved);
                }
                self.tell(StudioEvent::Arrived { nodes, failures, position });
            }
            Message::Kept { job, result } => self.kept(&job, result),
            Message::UseModel(model) => {
                let settings = Settings { model: Some(model.clone()) };
                if let Err(error) = settings.write(&self.data_folder) {
                    tracing::warn!(%error, "the choice of the model is not remembered");
                }
                self.abandon("another model was chosen");
                self.engine.use_model(model);
                self.tell_engine_state();
            }
            Message::RetryEngine => {
                self.abandon("the engine was started again");
                self.engine.retry();
                self.tell_engine_state();
            }
            Message::Close(reply) => {
                let _ = reply.send(());
            }
        }
    }

    fn submit(&mut self, new: NewJob) -> Result<JobId> {
        if self.queue.n_waiting() >= MOST_WAITING {
            return Err(Error::BadRequest(format!("{MOST_WAITING} requests wait already; let some of them finish")));
        }
        let prepared = prepare(new, &self.library)?;
        let job = prepared.job.clone();
        let id = job.id.clone();
        self.queue.push(prepared);
        self.tell(StudioEvent::JobQueued { job });
        Ok(id)
    }

    fn cancel(&mut self, id: &JobId) {
        let Some(prepared) = self.queue.get(id) else { return };
        match prepared.job.status {
            JobStatus::Queued => self.set(id, JobStatus::Cancelled),
            // A picture that is being written is a result already.
            JobStatus::Running { phase: Phase::Saving } => {}
            JobStatus::Running { .. } => {
                self.engine.cancel(id);
                self.set(id, JobStatus::Stopping);
            }
            JobStatus::Stopping | JobStatus::Done { .. } | JobStatus::Cancelled | JobStatus::Failed { .. } => {}
        }
    }

    async fn hear(&mut self, event: Event, payload: Vec<u8>) {
        match self.engine.hear(event, payload) {
            Heard::Nothing => {}
            Heard::State => self.tell_engine_state(),
            Heard::Job(event, payload) => self.hear_of_job(*event, payload).await,
        }
    }

    async fn hear_of_job(&mut self, event: Event, payload: Vec<u8>) {
        match event {
            Event::Context { id, .. } => self.phase(&id, Phase::Reading),
            Event::Text { id, channel, delta } => {
                if let Some(job) = self.queue.job_mut(&id) {
                    match channel {
                        TextChannel::Thought => job.thought.push_str(&delta),
                        TextChannel::Answer => job.answer.push_str(&delta),
                    }
                    self.phase(&id, Phase::Writing);
                    self.tell(StudioEvent::Text { job: id, channel, delta });
                }
            }
            Event::Step { id, step, steps, preview } => {
                self.phase(&id, Phase::Painting { step, steps });
                if let Some(picture) = preview.and_then(|Size { width, height }| Picture::new(width, height, payload)) {
                    let preview = self.previews.put(&id, picture);
                    if let Some(job) = self.queue.job_mut(&id) {
                        job.preview = Some(preview);
                    }
                    self.tell(StudioEvent::Preview { job: id, preview });
                }
            }
            Event::Decoding { id } => self.phase(&id, Phase::Decoding),
            Event::Image { id, size, recipe } => self.keep(&id, size, payload, recipe),
            Event::Done { id, text, .. } => {
                self.outcome.is_done = true;
                self.outcome.text = text;
                self.finish_if_over(&id).await;
            }
            Event::Failed { id, failure } => self.job_failed(&id, failure).await,
            _ => {}
        }
    }

    /// Writes a picture to disk away from this task; [`Message::Kept`] tells of it.
    fn keep(&mut self, id: &JobId, size: Size, rgb: Vec<u8>, recipe: serde_json::Value) {
        let Some(prepared) = self.queue.get(id) else { return };
        let job = prepared.job.clone();
        let Some(picture) = Picture::new(size.width, size.height, rgb) else {
            let message = "the engine's picture is not of the size it names; try again".to_owned();
            self.set(id, failed(Failure { code: ErrorCode::Internal, message }));
            return;
        };
        let recipe = serde_json::from_value::<imagefile::Recipe>(recipe).ok();
        let node = Node {
            id: NodeId::new(),
            piece: job.piece,
            parent: job.picture.filter(|_| job.request == JobKind::Edit),
            references: job.references,
            origin: if job.request == JobKind::Edit { Origin::Edited } else { Origin::Created },
            title: job.instruction,
            size,
            seed: recipe.as_ref().and_then(|recipe| recipe.image.seed),
            thought: recipe
                .as_ref()
                .and_then(|r| r.thought.clone())
                .or((!job.thought.is_empty()).then_some(job.thought)),
            created_ms: now_ms(),
        };
        self.outcome.image = Image::Saving;
        self.set(id, JobStatus::Running { phase: Phase::Saving });
        let (library, inbox, job) = (Arc::clone(&self.library), self.inbox.clone(), id.clone());
        tokio::task::spawn_blocking(move || {
            let result = library.save(node, &picture, recipe.as_ref());
            if let Some(inbox) = inbox.upgrade() {
                let _ = inbox.send(Message::Kept { job, result });
            }
        });
    }

    fn kept(&mut self, id: &JobId, result: Result<Saved>) {
        match result {
            Ok(saved) => {
                self.outcome.image = Image::Saved(saved.node.id);
                self.tell_saved(saved);
                if self.outcome.is_done {
                    self.finish_picture(id);
                }
            }
            Err(error) => self.set(id, failed(error.failure())),
        }
    }

    async fn finish_if_over(&mut self, id: &JobId) {
        match self.outcome.image {
            Image::Saving => {}
            Image::Saved(_) => self.finish_picture(id),
            Image::None => {
                let text = self.outcome.text.take();
                self.finish_answer(id, text, IsStopped(false)).await;
            }
        }
    }

    fn finish_picture(&mut self, id: &JobId) {
        if let Image::Saved(node) = self.outcome.image {
            self.set(id, JobStatus::Done { node: Some(node) });
        }
    }

    async fn finish_answer(&mut self, id: &JobId, text: Option<String>, stopped: IsStopped) {
        let Some(prepared) = self.queue.get(id) else { return };
        if prepared.job.request != JobKind::Ask {
            let message = "the engine ended without a picture; try again".to_owned();
            self.set(id, failed(Failure { code: ErrorCode::Internal, message }));
            return;
        }
        let piece = prepared.job.piece;
        // What was reasoned before the answer is not part of the conversation.
        let streamed = prepared.job.answer.trim();
        let answer = if streamed.is_empty() { text.unwrap_or_default().trim().to_owned() } else { streamed.to_owned() };
        let turn = Turn {
            question: prepared.job.instruction.clone(),
            pictures: prepared.new_pictures.clone(),
            answer,
            stopped: stopped.0,
            created_ms: now_ms(),
        };
        let library = Arc::clone(&self.library);
        let entered = turn.clone();
        let result = tokio::task::spawn_blocking(move || library.add_turn(piece, entered)).await;
        match result.unwrap_or(Err(Error::Closed)) {
            Ok(begun) => {
                if let Some(piece) = begun {
                    self.tell(StudioEvent::PieceAdded { piece: crate::Piece { turns: Vec::new(), ..piece } });
                }
                self.tell(StudioEvent::TurnAdded { piece, turn });
                self.set(id, JobStatus::Done { node: None });
            }
            Err(error) => self.set(id, failed(error.failure())),
        }
    }

    async fn job_failed(&mut self, id: &JobId, failure: Failure) {
        if failure.code != ErrorCode::Cancelled {
            self.set(id, failed(failure));
            return;
        }
        let has_words = self.queue.get(id).is_some_and(|p| p.job.request == JobKind::Ask && !p.job.answer.is_empty());
        if has_words {
            self.finish_answer(id, None, IsStopped(true)).await;
        } else {
            self.set(id, JobStatus::Cancelled);
        }
    }

    /// The process is gone or must go: its job fails, the others wait for the next process.
    async fn bury(&mut self, why: Option<String>) {
        let failure = self.engine.bury(why).await;
        self.lose_running(failure).await;
        self.tell_engine_state();
    }

    async fn lose_running(&mut self, failure: Failure) {
        let Some(running) = self.queue.running() else { return };
        let (id, status) = (running.job.id.clone(), running.job.status.clone());
        match (&self.outcome.image, status) {
            // The picture had arrived; nothing is lost.
            (Image::Saving | Image::Saved(_), _) => {
                self.outcome.is_done = true;
                self.finish_picture(&id);
            }
            (Image::None, JobStatus::Stopping) => {
                let message = "stopped".to_owned();
                self.job_failed(&id, Failure { code: ErrorCode::Cancelled, message }).await;
            }
            (Image::None, _) => self.set(&id, failed(failure)),
        }
    }

    /// The artist replaces the engine while it works.
    fn abandon(&mut self, why: &str) {
        let Some(running) = self.queue.running() else { return };
        let id = running.job.id.clone();
        if matches!(self.outcome.image, Image::Saving | Image::Saved(_)) {
            self.outcome.is_done = true;
            self.finish_picture(&id);
        } else {
            let message = format!("{why} while this ran; try again");
            self.set(&id, failed(Failure { code: ErrorCode::Cancelled, message }));
        }
    }

    fn phase(&mut self, id: &JobId, phase: Phase) {
        // Steps that arrive after the wish to stop do not take the wish back.
        if self.queue.get(id).is_some_and(|p| matches!(p.job.status, JobStatus::Running { .. })) {
            self.set(id, JobStatus::Running { phase });
        }
    }

    fn set(&mut self, id: &JobId, status: JobStatus) {
        if self.queue.set(id, status.clone()) {
            if status.is_over() {
                self.previews.forget(id);
                if let Some(job) = self.queue.job_mut(id) {
                    job.preview = None;
                }
            }
            self.tell(StudioEvent::JobChanged { job: id.clone(), status });
        }
    }

    fn tell_saved(&self, saved: Saved) {
        if let Some(piece) = saved.begun {
            self.tell(StudioEvent::PieceAdded { piece });
        }
        self.tell(StudioEvent::NodeAdded { node: saved.node });
    }

    fn tell_engine_state(&self) {
        self.tell(StudioEvent::Engine { engine: self.engine.state().clone() });
    }

    fn tell(&self, event: StudioEvent) {
        // Nobody may be listening; a snapshot catches up with everything.
        let _ = self.events.send(event);
    }
}

/// Whether the artist ended an answer before it was complete.
struct IsStopped(bool);

//! What the engine is told, and what is concluded from its silence.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Instant;

use catalog::Estimate;
use protocol::{
    Command, DeviceDescription, EngineState, ErrorCode, Event, Failure, JobId, ModelChoice, ModelSource,
    PROTOCOL_VERSION, Request,
};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::Timeouts;
use super::end::{Restarts, autopsy, died};
use super::process::Output;
use super::running::Running;

/// A model to load.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) path: PathBuf,
    /// Supplies the tensors that the first one lacks.
    pub(crate) base: Option<PathBuf>,
    /// What it is called while it is read.
    pub(crate) name: String,
    /// Which of the catalog's it is.
    pub(crate) choice: Option<ModelChoice>,
    pub(crate) is_pocket: bool,
}

pub(crate) type EstimateReply = oneshot::Sender<Result<Estimate, Failure>>;

/// The engine process and what is known of it.
#[derive(Debug)]
pub(crate) struct Supervisor {
    program: PathBuf,
    model: Option<Target>,
    device: Option<String>,
    timeouts: Timeouts,
    state: EngineState,
    running: Option<Running>,
    restarts: Restarts,
    estimates: HashMap<JobId, EstimateReply>,
    version: Option<String>,
    devices: Vec<DeviceDescription>,
}

/// What an event of the engine means to the queue.
#[derive(Debug)]
pub(crate) enum Heard {
    /// It is about a job; the bytes are its payload.
    Job(Box<Event>, Vec<u8>),
    /// The engine's state changed.
    State,
    /// Nothing that matters beyond the engine.
    Nothing,
}

impl Supervisor {
    pub(crate) fn new(program: PathBuf, model: Option<Target>, device: Option<String>, timeouts: Timeouts) -> Self {
        Self {
            program,
            model,
            device,
            timeouts,
            state: EngineState::Starting,
            running: None,
            restarts: Restarts::default(),
            estimates: HashMap::new(),
            version: None,
            devices: Vec::new(),
        }
    }

    pub(crate) fn state(&self) -> &EngineState {
        &self.state
    }

    /// Version of the engine program, once it has said so.
    pub(crate) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The program that is run.
    pub(crate) fn program(&self) -> &PathBuf {
        &self.program
    }

    /// The model to load.
    pub(crate) fn target(&self) -> Option<&Target> {
        self.model.as_ref()
    }

    /// What it said that it could compute on.
    pub(crate) fn devices(&self) -> &[DeviceDescription] {
        &self.devices
    }

    /// Whether a job can be sent now.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.state, EngineState::Ready { .. }) && self.running.as_ref().is_some_and(|r| r.job.is_none())
    }

    /// Why jobs cannot be carried out and will not be without the artist doing something.
    pub(crate) fn obstacle(&self) -> Option<Failure> {
        match &self.state {
            EngineState::Failed { failure } => Some(failure.clone()),
            EngineState::NoModel => Some(Failure {
                code: ErrorCode::ModelMissing,
                message: "no model is loaded; choose one under Models".to_owned(),
            }),
            EngineState::Starting
            | EngineState::Idle { .. }
            | EngineState::Loading { .. }
            | EngineState::Ready { .. } => None,
        }
    }

    /// Starts the process; a program that does not start is a state, not an error.
    pub(crate) fn start(&mut self) {
        self.drop_running();
        self.state = EngineState::Starting;
        // Which one is still being found out; `use_program` starts it.
        if self.program.as_os_str().is_empty() {
            return;
        }
        match Running::start(&self.program) {
            Ok(running) => self.running = Some(running),
            Err(error) => {
                let message = format!("{error}; install Bagel Studio again");
                self.state = EngineState::Failed { failure: Failure { code: ErrorCode::Internal, message } };
            }
        }
    }

    /// Starts anew at the artist's wish, with the failures so far forgotten.
    pub(crate) async fn retry(&mut self) {
        self.restarts.forget();
        self.let_go().await;
        self.start();
    }

    /// Runs another program, or the same one on another device.
    pub(crate) async fn use_program(&mut self, program: PathBuf, device: Option<String>) {
        self.program = program;
        self.device = device;
        self.retry().await;
    }

    /// Loads another model in a process of its own, so that all memory of the old one is given back.
    pub(crate) async fn use_model(&mut self, model: Option<Target>) {
        self.model = model;
        self.retry().await;
    }

    /// Ends the process until there is work: only that gives all of its memory back.
    pub(crate) async fn rest(&mut self) {
        let Some(name) = self.model.as_ref().map(|model| model.name.clone()) else { return };
        self.let_go().await;
        self.state = EngineState::Idle { name };
    }

    /// Starts a process that rests. Gives back whether it did.
    pub(crate) fn wake(&mut self) -> bool {
        let rests = matches!(self.state, EngineState::Idle { .. });
        if rests {
            self.start();
        }
        rests
    }

    /// Ends the process without a word about it, and waits for a while until its memory is given back.
    pub(crate) async fn let_go(&mut self) {
        if let Some(Running { mut process, .. }) = self.running.take() {
            let _ = tokio::task::spawn_blocking(move || process.kill()).await;
        }
        self.drop_running();
    }

    /// Ends the process without waiting for it.
    fn drop_running(&mut self) {
        self.restarts.call_off();
        self.running = None;
        self.estimates.clear();
    }

    /// The next thing the process says; never returns while there is none.
    pub(crate) async fn next_output(&mut self) -> Output {
        match &mut self.running {
            Some(running) => running.outputs.recv().await.unwrap_or(Output::Ended { fault: None }),
            None => std::future::pending().await,
        }
    }

    /// Sends a job; one that is too long to be sent is refused.
    pub(crate) fn run(&mut self, id: JobId, request: Request) -> crate::Result<()> {
        self.running.as_mut().map_or(Ok(()), |running| running.run(id, request))
    }

    /// Asks what a request would need; without a loaded model there is no answer, and the reply is dropped.
    pub(crate) fn estimate(&mut self, request: Request, reply: EstimateReply) {
        self.estimates.retain(|_, reply| !reply.is_closed());
        let is_loaded = matches!(self.state, EngineState::Ready { .. });
        if let Some(running) = self.running.as_ref().filter(|_| is_loaded) {
            let id = JobId(Uuid::now_v7().to_string());
            match running.process.say(&Command::Estimate { id: id.clone(), model: None, request }) {
                Ok(()) => drop(self.estimates.insert(id, reply)),
                Err(error) => drop(reply.send(Err(error.failure()))),
            }
        }
    }

    /// Asks for the end of a job; a process that does not comply in time is ended.
    pub(crate) fn cancel(&mut self, id: &JobId) {
        if let Some(running) = &mut self.running {
            running.cancel(id);
        }
    }

    /// Ends the job that the process has, and lets nobody hear what it still says of it.
    pub(crate) fn disown(&mut self) {
        if let Some(running) = &mut self.running
            && let Some(id) = running.job.clone()
        {
            running.cancel(&id);
            running.end_job();
        }
    }

    /// Takes note of what the process said.
    pub(crate) fn hear(&mut self, event: Event, payload: Vec<u8>) -> Heard {
        let Some(running) = &mut self.running else { return Heard::Nothing };
        let now = Instant::now();
        running.clocks.look(self.timeouts.tick, now);
        running.hear(&event, now);
        match event {
            Event::Hello { protocol, engine, devices } => self.greet(protocol, engine, devices),
            Event::Loading { id, bytes, total_bytes } if running.load.as_ref() == Some(&id) => {
                self.state = EngineState::Loading { name: self.model_name(), bytes, total_bytes };
                Heard::State
            }
            Event::Loaded { id, model } if running.load.as_ref() == Some(&id) => {
                running.load = None;
                tracing::info!(seconds = running.clocks.started.elapsed().as_secs_f64(), name = %model.name, "model loaded");
                let target = self.model.as_ref();
                self.state = EngineState::Ready {
                    model,
                    choice: target.and_then(|target| target.choice.clone()),
                    is_pocket: target.is_some_and(|target| target.is_pocket),
                    devices: self.devices.clone(),
                };
                Heard::State
            }
            Event::Failed { id, failure } if running.load.as_ref() == Some(&id) => {
                running.load = None;
                self.state = EngineState::Failed { failure };
                Heard::State
            }
            Event::Estimate { id, memory, context_tokens, size } => {
                if let Some(reply) = self.estimates.remove(&id) {
                    let _ = reply.send(Ok(Estimate { memory, context_tokens, size }));
                }
                Heard::Nothing
            }
            Event::Failed { id, failure } if self.estimates.contains_key(&id) => {
                if let Some(reply) = self.estimates.remove(&id) {
                    let _ = reply.send(Err(failure));
                }
                Heard::Nothing
            }
            event => {
                let Some((id, ends)) = about(&event) else { return Heard::Nothing };
                if running.job.as_ref() != Some(id) {
                    return Heard::Nothing;
                }
                running.advance(now);
                if ends {
                    running.end_job();
                }
                Heard::Job(Box::new(event), payload)
            }
        }
    }

    fn greet(&mut self, protocol: u32, engine: String, devices: Vec<DeviceDescription>) -> Heard {
        let Some(running) = &mut self.running else { return Heard::Nothing };
        if protocol != PROTOCOL_VERSION {
            let message = format!(
                "the engine {engine} speaks version {protocol} where the studio speaks {PROTOCOL_VERSION}; \
                 install Bagel Studio again"
            );
            self.drop_running();
            self.state = EngineState::Failed { failure: Failure { code: ErrorCode::Internal, message } };
            return Heard::State;
        }
        if running.is_greeted {
            return Heard::Nothing;
        }
        running.is_greeted = true;
        self.version = Some(engine);
        self.devices = devices;
        match self.model.clone() {
            None => self.state = EngineState::NoModel,
            Some(Target { path, base, name, .. }) => {
                let id = JobId(Uuid::now_v7().to_string());
                // A device that is no longer there, a card taken out say, is no reason to do nothing.
                let device = self.device.clone().filter(|wished| self.devices.iter().any(|it| it.id == *wished));
                running.load(id.clone(), &Command::Load { id, model: ModelSource { path, base, device } });
                self.state = EngineState::Loading { name, bytes: 0, total_bytes: 0 };
            }
        }
        Heard::State
    }

    /// Looks after the process: whether it must be ended, and why.
    pub(crate) fn trouble(&mut self) -> Option<String> {
        let running = self.running.as_mut()?;
        let now = Instant::now();
        running.clocks.look(self.timeouts.tick, now);
        running.trouble(&self.timeouts, now).map(str::to_owned)
    }

    /// Starts the process again when its time has come. Gives back whether it did.
    pub(crate) fn restart_if_due(&mut self) -> bool {
        let due = self.restarts.is_due(Instant::now());
        if due {
            self.start();
        }
        due
    }

    /// Buries a process that ended or must end, and says what that means for its work.
    pub(crate) async fn bury(&mut self, why: Option<String>) -> Failure {
        self.estimates.clear();
        let Some(running) = self.running.take() else { return died("the engine does not run") };
        let Running { process, outputs, .. } = running;
        // A reader that waits for room must not keep the pipe open.
        drop(outputs);
        let report = tokio::task::spawn_blocking(move || process.end()).await.unwrap_or_default();
        tracing::warn!(why = why.as_deref().unwrap_or("it died"), report, "the engine ended");
        let failure = autopsy(&report, why.as_deref());
        self.state = if self.restarts.plan(Instant::now(), self.timeouts.restart) {
            EngineState::Starting
        } else {
            EngineState::Failed { failure: failure.clone() }
        };
        failure
    }

    fn model_name(&self) -> String {
        self.model.as_ref().map(|model| model.name.clone()).unwrap_or_default()
    }
}

/// Which job an event is about, and whether it is the last one of that job.
fn about(event: &Event) -> Option<(&JobId, bool)> {
    match event {
        Event::Started { id }
        | Event::Context { id, .. }
        | Event::Text { id, .. }
        | Event::Step { id, .. }
        | Event::Decoding { id }
        | Event::Image { id, .. } => Some((id, false)),
        Event::Done { id, .. } | Event::Failed { id, .. } => Some((id, true)),
        Event::Hello { .. }
        | Event::Heartbeat { .. }
        | Event::Loading { .. }
        | Event::Loaded { .. }
        | Event::Unloaded { .. }
        | Event::Estimate { .. }
        | Event::Status { .. } => None,
    }
}

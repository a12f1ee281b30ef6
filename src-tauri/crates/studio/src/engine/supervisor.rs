//! The protocol with the engine process: loading, jobs, estimates, restarts.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Instant;

use catalog::Estimate;
use protocol::{
    CheckedRequest, Command, DeviceDescription, EngineState, ErrorCode, Event, Failure, JobId, ModelChoice,
    ModelSource, PROTOCOL_VERSION,
};
use tokio::sync::oneshot;

use super::EngineTimeouts;
use super::exit::{Restarts, diagnose_exit, exit_failure};
use super::process::ProcessOutput;
use super::running::Running;

/// A model to load.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) path: PathBuf,
    /// Supplies the tensors that `path` lacks.
    pub(crate) base: Option<PathBuf>,
    /// Its name while it is loading.
    pub(crate) name: String,
    /// Its entry in the catalog, if any.
    pub(crate) choice: Option<ModelChoice>,
    pub(crate) is_pocket: bool,
}

pub(crate) type EstimateReply = oneshot::Sender<Result<Estimate, Failure>>;

/// The engine process and its state.
#[derive(Debug)]
pub(crate) struct Supervisor {
    program: PathBuf,
    model: Option<Target>,
    device: Option<String>,
    timeouts: EngineTimeouts,
    state: EngineState,
    running: Option<Running>,
    restarts: Restarts,
    estimates: HashMap<JobId, EstimateReply>,
    version: Option<String>,
    devices: Vec<DeviceDescription>,
}

/// What an event of the engine means to the actor.
#[derive(Debug)]
pub(crate) enum EngineUpdate {
    /// It is about a job; the bytes are its payload.
    Job(Box<Event>, Vec<u8>),
    /// The engine's state changed.
    State,
    /// Nothing for the actor.
    None,
}

impl Supervisor {
    pub(crate) fn new(
        program: PathBuf,
        model: Option<Target>,
        device: Option<String>,
        timeouts: EngineTimeouts,
    ) -> Self {
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

    /// The devices that it reported.
    pub(crate) fn devices(&self) -> &[DeviceDescription] {
        &self.devices
    }

    /// Whether a job can be sent now.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.state, EngineState::Ready { .. }) && self.running.as_ref().is_some_and(|r| r.job.is_none())
    }

    /// Why jobs cannot run until the artist does something.
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

    /// Starts the process; a failure becomes the state, not an error.
    pub(crate) fn start(&mut self) {
        self.drop_running();
        self.state = EngineState::Starting;
        // The variant is still being chosen; `use_program` starts it.
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

    /// Restarts the process and forgets earlier failures.
    pub(crate) async fn restart(&mut self) {
        self.restarts.reset();
        self.shut_down().await;
        self.start();
    }

    /// Runs another program, or the same one on another device.
    pub(crate) async fn use_program(&mut self, program: PathBuf, device: Option<String>) {
        self.program = program;
        self.device = device;
        self.restart().await;
    }

    /// Loads another model in a new process, which frees all memory of the old one.
    pub(crate) async fn use_model(&mut self, model: Option<Target>) {
        self.model = model;
        self.restart().await;
    }

    /// Ends the process until there is work: nothing less frees all of its memory.
    pub(crate) async fn suspend(&mut self) {
        let Some(name) = self.model.as_ref().map(|model| model.name.clone()) else { return };
        self.shut_down().await;
        self.state = EngineState::Idle { name };
    }

    /// Restarts a suspended process; returns whether it was one.
    pub(crate) fn resume(&mut self) -> bool {
        let is_suspended = matches!(self.state, EngineState::Idle { .. });
        if is_suspended {
            self.start();
        }
        is_suspended
    }

    /// Ends the process and waits a while for its memory to be freed; the state stays as it is.
    pub(crate) async fn shut_down(&mut self) {
        if let Some(Running { mut process, .. }) = self.running.take() {
            let _ = tokio::task::spawn_blocking(move || process.kill()).await;
        }
        self.drop_running();
    }

    /// Ends the process without waiting for it.
    fn drop_running(&mut self) {
        self.restarts.cancel();
        self.running = None;
        self.estimates.clear();
    }

    /// The next output of the process; pending while there is no process.
    pub(crate) async fn next_output(&mut self) -> ProcessOutput {
        match &mut self.running {
            Some(running) => running.outputs.recv().await.unwrap_or(ProcessOutput::Ended { error: None }),
            None => std::future::pending().await,
        }
    }

    /// Sends a job; fails when it is too long to be sent.
    pub(crate) fn run(&mut self, id: JobId, request: CheckedRequest) -> crate::Result<()> {
        self.running.as_mut().map_or(Ok(()), |running| running.run(id, request))
    }

    /// Asks for an estimate; without a loaded model the reply is dropped.
    pub(crate) fn estimate(&mut self, request: CheckedRequest, reply: EstimateReply) {
        self.estimates.retain(|_, reply| !reply.is_closed());
        let (EngineState::Ready { .. }, Some(running)) = (&self.state, &self.running) else { return };
        let id = JobId::new();
        match running.process.send(&Command::Estimate { id, model: None, request: request.into_inner() }) {
            Ok(()) => drop(self.estimates.insert(id, reply)),
            Err(error) => drop(reply.send(Err(error.failure()))),
        }
    }

    /// Asks the process to stop a job; it is ended if it does not in time.
    pub(crate) fn cancel(&mut self, id: JobId) {
        if let Some(running) = &mut self.running {
            running.cancel(id);
        }
    }

    /// Stops the running job and ignores its later events.
    pub(crate) fn detach_job(&mut self) {
        if let Some(running) = &mut self.running
            && let Some(id) = running.job
        {
            running.cancel(id);
            running.end_job();
        }
    }

    /// Handles an event of the process.
    pub(crate) fn on_event(&mut self, event: Event, payload: Vec<u8>) -> EngineUpdate {
        let Some(running) = &mut self.running else { return EngineUpdate::None };
        let now = Instant::now();
        running.clocks.note_tick(self.timeouts.tick, now);
        running.on_event(&event, now);
        match event {
            Event::Hello { protocol, engine, devices } => self.on_hello(protocol, engine, devices),
            Event::Loading { id, bytes, total_bytes } if running.load == Some(id) => {
                self.state = EngineState::Loading { name: self.model_name(), bytes, total_bytes };
                EngineUpdate::State
            }
            Event::Loaded { id, model } if running.load == Some(id) => {
                running.load = None;
                tracing::info!(seconds = running.clocks.started.elapsed().as_secs_f64(), name = %model.name, "model loaded");
                let target = self.model.as_ref();
                self.state = EngineState::Ready {
                    model,
                    choice: target.and_then(|target| target.choice.clone()),
                    is_pocket: target.is_some_and(|target| target.is_pocket),
                    devices: self.devices.clone(),
                };
                EngineUpdate::State
            }
            Event::Failed { id, failure } if running.load == Some(id) => {
                running.load = None;
                self.state = EngineState::Failed { failure };
                EngineUpdate::State
            }
            Event::Estimate { id, memory, context_tokens, size } => {
                if let Some(reply) = self.estimates.remove(&id) {
                    let _ = reply.send(Ok(Estimate { memory, context_tokens, size }));
                }
                EngineUpdate::None
            }
            Event::Failed { id, failure } if self.estimates.contains_key(&id) => {
                if let Some(reply) = self.estimates.remove(&id) {
                    let _ = reply.send(Err(failure));
                }
                EngineUpdate::None
            }
            event => {
                let Some((id, is_last)) = job_of(&event) else { return EngineUpdate::None };
                if running.job != Some(id) {
                    return EngineUpdate::None;
                }
                running.note_progress(now);
                if is_last {
                    running.end_job();
                }
                EngineUpdate::Job(Box::new(event), payload)
            }
        }
    }

    fn on_hello(&mut self, protocol: u32, engine: String, devices: Vec<DeviceDescription>) -> EngineUpdate {
        let Some(running) = &mut self.running else { return EngineUpdate::None };
        if protocol != PROTOCOL_VERSION {
            let message = format!(
                "the engine {engine} uses protocol version {protocol} and the studio {PROTOCOL_VERSION}; \
                 install Bagel Studio again"
            );
            self.drop_running();
            self.state = EngineState::Failed { failure: Failure { code: ErrorCode::Internal, message } };
            return EngineUpdate::State;
        }
        if running.said_hello {
            return EngineUpdate::None;
        }
        running.said_hello = true;
        self.version = Some(engine);
        self.devices = devices;
        match self.model.clone() {
            None => self.state = EngineState::NoModel,
            Some(Target { path, base, name, .. }) => {
                let id = JobId::new();
                // A device that was removed falls back to the best one.
                let device = self.device.clone().filter(|chosen| self.devices.iter().any(|it| it.id == *chosen));
                running.load(id, &Command::Load { id, model: ModelSource { path, base, device } });
                self.state = EngineState::Loading { name, bytes: 0, total_bytes: 0 };
            }
        }
        EngineUpdate::State
    }

    /// Why the process must be ended, if it hangs.
    pub(crate) fn find_hang(&mut self) -> Option<String> {
        let running = self.running.as_mut()?;
        let now = Instant::now();
        running.clocks.note_tick(self.timeouts.tick, now);
        running.find_hang(&self.timeouts, now).map(str::to_owned)
    }

    /// Restarts the process when that is due; returns whether it was.
    pub(crate) fn restart_if_due(&mut self) -> bool {
        let due = self.restarts.is_due(Instant::now());
        if due {
            self.start();
        }
        due
    }

    /// Handles the exit of the process, or ends it for a reason; returns the failure of its work.
    pub(crate) async fn on_exit(&mut self, reason: Option<String>) -> Failure {
        self.estimates.clear();
        let Some(running) = self.running.take() else { return exit_failure("the engine does not run") };
        let Running { process, outputs, .. } = running;
        // A reader that blocks on the full channel must not keep the pipe open.
        drop(outputs);
        let report = tokio::task::spawn_blocking(move || process.end()).await.unwrap_or_default();
        tracing::warn!(reason = reason.as_deref().unwrap_or("it exited"), report, "the engine ended");
        let failure = diagnose_exit(&report, reason.as_deref());
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

/// The job of an event, and whether the event is its last.
fn job_of(event: &Event) -> Option<(JobId, bool)> {
    match event {
        Event::Started { id }
        | Event::Context { id, .. }
        | Event::Text { id, .. }
        | Event::Step { id, .. }
        | Event::Decoding { id }
        | Event::Image { id, .. } => Some((*id, false)),
        Event::Done { id, .. } | Event::Failed { id, .. } => Some((*id, true)),
        Event::Hello { .. }
        | Event::Heartbeat { .. }
        | Event::Loading { .. }
        | Event::Loaded { .. }
        | Event::Unloaded { .. }
        | Event::Estimate { .. }
        | Event::Status { .. } => None,
    }
}

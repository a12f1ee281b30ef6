//! What the engine is told, and what is concluded from its silence.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use protocol::{
    Command, DeviceDescription, EngineState, ErrorCode, Event, Failure, JobId, MemoryEstimate, ModelChoice,
    PROTOCOL_VERSION, Request, Size,
};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::Patience;
use super::process::{Output, Process};

/// Restarts within [`RESTART_WINDOW`] after which the artist is asked.
const MOST_RESTARTS: usize = 3;

/// The time in which restarts are counted.
const RESTART_WINDOW: Duration = Duration::from_secs(600);

/// A model to load.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) path: PathBuf,
    /// Supplies the tensors that the first one lacks.
    pub(crate) base: Option<PathBuf>,
    /// What it is called while it is read.
    pub(crate) name: String,
    /// Which of the catalogue's it is.
    pub(crate) choice: Option<ModelChoice>,
    pub(crate) is_pocket: bool,
}

/// What a request would need, from the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Estimate {
    pub(crate) memory: MemoryEstimate,
    pub(crate) context_tokens: u32,
    pub(crate) size: Option<Size>,
}

pub(crate) type EstimateReply = oneshot::Sender<Result<Estimate, Failure>>;

/// The engine process and what is known of it.
#[derive(Debug)]
pub(crate) struct Supervisor {
    program: PathBuf,
    model: Option<Target>,
    device: Option<String>,
    patience: Patience,
    state: EngineState,
    running: Option<Running>,
    restarts: VecDeque<Instant>,
    restart_at: Option<Instant>,
    estimates: HashMap<JobId, EstimateReply>,
    version: Option<String>,
    devices: Vec<DeviceDescription>,
}

#[derive(Debug)]
struct Running {
    process: Process,
    outputs: tokio::sync::mpsc::Receiver<Output>,
    is_greeted: bool,
    load: Option<JobId>,
    job: Option<JobId>,
    started: Instant,
    last_sign: Instant,
    progress: u64,
    last_progress: Instant,
    /// Longest time between two signs of progress while it worked.
    longest_gap: Duration,
    cancel_since: Option<Instant>,
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
    pub(crate) fn new(program: PathBuf, model: Option<Target>, device: Option<String>, patience: Patience) -> Self {
        Self {
            program,
            model,
            device,
            patience,
            state: EngineState::Starting,
            running: None,
            restarts: VecDeque::new(),
            restart_at: None,
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
        self.let_go();
        self.state = EngineState::Starting;
        match Process::start(&self.program) {
            Ok((process, outputs)) => {
                process.say(Command::Hello { protocol: PROTOCOL_VERSION });
                let now = Instant::now();
                self.running = Some(Running {
                    process,
                    outputs,
                    is_greeted: false,
                    load: None,
                    job: None,
                    started: now,
                    last_sign: now,
                    progress: 0,
                    last_progress: now,
                    longest_gap: Duration::ZERO,
                    cancel_since: None,
                });
            }
            Err(error) => {
                let message = format!("{error}; install Bagel Studio again");
                self.state = EngineState::Failed { failure: Failure { code: ErrorCode::Internal, message } };
            }
        }
    }

    /// Starts anew at the artist's wish, with the failures so far forgotten.
    pub(crate) fn retry(&mut self) {
        self.restarts.clear();
        self.start();
    }

    /// Runs another program, or the same one on another device.
    pub(crate) fn use_program(&mut self, program: PathBuf, device: Option<String>) {
        self.program = program;
        self.device = device;
        self.retry();
    }

    /// Loads another model in a process of its own, so that all memory of the old one is given back.
    pub(crate) fn use_model(&mut self, model: Option<Target>) {
        self.model = model;
        self.retry();
    }

    /// Ends the process until there is work: only that gives all of its memory back.
    pub(crate) fn rest(&mut self) {
        let Some(name) = self.model.as_ref().map(|model| model.name.clone()) else { return };
        self.let_go();
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

    /// Ends the process without a word about it.
    fn let_go(&mut self) {
        self.restart_at = None;
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

    /// Sends a job.
    pub(crate) fn run(&mut self, id: JobId, request: Request) {
        if let Some(running) = &mut self.running {
            running.job = Some(id.clone());
            running.last_progress = Instant::now();
            running.cancel_since = None;
            running.process.say(Command::Run { id, request });
        }
    }

    /// Asks what a request would need; without a loaded model there is no answer, and the reply is dropped.
    pub(crate) fn estimate(&mut self, request: Request, reply: EstimateReply) {
        self.estimates.retain(|_, reply| !reply.is_closed());
        let is_loaded = matches!(self.state, EngineState::Ready { .. });
        if let Some(running) = self.running.as_ref().filter(|_| is_loaded) {
            let id = JobId(Uuid::now_v7().to_string());
            running.process.say(Command::Estimate { id: id.clone(), request });
            self.estimates.insert(id, reply);
        }
    }

    /// Asks for the end of a job; a process that does not comply in time is ended.
    pub(crate) fn cancel(&mut self, id: &JobId) {
        if let Some(running) = self.running.as_mut().filter(|r| r.job.as_ref() == Some(id)) {
            running.cancel_since.get_or_insert_with(Instant::now);
            running.process.say(Command::Cancel { id: id.clone() });
        }
    }

    /// Takes note of what the process said.
    pub(crate) fn hear(&mut self, event: Event, payload: Vec<u8>) -> Heard {
        let Some(running) = &mut self.running else { return Heard::Nothing };
        let now = Instant::now();
        running.last_sign = now;
        match event {
            Event::Heartbeat { progress } => {
                if progress != running.progress {
                    running.progress = progress;
                    running.advance(now);
                }
                Heard::Nothing
            }
            Event::Hello { protocol, engine, devices } => self.greet(protocol, engine, devices),
            Event::Loading { id, bytes, total_bytes } if running.load.as_ref() == Some(&id) => {
                running.last_progress = now;
                self.state = EngineState::Loading { name: self.model_name(), bytes, total_bytes };
                Heard::State
            }
            Event::Loaded { id, model } if running.load.as_ref() == Some(&id) => {
                running.load = None;
                tracing::info!(seconds = running.started.elapsed().as_secs_f64(), name = %model.name, "model loaded");
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
                    running.job = None;
                    running.cancel_since = None;
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
            self.let_go();
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
                running.load = Some(id.clone());
                running.last_progress = Instant::now();
                // A device that is no longer there, a card taken out say, is no reason to do nothing.
                let device = self.device.clone().filter(|wished| self.devices.iter().any(|it| it.id == *wished));
                running.process.say(Command::Load { id, path, base, device });
                self.state = EngineState::Loading { name, bytes: 0, total_bytes: 0 };
            }
        }
        Heard::State
    }

    /// Looks after the process: whether it must be ended, and why.
    pub(crate) fn trouble(&self) -> Option<String> {
        let running = self.running.as_ref()?;
        let now = Instant::now();
        let waited = |since: Instant, patience: Duration| now.duration_since(since) > patience;
        if !running.is_greeted {
            return waited(running.started, self.patience.greeting).then(|| "it did not answer its start".to_owned());
        }
        if waited(running.last_sign, self.patience.silence) {
            return Some("it gave no sign of life".to_owned());
        }
        let cancel = self.patience.cancel.max(2 * running.longest_gap);
        if running.cancel_since.is_some_and(|since| waited(since, cancel)) {
            return Some("it did not stop when asked to".to_owned());
        }
        let works = running.job.is_some() || running.load.is_some();
        let stall = self.patience.stall.max(10 * running.longest_gap);
        (works && waited(running.last_progress, stall)).then(|| "it made no progress".to_owned())
    }

    /// Starts the process again when its time has come. Gives back whether it did.
    pub(crate) fn restart_if_due(&mut self) -> bool {
        let due = self.restart_at.is_some_and(|at| Instant::now() >= at);
        if due {
            self.start();
        }
        due
    }

    /// Buries a process that ended or must end, and says what that means for its work.
    pub(crate) async fn bury(&mut self, why: Option<String>) -> Failure {
        self.estimates.clear();
        let Some(running) = self.running.take() else { return died("the engine does not run") };
        let was_ended = why.is_some();
        let Running { process, outputs, .. } = running;
        // A reader that waits for room must not keep the pipe open.
        drop(outputs);
        let report = tokio::task::spawn_blocking(move || process.end()).await.unwrap_or_default();
        tracing::warn!(why = why.as_deref().unwrap_or("it died"), report, "the engine ended");
        let failure = autopsy(&report, why.as_deref(), was_ended);
        let now = Instant::now();
        self.restarts.retain(|at| now.duration_since(*at) < RESTART_WINDOW);
        if self.restarts.len() >= MOST_RESTARTS {
            self.restart_at = None;
            self.state = EngineState::Failed { failure: failure.clone() };
        } else {
            let doublings = u32::try_from(self.restarts.len()).unwrap_or_default();
            self.restart_at = Some(now + self.patience.restart * 2_u32.pow(doublings));
            self.restarts.push_back(now);
            self.state = EngineState::Starting;
        }
        failure
    }

    fn model_name(&self) -> String {
        self.model.as_ref().map(|model| model.name.clone()).unwrap_or_default()
    }
}

impl Running {
    fn advance(&mut self, now: Instant) {
        if self.job.is_some() && self.cancel_since.is_none() {
            self.longest_gap = self.longest_gap.max(now.duration_since(self.last_progress));
        }
        self.last_progress = now;
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

/// What the way a process ended says about the reason.
fn autopsy(report: &str, why: Option<&str>, was_ended: bool) -> Failure {
    let out_of_memory = report.contains("memory allocation of") || (!was_ended && report.contains("signal: 9"));
    if out_of_memory {
        let message = "the computer's memory did not suffice, and the system ended the engine; \
                       close other programs or choose a smaller picture";
        return Failure { code: ErrorCode::OutOfHostMemory, message: message.to_owned() };
    }
    let first = report.lines().next().unwrap_or_default();
    died(&match why {
        Some(why) => format!("the engine was ended because {why}"),
        None => format!("the engine ended unexpectedly ({first})"),
    })
}

fn died(what: &str) -> Failure {
    Failure { code: ErrorCode::Internal, message: format!("{what}; try again") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_process_says_why() {
        let check = |report: &str, was_ended: bool, expected: ErrorCode| {
            let why = was_ended.then_some("it made no progress");
            assert_eq!(autopsy(report, why, was_ended).code, expected, "{report}");
        };
        check("signal: 6 (SIGABRT)\nmemory allocation of 123 bytes failed", false, ErrorCode::OutOfHostMemory);
        check("signal: 9 (SIGKILL)", false, ErrorCode::OutOfHostMemory);
        check("it was ended", true, ErrorCode::Internal);
        check("exit status: 1", false, ErrorCode::Internal);
    }
}

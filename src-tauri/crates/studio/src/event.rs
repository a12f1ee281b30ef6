//! What whoever shows the studio sees: everything as it stands, then every change.

use protocol::{DeviceDescription, Failure, ImageParameters, JobId, ModelDescription, Size, TextChannel};
use serde::Serialize;
use ts_rs::TS;

use crate::{Node, NodeId, Piece, PieceId, PreviewId, Turn};

/// Everything as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Snapshot {
    /// The engine process and its model.
    pub engine: EngineState,
    /// All pieces, oldest first.
    pub pieces: Vec<Piece>,
    /// All pictures, oldest first.
    pub nodes: Vec<Node>,
    /// What runs, then what waits in order, and failures that were not dismissed.
    pub jobs: Vec<Job>,
    /// What the dials stand at unless the artist turns them.
    pub defaults: Defaults,
}

/// Parameters that pictures are made with unless others are chosen.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Defaults {
    /// For a picture from text.
    pub create: ImageParameters,
    /// For an edit.
    pub edit: ImageParameters,
}

impl Default for Defaults {
    fn default() -> Self {
        Self { create: ImageParameters::generate(), edit: ImageParameters::edit() }
    }
}

/// A change.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StudioEvent {
    /// The engine or its model changed.
    Engine {
        /// As it is now.
        engine: EngineState,
    },
    /// A job joined the queue.
    JobQueued {
        /// The job.
        job: Job,
    },
    /// A job moved on; it has left the queue when this is `done` or `cancelled`.
    JobChanged {
        /// The job.
        job: JobId,
        /// As it is now.
        status: JobStatus,
    },
    /// A failed job was put away.
    JobDismissed {
        /// The job.
        job: JobId,
    },
    /// A job wrote more text.
    Text {
        /// The job.
        job: JobId,
        /// Which of its texts.
        channel: TextChannel,
        /// What to append.
        delta: String,
    },
    /// A step of a job can be seen.
    Preview {
        /// The job.
        job: JobId,
        /// Names the picture in the window's image scheme.
        preview: PreviewId,
    },
    /// A piece was begun.
    PieceAdded {
        /// The piece.
        piece: Piece,
    },
    /// A picture is saved and belongs to the history.
    NodeAdded {
        /// The picture.
        node: Node,
    },
    /// Files hover over the window, or left it.
    Dragging {
        /// Where, in the window's pixels; absent when they left.
        position: Option<[f64; 2]>,
    },
    /// Pictures were dropped, pasted or opened; those read are in the history already.
    Arrived {
        /// What could be read, in order.
        nodes: Vec<NodeId>,
        /// What could not, and why.
        failures: Vec<Failure>,
        /// Where they were dropped, in the window's pixels.
        position: Option<[f64; 2]>,
    },
    /// A question was answered.
    TurnAdded {
        /// The piece whose conversation grew.
        piece: PieceId,
        /// Question and answer.
        turn: Turn,
    },
    /// Events were lost because they were not read in time: ask for a new snapshot.
    Lagged,
}

/// The engine process and its model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum EngineState {
    /// The process is being started, for the first time or again.
    Starting,
    /// It runs, and there is no model to load.
    NoModel,
    /// A model is being read.
    Loading {
        /// The model's name.
        name: String,
        /// Bytes read so far.
        #[ts(type = "number")]
        bytes: u64,
        /// Bytes to read.
        #[ts(type = "number")]
        total_bytes: u64,
    },
    /// A model is loaded.
    Ready {
        /// The model.
        model: ModelDescription,
        /// What the engine could compute on.
        devices: Vec<DeviceDescription>,
    },
    /// It does not run and will not be started again unasked.
    Failed {
        /// Why.
        failure: Failure,
    },
}

/// What kind of request a job carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, serde::Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// A picture from text.
    Create,
    /// A picture from pictures and an instruction.
    Edit,
    /// An answer.
    Ask,
}

/// A queued request.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// The piece that its result will belong to.
    pub piece: PieceId,
    /// What it does.
    pub request: JobKind,
    /// The artist's words.
    pub instruction: String,
    /// The picture that is edited or asked about.
    pub picture: Option<NodeId>,
    /// Other pictures that are used.
    pub references: Vec<NodeId>,
    /// The size asked for; an edit without it keeps its picture's.
    pub size: Option<Size>,
    /// Where it is.
    pub status: JobStatus,
    /// The plan, as far as it is written.
    pub thought: String,
    /// The answer, as far as it is written.
    pub answer: String,
    /// The newest step that can be seen.
    pub preview: Option<PreviewId>,
}

/// Where a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum JobStatus {
    /// It waits for the ones before it, or for the engine.
    Queued,
    /// The engine works on it.
    Running {
        /// What the engine does.
        phase: Phase,
    },
    /// The artist asked for its end; it ends within a step.
    Stopping,
    /// It is done.
    Done {
        /// The picture, where it made one.
        node: Option<NodeId>,
    },
    /// The artist stopped it.
    Cancelled,
    /// It failed, and stays until it is dismissed.
    Failed {
        /// Why.
        failure: Failure,
    },
}

impl JobStatus {
    /// Whether nothing more will come of it.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Cancelled | Self::Failed { .. })
    }
}

/// What the engine does for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Phase {
    /// It reads texts and pictures.
    Reading,
    /// It writes a plan or an answer.
    Writing,
    /// It denoises.
    Painting {
        /// Steps done.
        step: u32,
        /// Steps in all.
        steps: u32,
    },
    /// It turns latents into pixels.
    Decoding,
    /// The picture is written to disk.
    Saving,
}

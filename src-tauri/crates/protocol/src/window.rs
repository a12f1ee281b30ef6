//! What the window asks of the studio, and what it is told: everything as it stands, then every change.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    DeviceDescription, Failure, GalleryCounts, ImageParameters, Install, JobId, MemoryEstimate, ModelCard, ModelChoice,
    ModelDefaults, ModelDescription, ModelId, Node, NodeId, Piece, PieceId, PreviewId, Settings, Size, TextChannel,
    Thinking, Turn,
};

/// Everything as it stands, but for what is asked for when it is shown: pieces, pages of the gallery.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Snapshot {
    /// The engine process and its model.
    pub engine: EngineState,
    /// What runs, then what waits in order, then what is put aside, failed or was interrupted.
    pub jobs: Vec<Job>,
    /// Whether the queue is held: what runs goes on, and nothing is begun.
    pub is_paused: bool,
    /// What the dials stand at unless the artist turns them: the present model's.
    pub defaults: ModelDefaults,
    /// The pieces that changed last, newest first; the gallery has them all.
    pub pieces: Vec<Piece>,
    /// What the library holds.
    pub counts: GalleryCounts,
    /// All models, the bundled one first.
    pub models: Vec<ModelCard>,
    /// All settings.
    pub settings: Settings,
    /// What the start found and mended, or could not.
    pub notices: Vec<Failure>,
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
    /// Another model's defaults hold.
    Defaults {
        /// As they are now.
        defaults: ModelDefaults,
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
    /// The waiting jobs have another order.
    JobsOrdered {
        /// All that wait, the next one first.
        jobs: Vec<JobId>,
    },
    /// A job was put away.
    JobDismissed {
        /// The job.
        job: JobId,
    },
    /// The queue was held, or let go.
    QueuePaused {
        /// Whether it is held.
        is_paused: bool,
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
    /// The plan of a job is another one: the artist changed it, or it is written anew.
    PlanChanged {
        /// The job.
        job: JobId,
        /// The whole plan.
        thought: String,
    },
    /// A step of a job can be seen.
    Preview {
        /// The job.
        job: JobId,
        /// Names the picture in the window's image scheme.
        preview: PreviewId,
    },
    /// A piece was begun, or what lists show of it changed.
    PieceChanged {
        /// As it is now.
        piece: Piece,
    },
    /// A picture is saved and belongs to the history.
    NodeAdded {
        /// The picture.
        node: Node,
    },
    /// Pictures were renamed, tagged, starred, put into the trash or taken out of it.
    NodesChanged {
        /// As they are now.
        nodes: Vec<Node>,
    },
    /// Pictures are gone for good.
    NodesRemoved {
        /// The pictures.
        nodes: Vec<NodeId>,
    },
    /// A question was answered.
    TurnAdded {
        /// The piece whose conversation grew.
        piece: PieceId,
        /// Question and answer.
        turn: Turn,
    },
    /// What the library holds changed.
    Counts {
        /// As it is now.
        counts: GalleryCounts,
    },
    /// A model changed: what is on disk of it, or what fits.
    Models {
        /// All of them.
        models: Vec<ModelCard>,
    },
    /// An installation moved on.
    Install {
        /// The model.
        model: ModelId,
        /// How far it is; absent when it ended.
        install: Option<Install>,
    },
    /// Settings changed.
    Settings {
        /// All of them.
        settings: Settings,
    },
    /// A picture was painted again from its recipe and compared.
    Verified {
        /// The picture.
        node: NodeId,
        /// What came of it.
        outcome: Verification,
    },
    /// Files hover over the window, or left it.
    Dragging {
        /// Where, in the window's pixels; absent when they left.
        position: Option<[f64; 2]>,
    },
    /// Pictures were dropped, pasted or opened; those read are in the history already.
    Arrived {
        /// What could be read, in order.
        arrivals: Vec<Arrival>,
        /// What could not, and why.
        failures: Vec<Failure>,
        /// Where they were dropped, in the window's pixels.
        position: Option<[f64; 2]>,
    },
    /// Something that belongs to no job went wrong, or was mended.
    Notice {
        /// What, and what to do.
        failure: Failure,
    },
    /// The window was asked to close while there is work.
    CloseAsked,
    /// Events were lost because they were not read in time: ask for a new snapshot.
    Lagged,
}

/// A picture that was brought in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Arrival {
    /// The picture in the history.
    pub node: NodeId,
    /// Whether it was in the library before; nothing new was made then.
    pub is_known: bool,
    /// Whether its file brought a recipe that can be offered.
    pub has_recipe: bool,
}

/// The engine process and its model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum EngineState {
    /// The process is being started, for the first time or again.
    Starting,
    /// It runs, and there is no model to load.
    NoModel,
    /// It runs; the model's memory was given back and is taken again by the next request.
    Idle {
        /// The model that will be loaded.
        name: String,
    },
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
        /// Which of the catalogue's it is; absent for files chosen by hand.
        choice: Option<ModelChoice>,
        /// Whether it is the pocket model that ships with the studio.
        is_pocket: bool,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// A picture from text.
    Create,
    /// A picture from pictures and an instruction.
    Edit,
    /// An answer.
    Ask,
}

/// What the window asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct NewJob {
    /// What to do.
    pub request: JobKind,
    /// The artist's words.
    pub instruction: String,
    /// The piece that the result belongs to; a new one when absent.
    pub piece: Option<PieceId>,
    /// The picture to edit or to ask about.
    pub picture: Option<NodeId>,
    /// Other pictures to use, in the order the model reads them.
    pub references: Vec<NodeId>,
    /// Whether to plan before painting, or to reason before answering.
    pub thinking: Thinking,
    /// Whether to stop when the plan is complete, so that it can be changed before it is painted.
    pub pauses_after_plan: bool,
    /// How a picture is sampled; unused for a question.
    pub image: ImageParameters,
    /// How many pictures, each from another seed: 1 to 8.
    pub variations: u32,
    /// Whether it goes before everything that waits.
    pub first: bool,
}

/// A queued request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Job {
    /// Its id.
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
    /// Whether it plans or reasons first.
    pub thinking: Thinking,
    /// Whether it stops when the plan is complete.
    pub pauses_after_plan: bool,
    /// How its picture is sampled; the seed is chosen when it is queued.
    pub image: ImageParameters,
    /// The picture that it paints again to compare, rather than to keep.
    pub verifies: Option<NodeId>,
    /// Where it is.
    pub status: JobStatus,
    /// The plan, as far as it is written.
    pub thought: String,
    /// The answer, as far as it is written.
    pub answer: String,
    /// The newest step that can be seen.
    pub preview: Option<PreviewId>,
    /// Seconds that it is expected to take, where this machine has done the like.
    pub expected_secs: Option<f64>,
    /// Milliseconds since 1970, UTC, when it was queued.
    #[ts(type = "number")]
    pub created_ms: u64,
}

/// Where a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
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
    /// Its plan is held to be read and changed; the engine is free.
    Planned,
    /// It is done.
    Done {
        /// The picture, where it made one.
        node: Option<NodeId>,
    },
    /// The artist stopped it.
    Cancelled,
    /// The program ended while it ran; it can be tried again.
    Interrupted,
    /// It failed, and stays until it is dismissed or tried again.
    Failed {
        /// Why.
        failure: Failure,
        /// What could be tried instead, the gentlest first.
        remedies: Vec<Remedy>,
    },
}

impl JobStatus {
    /// Whether nothing more will come of it unless the artist asks.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Cancelled | Self::Failed { .. } | Self::Interrupted)
    }
}

/// What could be tried instead of what cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Remedy {
    /// The same once more.
    Retry,
    /// A smaller picture.
    SmallerSize {
        /// One that fits.
        size: Size,
    },
    /// Without a plan.
    NoThinking,
    /// Without the other pictures.
    FewerPictures,
    /// A model, or a form of it, that needs less.
    SmallerModel,
}

/// What the engine does for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
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

/// Where a waiting job is to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobPlace {
    /// Before all that wait.
    First,
    /// Before another one that waits.
    Before {
        /// That one.
        job: JobId,
    },
    /// After all that wait.
    Last,
}

/// What a request will take, before it runs.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Price {
    /// Bytes by part.
    pub memory: MemoryEstimate,
    /// Bytes that there are for it, weights included.
    #[ts(type = "number | null")]
    pub available_bytes: Option<u64>,
    /// Tokens of context.
    pub context_tokens: u32,
    /// Size of the picture that would be made.
    pub size: Option<Size>,
    /// Seconds for all of its variations, where this machine has done the like.
    pub secs: Option<f64>,
    /// Why it cannot be done, if it cannot.
    pub refusal: Option<Failure>,
    /// What could be done instead.
    pub remedies: Vec<Remedy>,
}

/// What painting a picture again has shown.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verification {
    /// Every pixel is the same.
    Same,
    /// It looks alike but is not the same, as on another device.
    Differs {
        /// Mean difference of a channel, 0 to 255.
        mean: f64,
        /// Largest difference of a channel.
        largest: u8,
    },
    /// It could not be painted.
    Failed {
        /// Why.
        failure: Failure,
    },
}

/// How fast the full model would run here, from one layer of its true shape with random weights.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Trial {
    /// Quantisation tried.
    pub quantization: String,
    /// Where it ran.
    pub device: String,
    /// Seconds for a step at 1024 × 1024, all layers and branches.
    pub secs_per_step: f64,
    /// Words (tokens) a second of an answer.
    pub tokens_per_sec: f64,
}

/// The programs and what they are built of.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct About {
    /// Version of the studio.
    pub version: String,
    /// Version of the engine, when it runs.
    pub engine: Option<String>,
    /// Licences of everything inside, as one text.
    pub licences: String,
}

/// How a picture was made, field by field.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct RecipeView {
    /// What was asked for.
    pub request: JobKind,
    /// The words.
    pub instruction: String,
    /// How it was sampled, with the seed that was used.
    pub image: ImageParameters,
    /// The plan that was painted.
    pub thought: Option<String>,
    /// Pictures that were read, those of them that are in the library.
    pub pictures: Vec<NodeId>,
    /// Pictures that were read and are not in the library.
    pub n_missing: u32,
    /// The model's name.
    pub model: Option<String>,
    /// Whether it is the model that is loaded now.
    pub is_present_model: bool,
    /// The engine's version.
    pub engine: Option<String>,
    /// Names of fields that this program does not know; they are shown and never applied.
    pub unknown: Vec<String>,
}

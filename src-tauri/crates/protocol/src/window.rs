//! What the window is told: everything as it stands, then every change.

use serde::Serialize;
use ts_rs::TS;

use crate::{
    DeviceDescription, Failure, GalleryCounts, ImageParameters, Install, Job, JobId, JobStatus, Kind, ModelCard,
    ModelChoice, ModelDefaults, ModelDescription, ModelId, Node, NodeId, PreviewId, Project, ProjectId, Settings,
    TextChannel, Turn, Verification,
};

/// Everything as it stands, but for what is asked for when it is shown: projects, pages of the gallery.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Snapshot {
    /// The engine process and its model.
    pub engine: EngineState,
    /// What runs, then what waits in order, then what is put aside, failed or was interrupted.
    pub jobs: Vec<Job>,
    /// Whether the queue is held: what runs goes on, and nothing is begun.
    pub is_paused: bool,
    /// What the parameters stand at unless the artist turns them: the present model's.
    pub defaults: ModelDefaults,
    /// The projects that changed last, newest first; the gallery has them all.
    pub projects: Vec<Project>,
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
        plan: String,
    },
    /// A step of a job can be seen.
    Preview {
        /// The job.
        job: JobId,
        /// Names the image in the window's image scheme.
        preview: PreviewId,
    },
    /// A project was begun, or what lists show of it changed.
    ProjectChanged {
        /// As it is now.
        project: Project,
    },
    /// An image is saved and belongs to the history.
    NodeAdded {
        /// The image.
        node: Node,
    },
    /// Images were renamed, tagged, starred, put into the trash or taken out of it.
    NodesChanged {
        /// As they are now.
        nodes: Vec<Node>,
    },
    /// Images are gone for good.
    NodesRemoved {
        /// The images.
        nodes: Vec<NodeId>,
        /// Projects that went with their last image.
        projects: Vec<ProjectId>,
    },
    /// A question was answered.
    TurnAdded {
        /// The project whose conversation grew.
        project: ProjectId,
        /// Question and answer.
        turn: Turn,
    },
    /// Questions and answers changed.
    TurnsChanged {
        /// The project whose conversation they belong to.
        project: ProjectId,
        /// As they are now.
        turns: Vec<Turn>,
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
    /// An image was painted again from its recipe and compared.
    Verified {
        /// The image.
        node: NodeId,
        /// What came of it.
        outcome: Verification,
    },
    /// Files hover over the window, or left it.
    Dragging {
        /// Where, in the window's pixels; absent when they left.
        position: Option<[f64; 2]>,
    },
    /// Images were dropped, pasted or opened; those read are in the history already.
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

/// An image that was brought in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Arrival {
    /// The image in the history.
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
        /// Which of the catalog's it is; absent for files chosen by hand.
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

/// How fast the full model would run here, from one layer of its true shape with random weights.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Trial {
    /// Quantization tried.
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
    /// Licenses of everything inside, as one text.
    pub licenses: String,
}

/// How an image was made, field by field.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct RecipeView {
    /// What was asked for.
    pub kind: Kind,
    /// The words.
    pub prompt: String,
    /// How it was sampled, with the seed that was used.
    pub parameters: ImageParameters,
    /// The plan that was painted.
    pub plan: Option<String>,
    /// Images that were read, those of them that are in the library.
    pub images: Vec<NodeId>,
    /// Images that were read and are not in the library.
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

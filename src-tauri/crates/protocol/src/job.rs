//! What is asked for, what becomes of it, and what it will take.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Failure, ImageParameters, JobId, MemoryEstimate, NodeId, PreviewId, ProjectId, Size, Thinking, TurnId};

/// What kind of request a job carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An image from a prompt.
    Generate,
    /// An image from images and an prompt.
    Edit,
    /// An answer.
    Chat,
}

impl Kind {
    /// The word for it: a command of the program, a value in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Edit => "edit",
            Self::Chat => "chat",
        }
    }
}

/// What the window asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct NewJob {
    /// What to do.
    pub kind: Kind,
    /// The artist's words.
    pub prompt: String,
    /// The project that the result belongs to; a new one when absent.
    pub project: Option<ProjectId>,
    /// The image to edit or to ask about.
    pub image: Option<NodeId>,
    /// Other images to use, in the order the model reads them.
    pub references: Vec<NodeId>,
    /// Whether to plan before painting, or to reason before answering.
    pub thinking: Thinking,
    /// Whether to stop when the plan is complete, so that it can be changed before it is painted.
    pub pauses_after_plan: bool,
    /// How an image is sampled; unused for a question.
    pub parameters: ImageParameters,
    /// How many images, each from another seed: 1 to 8.
    pub variations: u32,
    /// Whether it goes before everything that waits.
    pub first: bool,
}

/// A queued request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The project that its result will belong to.
    pub project: ProjectId,
    /// What it does.
    pub kind: Kind,
    /// The artist's words.
    pub prompt: String,
    /// The image that is edited or asked about.
    pub image: Option<NodeId>,
    /// Other images that are used.
    pub references: Vec<NodeId>,
    /// Whether it plans or reasons first.
    pub thinking: Thinking,
    /// Whether it stops when the plan is complete.
    pub pauses_after_plan: bool,
    /// How its image is sampled; the seed is chosen when it is queued.
    pub parameters: ImageParameters,
    /// The image that it paints again to compare, rather than to keep.
    pub verifies: Option<NodeId>,
    /// Where it is.
    pub status: JobStatus,
    /// The plan, as far as it is written.
    pub plan: String,
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
        /// The image, where it made one.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Remedy {
    /// The same once more.
    Retry,
    /// A smaller image.
    SmallerSize {
        /// One that fits.
        size: Size,
    },
    /// Without a plan.
    NoThinking,
    /// Without the other images.
    FewerImages,
    /// Without the oldest questions of the conversation, their answers and images.
    LeaveOut {
        /// Which they are.
        turns: Vec<TurnId>,
    },
    /// A model, or a form of it, that needs less.
    SmallerModel,
}

/// What the engine does for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Phase {
    /// It reads texts and images.
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
    /// The image is written to disk.
    Saving,
}

/// Where a waiting job is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
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
pub struct CostEstimate {
    /// Bytes by part.
    pub memory: MemoryEstimate,
    /// Bytes that there are for it, weights included.
    #[ts(type = "number | null")]
    pub available_bytes: Option<u64>,
    /// Tokens of context.
    pub context_tokens: u32,
    /// Size of the image that would be made.
    pub size: Option<Size>,
    /// Seconds for all of its variations, where this machine has done the like.
    pub secs: Option<f64>,
    /// Why it cannot be done, if it cannot.
    pub refusal: Option<Failure>,
    /// What could be done instead.
    pub remedies: Vec<Remedy>,
}

/// What painting an image again has shown.
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

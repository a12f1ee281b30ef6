//! What studio and engine say to each other.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Failure, JobId, Recipe, Request, Size, TextParameters};

/// Studio to engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Command {
    /// First frame; the engine answers with its own hello, and ends when the versions differ.
    Hello {
        /// The studio's `PROTOCOL_VERSION`.
        protocol: u32,
    },
    /// Read a model into memory; replaces the one that is loaded.
    Load {
        /// Answers carry this id.
        id: JobId,
        /// Which model, and where.
        model: ModelSource,
    },
    /// Give the model's memory back.
    Unload {
        /// Answers carry this id.
        id: JobId,
    },
    /// Carry out a request on the loaded model.
    Run {
        /// Answers carry this id.
        id: JobId,
        /// What to do.
        request: Request,
    },
    /// Say what a request would need, without running it.
    Estimate {
        /// Answers carry this id.
        id: JobId,
        /// By which model, and where; by the one that is loaded when absent.
        model: Option<ModelSource>,
        /// What would be done.
        request: Request,
    },
    /// Stop a job, running or waiting.
    Cancel {
        /// The job to stop.
        id: JobId,
    },
    /// Say what is loaded and what runs.
    Status {
        /// Answers carry this id.
        id: JobId,
    },
}

/// A model on disk, and where it computes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelSource {
    /// A folder in the official layout, a safetensors file or a GGUF of ours.
    pub path: PathBuf,
    /// Checkpoint that supplies tensors the first one lacks.
    pub base: Option<PathBuf>,
    /// `cpu`, `cuda:0`, `metal:0`; the best one there is when absent.
    pub device: Option<String>,
}

/// Which text a delta belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TextChannel {
    /// The plan before an image.
    Plan,
    /// The answer of a chat.
    Answer,
}

/// Engine to studio. Images (of `Step` and `Image`) carry their RGB bytes as the frame's payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// Answer to the studio's hello.
    Hello {
        /// The engine's `PROTOCOL_VERSION`.
        protocol: u32,
        /// Version of the engine program.
        engine: String,
        /// What it can compute on.
        devices: Vec<DeviceDescription>,
    },
    /// The process lives, and whether anything moved since the last beat.
    Heartbeat {
        /// Layers, tokens, strips and tensors done since the start.
        progress: u64,
    },
    /// A model is being read.
    Loading {
        /// The load's id.
        id: JobId,
        /// Bytes read so far.
        bytes: u64,
        /// Bytes to read.
        total_bytes: u64,
    },
    /// A model is ready.
    Loaded {
        /// The load's id.
        id: JobId,
        /// What was loaded.
        model: ModelDescription,
    },
    /// No model is loaded any more.
    Unloaded {
        /// The unload's id.
        id: JobId,
    },
    /// A job left the queue.
    Started {
        /// The job.
        id: JobId,
    },
    /// The inputs were read.
    Context {
        /// The job.
        id: JobId,
        /// Tokens in the conditional context.
        tokens: u32,
    },
    /// More text.
    Text {
        /// The job.
        id: JobId,
        /// Which text it belongs to.
        channel: TextChannel,
        /// What to append; never part of a character.
        delta: String,
    },
    /// A step of denoising is done; the payload is its preview.
    Step {
        /// The job.
        id: JobId,
        /// Steps done.
        step: u32,
        /// Steps in all.
        steps: u32,
        /// Size of the preview in the payload (rgb8), if there is one.
        preview: Option<Size>,
    },
    /// The image is being decoded.
    Decoding {
        /// The job.
        id: JobId,
    },
    /// The image; the payload is rgb8 of the recipe's size.
    Image {
        /// The job.
        id: JobId,
        /// How it was made.
        recipe: Box<Recipe>,
    },
    /// A job is done.
    Done {
        /// The job.
        id: JobId,
        /// The whole text, where the job wrote one.
        text: Option<String>,
        /// How the text was sampled, with the seed that was used.
        parameters: Option<TextParameters>,
        /// What it took.
        statistics: Statistics,
    },
    /// A job, a load or an estimate failed.
    Failed {
        /// What failed.
        id: JobId,
        /// Why.
        failure: Failure,
    },
    /// Answer to an estimate.
    Estimate {
        /// The estimate's id.
        id: JobId,
        /// Bytes by part.
        memory: MemoryEstimate,
        /// Tokens of the conditional context.
        context_tokens: u32,
        /// Size of the image that would be made.
        size: Option<Size>,
    },
    /// Answer to a status request.
    Status {
        /// The status request's id.
        id: JobId,
        /// What is loaded.
        model: Option<ModelDescription>,
        /// What runs.
        running: Option<JobId>,
        /// What waits, in order.
        waiting: Vec<JobId>,
    },
}

/// Something to compute on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DeviceDescription {
    /// `cpu`, `cuda:0`, `metal:0`.
    pub id: String,
    /// Name for the artist.
    pub name: String,
    /// Memory in all, where known.
    #[ts(type = "number | null")]
    pub memory_bytes: Option<u64>,
    /// Memory free now, where known.
    #[ts(type = "number | null")]
    pub free_bytes: Option<u64>,
    /// CUDA compute capability such as `8.9`.
    pub compute_capability: Option<String>,
}

/// A loaded model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ModelDescription {
    /// Name of its file or folder.
    pub name: String,
    /// Hash that recipes carry.
    pub hash: String,
    /// `f32`, `bf16`, `q4_k_m` …
    pub quantization: String,
    /// Parameters in all.
    #[ts(type = "number")]
    pub parameters: u64,
    /// Bytes its weights hold in memory.
    #[ts(type = "number")]
    pub memory_bytes: u64,
    /// Where it is.
    pub device: String,
    /// Longest side of an image, in pixels.
    pub max_side: u32,
}

/// What a request needs, in bytes by part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MemoryEstimate {
    /// Weights as loaded.
    #[ts(type = "number")]
    pub weights_bytes: u64,
    /// Keys and values of all contexts.
    #[ts(type = "number")]
    pub context_bytes: u64,
    /// Activations of the largest forward.
    #[ts(type = "number")]
    pub working_bytes: u64,
    /// Activations of the autoencoder.
    #[ts(type = "number")]
    pub vae_bytes: u64,
    /// The peak: weights, context, and the larger of the working sets.
    #[ts(type = "number")]
    pub peak_bytes: u64,
}

/// What a job took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Seconds to read the inputs.
    pub context_secs: f64,
    /// Seconds to write text.
    pub text_secs: f64,
    /// Tokens written.
    pub text_tokens: u32,
    /// Seconds to denoise.
    pub denoise_secs: f64,
    /// Steps of denoising.
    pub steps: u32,
    /// Forwards of the model in these steps.
    pub forwards: u32,
    /// Seconds to decode the image.
    pub decode_secs: f64,
    /// Tokens of context taken from the cache instead of computed.
    pub reused_tokens: u32,
}

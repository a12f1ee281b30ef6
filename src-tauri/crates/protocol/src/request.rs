//! Requests to the model.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// One request to the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// An image from text.
    Generate(ImageRequest),
    /// An image from images and an prompt; the last image is the one that is edited.
    Edit(ImageRequest),
    /// Text about texts and images.
    Chat(ChatRequest),
}

impl Request {
    /// Texts and images in the order the model reads them.
    pub fn inputs(&self) -> &[Input] {
        match self {
            Self::Generate(request) | Self::Edit(request) => &request.inputs,
            Self::Chat(request) => &request.inputs,
        }
    }

    /// Draws the seeds that are absent and will be used, so that they stand in the recipe.
    pub fn draw_seeds(&mut self) {
        match self {
            Self::Generate(request) | Self::Edit(request) => {
                request.parameters.seed.get_or_insert_with(draw_seed);
                if request.thinking == Thinking::On {
                    request.text.draw_seed();
                }
            }
            Self::Chat(request) => request.text.draw_seed(),
        }
    }
}

/// A random seed of 32 bits, short enough to read out.
pub fn draw_seed() -> u64 {
    // The low bits of a UUIDv7 are random.
    u64::from(Uuid::now_v7().as_u128() as u32)
}

/// Inputs and parameters of an image to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageRequest {
    /// Texts and images in the order the model reads them.
    pub inputs: Vec<Input>,
    /// Whether the model plans before it paints, or is given the plan.
    pub thinking: Thinking,
    /// How the image is sampled.
    pub parameters: ImageParameters,
    /// How the plan is sampled; unused without thinking.
    pub text: TextParameters,
}

/// Inputs and parameters of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatRequest {
    /// The conversation so far, earlier answers as text, in order.
    pub inputs: Vec<Input>,
    /// Whether the model reasons in `<think> </think>` before it answers.
    pub think: bool,
    /// How the answer is sampled.
    pub text: TextParameters,
}

/// One item of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Input {
    /// A text.
    Text {
        /// The text itself.
        text: String,
    },
    /// An image in a file that the engine can read.
    Image {
        /// Where the image lies.
        path: PathBuf,
    },
}

/// Planning before painting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Thinking {
    /// The model paints at once.
    #[default]
    Off,
    /// The model writes a plan and paints it.
    On,
    /// The plan is given (edited by hand, or taken from a recipe) and painted.
    Given {
        /// The plan with its `<think> </think>` tags.
        plan: String,
    },
}

/// Width and height in pixels, both multiples of 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// How the guided velocity is scaled back to the conditional one's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Renorm {
    /// One factor for the whole image.
    Global,
    /// One factor a token, after both guidances.
    Channel,
    /// One factor a token, after the text guidance only.
    TextChannel,
}

/// How an image is sampled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct ImageParameters {
    /// Size of the image; an edit without it keeps the size of its last image.
    pub size: Option<Size>,
    /// Points of the schedule; the model is evaluated `steps - 1` times.
    pub steps: u32,
    /// How strongly the text is followed; 1 or less switches guidance off.
    pub text_guidance: f64,
    /// How strongly the images are kept; 1 or less switches this branch off.
    pub image_guidance: f64,
    /// Guidance applies at timesteps `start < t <= end`.
    pub guidance_interval: [f64; 2],
    /// Which renormalization follows guidance.
    pub renorm: Renorm,
    /// Lower bound of the renormalization factor, 0 to 1.
    pub renorm_min: f64,
    /// Timestep shift; higher spends more steps on layout.
    pub shift: f64,
    /// Seed of the noise; drawn and reported back when absent.
    #[ts(type = "number | null")]
    pub seed: Option<u64>,
    /// Whether images read in are sampled from the VAE's posterior rather than its mean.
    pub sample_posterior: bool,
    /// Whether most steps are extrapolated from earlier ones (TaylorSeer): faster, not exact.
    pub feature_cache: bool,
}

impl ImageParameters {
    /// The reference application's defaults for text to image.
    pub const fn generate() -> Self {
        Self {
            size: None,
            steps: 50,
            text_guidance: 4.0,
            image_guidance: 1.5,
            guidance_interval: [0.4, 1.0],
            renorm: Renorm::Global,
            renorm_min: 0.0,
            shift: 3.0,
            seed: None,
            sample_posterior: false,
            feature_cache: false,
        }
    }

    /// The reference application's defaults for an edit.
    pub const fn edit() -> Self {
        Self { image_guidance: 2.0, guidance_interval: [0.0, 1.0], renorm: Renorm::TextChannel, ..Self::generate() }
    }
}

impl Default for ImageParameters {
    fn default() -> Self {
        Self::generate()
    }
}

/// How text is sampled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct TextParameters {
    /// Most tokens to write, the start token counted: `limit - 1` are written at most.
    pub limit: u32,
    /// 0 takes the likeliest token; higher is freer.
    pub temperature: f64,
    /// Only the `top_k` likeliest tokens are drawn from.
    pub top_k: Option<u32>,
    /// Only the likeliest tokens that together reach this probability are drawn from.
    pub top_p: Option<f64>,
    /// Above 1, tokens already written become less likely.
    pub repetition_penalty: f64,
    /// Seed of the draws; drawn and reported back when absent and needed.
    #[ts(type = "number | null")]
    pub seed: Option<u64>,
    /// Texts at which writing ends; they are not part of the result.
    pub stop: Vec<String>,
}

impl TextParameters {
    /// Draws a seed where tokens are drawn and none was given.
    fn draw_seed(&mut self) {
        if self.temperature > 0.0 {
            self.seed.get_or_insert_with(draw_seed);
        }
    }

    /// The reference application's defaults for an answer.
    pub const fn chat() -> Self {
        Self {
            limit: 512,
            temperature: 0.0,
            top_k: None,
            top_p: None,
            repetition_penalty: 1.0,
            seed: None,
            stop: Vec::new(),
        }
    }

    /// The reference application's defaults for a plan.
    pub const fn plan() -> Self {
        let mut parameters = Self::chat();
        parameters.limit = 1024;
        parameters
    }
}

impl Default for TextParameters {
    fn default() -> Self {
        Self::chat()
    }
}

//! How an image was made: everything that decides its pixels and nothing else, so no times, folders or names of people.

use serde::{Deserialize, Serialize};

use crate::{ImageParameters, Kind, Size, TextParameters, Thinking};

/// The version of the format that is written and read.
pub const RECIPE_VERSION: u32 = 1;

/// Everything that decides an image's pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// [`RECIPE_VERSION`].
    pub version: u32,
    /// What was asked for.
    pub kind: Kind,
    /// Texts and images in the order the model read them.
    pub inputs: Vec<RecipeInput>,
    /// Whether the model planned.
    pub thinking: Thinking,
    /// The plan as it was painted.
    pub plan: Option<String>,
    /// How the image was sampled, with its seed.
    pub parameters: ImageParameters,
    /// How the plan was sampled.
    pub text: TextParameters,
    /// Size of the image.
    pub size: Size,
    /// blake3 of the noise that the image started from, where it came from a file and not from the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<String>,
    /// The weights.
    pub model: RecipeModel,
    /// Version of the engine.
    pub engine: String,
}

/// One item that the model read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RecipeInput {
    /// A text, verbatim.
    Text {
        /// The text itself.
        text: String,
    },
    /// An image, by its content.
    Image {
        /// Hash of the pixels as read.
        hash: String,
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Name of its file without the folder, to find it again.
        name: String,
    },
}

/// The weights that made an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeModel {
    /// What the model is called.
    pub name: String,
    /// Hash of its weights.
    pub hash: String,
    /// Kind of its weights, such as `q4_k_m` or `bf16`.
    pub quantization: String,
}

impl Recipe {
    /// The recipe as one line of JSON.
    pub fn to_json(&self) -> String {
        // Serializing plain data to memory fails for no value of these types.
        serde_json::to_string(self).unwrap_or_default()
    }
}

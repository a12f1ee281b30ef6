//! How an image was made, as it travels inside the image's file.
//!
//! A recipe holds everything that decides the pixels and nothing else: no
//! times, no folders, no names of people. `text` finds it among the text
//! chunks of a PNG, `parse` turns foreign JSON into one.

mod parse;
mod text;

use std::collections::BTreeMap;
use std::path::Path;

use protocol::{Image, ImageParameters, Kind, Size, TextParameters, Thinking};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::image_hash;
use crate::limits::{MAX_JSON_DEPTH, MAX_TEXT_BYTES, MAX_TEXT_CHUNKS};

pub(crate) use text::TextChunks;

/// The version of the format that is written and read.
pub const RECIPE_VERSION: u32 = 1;

/// Keyword of the PNG text chunk that holds the recipe.
pub const RECIPE_KEYWORD: &str = "bagel-recipe";

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
        /// [`image_hash`] of the image as read.
        hash: String,
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Name of its file without the folder, to find it again.
        name: String,
    },
}

impl RecipeInput {
    /// An image that was read from `path`, of which only the last part is kept.
    pub fn image(image: &Image, path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::Image { hash: image_hash(image), width: image.width(), height: image.height(), name }
    }
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

/// A recipe from a file, with what this version does not know.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadRecipe {
    /// What is understood.
    pub recipe: Recipe,
    /// Fields that are not, by their path such as `image.tiling`: to be shown, never applied.
    pub unknown: BTreeMap<String, Value>,
}

/// What a file says about how it was made.
#[derive(Clone, Debug, PartialEq)]
pub enum EmbeddedRecipe {
    /// It says nothing.
    Absent,
    /// It carries a recipe.
    Found(Box<ReadRecipe>),
    /// It carries something that is not accepted as a recipe; the image itself is good.
    Refused(RecipeProblem),
}

/// Why a recipe is not accepted; continues a sentence that begins with "its recipe".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipeProblem {
    /// The file holds too much text beside the image.
    #[error(
        "lies among {n_chunks} texts of {n_bytes} bytes, more than {MAX_TEXT_CHUNKS} or {MAX_TEXT_BYTES} bytes; use the image without it"
    )]
    TooMuchText {
        /// Number of text chunks.
        n_chunks: usize,
        /// Their bytes as stored.
        n_bytes: usize,
    },
    /// More than one text claims to be the recipe.
    #[error("is there more than once; use the image without it")]
    Several,
    /// The text is damaged, or packed in a way that is not known.
    #[error("is damaged; use another copy of the image, or the image without it")]
    Damaged,
    /// The text unpacks to more than it may.
    #[error("unpacks to more than {MAX_TEXT_BYTES} bytes; use the image without it")]
    TooLong,
    /// The JSON is nested too deeply.
    #[error("is nested more than {MAX_JSON_DEPTH} levels deep; use the image without it")]
    TooDeep,
    /// The text is not JSON, or not of the right types.
    #[error("cannot be understood ({reason}); use the image without it")]
    NotUnderstood {
        /// Where and why, made safe to show.
        reason: String,
    },
    /// It is of another version of the format.
    #[error("is of version {version}, and version {RECIPE_VERSION} is read here; update the program")]
    Version {
        /// The version that it states.
        version: u64,
    },
}

impl Recipe {
    /// The recipe as one line of JSON.
    pub fn to_json(&self) -> String {
        // Serializing plain data to memory fails for no value of these types.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads foreign JSON: strict about types, tolerant of fields that a later version may have added.
    pub fn from_json(json: &str) -> Result<ReadRecipe, RecipeProblem> {
        parse::parse(json)
    }
}

//! How an image was made, as it travels inside the image's file.
//!
//! `text` finds the [`Recipe`] among the text chunks of a PNG, `parse` turns
//! foreign JSON into one.

mod parse;
mod text;

use std::collections::BTreeMap;
use std::path::Path;

use protocol::recipe::RECIPE_VERSION;
use protocol::{Image, Recipe, RecipeInput};
use serde_json::Value;

use crate::image_hash;
use crate::limits::{MAX_JSON_DEPTH, MAX_TEXT_BYTES, MAX_TEXT_CHUNKS};

pub(crate) use text::TextChunks;

/// Keyword of the PNG text chunk that holds the recipe.
pub const RECIPE_KEYWORD: &str = "bagel-recipe";

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

/// Reads foreign JSON: strict about types, tolerant of fields that a later version may have added.
pub fn parse_recipe(json: &str) -> Result<ReadRecipe, RecipeProblem> {
    parse::parse(json)
}

/// What a recipe says of an image that was read from `path`; only the file's name is kept.
pub fn image_input(image: &Image, path: &Path) -> RecipeInput {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    RecipeInput::Image { hash: image_hash(image), width: image.width(), height: image.height(), name }
}

//! Finding images among thousands.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Node, Origin, Project};

/// Which images are wanted; all of the conditions hold for each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct GalleryFilter {
    /// Words in prompts, answers, plans, names and tags; the last may be unfinished. Empty finds everything.
    pub text: String,
    /// Tags that it has, each of them.
    pub tags: Vec<String>,
    /// Whether only starred ones are wanted.
    pub starred: bool,
    /// How it came about.
    pub origin: Option<Origin>,
    /// Where it is.
    pub place: Place,
}

/// Where an image is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the library.
    #[default]
    Library,
    /// In the trash, for 30 days.
    Trash,
}

/// Where a page ended; means something to the one who made it only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GalleryCursor(pub String);

/// A page of images, those of the project that changed last first; in a project, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct GalleryPage {
    /// The images.
    pub nodes: Vec<Node>,
    /// The projects they belong to.
    pub projects: Vec<Project>,
    /// Where the next page begins; absent at the end.
    pub next: Option<GalleryCursor>,
    /// How many images match in all.
    #[ts(type = "number")]
    pub total: u64,
}

/// What the library holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GalleryCounts {
    /// Images that are not in the trash.
    #[ts(type = "number")]
    pub n_nodes: u64,
    /// Images in the trash.
    #[ts(type = "number")]
    pub n_trashed: u64,
    /// Images with a star.
    #[ts(type = "number")]
    pub n_starred: u64,
    /// All tags in use, sorted.
    pub tags: Vec<TagCount>,
}

/// A tag and how often it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TagCount {
    /// The tag.
    pub tag: String,
    /// Images that have it and are not in the trash.
    #[ts(type = "number")]
    pub n_nodes: u64,
}

/// How an image leaves the studio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// Exact, with the recipe inside.
    Png,
    /// Exact, without the recipe.
    PngPlain,
    /// Small, with losses.
    Jpeg,
    /// Exact and small.
    Webp,
}

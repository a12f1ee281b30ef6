//! What was made, and how it came about.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{NodeId, ProjectId, Size, TurnId};

/// A tree of images with the conversation about them, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// What it is called: what the artist named it, or what it began with.
    pub name: String,
    /// The image that stands for it: the newest that is not in the trash.
    pub cover: Option<NodeId>,
    /// Images in it that are not in the trash.
    pub n_nodes: u32,
    /// Milliseconds since 1970, UTC.
    #[ts(type = "number")]
    pub created_ms: u64,
    /// When an image or an answer last joined it; milliseconds since 1970, UTC.
    #[ts(type = "number")]
    pub changed_ms: u64,
}

/// A project with everything in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ProjectContents {
    /// The project.
    pub project: Project,
    /// Its images in the order they were made, those in the trash among them.
    pub nodes: Vec<Node>,
    /// Its conversation, oldest first.
    pub turns: Vec<Turn>,
}

/// An image of the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// The project it belongs to.
    pub project: ProjectId,
    /// The image that was edited.
    pub parent: Option<NodeId>,
    /// Other images that were used, of this project or another.
    pub references: Vec<NodeId>,
    /// How it came about.
    pub origin: Origin,
    /// The prompt; for an imported image the name of its file.
    pub prompt: String,
    /// What the artist named it.
    pub name: Option<String>,
    /// Its size in pixels.
    pub size: Size,
    /// Seed of its noise, where it is known.
    #[ts(type = "number | null")]
    pub seed: Option<u64>,
    /// The plan it was painted after.
    pub plan: Option<String>,
    /// Whether its recipe is known: it was made here, or its file brought one.
    pub has_recipe: bool,
    /// The model that made it, as its recipe names it.
    pub model: Option<String>,
    /// The artist's mark of favor.
    pub starred: bool,
    /// The artist's words to find it by, sorted.
    pub tags: Vec<String>,
    /// When it was put into the trash; milliseconds since 1970, UTC.
    #[ts(type = "number | null")]
    pub trashed_ms: Option<u64>,
    /// How long it took to make.
    #[ts(type = "number | null")]
    pub took_ms: Option<u64>,
    /// Milliseconds since 1970, UTC.
    #[ts(type = "number")]
    pub created_ms: u64,
}

/// How an image came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Brought in from outside.
    Imported,
    /// Painted from text.
    Generate,
    /// Painted from images and an prompt.
    Edit,
}

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Turn {
    /// Its id.
    pub id: TurnId,
    /// What was asked.
    pub prompt: String,
    /// Images that were new to the conversation with this question.
    pub images: Vec<NodeId>,
    /// What was reasoned before the answer.
    pub plan: Option<String>,
    /// What was answered.
    pub answer: String,
    /// Whether the artist stopped the answer before its end.
    pub stopped: bool,
    /// Whether later questions are asked without it: the model no longer reads it, the artist still does.
    pub left_out: bool,
    /// Milliseconds since 1970, UTC.
    #[ts(type = "number")]
    pub created_ms: u64,
}

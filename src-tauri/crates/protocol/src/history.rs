//! What was made, and how it came about.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{NodeId, PieceId, Size, TurnId};

/// A tree of pictures with the conversation about them, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Piece {
    /// Its id.
    pub id: PieceId,
    /// What it is called: what the artist named it, or what it began with.
    pub name: String,
    /// The picture that stands for it: the newest that is not in the trash.
    pub cover: Option<NodeId>,
    /// Pictures in it that are not in the trash.
    pub n_nodes: u32,
    /// Milliseconds since 1970, UTC.
    #[ts(type = "number")]
    pub created_ms: u64,
    /// When a picture or an answer last joined it; milliseconds since 1970, UTC.
    #[ts(type = "number")]
    pub changed_ms: u64,
}

/// A piece with everything in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct PieceContents {
    /// The piece.
    pub piece: Piece,
    /// Its pictures in the order they were made, those in the trash among them.
    pub nodes: Vec<Node>,
    /// Its conversation, oldest first.
    pub turns: Vec<Turn>,
}

/// A picture of the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// The piece it belongs to.
    pub piece: PieceId,
    /// The picture that was edited.
    pub parent: Option<NodeId>,
    /// Other pictures that were used, of this piece or another.
    pub references: Vec<NodeId>,
    /// How it came about.
    pub origin: Origin,
    /// The instruction, or the name of the file it was imported from.
    pub title: String,
    /// What the artist named it.
    pub name: Option<String>,
    /// Its size in pixels.
    pub size: Size,
    /// Seed of its noise, where it is known.
    #[ts(type = "number | null")]
    pub seed: Option<u64>,
    /// The plan it was painted after.
    pub thought: Option<String>,
    /// Whether its recipe is known: it was made here, or its file brought one.
    pub has_recipe: bool,
    /// The model that made it, as its recipe names it.
    pub model: Option<String>,
    /// The artist's mark of favour.
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

/// How a picture came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Brought in from outside.
    Imported,
    /// Painted from text.
    Created,
    /// Painted from pictures and an instruction.
    Edited,
}

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Turn {
    /// Its id.
    pub id: TurnId,
    /// What was asked.
    pub question: String,
    /// Pictures that were new to the conversation with this question.
    pub pictures: Vec<NodeId>,
    /// What was reasoned before the answer.
    pub thought: Option<String>,
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

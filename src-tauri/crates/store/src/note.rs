//! Where an image belongs, as it travels beside it.
//!
//! An image made here carries this inside its PNG, an imported one in a small
//! file beside it. Together with the recipes a lost database is rebuilt from
//! them. What leaves the library leaves without it.

use protocol::{NodeId, Origin, ProjectId, Size};
use serde::{Deserialize, Serialize};

/// Keyword of the PNG text that holds the note.
pub(crate) const KEYWORD: &str = "bagel-history";

/// The form that is written and read.
pub(crate) const VERSION: u32 = 1;

/// Ancestors that are named: if the nearest are gone, the next that is there becomes the parent.
pub(crate) const MAX_ANCESTORS: u32 = 32;

/// Longest note that is read, in bytes.
pub(crate) const MAX_BYTES: u64 = 1 << 20;

/// No library gets here by counting: a larger number is no number of ours, and counting on from it would overflow.
const MAX_ORDER: i64 = 1 << 53;

/// Where an image belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// [`VERSION`].
    pub(crate) version: u32,
    pub(crate) node: NodeId,
    pub(crate) project: ProjectId,
    /// Later images have larger numbers, whatever the clock said.
    pub(crate) order: i64,
    /// The image that was edited, the one that was made from, and so on.
    pub(crate) ancestors: Vec<NodeId>,
    pub(crate) references: Vec<NodeId>,
    pub(crate) origin: Origin,
    pub(crate) title: String,
    pub(crate) created_ms: u64,
    pub(crate) size: Size,
    /// Hash of the image itself.
    pub(crate) pixels: String,
}

impl Note {
    pub(crate) fn to_json(&self) -> String {
        // Serializing plain data to memory fails for no value of these types.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a note; `None` when it is damaged or of another form.
    pub(crate) fn from_json(json: &str) -> Option<Self> {
        let is_sound = |note: &Self| note.version == VERSION && (0..MAX_ORDER).contains(&note.order);
        serde_json::from_str(json).ok().filter(is_sound)
    }
}

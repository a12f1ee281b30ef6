//! The place of an image in the history, stored with its file.
//!
//! A generated image has its sidecar inside the PNG, an imported one in a file
//! next to it. Sidecars and recipes are enough to rebuild a lost database.
//! Exports do not contain them.

use protocol::{NodeId, Origin, ProjectId, Size};
use serde::{Deserialize, Serialize};

/// Keyword of the PNG text chunk.
pub(crate) const KEYWORD: &str = "bagel-history";

/// The only version that is written and read.
pub(crate) const VERSION: u32 = 1;

/// If the nearest ancestors are missing, the next one that exists becomes the parent.
pub(crate) const MAX_ANCESTORS: u32 = 32;

/// Longest sidecar that is read.
pub(crate) const MAX_BYTES: u64 = 1 << 20;

/// No library reaches this sequence number; a larger one is invalid, and counting on from it would overflow.
const MAX_ORDER: i64 = 1 << 53;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sidecar {
    pub(crate) version: u32,
    pub(crate) node: NodeId,
    pub(crate) project: ProjectId,
    /// Sequence number: later images have larger ones, whatever the clock said.
    pub(crate) order: i64,
    /// The parent, its parent, and so on.
    pub(crate) ancestors: Vec<NodeId>,
    pub(crate) references: Vec<NodeId>,
    pub(crate) origin: Origin,
    pub(crate) prompt: String,
    pub(crate) created_ms: u64,
    pub(crate) size: Size,
    /// [`imagefile::image_hash`] of the decoded image.
    pub(crate) pixel_hash: String,
}

impl Sidecar {
    pub(crate) fn to_json(&self) -> String {
        // Cannot fail for these types.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// `None` if it is damaged or has another version.
    pub(crate) fn from_json(json: &str) -> Option<Self> {
        let is_valid = |sidecar: &Self| sidecar.version == VERSION && (0..MAX_ORDER).contains(&sidecar.order);
        serde_json::from_str(json).ok().filter(is_valid)
    }
}

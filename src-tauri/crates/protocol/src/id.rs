//! Names of things, unique for ever and sortable by the time they were made.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// A text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct InvalidId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
        #[ts(type = "string")]
        pub struct $name(Uuid);

        impl $name {
            /// A new one, later in order than those before it.
            #[expect(clippy::new_without_default, reason = "each call gives another id")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id with these bits.
            pub const fn from_u128(bits: u128) -> Self {
                Self(Uuid::from_u128(bits))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                // Only the form that `Display` writes: one id has one spelling.
                Uuid::try_parse(text).ok().filter(|id| id.to_string() == text).map(Self).ok_or(InvalidId)
            }
        }
    };
}

id!(
    /// An image in the history.
    NodeId
);
id!(
    /// A tree of images with the conversation about them.
    ProjectId
);
id!(
    /// A question with its answer.
    TurnId
);
id!(
    /// A request, in the queue and between studio and engine.
    JobId
);
id!(
    /// An image of a step, held in memory while its job runs.
    PreviewId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = NodeId::new();
        assert_eq!(id.to_string().parse::<NodeId>().ok(), Some(id));
        for other in ["", "..", "../x", &id.to_string().to_uppercase(), &format!("{{{id}}}"), &id.to_string()[1..]] {
            if *other != id.to_string() {
                assert!(other.parse::<NodeId>().is_err(), "{other:?} was taken");
            }
        }
    }

    #[test]
    fn later_ids_sort_later() {
        let ids: Vec<NodeId> = (0..100).map(|_| NodeId::new()).collect();
        assert!(ids.is_sorted());
    }
}

//! A plan's text: what the model writes between its tags, and what the artist makes of it.

use protocol::limits::MAX_PLAN_CHARS;
use protocol::{Invalid, Kind, Thinking};

const BEGIN: &str = "<think>";
const END: &str = "</think>";

/// Whether the model has written all of its plan.
pub(crate) fn is_complete(plan: &str) -> bool {
    plan.contains(END)
}

/// A plan to be painted, in the form that the model reads.
pub(crate) fn given(plan: &str) -> Result<Thinking, Invalid> {
    let trimmed = plan.trim();
    let words = trimmed.strip_prefix(BEGIN).unwrap_or(trimmed);
    let words = words.strip_suffix(END).unwrap_or(words).trim();
    if words.is_empty() {
        return Err(Invalid::EmptyPlan);
    }
    if words.chars().count() > MAX_PLAN_CHARS {
        return Err(Invalid::LongPlan);
    }
    // Word for word where it is whole: other white space would paint another image.
    let is_whole = trimmed.starts_with(BEGIN) && trimmed.ends_with(END);
    Ok(Thinking::Given { plan: if is_whole { plan.to_owned() } else { format!("{BEGIN}\n{words}\n{END}") } })
}

/// Whether a job of this kind writes a plan that can be held.
pub(crate) fn can_be_held(request: Kind, thinking: &Thinking) -> bool {
    request != Kind::Chat && *thinking == Thinking::On
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_gets_its_tags_once() {
        let expected = Thinking::Given { plan: "<think>\na boat\n</think>".to_owned() };
        for text in ["a boat", "<think>a boat", "<think>\na boat\n</think>", " a boat </think>\n"] {
            assert_eq!(given(text).unwrap(), expected, "{text:?}");
        }
        for text in ["", "  \n", "<think> </think>"] {
            assert!(given(text).is_err(), "{text:?}");
        }
    }
}

//! What a question is asked in: the turns before it, and the images that they showed.

use protocol::{Input, NodeId, Turn, TurnId};

use crate::Result;

/// The turns that the model still reads.
pub(crate) fn kept(mut turns: Vec<Turn>) -> Vec<Turn> {
    turns.retain(|turn| !turn.left_out);
    turns
}

/// What to leave out of a conversation that has outgrown the model: its older half.
pub(crate) fn older_half(turns: &[Turn]) -> Vec<TurnId> {
    let kept: Vec<TurnId> = turns.iter().filter(|turn| !turn.left_out).map(|turn| turn.id).collect();
    kept[..kept.len().div_ceil(2)].to_vec()
}

/// Images of a question that its conversation has not just shown.
///
/// The model has seen what the last turn's image shows; it is shown again
/// only when the artist moved to another one, and then as the newest.
pub(crate) fn new_images(turns: &[Turn], images: &[NodeId]) -> Vec<NodeId> {
    let last_shown = turns.iter().rev().find_map(|turn| turn.images.last());
    let seen = |image: &NodeId| turns.iter().any(|turn| turn.images.contains(image));
    let Some((newest, others)) = images.split_last() else { return Vec::new() };
    let mut new: Vec<NodeId> = others.iter().filter(|image| !seen(image)).copied().collect();
    if last_shown != Some(newest) || !new.is_empty() {
        new.push(*newest);
    }
    new
}

/// The turns so far as the model reads them; `read` finds an image.
pub(crate) fn inputs(turns: &[Turn], read: impl Fn(NodeId) -> Result<Input>) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for turn in turns {
        for image in &turn.images {
            // An image that is gone for good cannot be shown again; what was said of it can.
            inputs.extend(read(*image).ok());
        }
        inputs.push(Input::Text { text: turn.prompt.clone() });
        if !turn.answer.trim().is_empty() {
            inputs.push(Input::Text { text: turn.answer.clone() });
        }
    }
    Ok(inputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(images: &[NodeId]) -> Turn {
        Turn {
            id: TurnId::new(),
            prompt: "what?".to_owned(),
            images: images.to_vec(),
            plan: None,
            answer: "that".to_owned(),
            stopped: false,
            left_out: false,
            created_ms: 0,
        }
    }

    #[test]
    fn a_image_is_shown_once_until_the_artist_moves() {
        let [a, b, c] = [NodeId::new(), NodeId::new(), NodeId::new()];
        for (turns, asked, expected) in [
            (vec![], vec![a], vec![a]),
            (vec![turn(&[a])], vec![a], vec![]),
            (vec![turn(&[a]), turn(&[])], vec![a], vec![]),
            (vec![turn(&[a]), turn(&[b])], vec![a], vec![a]),
            (vec![turn(&[a])], vec![b, a], vec![b, a]),
            (vec![turn(&[b, a])], vec![b, a], vec![]),
            (vec![turn(&[a])], vec![b, c], vec![b, c]),
            (vec![turn(&[a])], vec![], vec![]),
        ] {
            assert_eq!(new_images(&turns, &asked), expected);
        }
    }

    #[test]
    fn a_image_of_a_turn_that_was_left_out_is_shown_again() {
        let a = NodeId::new();
        let left_out = Turn { left_out: true, ..turn(&[a]) };
        let turns = kept(vec![left_out, turn(&[])]);
        assert_eq!(turns.len(), 1);
        assert_eq!(new_images(&turns, &[a]), [a]);
    }

    #[test]
    fn the_older_half_is_left_out_first() {
        let turns: Vec<Turn> = (0..5).map(|_| turn(&[])).collect();
        let ids = |range: std::ops::Range<usize>| turns[range].iter().map(|turn| turn.id).collect::<Vec<_>>();
        assert_eq!(older_half(&turns), ids(0..3));
        assert_eq!(older_half(&turns[..1]), ids(0..1));
        assert!(older_half(&[]).is_empty());
        let mut less = turns.clone();
        less[..3].iter_mut().for_each(|turn| turn.left_out = true);
        assert_eq!(older_half(&less), ids(3..4));
    }

    #[test]
    fn a_image_that_is_gone_takes_nothing_along() {
        let turns = [turn(&[NodeId::new()]), turn(&[])];
        let inputs = inputs(&turns, |_| Err(crate::Error::Closed)).unwrap();
        assert_eq!(inputs.len(), 4);
    }
}

//! Pictures and recipes to fill libraries with.

use imagefile::recipe::RECIPE_VERSION;
use imagefile::{Recipe, RecipeInput, RecipeKind, RecipeModel};
use protocol::{ImageParameters, NodeId, Origin, Picture, PieceId, TextParameters, Thinking};
use store::NewNode;

use crate::Outcome;

/// A picture that differs with its number.
pub(crate) fn picture(number: u64, side: u32) -> Outcome<Picture> {
    let mut rgb = Vec::new();
    for y in 0..u64::from(side) {
        for x in 0..u64::from(side) {
            rgb.extend([(x * 3 + number) as u8, (y * 5 + (number >> 8)) as u8, ((x ^ y) + (number >> 16)) as u8]);
        }
    }
    Picture::new(side, side, rgb).ok_or_else(|| "no picture".into())
}

/// A recipe as pictures made here carry them.
pub(crate) fn recipe(instruction: &str, seed: u64, picture: &Picture) -> Recipe {
    Recipe {
        version: RECIPE_VERSION,
        request: RecipeKind::Generate,
        inputs: vec![RecipeInput::Text { text: instruction.to_owned() }],
        thinking: Thinking::On,
        thought: Some(format!("The picture should show {instruction}, in soft light, with a calm background.")),
        parameters: ImageParameters { seed: Some(seed), ..ImageParameters::default() },
        text: TextParameters::thought(),
        size: picture.size(),
        noise: None,
        model: RecipeModel { name: "pocket".to_owned(), hash: "ab".repeat(32), quantization: "bf16".to_owned() },
        engine: "0.1.0".to_owned(),
    }
}

/// What is known of a picture before it is saved.
pub(crate) fn new_node(piece: PieceId, parent: Option<NodeId>, title: &str) -> NewNode {
    let origin = if parent.is_some() { Origin::Edited } else { Origin::Created };
    NewNode { parent, took_ms: Some(1_000), ..NewNode::new(piece, origin, title.to_owned()) }
}

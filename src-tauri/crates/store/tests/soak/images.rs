//! Images and recipes to fill libraries with.

use protocol::recipe::RECIPE_VERSION;
use protocol::{
    Image, ImageParameters, Kind, NodeId, Origin, ProjectId, Recipe, RecipeInput, RecipeModel, TextParameters, Thinking,
};
use store::NewNode;

use crate::Outcome;

/// An image whose pixels depend on its number.
pub(crate) fn image(number: u64, side: u32) -> Outcome<Image> {
    let mut rgb = Vec::new();
    for y in 0..u64::from(side) {
        for x in 0..u64::from(side) {
            rgb.extend([(x * 3 + number) as u8, (y * 5 + (number >> 8)) as u8, ((x ^ y) + (number >> 16)) as u8]);
        }
    }
    Image::new(side, side, rgb).ok_or_else(|| "the image has the wrong length".into())
}

pub(crate) fn recipe(prompt: &str, seed: u64, image: &Image) -> Recipe {
    Recipe {
        version: RECIPE_VERSION,
        kind: Kind::Generate,
        inputs: vec![RecipeInput::Text { text: prompt.to_owned() }],
        thinking: Thinking::On,
        plan: Some(format!("The image should show {prompt}, in soft light, with a calm background.")),
        parameters: ImageParameters { seed: Some(seed), ..ImageParameters::default() },
        text: TextParameters::plan(),
        size: image.size(),
        noise: None,
        model: RecipeModel { name: "pocket".to_owned(), hash: "ab".repeat(32), quantization: "bf16".to_owned() },
        engine: "0.1.0".to_owned(),
    }
}

pub(crate) fn new_node(project: ProjectId, parent: Option<NodeId>, prompt: &str) -> NewNode {
    let origin = if parent.is_some() { Origin::Edit } else { Origin::Generate };
    NewNode { parent, took_ms: Some(1_000), ..NewNode::new(project, origin, prompt.to_owned()) }
}

//! How an image was made, and what is needed to make it again.

use std::path::Path;

use imagefile::EmbeddedRecipe;
use protocol::{
    ErrorCode, Failure, Image, ImageParameters, ModelDescription, NewJob, Node, NodeId, Origin, Recipe, RecipeInput,
    RecipeView, Thinking, Verification,
};
use store::Store;

use crate::{Error, Result};

/// A recipe as the window shows it; none for an image without one.
pub(crate) fn view(node: NodeId, store: &Store, present: Option<&ModelDescription>) -> Result<Option<RecipeView>> {
    let Some(recipe) = store.recipe(node)? else { return Ok(None) };
    let node = store.node(node)?;
    let images = images(&node, &recipe, store);
    let n_read = recipe.inputs.iter().filter(|input| matches!(input, RecipeInput::Image { .. })).count();
    // Only a file from elsewhere can say more than this program knows.
    let unknown = if node.origin == Origin::Imported { unknown(&store.path(node.id)?) } else { Vec::new() };
    Ok(Some(RecipeView {
        kind: recipe.kind,
        prompt: prompt(&recipe),
        parameters: parameters(&recipe),
        plan: recipe.plan.clone(),
        n_missing: u32::try_from(n_read.saturating_sub(images.len())).unwrap_or(u32::MAX),
        images,
        model: Some(recipe.model.name.clone()).filter(|name| !name.is_empty()),
        is_present_model: present.is_some_and(|model| model.hash == recipe.model.hash),
        engine: Some(recipe.engine).filter(|engine| !engine.is_empty()),
        unknown,
    }))
}

/// A request that paints an image again as it was painted.
pub(crate) fn replay(node: NodeId, store: &Store) -> Result<NewJob> {
    let Some(recipe) = store.recipe(node)? else {
        let message = "nothing is known of how this image was made; it cannot be painted again";
        return Err(Error::refused(ErrorCode::NotRepeatable, message));
    };
    if recipe.noise.is_some() {
        let message = "it was painted from noise in a file, which the library does not keep; \
                       paint it again with bagel generate --from and --noise";
        return Err(Error::refused(ErrorCode::NotRepeatable, message));
    }
    let node = store.node(node)?;
    let mut images = images(&node, &recipe, store);
    let n_read = recipe.inputs.iter().filter(|input| matches!(input, RecipeInput::Image { .. })).count();
    if images.len() < n_read {
        let message = "images that it was made from are not in the library; bring them in and edit them anew";
        return Err(Error::refused(ErrorCode::NotRepeatable, message));
    }
    Ok(NewJob {
        kind: recipe.kind,
        prompt: prompt(&recipe),
        project: Some(node.project),
        image: images.pop(),
        references: images,
        thinking: match (&recipe.plan, recipe.thinking.clone()) {
            (Some(plan), Thinking::On | Thinking::Given { .. }) => Thinking::Given { plan: plan.clone() },
            (_, thinking) => thinking,
        },
        pauses_after_plan: false,
        parameters: recipe.parameters,
        variations: 1,
        first: false,
    })
}

/// What comparing an image that was painted again with the stored one shows.
pub(crate) fn compare(node: NodeId, painted: &Image, store: &Store) -> Verification {
    let stored = store.path(node).map_err(Error::from).and_then(|path| Ok(imagefile::read(&path)?.image));
    let failed = |failure| Verification::Failed { failure };
    match stored {
        Err(error) => failed(error.failure()),
        Ok(stored) => match difference(&stored, painted) {
            None => failed(Failure {
                code: ErrorCode::BadInput,
                message: "it came out in another size than the stored one".to_owned(),
            }),
            Some((_, 0)) => Verification::Same,
            Some((mean, largest)) => Verification::Differs { mean, largest },
        },
    }
}

fn prompt(recipe: &Recipe) -> String {
    let texts = recipe.inputs.iter().filter_map(|input| match input {
        RecipeInput::Text { text } => Some(text.as_str()),
        RecipeInput::Image { .. } => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

fn parameters(recipe: &Recipe) -> ImageParameters {
    ImageParameters { size: Some(recipe.size), ..recipe.parameters.clone() }
}

/// Images that were read and are in the library, in the order they were read: the edited one is last.
fn images(node: &Node, recipe: &Recipe, store: &Store) -> Vec<NodeId> {
    let hashes = recipe.inputs.iter().filter_map(|input| match input {
        RecipeInput::Image { hash, .. } => Some(hash),
        RecipeInput::Text { .. } => None,
    });
    let hashes: Vec<&String> = hashes.collect();
    let used: Vec<NodeId> = node.references.iter().copied().chain(node.parent).collect();
    if used.len() == hashes.len() {
        return used;
    }
    // An image from elsewhere knows its sources by what they show.
    hashes.into_iter().filter_map(|hash| store.find_by_pixel_hash(hash).ok().flatten()).collect()
}

fn unknown(path: &Path) -> Vec<String> {
    match imagefile::read(path).map(|read| read.recipe) {
        Ok(EmbeddedRecipe::Found(found)) => {
            // Noise from a file cannot be applied here either.
            found.unknown.into_keys().chain(found.recipe.noise.map(|_| "noise".to_owned())).collect()
        }
        _ => Vec::new(),
    }
}

/// Mean and largest difference of two images of one size, a channel at a time; none for different sizes.
fn difference(a: &Image, b: &Image) -> Option<(f64, u8)> {
    if a.size() != b.size() {
        return None;
    }
    let mut sum = 0_u64;
    let mut largest = 0;
    for (x, y) in a.rgb().iter().zip(b.rgb()) {
        let difference = x.abs_diff(*y);
        sum += u64::from(difference);
        largest = largest.max(difference);
    }
    Some((sum as f64 / a.rgb().len() as f64, largest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_counted_by_channel() {
        let a = Image::new(2, 1, vec![0, 0, 0, 10, 10, 10]).unwrap();
        let b = Image::new(2, 1, vec![0, 0, 6, 10, 10, 10]).unwrap();
        assert_eq!(difference(&a, &b), Some((1.0, 6)));
        assert_eq!(difference(&a, &Image::new(1, 2, vec![0; 6]).unwrap()), None);
    }
}

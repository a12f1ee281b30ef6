//! Recipes: written with every image, and taken from one with `--from`.

use std::path::{Path, PathBuf};

use bagel::ImageResult;
use protocol::recipe::RECIPE_VERSION;
use protocol::{ImageRequest, Input, Kind, ModelDescription, Recipe, RecipeInput, RecipeModel, Thinking};

use crate::display::print_note;
use crate::noise::Noise;
use crate::{Error, Result};

/// Everything that decides the pixels of an image that was just painted.
pub fn record(
    kind: Kind,
    request: &ImageRequest,
    sources: &[RecipeInput],
    result: &ImageResult,
    model: &ModelDescription,
) -> Recipe {
    Recipe {
        version: RECIPE_VERSION,
        kind,
        inputs: sources.to_vec(),
        thinking: request.thinking.clone(),
        plan: result.plan.clone(),
        parameters: result.parameters.clone(),
        text: result.text.clone(),
        size: result.size,
        noise: None,
        model: RecipeModel {
            name: model.name.clone(),
            hash: model.hash.clone(),
            quantization: model.quantization.clone(),
        },
        engine: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// An image made earlier whose recipe is followed.
pub struct Original {
    path: PathBuf,
    recipe: Recipe,
}

impl Original {
    /// Reads the recipe; what this version does not know in it is said and not applied.
    pub fn read(path: &Path, kind: Kind) -> Result<Self> {
        let found = imagefile::read(path)?.into_recipe()?;
        if found.recipe.kind != kind {
            let shown = path.display();
            let (made, asked) = (found.recipe.kind.name(), kind.name());
            return Err(Error::BadInput(format!("{shown}: was made by `bagel {made}`, not {asked}; use that command")));
        }
        for name in found.unknown.keys() {
            print_note(&format!("warning: {}: {name} in its recipe is not known here and not applied", path.display()));
        }
        Ok(Self { path: path.to_path_buf(), recipe: found.recipe })
    }

    /// The request of the recipe; texts that are given replace its own, and its images must be given again.
    pub fn request(&self, given: Vec<Input>) -> Result<ImageRequest> {
        let (images, texts): (Vec<Input>, Vec<Input>) = given.into_iter().partition(Input::is_image);
        let n_images = self.images().count();
        if images.len() != n_images {
            let names: Vec<&str> = self.images().map(|(name, _)| name).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(self.fault(&format!(
                "was made from {n_images} images ({names}) and {} are given; give each again with --image, in order",
                images.len()
            )));
        }
        let n_texts = self.recipe.inputs.len() - n_images;
        if !texts.is_empty() && texts.len() != n_texts {
            return Err(self.fault(&format!(
                "was made from {n_texts} texts and {} prompts are given; give as many, or none to keep them",
                texts.len()
            )));
        }
        let is_reworded = !texts.is_empty();
        let (mut images, mut texts) = (images.into_iter(), texts.into_iter());
        let inputs = self.recipe.inputs.iter().filter_map(|input| match input {
            RecipeInput::Image { .. } => images.next(),
            RecipeInput::Text { text } => Some(texts.next().unwrap_or_else(|| Input::Text { text: text.clone() })),
        });
        let thinking = match (&self.recipe.plan, &self.recipe.thinking) {
            // A plan belongs to the words it was made for.
            (Some(_), _) if is_reworded => Thinking::On,
            (Some(plan), _) => Thinking::Given { plan: plan.clone() },
            (None, thinking) => thinking.clone(),
        };
        Ok(ImageRequest {
            inputs: inputs.collect(),
            thinking,
            parameters: self.recipe.parameters.clone(),
            text: self.recipe.text.clone(),
        })
    }

    /// What to say of the noise: an error where that of a file is missing, a line where it is other noise.
    pub fn check_noise(&self, given: Option<&Noise>, has_seed: bool) -> Result<Option<String>> {
        match (&self.recipe.noise, given) {
            (Some(_), None) if !has_seed => {
                Err(self.fault("was painted from noise in a file; give it with --noise, or a seed with --seed"))
            }
            (Some(hash), Some(noise)) if *hash != noise.hash => {
                let path = self.path.display();
                Ok(Some(format!("{path} was painted from other noise, the image will differ")))
            }
            _ => Ok(None),
        }
    }

    /// Compares the images that are given with those that the recipe names.
    pub fn check_sources(&self, sources: &[RecipeInput]) -> Result<()> {
        let given = sources.iter().filter_map(image);
        for (number, ((name, hash), (given_name, given_hash))) in (1..).zip(self.images().zip(given)) {
            if hash != given_hash {
                return Err(self.fault(&format!(
                    "its image {number} was {name}, and {given_name} has other content; give the same image"
                )));
            }
        }
        Ok(())
    }

    /// Says so when other weights are about to follow the recipe.
    pub fn other_model(&self, model: &ModelDescription) -> Option<String> {
        let made_by = &self.recipe.model;
        (made_by.hash != model.hash).then(|| {
            let path = self.path.display();
            format!("{path} was made by {} ({}), the image will differ", made_by.name, made_by.quantization)
        })
    }

    fn images(&self) -> impl Iterator<Item = (&str, &str)> {
        self.recipe.inputs.iter().filter_map(image)
    }

    fn fault(&self, reason: &str) -> Error {
        Error::BadInput(format!("{}: {reason}", self.path.display()))
    }
}

fn image(input: &RecipeInput) -> Option<(&str, &str)> {
    match input {
        RecipeInput::Image { name, hash, .. } => Some((name, hash)),
        RecipeInput::Text { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use protocol::{ImageParameters, Size, TextParameters};

    use super::*;

    fn original(plan: Option<&str>) -> Original {
        let image = |name: &str| RecipeInput::Image {
            hash: format!("hash of {name}"),
            width: 8,
            height: 8,
            name: name.to_owned(),
        };
        let recipe = Recipe {
            version: RECIPE_VERSION,
            kind: Kind::Edit,
            inputs: vec![image("a.png"), RecipeInput::Text { text: "make it blue".to_owned() }, image("b.png")],
            thinking: if plan.is_some() { Thinking::On } else { Thinking::Off },
            plan: plan.map(str::to_owned),
            parameters: ImageParameters { seed: Some(3), ..ImageParameters::edit() },
            text: TextParameters::plan(),
            size: Size { width: 16, height: 16 },
            noise: None,
            model: RecipeModel { name: "mini".to_owned(), hash: "m".to_owned(), quantization: "f32".to_owned() },
            engine: "0".to_owned(),
        };
        Original { path: "made.png".into(), recipe }
    }

    fn shown(path: &str) -> Input {
        Input::Image { path: path.into() }
    }

    fn said(text: &str) -> Input {
        Input::Text { text: text.to_owned() }
    }

    #[test]
    fn images_take_their_places_and_words_can_be_replaced() {
        let kept = original(None).request(vec![shown("x"), shown("y")]).unwrap();
        assert_eq!(kept.inputs, [shown("x"), said("make it blue"), shown("y")]);
        assert_eq!(kept.parameters.seed, Some(3));
        let reworded = original(None).request(vec![shown("x"), shown("y"), said("red")]).unwrap();
        assert_eq!(reworded.inputs, [shown("x"), said("red"), shown("y")]);
    }

    #[test]
    fn lacking_images_are_named() {
        let line = original(None).request(vec![shown("x")]).unwrap_err().to_string();
        assert!(line.contains("made from 2 images (a.png, b.png) and 1 are given"), "{line}");
        assert!(original(None).request(vec![shown("x"), shown("y"), said("1"), said("2")]).is_err());
    }

    #[test]
    fn plan_is_kept_with_its_words_only() {
        let given = || vec![shown("x"), shown("y")];
        let kept = original(Some("<think>p</think>")).request(given()).unwrap();
        assert_eq!(kept.thinking, Thinking::Given { plan: "<think>p</think>".to_owned() });
        let reworded = original(Some("<think>p</think>")).request([given(), vec![said("red")]].concat()).unwrap();
        assert_eq!(reworded.thinking, Thinking::On);
    }

    #[test]
    fn noise_of_a_file_is_asked_for_again() {
        let mut original = original(None);
        let noise = |hash: &str| Noise { numbers: Vec::new(), hash: hash.to_owned() };
        assert_eq!(original.check_noise(None, false).unwrap(), None);
        assert_eq!(original.check_noise(Some(&noise("n")), false).unwrap(), None);
        original.recipe.noise = Some("n".to_owned());
        let line = original.check_noise(None, false).unwrap_err().to_string();
        assert_eq!(line, "made.png: was painted from noise in a file; give it with --noise, or a seed with --seed");
        assert_eq!(original.check_noise(None, true).unwrap(), None);
        assert_eq!(original.check_noise(Some(&noise("n")), false).unwrap(), None);
        let warning = original.check_noise(Some(&noise("m")), true).unwrap().unwrap();
        assert!(warning.contains("other noise"), "{warning}");
    }

    #[test]
    fn other_content_under_an_image_is_noticed() {
        let mut sources = original(None).recipe.inputs;
        assert!(original(None).check_sources(&sources).is_ok());
        if let Some(RecipeInput::Image { hash, .. }) = sources.last_mut() {
            hash.push('x');
        }
        let line = original(None).check_sources(&sources).unwrap_err().to_string();
        assert_eq!(line, "made.png: its image 2 was b.png, and b.png has other content; give the same image");
    }
}

//! Options of an image: parameters, output file and recipe.

use std::path::{Path, PathBuf};

use clap::Args;
use protocol::{ImageParameters, Size};

use super::value::{RenormName, parse_interval, parse_number, parse_size, parse_whole};

/// Parameters of an image; missing ones keep the value of the recipe or of the model.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Image")]
pub struct ImageOptions {
    /// Size in pixels, multiples of 16 [default: the model's own; an edit keeps the size of its image]
    #[arg(long, value_name = "WxH", value_parser = parse_size)]
    size: Option<Size>,
    /// Steps of denoising: more are slower and finer [default: the model's own, else 50]
    #[arg(long, value_name = "N", value_parser = parse_whole::<u32>, allow_negative_numbers = true)]
    steps: Option<u32>,
    /// Seed of the noise; the same seed gives the same image [default: random]
    #[arg(long, value_name = "N", value_parser = parse_whole::<u64>, allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Start from the noise in this file instead of a seed: little-endian 32-bit floats, as NumPy's tofile writes
    /// them, one latent patch after another, row by row
    #[arg(long, value_name = "FILE")]
    noise: Option<PathBuf>,
    /// Text guidance: how closely the image follows the prompt; 1 turns it off [default: the model's own, else 4]
    #[arg(long, value_name = "SCALE", value_parser = parse_number, allow_negative_numbers = true)]
    text_guidance: Option<f64>,
    /// Image guidance: how closely an edit keeps its images; 1 turns it off [default: the model's own, else 2 for edits]
    #[arg(long, value_name = "SCALE", value_parser = parse_number, allow_negative_numbers = true)]
    image_guidance: Option<f64>,
    /// Timesteps that are guided [default: the model's own, else 0.4,1 and 0,1 for edits]
    #[arg(long, value_name = "A,B", value_parser = parse_interval, allow_hyphen_values = true)]
    guidance_interval: Option<[f64; 2]>,
    /// Renorm: how strong guidance is scaled back [default: the model's own, else global and text_channel for edits]
    #[arg(long, value_name = "KIND", hide_possible_values = false)]
    renorm: Option<RenormName>,
    /// Lower bound of the renorm, 0 to 1 [default: 0]
    #[arg(long, value_name = "MIN", value_parser = parse_number, allow_negative_numbers = true)]
    renorm_min: Option<f64>,
    /// Timestep shift: higher spends more steps on layout [default: the model's own, else 3]
    #[arg(long, value_name = "SHIFT", value_parser = parse_number, allow_negative_numbers = true)]
    shift: Option<f64>,
    /// Sample input images from the autoencoder's posterior instead of using its mean
    #[arg(long, overrides_with = "no_sample_posterior")]
    sample_posterior: bool,
    /// Use the mean even if the recipe of --from samples
    #[arg(long)]
    no_sample_posterior: bool,
    /// Extrapolate most steps from earlier ones: faster but approximate
    #[arg(long, overrides_with = "no_feature_cache")]
    feature_cache: bool,
    /// Compute every step even if the recipe of --from extrapolates
    #[arg(long)]
    no_feature_cache: bool,
}

impl ImageOptions {
    /// Replaces the parameters that the command line names.
    pub fn apply(&self, parameters: &mut ImageParameters) {
        fn set<T: Copy>(value: &mut T, given: Option<T>) {
            if let Some(given) = given {
                *value = given;
            }
        }
        parameters.size = self.size.or(parameters.size);
        parameters.seed = self.seed.or(parameters.seed);
        set(&mut parameters.steps, self.steps);
        set(&mut parameters.text_guidance, self.text_guidance);
        set(&mut parameters.image_guidance, self.image_guidance);
        set(&mut parameters.guidance_interval, self.guidance_interval);
        set(&mut parameters.renorm, self.renorm.map(Into::into));
        set(&mut parameters.renorm_min, self.renorm_min);
        set(&mut parameters.shift, self.shift);
        switch(&mut parameters.sample_posterior, self.sample_posterior, self.no_sample_posterior);
        switch(&mut parameters.feature_cache, self.feature_cache, self.no_feature_cache);
    }

    /// The noise file, if given.
    pub fn noise(&self) -> Option<&Path> {
        self.noise.as_deref()
    }

    /// The seed, if given.
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }
}

/// Applies a pair of on and off switches; with neither, the value stays.
fn switch(value: &mut bool, on: bool, off: bool) {
    *value = (*value || on) && !off;
}

/// The output file.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputOptions {
    /// The file to write: .png, .jpg or .webp; PNG carries the recipe [default: bagel-SEED.png]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    pub force: bool,
}

/// The recipe to repeat.
#[derive(Clone, Debug, Args)]
pub struct RecipeOptions {
    /// Use the prompt and parameters of an earlier image; other options override single values
    #[arg(long, value_name = "IMAGE.png")]
    pub from: Option<PathBuf>,
}

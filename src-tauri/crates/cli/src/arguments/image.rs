//! How an image is sampled and where it goes.

use std::path::{Path, PathBuf};

use clap::Args;
use protocol::{ImageParameters, Size};

use super::value::{RenormName, parse_interval, parse_number, parse_size, parse_whole};

/// Sampling of an image; what is not given keeps the default or the recipe's value.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Image")]
pub struct ImageOptions {
    /// Size in pixels, multiples of 16 [default: 1024x1024 or the model's largest; an edit keeps its image's]
    #[arg(long, value_name = "WxH", value_parser = parse_size)]
    size: Option<Size>,
    /// Points of the schedule: more is slower and finer [default: 50]
    #[arg(long, value_name = "N", value_parser = parse_whole::<u32>, allow_negative_numbers = true)]
    steps: Option<u32>,
    /// Seed of the noise; the same seed gives the same image [default: drawn]
    #[arg(long, value_name = "N", value_parser = parse_whole::<u64>, allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Start from the noise in this file instead of a seed's: 32-bit floats, lowest byte first, as NumPy's tofile
    /// writes them; row by row, for every 16 pixels of a row the numbers of a latent patch
    #[arg(long, value_name = "FILE")]
    noise: Option<PathBuf>,
    /// How strongly the words are followed; 1 switches it off [default: 4]
    #[arg(long, value_name = "SCALE", value_parser = parse_number, allow_negative_numbers = true)]
    text_guidance: Option<f64>,
    /// How strongly the images are kept; 1 switches it off [default: 2 for edits; 1.5 for a plan painted from words]
    #[arg(long, value_name = "SCALE", value_parser = parse_number, allow_negative_numbers = true)]
    image_guidance: Option<f64>,
    /// Part of the schedule that is guided [default: 0.4,1; edits 0,1]
    #[arg(long, value_name = "A,B", value_parser = parse_interval, allow_hyphen_values = true)]
    guidance_interval: Option<[f64; 2]>,
    /// How guidance is scaled back [default: global; edits text_channel]
    #[arg(long, value_name = "KIND", hide_possible_values = false)]
    renorm: Option<RenormName>,
    /// Lower bound of that scaling, 0 to 1 [default: 0]
    #[arg(long, value_name = "MIN", value_parser = parse_number, allow_negative_numbers = true)]
    renorm_min: Option<f64>,
    /// Timestep shift: higher spends more steps on layout [default: 3]
    #[arg(long, value_name = "SHIFT", value_parser = parse_number, allow_negative_numbers = true)]
    shift: Option<f64>,
    /// Sample input images from the autoencoder's posterior instead of taking its mean
    #[arg(long, overrides_with = "no_sample_posterior")]
    sample_posterior: bool,
    /// Take the mean, where the recipe of --from samples
    #[arg(long)]
    no_sample_posterior: bool,
    /// Extrapolate most steps from earlier ones: faster, not exact
    #[arg(long, overrides_with = "no_feature_cache")]
    feature_cache: bool,
    /// Compute every step, where the recipe of --from extrapolates
    #[arg(long)]
    no_feature_cache: bool,
}

impl ImageOptions {
    /// Replaces what was given on the command line.
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

    /// The file that the noise comes from, if one was given.
    pub fn noise(&self) -> Option<&Path> {
        self.noise.as_deref()
    }

    /// The seed, if one was given.
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }
}

/// Sets what was switched on or off and leaves the rest.
fn switch(value: &mut bool, on: bool, off: bool) {
    *value = (*value || on) && !off;
}

/// Where the image goes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputOptions {
    /// Where to save: .png keeps the recipe; also .jpg and .webp [default: bagel-SEED.png]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace a file that exists
    #[arg(long)]
    pub force: bool,
}

/// Where the recipe comes from.
#[derive(Clone, Debug, Args)]
pub struct RecipeOptions {
    /// Take prompt and parameters from an image made earlier; other options override single values
    #[arg(long, value_name = "IMAGE.png")]
    pub from: Option<PathBuf>,
}

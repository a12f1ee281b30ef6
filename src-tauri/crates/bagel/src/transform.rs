//! Resampling of an image before the model reads it, to a size that its [`ResizeRule`](checkpoint::ResizeRule) chose.
//!
//! It follows the reference to the last bit, because an image that differs
//! by one level gives other latents and, over many steps, another image:
//! Pillow's antialiased bicubic in its fixed-point arithmetic, which is what
//! the reference calls.

use std::borrow::Cow;

use protocol::{Image, Size};
use rayon::prelude::*;

/// Resamples an image to `size` with an antialiased bicubic filter.
///
/// An image that already has this size comes back unchanged. A side of zero
/// counts as one. The work is shared between the threads of the current pool;
/// memory peaks at one image of one new and one old side.
pub fn resize(image: &Image, size: Size) -> Image {
    let size = Size { width: size.width.max(1), height: size.height.max(1) };
    if rows_first(image.size(), size) {
        resize_height(&resize_width(image, size.width), size.height).into_owned()
    } else {
        resize_width(&resize_height(image, size.height), size.width).into_owned()
    }
}

/// Whether rows are resampled before columns.
///
/// Each pass rounds to whole levels, so that the order shows in the result:
/// Pillow (since version 13) begins with the columns where the height loses more
/// than twice as many pixels as the width.
fn rows_first(from: Size, to: Size) -> bool {
    let lost_height = i64::from(from.height) - i64::from(to.height);
    let lost_width = i64::from(from.width) - i64::from(to.width);
    lost_height <= 0 || lost_height <= 2 * lost_width
}

fn resize_width(image: &Image, width: u32) -> Cow<'_, Image> {
    if width == image.width() {
        return Cow::Borrowed(image);
    }
    let rgb = resample_rows(image.rgb(), image.width() as usize, width as usize);
    Image::new(width, image.height(), rgb).map_or(Cow::Borrowed(image), Cow::Owned)
}

fn resize_height(image: &Image, height: u32) -> Cow<'_, Image> {
    if height == image.height() {
        return Cow::Borrowed(image);
    }
    let rgb = resample_columns(image.rgb(), image.height() as usize, height as usize);
    Image::new(image.width(), height, rgb).map_or(Cow::Borrowed(image), Cow::Owned)
}

/// Bits behind the point in a weight: 32 less those of a level, a sign and one carry.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// Half a level: sums start with it, so that the final shift rounds.
const HALF: i32 = 1 << (PRECISION_BITS - 1);

/// How one output sample is mixed from neighboring input samples.
struct Taps {
    /// The first input sample.
    start: usize,
    /// One weight an input sample, scaled by 2^PRECISION_BITS.
    weights: Vec<i32>,
}

/// The taps of every output sample along one axis.
fn taps(n_in: usize, n_out: usize) -> Vec<Taps> {
    const SUPPORT: f64 = 2.0;
    let scale = n_in as f64 / n_out as f64;
    // Enlarging interpolates; shrinking widens the filter, which is the antialiasing.
    let stretch = scale.max(1.0);
    let support = SUPPORT * stretch;
    let reciprocal = 1.0 / stretch;

    (0..n_out)
        .map(|out_idx| {
            let center = (out_idx as f64 + 0.5) * scale;
            let start = (center - support + 0.5).max(0.0) as usize;
            let end = ((center + support + 0.5) as usize).min(n_in);
            let raw: Vec<f64> =
                (start..end).map(|in_idx| bicubic((in_idx as f64 - center + 0.5) * reciprocal)).collect();
            let sum: f64 = raw.iter().sum();
            let weights = raw.iter().map(|weight| fixed(if sum == 0.0 { *weight } else { weight / sum })).collect();
            Taps { start, weights }
        })
        .collect()
}

/// Keys' cubic convolution kernel with a = -1/2.
fn bicubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

/// A weight in fixed point, halves rounded away from zero.
fn fixed(weight: f64) -> i32 {
    let scaled = weight * f64::from(1 << PRECISION_BITS);
    (if weight < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
}

/// A sum in fixed point as a level.
fn level(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

/// Resamples every row from `width_in` to `width_out` pixels.
fn resample_rows(rgb: &[u8], width_in: usize, width_out: usize) -> Vec<u8> {
    let taps = taps(width_in, width_out);
    let height = rgb.len() / (3 * width_in);
    let mut resampled = vec![0; 3 * width_out * height];
    resampled.par_chunks_exact_mut(3 * width_out).zip(rgb.par_chunks_exact(3 * width_in)).for_each(|(out, row)| {
        for (pixel, taps) in out.chunks_exact_mut(3).zip(&taps) {
            let mut sums = [HALF; 3];
            for (source, weight) in row.chunks_exact(3).skip(taps.start).zip(&taps.weights) {
                for (sum, value) in sums.iter_mut().zip(source) {
                    *sum += i32::from(*value) * weight;
                }
            }
            for (value, sum) in pixel.iter_mut().zip(sums) {
                *value = level(sum);
            }
        }
    });
    resampled
}

/// Resamples every column from `height_in` to `height_out` pixels.
fn resample_columns(rgb: &[u8], height_in: usize, height_out: usize) -> Vec<u8> {
    let taps = taps(height_in, height_out);
    let n_row_bytes = rgb.len() / height_in;
    let mut resampled = vec![0; n_row_bytes * height_out];
    resampled.par_chunks_exact_mut(n_row_bytes).zip(&taps).for_each(|(out, taps)| {
        let mut sums = vec![HALF; n_row_bytes];
        for (source, weight) in rgb.chunks_exact(n_row_bytes).skip(taps.start).zip(&taps.weights) {
            for (sum, value) in sums.iter_mut().zip(source) {
                *sum += i32::from(*value) * weight;
            }
        }
        for (value, sum) in out.iter_mut().zip(sums) {
            *value = level(sum);
        }
    });
    resampled
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use safetensors::SafeTensors;
    use serde_json::Value;

    use checkpoint::ResizeRule;

    use super::*;

    fn golden(name: &str) -> Vec<u8> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/mini").join(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn golden_json(name: &str) -> Value {
        serde_json::from_slice(&golden(name)).unwrap()
    }

    fn golden_rule(config: &Value, key: &str) -> ResizeRule {
        let field = |name: &str| config[key][name].as_u64().unwrap() as u32;
        ResizeRule::new(field("max_image_size"), field("min_image_size"), field("image_stride"))
    }

    fn image(tensors: &SafeTensors<'_>, name: &str) -> Image {
        let tensor = tensors.tensor(name).unwrap();
        let [height, width, 3] = *tensor.shape() else { panic!("{name} is no image") };
        Image::new(width as u32, height as u32, tensor.data().to_vec()).unwrap()
    }

    #[test]
    fn sizes_equal_the_reference() {
        let config = golden_json("model/config.json");
        let rules = [
            ("vae_1024_512_16", ResizeRule::new(1024, 512, 16)),
            ("vit_980_224_14", ResizeRule::new(980, 224, 14)),
            ("vae", golden_rule(&config, "vae_transform")),
            ("vit", golden_rule(&config, "vit_transform")),
        ];
        let cases = golden_json("cases/components.json");
        let size = |value: &Value| Size {
            width: value[0].as_u64().unwrap() as u32,
            height: value[1].as_u64().unwrap() as u32,
        };
        for case in cases["resize"].as_array().unwrap() {
            for (key, rule) in rules {
                assert_eq!(rule.resized_size(size(&case["in"])), size(&case[key]), "{key} of {}", case["in"]);
            }
        }
    }

    #[test]
    fn pixels_equal_the_reference() {
        let config = golden_json("model/config.json");
        let vae = golden_rule(&config, "vae_transform");
        let vit = golden_rule(&config, "vit_transform");
        let bytes = golden("cases/components.safetensors");
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let to = |rule: ResizeRule, image: &Image| resize(image, rule.resized_size(image.size()));
        for name in ["alpha", "big", "grey", "wide"] {
            let original = image(&tensors, &format!("image.{name}.rgb"));
            let for_vae = to(vae, &original);
            assert!(for_vae == image(&tensors, &format!("image.{name}.vae_resized")), "{name} for the VAE");
            let for_vit = to(vit, &original);
            assert!(for_vit == image(&tensors, &format!("image.{name}.vit_resized")), "{name} for the ViT");
            let chained = to(vit, &for_vae);
            let expected = image(&tensors, &format!("image.{name}.vit_resized_from_vae"));
            assert!(chained == expected, "{name} for the VAE, then for the ViT");
        }
    }

    #[test]
    fn columns_come_first_where_the_height_shrinks_most() {
        let size = |width, height| Size { width, height };
        let check = |from, to, expected| assert_eq!(rows_first(from, to), expected, "{from:?} to {to:?}");
        check(size(64, 128), size(56, 98), false);
        check(size(64, 141), size(42, 98), true);
        check(size(64, 141), size(42, 96), false);
        check(size(64, 128), size(80, 128), true);
        check(size(64, 128), size(80, 127), false);
        check(size(64, 128), size(80, 129), true);
    }

    #[test]
    fn same_size_is_the_identity() {
        let image = Image::new(3, 2, (0..18).map(|value| value * 14).collect()).unwrap();
        assert!(resize(&image, image.size()) == image);
    }

    #[test]
    fn one_color_stays_one_color() {
        let image = Image::new(19, 7, [10, 128, 250].repeat(19 * 7)).unwrap();
        for (width, height) in [(1, 1), (64, 64), (5, 40), (19, 3)] {
            let resized = resize(&image, Size { width, height });
            assert_eq!(resized.size(), Size { width, height });
            assert!(resized.rgb().chunks_exact(3).all(|pixel| pixel == [10, 128, 250]));
        }
    }
}

//! Which size an image is brought to before the model reads it.
//!
//! The reference's own rule, to the last bit (`data/transforms.py` at
//! <https://github.com/ByteDance-Seed/Bagel/blob/056b5fd/data/transforms.py>).

use protocol::Size;

use crate::config::TransformConfig;

/// Which sizes an encoder of the model accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResizeRule {
    /// The longer side is at most this many pixels.
    pub max_size: u32,
    /// The shorter side is at least this many pixels, where the other bounds allow it.
    pub min_size: u32,
    /// Both sides are multiples of this.
    pub stride: u32,
    /// Above this area an image is made smaller still.
    pub max_pixels: u64,
}

impl ResizeRule {
    /// The area that the reference sets for every encoder: 9,216 patches of 14 by 14.
    pub const MAX_PIXELS: u64 = 14 * 14 * 9 * 1024;

    /// A rule with the reference's bound on the area.
    pub const fn new(max_size: u32, min_size: u32, stride: u32) -> Self {
        Self { max_size, min_size, stride, max_pixels: Self::MAX_PIXELS }
    }

    /// The size that an image of `size` is brought to.
    pub fn resized_size(&self, size: Size) -> Size {
        let (max_size, min_size) = (f64::from(self.max_size), f64::from(self.min_size));
        let longer = f64::from(size.width.max(size.height).max(1));
        let shorter = f64::from(size.width.min(size.height).max(1));

        let scale = (max_size / longer).min(1.0).max(min_size / shorter);
        let mut sides = self.scaled([f64::from(size.width), f64::from(size.height)], scale);

        let area = sides[0] * sides[1];
        if area > self.max_pixels as f64 {
            // The reference scales each side by the ratio of areas, not by its root.
            sides = self.scaled(sides, self.max_pixels as f64 / area);
        }
        let longer = sides[0].max(sides[1]);
        if longer > max_size {
            sides = self.scaled(sides, max_size / longer);
        }
        Size { width: sides[0] as u32, height: sides[1] as u32 }
    }

    /// Both sides times `scale`, rounded to whole pixels first and to the stride then.
    fn scaled(&self, sides: [f64; 2], scale: f64) -> [f64; 2] {
        let stride = f64::from(self.stride.max(1));
        sides.map(|side| {
            let pixels = (side * scale).round_ties_even();
            ((pixels / stride).round_ties_even() * stride).max(stride)
        })
    }
}

impl TransformConfig {
    /// These limits as the rule they stand for.
    pub fn rule(&self) -> ResizeRule {
        let pixels = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        ResizeRule::new(pixels(self.max_size), pixels(self.min_size), pixels(self.stride))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_to_even() {
        // 40 / 16 is 2.5 and 56 / 16 is 3.5: both lie between two multiples.
        let rule = ResizeRule::new(1024, 16, 16);
        assert_eq!(rule.resized_size(Size { width: 40, height: 56 }), Size { width: 32, height: 64 });
    }

    #[test]
    fn area_is_bounded_before_the_longer_side() {
        let rule = ResizeRule { max_pixels: 64 * 64, ..ResizeRule::new(256, 16, 16) };
        // 128 x 128 is four times too large, and each side shrinks by four.
        assert_eq!(rule.resized_size(Size { width: 128, height: 128 }), Size { width: 32, height: 32 });
    }

    #[test]
    fn extreme_shapes_stay_within_the_rule() {
        for rule in [ResizeRule::new(1024, 512, 16), ResizeRule::new(980, 224, 14)] {
            for (width, height) in [(1, 1), (1, 16_384), (16_384, 1), (16_384, 6_000), (3, 2)] {
                let size = rule.resized_size(Size { width, height });
                for side in [size.width, size.height] {
                    assert!(side % rule.stride == 0 && (rule.stride..=rule.max_size).contains(&side), "{size:?}");
                }
            }
        }
    }
}

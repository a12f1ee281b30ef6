//! From what a decoder gives to eight-bit RGB, upright, on white.

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};
use protocol::{Image, Size};

/// How the samples of a decoded image are laid out, eight bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
}

impl Layout {
    pub(crate) fn n_channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    pub(crate) fn has_alpha(self) -> bool {
        matches!(self, Self::GrayAlpha | Self::Rgba)
    }
}

/// An image as it lies in its file.
pub(crate) struct Decoded {
    pub(crate) size: Size,
    pub(crate) layout: Layout,
    pub(crate) samples: Vec<u8>,
    pub(crate) orientation: Orientation,
}

impl Decoded {
    /// The image as the model sees it; `None` when samples and size disagree.
    pub(crate) fn into_image(self) -> Option<Image> {
        let Size { width, height } = self.size;
        let n_pixels = width as usize * height as usize;
        if self.samples.len() != n_pixels * self.layout.n_channels() {
            return None;
        }
        let rgb = match self.layout {
            Layout::Gray => self.samples.iter().flat_map(|&gray| [gray; 3]).collect(),
            Layout::GrayAlpha => gray_on_white(&self.samples),
            Layout::Rgb => self.samples,
            Layout::Rgba => rgb_on_white(self.samples),
        };
        if self.orientation == Orientation::NoTransforms {
            return Image::new(width, height, rgb);
        }
        let mut turned = DynamicImage::ImageRgb8(RgbImage::from_raw(width, height, rgb)?);
        turned.apply_orientation(self.orientation);
        Image::new(turned.width(), turned.height(), turned.into_rgb8().into_raw())
    }
}

/// A level over white, rounded as Pillow's `paste` rounds it.
fn over_white(level: u8, alpha: u8) -> u8 {
    let mixed = u32::from(level) * u32::from(alpha) + 255 * u32::from(255 - alpha) + 128;
    (((mixed >> 8) + mixed) >> 8) as u8
}

fn gray_on_white(samples: &[u8]) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(samples.len() / 2 * 3);
    for pixel in samples.chunks_exact(2) {
        if let [gray, alpha] = *pixel {
            rgb.extend([over_white(gray, alpha); 3]);
        }
    }
    rgb
}

/// Works in place: the largest images would not fit the bound on memory twice.
fn rgb_on_white(mut samples: Vec<u8>) -> Vec<u8> {
    for pixel in samples.chunks_exact_mut(4) {
        if let [red, green, blue, alpha] = pixel {
            for level in [red, green, blue] {
                *level = over_white(*level, *alpha);
            }
        }
    }
    let mut channel = 0u8;
    samples.retain(|_| {
        channel = (channel + 1) % 4;
        channel != 0
    });
    samples.shrink_to_fit();
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(layout: Layout, samples: &[u8], width: u32, height: u32) -> Decoded {
        let size = Size { width, height };
        Decoded { size, layout, samples: samples.to_vec(), orientation: Orientation::NoTransforms }
    }

    #[test]
    fn alpha_goes_on_white() {
        let check = |layout, samples: &[u8], expected: [u8; 3]| {
            let image = decoded(layout, samples, 1, 1).into_image().unwrap();
            assert_eq!(image.rgb(), expected, "{layout:?} {samples:?}");
        };
        check(Layout::Rgba, &[10, 20, 30, 255], [10, 20, 30]);
        check(Layout::Rgba, &[10, 20, 30, 0], [255, 255, 255]);
        check(Layout::Rgba, &[0, 100, 255, 128], [127, 177, 255]);
        check(Layout::GrayAlpha, &[0, 128], [127, 127, 127]);
        check(Layout::GrayAlpha, &[9, 0], [255, 255, 255]);
        check(Layout::Gray, &[7], [7, 7, 7]);
    }

    #[test]
    fn too_few_samples_give_nothing() {
        assert!(decoded(Layout::Rgb, &[0; 11], 2, 2).into_image().is_none());
    }

    #[test]
    fn every_orientation_puts_the_same_corner_first() {
        // Where an image stored as `abc / def` ends up for EXIF orientations 1 to 8.
        let expected: [(u32, &[u8]); 8] = [
            (3, b"abcdef"),
            (3, b"cbafed"),
            (3, b"fedcba"),
            (3, b"defabc"),
            (2, b"adbecf"),
            (2, b"daebfc"),
            (2, b"fcebda"),
            (2, b"cfbead"),
        ];
        for (orientation, (width, letters)) in (1..).zip(expected) {
            let stored = Decoded {
                orientation: Orientation::from_exif(orientation).unwrap(),
                ..decoded(Layout::Gray, b"abcdef", 3, 2)
            };
            let image = stored.into_image().unwrap();
            let first: Vec<u8> = image.rgb().chunks_exact(3).map(|pixel| pixel[0]).collect();
            assert_eq!((image.width(), first.as_slice()), (width, letters), "orientation {orientation}");
        }
    }
}

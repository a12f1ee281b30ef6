//! From what a decoder gives to eight-bit RGB, upright, on white.

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};
use protocol::{Picture, Size};

/// How the samples of a decoded picture are laid out, eight bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
}

impl Layout {
    pub(crate) fn n_channels(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    pub(crate) fn has_alpha(self) -> bool {
        matches!(self, Self::GreyAlpha | Self::Rgba)
    }
}

/// A picture as it lies in its file.
pub(crate) struct Decoded {
    pub(crate) size: Size,
    pub(crate) layout: Layout,
    pub(crate) samples: Vec<u8>,
    pub(crate) orientation: Orientation,
}

impl Decoded {
    /// The picture as the model sees it; `None` when samples and size disagree.
    pub(crate) fn into_picture(self) -> Option<Picture> {
        let Size { width, height } = self.size;
        let n_pixels = width as usize * height as usize;
        if self.samples.len() != n_pixels * self.layout.n_channels() {
            return None;
        }
        let rgb = match self.layout {
            Layout::Grey => self.samples.iter().flat_map(|&grey| [grey; 3]).collect(),
            Layout::GreyAlpha => grey_on_white(&self.samples),
            Layout::Rgb => self.samples,
            Layout::Rgba => rgb_on_white(self.samples),
        };
        if self.orientation == Orientation::NoTransforms {
            return Picture::new(width, height, rgb);
        }
        let mut turned = DynamicImage::ImageRgb8(RgbImage::from_raw(width, height, rgb)?);
        turned.apply_orientation(self.orientation);
        Picture::new(turned.width(), turned.height(), turned.into_rgb8().into_raw())
    }
}

/// A level over white, rounded as Pillow's `paste` rounds it.
fn over_white(level: u8, alpha: u8) -> u8 {
    let mixed = u32::from(level) * u32::from(alpha) + 255 * u32::from(255 - alpha) + 128;
    (((mixed >> 8) + mixed) >> 8) as u8
}

fn grey_on_white(samples: &[u8]) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(samples.len() / 2 * 3);
    for pixel in samples.chunks_exact(2) {
        if let [grey, alpha] = *pixel {
            rgb.extend([over_white(grey, alpha); 3]);
        }
    }
    rgb
}

/// Works in place: the largest pictures would not fit the bound on memory twice.
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
            let picture = decoded(layout, samples, 1, 1).into_picture().unwrap();
            assert_eq!(picture.rgb(), expected, "{layout:?} {samples:?}");
        };
        check(Layout::Rgba, &[10, 20, 30, 255], [10, 20, 30]);
        check(Layout::Rgba, &[10, 20, 30, 0], [255, 255, 255]);
        check(Layout::Rgba, &[0, 100, 255, 128], [127, 177, 255]);
        check(Layout::GreyAlpha, &[0, 128], [127, 127, 127]);
        check(Layout::GreyAlpha, &[9, 0], [255, 255, 255]);
        check(Layout::Grey, &[7], [7, 7, 7]);
    }

    #[test]
    fn too_few_samples_give_nothing() {
        assert!(decoded(Layout::Rgb, &[0; 11], 2, 2).into_picture().is_none());
    }

    #[test]
    fn every_orientation_puts_the_same_corner_first() {
        // Where a picture stored as `abc / def` ends up for EXIF orientations 1 to 8.
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
                ..decoded(Layout::Grey, b"abcdef", 3, 2)
            };
            let picture = stored.into_picture().unwrap();
            let first: Vec<u8> = picture.rgb().chunks_exact(3).map(|pixel| pixel[0]).collect();
            assert_eq!((picture.width(), first.as_slice()), (width, letters), "orientation {orientation}");
        }
    }
}

//! What is seen of an image's numbers alone.

use protocol::Image;

/// Channels that differ by no more than this everywhere show nothing.
const NOISE: u8 = 1;

/// Whether an image is one flat color, as a model gives that has lost its way.
pub(crate) fn is_flat(image: &Image) -> bool {
    let mut ranges = [(u8::MAX, u8::MIN); 3];
    for pixel in image.rgb().chunks_exact(3) {
        for ((low, high), value) in ranges.iter_mut().zip(pixel) {
            *low = (*low).min(*value);
            *high = (*high).max(*value);
            if high.saturating_sub(*low) > NOISE {
                return false;
            }
        }
    }
    true
}

/// Mean and largest difference of two images of one size, a channel at a time; none for different sizes.
pub(crate) fn difference(a: &Image, b: &Image) -> Option<(f64, u8)> {
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
    fn only_one_flat_color_is_flat() {
        let flat = Image::new(4, 4, [9, 90, 200].repeat(16)).unwrap();
        assert!(is_flat(&flat));
        let mut rgb = flat.into_rgb();
        rgb[0] += 1;
        assert!(is_flat(&Image::new(4, 4, rgb.clone()).unwrap()), "rounding is no image");
        rgb[1] += 2;
        assert!(!is_flat(&Image::new(4, 4, rgb).unwrap()));
    }

    #[test]
    fn differences_are_counted_by_channel() {
        let a = Image::new(2, 1, vec![0, 0, 0, 10, 10, 10]).unwrap();
        let b = Image::new(2, 1, vec![0, 0, 6, 10, 10, 10]).unwrap();
        assert_eq!(difference(&a, &b), Some((1.0, 6)));
        assert_eq!(difference(&a, &Image::new(1, 2, vec![0; 6]).unwrap()), None);
    }
}

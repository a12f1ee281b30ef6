//! What is seen of a picture's numbers alone.

use protocol::Picture;

/// Channels that differ by no more than this everywhere show nothing.
const NOISE: u8 = 1;

/// Whether a picture is one flat colour, as a model gives that has lost its way.
pub(crate) fn is_flat(picture: &Picture) -> bool {
    let mut ranges = [(u8::MAX, u8::MIN); 3];
    for pixel in picture.rgb().chunks_exact(3) {
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

/// Mean and largest difference of two pictures of one size, a channel at a time; none for different sizes.
pub(crate) fn difference(a: &Picture, b: &Picture) -> Option<(f64, u8)> {
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
    fn only_one_flat_colour_is_flat() {
        let flat = Picture::new(4, 4, [9, 90, 200].repeat(16)).unwrap();
        assert!(is_flat(&flat));
        let mut rgb = flat.into_rgb();
        rgb[0] += 1;
        assert!(is_flat(&Picture::new(4, 4, rgb.clone()).unwrap()), "rounding is no picture");
        rgb[1] += 2;
        assert!(!is_flat(&Picture::new(4, 4, rgb).unwrap()));
    }

    #[test]
    fn differences_are_counted_by_channel() {
        let a = Picture::new(2, 1, vec![0, 0, 0, 10, 10, 10]).unwrap();
        let b = Picture::new(2, 1, vec![0, 0, 6, 10, 10, 10]).unwrap();
        assert_eq!(difference(&a, &b), Some((1.0, 6)));
        assert_eq!(difference(&a, &Picture::new(1, 2, vec![0; 6]).unwrap()), None);
    }
}

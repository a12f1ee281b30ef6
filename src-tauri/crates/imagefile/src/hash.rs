//! The name of an image's content.

use protocol::Image;

/// Hash of an image's pixels and shape, 64 hexadecimal digits.
///
/// BLAKE3 over width and height as little-endian 32-bit numbers and the RGB
/// bytes: the same for every file that decodes to the same image.
pub fn image_hash(image: &Image) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&image.width().to_le_bytes());
    hasher.update(&image.height().to_le_bytes());
    hasher.update(image.rgb());
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_depends_on_pixels_and_shape() {
        let image = |width, height, value| {
            Image::new(width, height, vec![value; (width * height * 3) as usize]).map(|image| image_hash(&image))
        };
        assert_eq!(image(2, 3, 7), image(2, 3, 7));
        assert_ne!(image(2, 3, 7), image(3, 2, 7));
        assert_ne!(image(2, 3, 7), image(2, 3, 8));
    }

    #[test]
    fn hash_never_changes_between_versions() {
        let image = Image::new(1, 1, vec![1, 2, 3]).unwrap();
        assert_eq!(image_hash(&image), blake3::hash(&[1, 0, 0, 0, 1, 0, 0, 0, 1, 2, 3]).to_hex().to_string());
    }
}

//! The name of a picture's content.

use protocol::Picture;

/// Hash of a picture's pixels and shape, 64 hexadecimal digits.
///
/// BLAKE3 over width and height as little-endian 32-bit numbers and the RGB
/// bytes: the same for every file that decodes to the same picture.
pub fn picture_hash(picture: &Picture) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&picture.width().to_le_bytes());
    hasher.update(&picture.height().to_le_bytes());
    hasher.update(picture.rgb());
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_depends_on_pixels_and_shape() {
        let picture = |width, height, value| {
            Picture::new(width, height, vec![value; (width * height * 3) as usize])
                .map(|picture| picture_hash(&picture))
        };
        assert_eq!(picture(2, 3, 7), picture(2, 3, 7));
        assert_ne!(picture(2, 3, 7), picture(3, 2, 7));
        assert_ne!(picture(2, 3, 7), picture(2, 3, 8));
    }

    #[test]
    fn hash_never_changes_between_versions() {
        let picture = Picture::new(1, 1, vec![1, 2, 3]).unwrap();
        assert_eq!(picture_hash(&picture), blake3::hash(&[1, 0, 0, 0, 1, 0, 0, 0, 1, 2, 3]).to_hex().to_string());
    }
}

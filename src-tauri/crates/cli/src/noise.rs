//! Noise from a file, for an image that starts from numbers made elsewhere.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use protocol::Size;

use crate::{Error, Result};

/// Bytes of a number.
const WIDTH: usize = size_of::<f32>();

/// The numbers that an image starts from, with the hash that its recipe names.
#[derive(Clone, Debug, PartialEq)]
pub struct Noise {
    /// Latent patch after latent patch, row by row.
    pub numbers: Vec<f32>,
    /// blake3 of the file.
    pub hash: String,
}

impl Noise {
    /// Reads `n_numbers` 32-bit floats, lowest byte first, as NumPy's `tofile` writes them.
    ///
    /// # Errors
    /// [`Error::BadInput`] for a file of another length and for infinity or NaN.
    pub fn read(path: &Path, size: Size, n_numbers: usize) -> Result<Self> {
        let shown = path.display();
        let failed = |source| Error::file(path, source);
        let mut bytes = Vec::new();
        let n_bytes = n_numbers * WIDTH;
        let file = File::open(path).map_err(failed)?;
        // One byte more than needed detects a longer file of any length.
        file.take(n_bytes as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() != n_bytes {
            let found = if bytes.len() > n_bytes { "more".to_owned() } else { format!("{} bytes", bytes.len()) };
            return Err(Error::BadInput(format!(
                "{shown}: has {found}; noise for an image of {size} is {n_numbers} numbers of 32 bits, {n_bytes} bytes"
            )));
        }
        let number = |bytes: &[u8]| bytes.try_into().map_or(f32::NAN, f32::from_le_bytes);
        let numbers: Vec<f32> = bytes.chunks_exact(WIDTH).map(number).collect();
        if let Some(at) = numbers.iter().position(|number| !number.is_finite()) {
            let bad = numbers[at];
            return Err(Error::BadInput(format!("{shown}: number {} is {bad}; give finite numbers", at + 1)));
        }
        Ok(Self { numbers, hash: blake3::hash(&bytes).to_hex().to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 16, height: 16 };

    fn read(bytes: &[u8], n_numbers: usize) -> Result<Noise> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("noise.bin");
        std::fs::write(&path, bytes).unwrap();
        Noise::read(&path, SIZE, n_numbers)
    }

    fn bytes(numbers: &[f32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    #[test]
    fn numbers_keep_their_order() {
        let noise = read(&bytes(&[0.5, -2.0, 1e-9]), 3).unwrap();
        assert_eq!(noise.numbers, [0.5, -2.0, 1e-9]);
        assert_ne!(noise.hash, read(&bytes(&[0.5, -2.0, 2e-9]), 3).unwrap().hash);
    }

    #[test]
    fn other_lengths_infinity_and_nan_are_refused() {
        let line = |bytes: &[u8], n| read(bytes, n).unwrap_err().line();
        let short = line(&bytes(&[1.0]), 2);
        assert!(
            short.ends_with("has 4 bytes; noise for an image of 16x16 is 2 numbers of 32 bits, 8 bytes"),
            "{short}"
        );
        assert!(line(&bytes(&[1.0, 2.0]), 1).contains("has more; "));
        assert!(line(&[0; 7], 2).contains("has 7 bytes"));
        let nan = line(&bytes(&[1.0, f32::NAN]), 2);
        assert!(nan.ends_with("number 2 is NaN; give finite numbers"), "{nan}");
        assert!(line(&bytes(&[f32::INFINITY]), 1).contains("number 1 is inf"));
    }
}

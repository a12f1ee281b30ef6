//! The one source of randomness: noise, posterior samples and drawn tokens.
//!
//! ChaCha8 keyed by blake3 of the use and the seed, on the host, so that a
//! seed means the same on every device and in every later version. A uniform
//! number is the upper 53 bits of a 64-bit word over 2^53; normal numbers come
//! in pairs from the Box-Muller transform of two uniforms, computed in f64 with
//! the same software functions everywhere and rounded to f32 last.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// The use of random numbers; the streams of different uses are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RandomStream {
    /// The noise an image starts from.
    Noise,
    /// Samples of the autoencoder's posterior.
    Posterior,
    /// Draws of tokens.
    Text,
    /// Synthetic weights and inputs of benchmarks and fits.
    Synthetic,
}

/// The random numbers of one use and seed.
#[derive(Clone, Debug)]
pub struct Generator {
    stream: ChaCha8Rng,
}

impl Generator {
    /// Starts the stream of `seed`.
    pub fn new(stream: RandomStream, seed: u64) -> Self {
        let mut key = blake3::Hasher::new_derive_key("bagel studio 2026 random stream");
        key.update(&[match stream {
            RandomStream::Noise => 0,
            RandomStream::Posterior => 1,
            RandomStream::Text => 2,
            RandomStream::Synthetic => 3,
        }]);
        key.update(&seed.to_le_bytes());
        Self { stream: ChaCha8Rng::from_seed(*key.finalize().as_bytes()) }
    }

    /// A number in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.stream.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// `n` numbers of mean 0 and variance 1.
    pub fn normals(&mut self, n: usize) -> Vec<f32> {
        let mut numbers = Vec::with_capacity(n + 1);
        while numbers.len() < n {
            // 1 − u keeps the logarithm's argument above zero.
            let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform()));
            let angle = 2.0 * std::f64::consts::PI * self.uniform();
            numbers.push((radius * libm::cos(angle)) as f32);
            numbers.push((radius * libm::sin(angle)) as f32);
        }
        numbers.truncate(n);
        numbers
    }
}

/// A new seed, mixed from the system's clock, the process and the thread.
pub fn fresh_seed() -> u64 {
    let mut hasher = blake3::Hasher::new();
    if let Ok(elapsed) = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
        hasher.update(&elapsed.as_nanos().to_le_bytes());
    }
    hasher.update(&std::process::id().to_le_bytes());
    hasher.update(format!("{:?}", std::thread::current().id()).as_bytes());
    // JSON and JavaScript keep 53 bits exactly.
    u64::from_le_bytes(hasher.finalize().as_bytes()[..8].try_into().unwrap_or_default()) >> 11
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_again_and_forever() {
        let numbers = Generator::new(RandomStream::Noise, 42).normals(4);
        assert_eq!(numbers, Generator::new(RandomStream::Noise, 42).normals(5)[..4]);
        // Fixed here so that no later change alters the image of a stored seed.
        assert_eq!(numbers.map_bits(), FIRST_OF_42);
    }

    const FIRST_OF_42: [u32; 4] = [3_206_946_708, 3_204_721_149, 1_062_748_082, 1_043_576_969];

    trait MapBits {
        fn map_bits(&self) -> [u32; 4];
    }
    impl MapBits for Vec<f32> {
        fn map_bits(&self) -> [u32; 4] {
            std::array::from_fn(|i| self[i].to_bits())
        }
    }

    #[test]
    fn streams_and_seeds_differ() {
        let first = |stream, seed| Generator::new(stream, seed).normals(1)[0];
        assert_ne!(first(RandomStream::Noise, 1), first(RandomStream::Noise, 2));
        assert_ne!(first(RandomStream::Noise, 1), first(RandomStream::Posterior, 1));
    }

    #[test]
    fn normals_have_mean_zero_and_variance_one() {
        let numbers = Generator::new(RandomStream::Noise, 7).normals(100_000);
        let mean = numbers.iter().map(|&x| f64::from(x)).sum::<f64>() / numbers.len() as f64;
        let variance = numbers.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / numbers.len() as f64;
        assert!(mean.abs() < 0.01, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.02, "variance {variance}");
    }
}

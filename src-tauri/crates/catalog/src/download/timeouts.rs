//! How long to wait for a server, and how often to ask it again.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

/// Waiting times. The defaults suit the world; tests wait milliseconds.
#[derive(Clone, Debug)]
pub struct DownloadTimeouts {
    /// Tries without progress before giving up.
    pub tries: u32,
    /// How long a connection may bring nothing.
    pub stall: Duration,
    /// The wait after the first failure; doubled after each further one.
    pub first_wait: Duration,
    /// The longest wait, also where a server asks for a longer one.
    pub longest_wait: Duration,
    /// Where the random part of the waits begins; drawn when absent.
    pub seed: Option<u64>,
}

impl Default for DownloadTimeouts {
    fn default() -> Self {
        Self {
            tries: 5,
            stall: Duration::from_secs(30),
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(120),
            seed: None,
        }
    }
}

/// Draws the waits.
#[derive(Debug)]
pub(super) struct Waits {
    first: Duration,
    longest: Duration,
    state: u64,
}

impl Waits {
    pub(super) fn new(timeouts: &DownloadTimeouts) -> Self {
        let state = timeouts.seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        Self { first: timeouts.first_wait, longest: timeouts.longest_wait, state }
    }

    /// The wait after so many failures in a row: a random part of a doubling time, so that
    /// many who failed together do not come back together.
    pub(super) fn after(&mut self, n_failures: u32, asked: Option<Duration>) -> Duration {
        let doubled = self.first.saturating_mul(1 << n_failures.saturating_sub(1).min(16)).min(self.longest);
        let drawn = doubled.mul_f64(0.5 + 0.5 * self.draw());
        asked.map_or(drawn, |asked| asked.min(self.longest).max(drawn))
    }

    /// A number from 0 to 1 (splitmix64).
    fn draw(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_differ() {
        let timeouts = DownloadTimeouts { seed: Some(1), ..DownloadTimeouts::default() };
        let mut waits = Waits::new(&timeouts);
        for n_failures in 1..40 {
            let most = (1_u64 << (n_failures - 1).min(7)).min(120);
            for _ in 0..50 {
                let wait = waits.after(n_failures, None).as_secs_f64();
                assert!((most as f64 / 2.0..=most as f64).contains(&wait), "{n_failures}: {wait}");
            }
        }
        assert_ne!(waits.after(5, None), waits.after(5, None));
    }

    #[test]
    fn a_server_is_obeyed_within_reason() {
        let mut waits = Waits::new(&DownloadTimeouts { seed: Some(1), ..DownloadTimeouts::default() });
        assert_eq!(waits.after(1, Some(Duration::from_secs(40))), Duration::from_secs(40));
        assert_eq!(waits.after(1, Some(Duration::from_secs(86_400))), Duration::from_secs(120));
        assert!(waits.after(1, Some(Duration::ZERO)) > Duration::ZERO);
    }
}

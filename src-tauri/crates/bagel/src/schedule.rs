//! Timesteps from noise (1) to image (0).

/// `steps` points over 1..0, shifted by `s·t / (1 + (s − 1)·t)`; the model is evaluated at all but the last.
///
/// A higher shift spends more steps near the noise, where the layout is decided.
pub fn timesteps(steps: u32, shift: f64) -> Vec<f32> {
    let n = steps as usize;
    (0..n)
        .map(|step_idx| {
            let t = linspace(n, step_idx);
            let shift = shift as f32;
            shift * t / (1.0 + (shift - 1.0) * t)
        })
        .collect()
}

/// Point `idx` of `n` from 1 to 0, summed from the nearer end as the reference's tensor library does.
fn linspace(n: usize, idx: usize) -> f32 {
    let step = -1.0 / (n - 1) as f32;
    if idx < n / 2 { 1.0 + step * idx as f32 } else { -step * (n - 1 - idx) as f32 }
}

/// Whether guidance applies at `t`: `start < t ≤ end`.
pub fn is_guided(t: f32, interval: [f64; 2]) -> bool {
    t > interval[0] as f32 && t <= interval[1] as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_begins_at_noise_and_ends_at_the_image() {
        for (steps, shift) in [(2, 1.0), (50, 3.0), (7, 0.5)] {
            let t = timesteps(steps, shift);
            assert_eq!((t.len(), t[0], t[t.len() - 1]), (steps as usize, 1.0, 0.0));
            assert!(t.windows(2).all(|pair| pair[0] > pair[1]));
        }
    }

    #[test]
    fn the_default_interval_guides_41_of_49_steps() {
        let t = timesteps(50, 3.0);
        assert_eq!(t[..49].iter().filter(|&&t| is_guided(t, [0.4, 1.0])).count(), 41);
    }

    #[test]
    fn the_interval_is_open_below_and_closed_above() {
        assert!(is_guided(1.0, [0.4, 1.0]));
        assert!(!is_guided(0.4, [0.4, 1.0]));
    }
}

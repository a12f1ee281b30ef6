//! TaylorSeer: most steps extrapolate the last layer's output from earlier steps.
//!
//! The reference keeps differences for every layer, but a skipped step replaces
//! each layer's output, so only the last layer's can be seen. Five steps are
//! computed, then every third; order at most 6.
//!
//! Reference: `modeling/cache_utils/taylorseer.py` of ByteDance-Seed/Bagel at 056b5fd.

use candle_core::Tensor;

use crate::Result;

const INTERVAL: usize = 3;
const MAX_ORDER: usize = 6;
const FIRST_STEPS: usize = 5;

/// Differences of one branch's output.
#[derive(Debug, Default)]
pub(crate) struct FeatureCache {
    /// Steps this branch has taken part in.
    step: usize,
    last_computed: usize,
    before_last_computed: usize,
    skipped: usize,
    differences: Vec<Tensor>,
}

impl FeatureCache {
    /// Whether the next step must be computed.
    pub(crate) fn is_due(&self) -> bool {
        self.step < FIRST_STEPS || self.skipped == INTERVAL - 1
    }

    /// Stores the output of a computed step.
    pub(crate) fn store(&mut self, output: Tensor) -> Result<()> {
        self.before_last_computed = self.last_computed;
        self.last_computed = self.step;
        self.skipped = 0;
        let distance = self.last_computed as f64 - self.before_last_computed as f64;
        let mut differences = vec![output];
        for (order, previous) in self.differences.iter().enumerate().take(MAX_ORDER) {
            if self.step + 2 <= FIRST_STEPS {
                break;
            }
            differences.push(((&differences[order] - previous)? / distance)?);
        }
        self.differences = differences;
        self.step += 1;
        Ok(())
    }

    /// The output of a skipped step: `Σ differencesᵢ xⁱ / i!`, x steps after the last computed one.
    pub(crate) fn extrapolate(&mut self) -> Result<Tensor> {
        let x = (self.step - self.last_computed) as f64;
        let mut factor = 1.0;
        let mut sum = self.differences[0].clone();
        for (order, difference) in self.differences.iter().enumerate().skip(1) {
            factor *= x / order as f64;
            sum = (sum + (difference * factor)?)?;
        }
        self.skipped += 1;
        self.step += 1;
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn five_steps_and_then_every_third_are_computed() -> Result<()> {
        let mut cache = FeatureCache::default();
        let mut computed = Vec::new();
        for step in 0..15 {
            if cache.is_due() {
                computed.push(step);
                cache.store(Tensor::new(step as f32, &Device::Cpu)?)?;
            } else {
                cache.extrapolate()?;
            }
        }
        assert_eq!(computed, [0, 1, 2, 3, 4, 7, 10, 13]);
        Ok(())
    }

    #[test]
    fn a_straight_line_is_continued() -> Result<()> {
        let mut cache = FeatureCache::default();
        for step in 0..5 {
            cache.store(Tensor::new(2.0 * step as f32, &Device::Cpu)?)?;
        }
        assert_eq!(cache.extrapolate()?.to_scalar::<f32>()?, 10.0);
        Ok(())
    }
}

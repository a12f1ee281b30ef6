//! Sampling of the next token.

use candle_core::{DType, Tensor};
use protocol::TextParameters;

use crate::random::{Generator, RandomStream};
use crate::{Error, Result};

/// Samples tokens with one set of parameters.
#[derive(Debug)]
pub(crate) struct Sampler {
    temperature: f64,
    top_k: usize,
    top_p: f64,
    repetition_penalty: f32,
    generator: Generator,
}

impl Sampler {
    /// A sampler whose draws depend on `seed` alone.
    pub(crate) fn new(parameters: &TextParameters, seed: u64) -> Self {
        Self {
            temperature: parameters.temperature,
            top_k: parameters.top_k.map_or(usize::MAX, |k| k as usize),
            top_p: parameters.top_p.unwrap_or(1.0),
            repetition_penalty: parameters.repetition_penalty as f32,
            generator: Generator::new(RandomStream::Text, seed),
        }
    }

    /// The next id for `logits` (vocabulary,); `written` are the ids before it.
    pub(crate) fn next(&mut self, logits: &Tensor, written: &[u32]) -> Result<u32> {
        if self.temperature <= 0.0 && self.repetition_penalty == 1.0 {
            // The device finds the likeliest token; only its id is copied.
            return Ok(logits.argmax(0)?.to_scalar::<u32>()?);
        }
        let mut logits = logits.to_dtype(DType::F32)?;
        if self.repetition_penalty != 1.0 {
            logits = candle_transformers::utils::apply_repeat_penalty(&logits, self.repetition_penalty, written)?;
        }
        self.choose(&logits.to_vec1::<f32>()?)
    }

    fn choose(&mut self, logits: &[f32]) -> Result<u32> {
        if logits.iter().any(|logit| logit.is_nan()) {
            return Err(Error::NotFinite { stage: "text" });
        }
        let mut order: Vec<usize> = (0..logits.len()).collect();
        // Equal logits are ordered by id, so that every device makes the same choice.
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]).then(a.cmp(&b)));
        if self.temperature <= 0.0 {
            return Ok(order[0] as u32);
        }
        order.truncate(self.top_k.max(1));
        let highest = f64::from(logits[order[0]]);
        let weights: Vec<f64> =
            order.iter().map(|&id| ((f64::from(logits[id]) - highest) / self.temperature).exp()).collect();
        let total: f64 = weights.iter().sum();
        let mut n_kept = weights.len();
        let mut kept = 0.0;
        for (idx, weight) in weights.iter().enumerate() {
            kept += weight;
            if kept >= self.top_p * total {
                n_kept = idx + 1;
                break;
            }
        }
        let kept: f64 = weights[..n_kept].iter().sum();
        let mut rest = self.generator.uniform() * kept;
        for (idx, weight) in weights[..n_kept].iter().enumerate() {
            if rest < *weight {
                return Ok(order[idx] as u32);
            }
            rest -= weight;
        }
        Ok(order[n_kept - 1] as u32)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn draws(change: impl Fn(&mut TextParameters), logits: &[f32], seed: u64) -> Vec<u32> {
        let mut parameters = TextParameters { temperature: 1.0, ..TextParameters::chat() };
        change(&mut parameters);
        let mut sampler = Sampler::new(&parameters, seed);
        let logits = Tensor::new(logits, &Device::Cpu).expect("a vector");
        (0..400).map(|_| sampler.next(&logits, &[]).expect("a token")).collect()
    }

    #[test]
    fn temperature_zero_takes_the_likeliest() {
        assert_eq!(draws(|p| p.temperature = 0.0, &[0.0, 2.0, 1.0], 0), [1; 400]);
    }

    #[test]
    fn draws_follow_the_probabilities_and_the_seed() {
        let logits = [1f32.ln(), 3f32.ln()];
        let drawn = draws(|_| (), &logits, 1);
        let ones = drawn.iter().filter(|&&id| id == 1).count();
        assert!((260..340).contains(&ones), "{ones} of 400");
        assert_eq!(drawn, draws(|_| (), &logits, 1));
        assert_ne!(drawn, draws(|_| (), &logits, 2));
    }

    #[test]
    fn top_k_and_top_p_cut_the_tail() {
        let logits = [0.5f32.ln(), 0.3f32.ln(), 0.2f32.ln()];
        assert!(draws(|p| p.top_k = Some(2), &logits, 3).iter().all(|&id| id < 2));
        assert!(draws(|p| p.top_p = Some(0.7), &logits, 3).iter().all(|&id| id < 2));
        assert!(draws(|_| (), &logits, 3).contains(&2));
    }

    #[test]
    fn the_repetition_penalty_changes_the_choice() -> Result<()> {
        let parameters = TextParameters { repetition_penalty: 3.0, ..TextParameters::chat() };
        let logits = Tensor::new(&[2f32, 1.0], &Device::Cpu)?;
        assert_eq!(Sampler::new(&parameters, 0).next(&logits, &[0])?, 1);
        Ok(())
    }
}

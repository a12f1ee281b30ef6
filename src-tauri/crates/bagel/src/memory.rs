//! What a request will need, before it runs and before a model is loaded.
//!
//! The reckoning is [`checkpoint::planner`]'s; what is added here is what only
//! the engine knows: how the model cuts texts into tokens, and in which type a
//! device computes.

use checkpoint::planner::{self, PlanTokens};
use checkpoint::{Checkpoint, Config, Quantization};
use protocol::{ImageParameters, Size, TextParameters, Thinking};

pub use checkpoint::planner::Estimate;
pub(crate) use checkpoint::working::OVERHEAD_BYTES;

use crate::Result;
use crate::device::{DeviceChoice, Precision, best_precision};
use crate::limits::check_size;
use crate::tokens::{PLAN_PROMPT, REASON_PROMPT, Tokens};
use crate::weights::TensorSource;

/// One item of a conversation, as far as memory is concerned.
#[derive(Clone, Debug)]
pub enum PlannedItem {
    /// A text.
    Text(String),
    /// An image of this size.
    Image(Size),
}

/// Estimates requests to one model on one kind of device.
#[derive(Debug)]
pub struct Planner {
    inner: checkpoint::Planner,
    tokens: Tokens,
    precision: Precision,
}

impl Planner {
    /// Plans for the weights of `source` in `precision`; only its headers and its tokenizer are read.
    ///
    /// # Errors
    /// [`crate::Error::Tokenizer`] when the tokenizer cannot be used.
    pub fn new(source: &dyn TensorSource, precision: Precision, is_cpu: bool) -> Result<Self> {
        let weights_bytes = source.held_bytes(precision, is_cpu);
        let inner = checkpoint::Planner::new(source.config().clone(), precision.arithmetic(is_cpu), weights_bytes);
        Ok(Self { inner, tokens: Tokens::load(source)?, precision })
    }

    /// Plans for `checkpoint` on a device, in the type that the device computes best in.
    ///
    /// # Errors
    /// [`crate::Error::Device`] when the device is not there; else as [`Planner::new`].
    pub fn on(checkpoint: &Checkpoint, device: DeviceChoice) -> Result<Self> {
        let device = device.open()?;
        Self::new(checkpoint, best_precision(&device), device.is_cpu())
    }

    pub(crate) fn config(&self) -> &Config {
        self.inner.config()
    }

    pub(crate) fn precision(&self) -> Precision {
        self.precision
    }

    pub(crate) fn is_cpu(&self) -> bool {
        self.inner.arithmetic().is_cpu
    }

    /// What painting needs.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] when the size cannot be painted.
    pub fn image(
        &self,
        inputs: &[PlannedItem],
        thinking: &Thinking,
        parameters: &ImageParameters,
        text: &TextParameters,
    ) -> Result<Estimate> {
        let items = self.items(inputs)?;
        let tokens = match thinking {
            Thinking::Off => None,
            Thinking::On => Some(u64::from(text.limit)),
            Thinking::Given { plan } => Some(self.text_tokens(plan)?),
        };
        let plan = match tokens {
            Some(tokens) => Some(PlanTokens { prompt_tokens: self.text_tokens(PLAN_PROMPT)?, tokens }),
            None => None,
        };
        check_size(self.config(), self.inner.size(&items, parameters.size))?;
        Ok(self.inner.image(&items, plan, parameters))
    }

    /// What an answer needs.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] when the text's parameters are out of range.
    pub fn chat(&self, inputs: &[PlannedItem], think: bool, text: &TextParameters) -> Result<Estimate> {
        text.check()?;
        let prompt_tokens = if think { self.text_tokens(REASON_PROMPT)? } else { 0 };
        Ok(self.inner.chat(&self.items(inputs)?, prompt_tokens, u64::from(text.limit)))
    }

    /// The largest size of the same shape that fits into `max_bytes`.
    pub(crate) fn smaller_size(&self, estimate: &Estimate, size: Size, max_bytes: u64) -> Option<Size> {
        self.inner.smaller_size(estimate, size, max_bytes)
    }

    fn items(&self, inputs: &[PlannedItem]) -> Result<Vec<planner::PlannedItem>> {
        let item = |item: &PlannedItem| {
            Ok(match item {
                PlannedItem::Text(text) => planner::PlannedItem::Text(self.text_tokens(text)?),
                PlannedItem::Image(size) => planner::PlannedItem::Image(*size),
            })
        };
        inputs.iter().map(item).collect()
    }

    fn text_tokens(&self, text: &str) -> Result<u64> {
        Ok(self.tokens.encode_plain(text)?.len() as u64 + 2)
    }
}

/// Bytes that the weights of `config` hold at a quantization of each expert.
pub fn planned_bytes(
    config: &Config,
    understanding: Quantization,
    generation: Quantization,
    precision: Precision,
    is_cpu: bool,
) -> u64 {
    precision.arithmetic(is_cpu).planned_bytes(config, understanding, generation)
}

//! How a run reports its progress and how it is stopped.

use std::ops::ControlFlow;

use protocol::{Image, TextChannel};

use crate::{Error, Result};

/// One report of a run.
#[derive(Clone, Copy, Debug)]
pub enum EngineProgress<'a> {
    /// A layer, a strip or a tensor is done; a point where the run can be stopped.
    Tick,
    /// Weights are being read.
    Loading {
        /// Bytes read.
        bytes: u64,
        /// Bytes to read.
        total_bytes: u64,
    },
    /// The inputs are read.
    Context {
        /// Tokens in the conditional context.
        tokens: u32,
    },
    /// Text was written.
    Text {
        /// Whether it belongs to the plan or to the answer.
        channel: TextChannel,
        /// What to append; always whole characters.
        delta: &'a str,
    },
    /// A step of denoising is done.
    Step {
        /// Steps done.
        step: u32,
        /// Steps in all.
        steps: u32,
        /// A preview of the image at an eighth of its sides.
        preview: Option<&'a Image>,
    },
    /// The image is being decoded.
    Decoding,
}

/// Receives reports; `Break` stops the run with [`Error::Cancelled`] within one layer, token or strip.
pub type Observer<'a> = dyn FnMut(EngineProgress<'_>) -> ControlFlow<()> + 'a;

pub(crate) fn report(observe: &mut Observer<'_>, progress: EngineProgress<'_>) -> Result<()> {
    match observe(progress) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled),
    }
}

pub(crate) fn tick(observe: &mut Observer<'_>) -> Result<()> {
    report(observe, EngineProgress::Tick)
}

//! How work reports itself and how it is stopped.

use std::ops::ControlFlow;

use protocol::{Image, TextChannel};

use crate::{Error, Result};

/// What happened since the last report.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// A layer, a strip or a tensor is done; a chance to stop.
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
        /// The image as far as it can be told, one pixel for eight.
        preview: Option<&'a Image>,
    },
    /// The image is being decoded.
    Decoding,
}

/// Takes reports; `Break` ends the work with [`Error::Cancelled`] within one layer, token or strip.
pub type Observe<'a> = dyn FnMut(Progress<'_>) -> ControlFlow<()> + 'a;

pub(crate) fn report(observe: &mut Observe<'_>, progress: Progress<'_>) -> Result<()> {
    match observe(progress) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled),
    }
}

pub(crate) fn tick(observe: &mut Observe<'_>) -> Result<()> {
    report(observe, Progress::Tick)
}

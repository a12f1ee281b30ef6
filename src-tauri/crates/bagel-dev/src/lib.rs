//! Instruments for the model: whether it computes what the reference computes
//! ([`check()`]), how long each stage takes ([`bench()`]), and random weights of any
//! size for machines without a model ([`synthesize()`], [`Synthetic`]).
//!
//! Nothing here is needed to make an image. The instruments use [`bagel`]'s
//! stages and [`bagel::parts`], and only `bagel check`, `bagel bench`,
//! `bagel synthesize` and tests use the instruments.

pub mod bench;
pub mod check;
mod process;
mod synthesize;
mod synthetic;

pub use bench::bench;
pub use check::check;
pub use synthesize::synthesize;
pub use synthetic::{SYNTHETIC_TOKENIZER, Synthetic, SyntheticSize};

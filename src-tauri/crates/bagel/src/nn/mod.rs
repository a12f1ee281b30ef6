//! The few layers that everything is made of.

mod attention;
mod linear;

pub(crate) use attention::{Keys, MAX_SCORES, Mask, attention, by_matmul};
pub(crate) use linear::{Embedding, Linear};

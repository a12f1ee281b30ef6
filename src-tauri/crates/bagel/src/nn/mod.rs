//! The few layers that everything is made of.

mod attention;
mod linear;

pub(crate) use attention::{Keys, MAX_SCORES, Mask, attention};
pub(crate) use linear::{Embedding, Linear};

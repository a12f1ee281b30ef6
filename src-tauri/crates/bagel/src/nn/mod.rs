//! Linear layers, embeddings and attention.

mod attention;
mod linear;

pub use attention::{AttentionMask, Keys, attention, attention_by_matmul};
pub(crate) use linear::Embedding;
pub use linear::Linear;

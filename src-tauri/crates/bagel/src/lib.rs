//! BAGEL-7B-MoT on candle.

pub mod transform;

//! BAGEL-7B-MoT on candle.

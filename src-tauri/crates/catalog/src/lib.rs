//! Models: what can be had, what is on disk, and how it gets there.

#![warn(missing_docs)]

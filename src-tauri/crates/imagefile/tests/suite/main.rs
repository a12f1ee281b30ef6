//! Behaviour of the whole crate, as one program so that it links once.

mod corpus;
mod reading;
mod recipes;
mod refusals;
mod support;
mod writing;

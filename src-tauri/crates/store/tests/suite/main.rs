//! The library as the studio uses it.

mod export;
mod gallery;
mod history;
mod support;
mod trash;

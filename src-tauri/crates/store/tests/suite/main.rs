//! The library as the studio uses it.

mod disk;
mod export;
mod gallery;
mod history;
mod recovery;
mod soak;
mod strings;
mod support;
mod trash;

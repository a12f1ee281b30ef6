//! The library as the studio uses it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests, and what they share, may stop at the first surprise"
)]

mod disk;
mod export;
mod gallery;
mod history;
mod recovery;
mod strings;
mod support;
mod trash;

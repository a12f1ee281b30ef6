//! The rules of this repository that no compiler holds: words, layers, circles, names and commit subjects.

mod circles;
mod commits;
mod layers;
mod layout;
mod names;
mod sources;
mod words;

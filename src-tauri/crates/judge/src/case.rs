//! Held-out cases as `assets/pocket/train/cases.py` writes them.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::draw::Scene;
use crate::wanted::Facts;
use crate::{Error, Result, World};

/// A prompt, what goes with it, and what is expected: [`crate::Request`], [`crate::Change`] or an answer.
#[derive(Clone, Debug, Deserialize)]
pub struct Case<E> {
    /// Its kind and number.
    pub id: String,
    /// Seed of the noise.
    pub seed: u64,
    /// What is said.
    pub prompt: String,
    /// The images that are shown, in order.
    pub inputs: Vec<Input>,
    /// Width and height of the image that is asked for.
    pub size: Option<[u32; 2]>,
    /// A plan with its tags, and how the image may be planned.
    pub plan: Option<String>,
    /// What is right.
    pub expect: E,
}

/// An image of a case.
#[derive(Clone, Debug, Deserialize)]
pub struct Input {
    /// How it is drawn.
    pub scene: Scene,
    /// What it shows.
    pub shows: Facts,
}

#[derive(Deserialize)]
struct File<E> {
    world: String,
    cases: Vec<Case<E>>,
}

/// Reads a file of cases and names their world.
///
/// # Errors
/// [`Error::Read`], [`Error::Cases`] or [`Error::World`], each saying which file or name is wrong.
pub fn open_cases<E: DeserializeOwned>(path: &Path) -> Result<(World, Vec<Case<E>>)> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let file: File<E> = serde_json::from_str(&text).map_err(|source| Error::Cases { path: path.to_owned(), source })?;
    Ok((World::named(&file.world)?, file.cases))
}

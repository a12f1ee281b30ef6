//! The text chunks of a PNG, and the recipe among them.
//!
//! Only the one chunk with our keyword is ever unpacked, and never beyond its
//! bound: what other programs pack into their chunks costs nothing here.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::{EmbeddedRecipe, RECIPE_KEYWORD, RecipeProblem};
use crate::limits::{MAX_TEXT_BYTES, MAX_TEXT_CHUNKS};

/// What the text chunks of a file amount to.
#[derive(Debug, Default)]
pub(crate) struct TextChunks<'a> {
    n_chunks: usize,
    n_bytes: usize,
    n_recipes: usize,
    /// What follows the keyword, and whether the chunk's checksum agreed.
    recipe: Option<(&'a [u8], bool)>,
}

impl<'a> TextChunks<'a> {
    /// Counts a chunk.
    pub(crate) fn count(&mut self, data: &[u8]) {
        self.n_chunks += 1;
        self.n_bytes += data.len();
    }

    /// Counts an `iTXt` chunk, which may be the recipe.
    pub(crate) fn count_international(&mut self, data: &'a [u8], is_whole: bool) {
        self.count(data);
        let rest = data.strip_prefix(RECIPE_KEYWORD.as_bytes()).and_then(|rest| rest.strip_prefix(b"\0"));
        if let Some(rest) = rest {
            self.n_recipes += 1;
            self.recipe = Some((rest, is_whole));
        }
    }

    /// The recipe among the chunks.
    pub(crate) fn recipe(&self) -> EmbeddedRecipe {
        let Some((rest, is_whole)) = self.recipe else { return EmbeddedRecipe::Absent };
        let found = self.check(is_whole).and_then(|()| self.unpack(rest)).and_then(|json| super::parse_recipe(&json));
        match found {
            Ok(recipe) => EmbeddedRecipe::Found(Box::new(recipe)),
            Err(problem) => EmbeddedRecipe::Refused(problem),
        }
    }

    fn check(&self, is_whole: bool) -> Result<(), RecipeProblem> {
        if self.n_chunks > MAX_TEXT_CHUNKS || self.n_bytes > MAX_TEXT_BYTES {
            return Err(RecipeProblem::TooMuchText { n_chunks: self.n_chunks, n_bytes: self.n_bytes });
        }
        if self.n_recipes > 1 {
            return Err(RecipeProblem::Several);
        }
        if is_whole { Ok(()) } else { Err(RecipeProblem::Damaged) }
    }

    /// The text behind two flags, a language and a translated keyword.
    fn unpack(&self, rest: &[u8]) -> Result<String, RecipeProblem> {
        let [is_packed, method, rest @ ..] = rest else { return Err(RecipeProblem::Damaged) };
        let mut parts = rest.splitn(3, |byte| *byte == 0);
        let (Some(_language), Some(_keyword), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(RecipeProblem::Damaged);
        };
        let text = match (is_packed, method) {
            (0, _) => text.to_vec(),
            (1, 0) => self.inflate(text)?,
            _ => return Err(RecipeProblem::Damaged),
        };
        String::from_utf8(text).map_err(|_not_utf8| RecipeProblem::Damaged)
    }

    fn inflate(&self, packed: &[u8]) -> Result<Vec<u8>, RecipeProblem> {
        let most = MAX_TEXT_BYTES.saturating_sub(self.n_bytes);
        let mut text = Vec::new();
        let read = ZlibDecoder::new(packed).take(most as u64 + 1).read_to_end(&mut text);
        match read {
            Err(_) => Err(RecipeProblem::Damaged),
            Ok(_) if text.len() > most => Err(RecipeProblem::TooLong),
            Ok(_) => Ok(text),
        }
    }
}

//! Text to token ids and back.

use tokenizers::Tokenizer;

use crate::weights::TensorSource;
use crate::{Error, Result};

const TEXT_START: &str = "<|im_start|>";
const TEXT_END: &str = "<|im_end|>";
const IMAGE_START: &str = "<|vision_start|>";
const IMAGE_END: &str = "<|vision_end|>";

/// Asks for a plan before the image; the model was trained on these words.
pub(crate) const PLAN_PROMPT: &str = "You should first think about the planning process in the mind and then generate the image. \nThe planning process is enclosed within <think> </think> tags, i.e. <think> planning process here </think> image here";

/// Asks for reasoning before the answer; the model was trained on these words.
pub(crate) const REASON_PROMPT: &str = "You should first think about the reasoning process in the mind and then provide the user with the answer. \nThe reasoning process is enclosed within <think> </think> tags, i.e. <think> reasoning process here </think> answer here";

/// The tokenizer and the four tokens that frame texts and images.
#[derive(Debug)]
pub struct Tokens {
    /// Recognizes special tokens in a text.
    special: Tokenizer,
    /// Reads them as ordinary text.
    plain: Tokenizer,
    /// Begins a text.
    pub text_start: u32,
    /// Ends a text.
    pub text_end: u32,
    /// Begins an image.
    pub image_start: u32,
    /// Ends an image.
    pub image_end: u32,
}

impl Tokens {
    /// Reads the model's tokenizer.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] when the file is invalid or lacks one of the four tokens.
    pub(crate) fn load(source: &dyn TensorSource) -> Result<Self> {
        let fail = |reason: String| Error::Tokenizer { model: source.name().to_owned(), reason };
        let json = source.tokenizer_json();
        let special = Tokenizer::from_bytes(json).map_err(|error| fail(error.to_string()))?;
        let mut plain = special.clone();
        plain.set_encode_special_tokens(true);
        let id = |token: &str| special.token_to_id(token).ok_or_else(|| fail(format!("it lacks {token}")));
        Ok(Self {
            text_start: id(TEXT_START)?,
            text_end: id(TEXT_END)?,
            image_start: id(IMAGE_START)?,
            image_end: id(IMAGE_END)?,
            special,
            plain,
        })
    }

    /// Ids of a text whose special tokens take effect, as in every text of the reference.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the tokenizer fails.
    pub fn encode_special(&self, text: &str) -> Result<Vec<u32>> {
        encode(&self.special, text)
    }

    /// Ids of a text that a user typed: `<|im_end|>` is ten characters, not the end of a text.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the tokenizer fails.
    pub fn encode_plain(&self, text: &str) -> Result<Vec<u32>> {
        encode(&self.plain, text)
    }

    /// Text of ids; bytes that form no character become U+FFFD.
    ///
    /// # Errors
    /// [`Error::Invalid`] when an id is unknown.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.special.decode(ids, false).map_err(|error| Error::bad_input(error.to_string()))
    }
}

fn encode(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>> {
    let encoding = tokenizer
        .encode(text, false)
        .map_err(|error| Error::bad_input(format!("the text cannot be split into tokens: {error}")))?;
    Ok(encoding.get_ids().to_vec())
}

/// Text that grows token by token and is returned in whole characters.
///
/// The tokens of a byte-level tokenizer are byte sequences, and a character may
/// span several tokens; its bytes are held back until it is complete.
#[derive(Debug, Default)]
pub(crate) struct TextStream {
    pending: Vec<u32>,
    text: String,
}

impl TextStream {
    /// Adds a token and returns the text that it completes.
    pub(crate) fn push<'s>(&'s mut self, tokens: &Tokens, id: u32) -> Result<&'s str> {
        self.pending.push(id);
        let decoded = tokens.decode(&self.pending)?;
        let start = self.text.len();
        if !decoded.ends_with('\u{FFFD}') {
            self.text.push_str(&decoded);
            self.pending.clear();
        }
        Ok(&self.text[start..])
    }

    /// Returns the bytes that were held back; incomplete characters become U+FFFD.
    pub(crate) fn finish<'s>(&'s mut self, tokens: &Tokens) -> Result<&'s str> {
        let start = self.text.len();
        let rest = tokens.decode(&self.pending)?;
        self.text.push_str(&rest);
        self.pending.clear();
        Ok(&self.text[start..])
    }

    /// All text returned so far.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use checkpoint::Checkpoint;

    use super::*;

    fn tokens() -> Tokens {
        let mini = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/mini/model");
        Tokens::load(&Checkpoint::open(&mini, None).expect("the golden model")).expect("its tokenizer")
    }

    #[test]
    fn streamed_text_never_splits_a_character() {
        let tokens = tokens();
        let text = "a 狐狸 🦊 naïve — café 日本語 👩‍🎨!";
        let ids = tokens.encode_plain(text).expect("ids");
        assert!(ids.len() > text.chars().count(), "no character of {ids:?} is spread over several tokens");
        let mut stream = TextStream::default();
        let mut deltas = Vec::new();
        for id in ids {
            deltas.push(stream.push(&tokens, id).expect("text").to_owned());
        }
        assert!(deltas.iter().any(String::is_empty), "nothing was held back");
        assert!(deltas.iter().all(|delta| !delta.contains('\u{FFFD}')), "{deltas:?}");
        assert_eq!(deltas.concat(), text);
        assert_eq!(stream.finish(&tokens).expect("nothing more"), "");
    }

    #[test]
    fn a_character_that_is_never_finished_is_shown_as_such() {
        let tokens = tokens();
        let ids = tokens.encode_plain("🦊").expect("ids");
        assert!(ids.len() > 1, "one token is the whole character");
        let mut stream = TextStream::default();
        assert_eq!(stream.push(&tokens, ids[0]).expect("text"), "");
        assert!(stream.finish(&tokens).expect("the rest").starts_with('\u{FFFD}'));
    }
}

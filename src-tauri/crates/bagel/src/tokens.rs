//! Text to token ids and back.

use checkpoint::Checkpoint;
use tokenizers::Tokenizer;

use crate::{Error, Result};

const TEXT_START: &str = "<|im_start|>";
const TEXT_END: &str = "<|im_end|>";
const IMAGE_START: &str = "<|vision_start|>";
const IMAGE_END: &str = "<|vision_end|>";

/// A tokenizer of four tokens, for weights that nobody trained.
pub(crate) const SYNTHETIC_JSON: &str = r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],
"normalizer":null,"pre_tokenizer":null,"post_processor":null,"decoder":null,
"model":{"type":"WordLevel","unk_token":"<unk>","vocab":{"<|im_start|>":0,"<|im_end|>":1,
"<|vision_start|>":2,"<|vision_end|>":3,"<unk>":4}}}"#;

/// The tokenizer and the four tokens that frame texts and images.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// Finds special tokens in a text.
    special: Tokenizer,
    /// Takes them for ordinary text.
    plain: Tokenizer,
    /// Begins a text.
    pub(crate) text_start: u32,
    /// Ends a text.
    pub(crate) text_end: u32,
    /// Begins an image.
    pub(crate) image_start: u32,
    /// Ends an image.
    pub(crate) image_end: u32,
}

impl Tokens {
    /// Reads the checkpoint's tokenizer.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] when it is not one or lacks one of the four tokens.
    pub(crate) fn load(checkpoint: &Checkpoint) -> Result<Self> {
        Self::from_json(checkpoint.tokenizer_json(), checkpoint.name())
    }

    /// A tokenizer of four tokens for a model of random weights.
    pub(crate) fn synthetic() -> Result<Self> {
        Self::from_json(SYNTHETIC_JSON.as_bytes(), "synthetic")
    }

    fn from_json(json: &[u8], model: &str) -> Result<Self> {
        let fail = |reason: String| Error::Tokenizer { model: model.to_owned(), reason };
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

    /// Ids of a text in which special tokens mean what they say, as the reference reads every text.
    pub(crate) fn encode_special(&self, text: &str) -> Result<Vec<u32>> {
        encode(&self.special, text)
    }

    /// Ids of a text that somebody typed: `<|im_end|>` is nine characters, not the end of a text.
    pub(crate) fn encode_plain(&self, text: &str) -> Result<Vec<u32>> {
        encode(&self.plain, text)
    }

    /// Text of ids; bytes that are no character become U+FFFD.
    pub(crate) fn decode(&self, ids: &[u32]) -> Result<String> {
        self.special.decode(ids, false).map_err(|error| Error::bad_input(error.to_string()))
    }
}

fn encode(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>> {
    let encoding =
        tokenizer.encode(text, false).map_err(|error| Error::bad_input(format!("the text cannot be read: {error}")))?;
    Ok(encoding.get_ids().to_vec())
}

/// Text that grows token by token and is handed out in whole characters.
///
/// What a byte-level tokenizer writes is a row of bytes, so that a character may
/// be spread over several tokens; the end is held back while it is incomplete.
#[derive(Debug, Default)]
pub(crate) struct TextStream {
    pending: Vec<u32>,
    text: String,
}

impl TextStream {
    /// Adds a token and gives what can be shown now.
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

    /// Gives what was held back; incomplete characters become U+FFFD.
    pub(crate) fn finish<'s>(&'s mut self, tokens: &Tokens) -> Result<&'s str> {
        let start = self.text.len();
        let rest = tokens.decode(&self.pending)?;
        self.text.push_str(&rest);
        self.pending.clear();
        Ok(&self.text[start..])
    }

    /// All text handed out so far.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

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

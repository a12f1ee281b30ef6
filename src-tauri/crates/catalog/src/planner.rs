//! What a request will need, told from a model's headers before anything is loaded.
//!
//! The engine's own planner counts the same way and knows how the model cuts
//! texts into tokens. Here their number is guessed, a little too high; a token
//! is some tens of kilobytes, so the guess hardly shows.

use std::path::Path;

use checkpoint::Checkpoint;
use checkpoint::planner::{Estimate, PlanTokens, PlannedItem};
use checkpoint::working::Arithmetic;
use protocol::{Input, Request, Size, Thinking};

use crate::Result;

/// Tokens of the sentence that asks for a plan or for reasons.
const PROMPT_TOKENS: u64 = 48;

/// Tokens that mark the ends of a text.
const MARKERS: u64 = 2;

/// Letters of an alphabet that make up a token, at least, in most texts.
const LETTERS_OF_A_TOKEN: u64 = 3;

/// Reckons with one model on one kind of device.
#[derive(Clone, Debug)]
pub struct Planner(checkpoint::Planner);

impl Planner {
    /// Reads the headers of a model, with the base that supplies what it lacks.
    ///
    /// # Errors
    /// [`crate::Error::Checkpoint`] when the files are no model.
    pub fn open(path: &Path, base: Option<&Path>, is_cpu: bool) -> Result<Self> {
        let arithmetic = if is_cpu { Arithmetic::CPU } else { Arithmetic::GPU };
        Ok(Self(checkpoint::Planner::of(&Checkpoint::open(path, base)?, arithmetic)))
    }

    /// What a request needs; `images` are the sizes of its images in the order they are read.
    pub fn plan(&self, request: &Request, images: &[Size]) -> Estimate {
        let items = items(request.inputs(), images);
        match request {
            Request::Generate(request) | Request::Edit(request) => {
                let tokens = match &request.thinking {
                    Thinking::Off => None,
                    Thinking::On => Some(u64::from(request.text.limit)),
                    Thinking::Given { plan } => Some(text_tokens(plan)),
                };
                let plan = tokens.map(|tokens| PlanTokens { prompt_tokens: PROMPT_TOKENS, tokens });
                self.0.image(&items, plan, &request.parameters)
            }
            Request::Chat(chat) => {
                let prompt_tokens = if chat.think { PROMPT_TOKENS } else { 0 };
                self.0.chat(&items, prompt_tokens, u64::from(chat.text.limit))
            }
        }
    }
}

/// Texts by their guessed lengths, then images by their sizes: their order among each other is all that counts.
fn items(inputs: &[Input], images: &[Size]) -> Vec<PlannedItem> {
    let texts = inputs.iter().filter_map(|input| match input {
        Input::Text { text } => Some(PlannedItem::Text(text_tokens(text))),
        Input::Image { .. } => None,
    });
    texts.chain(images.iter().copied().map(PlannedItem::Image)).collect()
}

/// Tokens of a text, about: a Chinese character is one, and so are a few letters of an alphabet.
fn text_tokens(text: &str) -> u64 {
    let n_letters = text.bytes().filter(u8::is_ascii).count() as u64;
    let n_others = text.chars().filter(|letter| !letter.is_ascii()).count() as u64;
    n_letters.div_ceil(LETTERS_OF_A_TOKEN) + n_others + MARKERS
}

#[cfg(test)]
mod tests {
    use checkpoint::{Config, Quantization};
    use protocol::{ChatRequest, ImageParameters, ImageRequest, TextParameters};

    use super::*;
    use crate::Needs;

    fn official() -> Planner {
        let config = Config::official();
        let q4 = Quantization::Q4KM;
        let weights_bytes = Arithmetic::GPU.planned_bytes(&config, q4, q4);
        Planner(checkpoint::Planner::new(config, Arithmetic::GPU, weights_bytes))
    }

    fn edit(size: Size) -> Request {
        let inputs = vec![Input::Image { path: "a.png".into() }, Input::Text { text: "make the sky red".to_owned() }];
        let parameters = ImageParameters { size: Some(size), ..ImageParameters::edit() };
        Request::Edit(ImageRequest { inputs, thinking: Thinking::Off, parameters, text: TextParameters::plan() })
    }

    #[test]
    fn the_largest_edit_takes_what_models_are_compared_by() {
        let size = Size { width: 1024, height: 1024 };
        let planned = official().plan(&edit(size), &[size]);
        let compared = Needs::of(&Config::official(), Quantization::Q4KM).gpu_bytes;
        assert!(compared.abs_diff(planned.memory.peak_bytes) < 64 << 20, "{compared} {planned:?}");
        assert_eq!(planned.size, Some(size));
        // 4,096 latents and 4,900 patches of the image, and a few words.
        assert!((8_900..9_200).contains(&planned.context_tokens), "{planned:?}");
    }

    #[test]
    fn more_takes_more() {
        let planner = official();
        let [small, large] = [512, 1024].map(|side| Size { width: side, height: side });
        let peak = |request: &Request, images: &[Size]| planner.plan(request, images).memory.peak_bytes;
        assert!(peak(&edit(large), &[small]) > peak(&edit(small), &[small]));
        assert!(peak(&edit(small), &[small, large]) > peak(&edit(small), &[small]));
        let ask = |text: &str| {
            let inputs = vec![Input::Text { text: text.to_owned() }];
            Request::Chat(ChatRequest { inputs, think: false, text: TextParameters::chat() })
        };
        assert!(peak(&ask(&"一二三".repeat(2000)), &[]) > peak(&ask("一二三"), &[]));
        assert!(
            planner.plan(&ask("why?"), &[]).memory.peak_bytes > planner.plan(&ask("why?"), &[]).memory.weights_bytes
        );
    }
}

//! What a request will need, told from a model's headers before anything is loaded.
//!
//! The engine's own planner counts the same way and knows how the model cuts
//! texts into tokens. Here their number is guessed, a little too high; a token
//! is some tens of kilobytes, so the guess hardly shows.

use std::path::Path;

use checkpoint::config::TransformConfig;
use checkpoint::working::{Arithmetic, OVERHEAD_BYTES};
use checkpoint::{Checkpoint, Config, Kind, Part, expected_tensors};
use protocol::{ChatRequest, ImageRequest, Input, MemoryEstimate, Request, Size, Thinking};

use crate::Result;

/// Tokens of the sentence that asks for a plan or for reasons.
const PROMPT_TOKENS: u64 = 48;

/// Tokens that mark the ends of an item.
const MARKS: u64 = 2;

/// Letters of an alphabet that make up a token, at least, in most texts.
const LETTERS_OF_A_TOKEN: u64 = 3;

/// Reckons with one model on one kind of device.
#[derive(Clone, Debug)]
pub struct Planner {
    config: Config,
    arithmetic: Arithmetic,
    weights_bytes: u64,
}

/// What a request will need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Bytes by part.
    pub memory: MemoryEstimate,
    /// Tokens of context, about.
    pub context_tokens: u32,
    /// Size of the picture that would be made.
    pub size: Option<Size>,
}

/// What a request reads, in tokens and pixels.
#[derive(Clone, Copy, Debug, Default)]
struct Reading {
    tokens: u64,
    text_tokens: u64,
    longest_item: u64,
    largest_pixels: u64,
    last_picture: Option<Size>,
}

impl Planner {
    /// Reads the headers of a model, with the base that supplies what it lacks.
    ///
    /// # Errors
    /// [`crate::Error::Checkpoint`] when the files are no model.
    pub fn open(path: &Path, base: Option<&Path>, is_cpu: bool) -> Result<Self> {
        let checkpoint = Checkpoint::open(path, base)?;
        let arithmetic = if is_cpu { Arithmetic::CPU } else { Arithmetic::GPU };
        let held: Vec<(Part, Kind, Vec<usize>)> = expected_tensors(checkpoint.config())
            .into_iter()
            .filter_map(|tensor| Some((tensor.part, checkpoint.tensor(&tensor.name)?.kind, tensor.shape)))
            .collect();
        let weights_bytes =
            arithmetic.held_bytes(held.iter().map(|(part, kind, shape)| (*part, *kind, shape.as_slice())));
        Ok(Self { config: checkpoint.config().clone(), arithmetic, weights_bytes })
    }

    /// What a request needs; `pictures` are the sizes of its pictures in the order they are read.
    pub fn plan(&self, request: &Request, pictures: &[Size]) -> Planned {
        match request {
            Request::Generate(image) | Request::Edit(image) => self.image(image, pictures),
            Request::Chat(chat) => self.chat(chat, pictures),
        }
    }

    fn image(&self, request: &ImageRequest, pictures: &[Size]) -> Planned {
        let mut reading = self.reading(&request.inputs, pictures, true);
        let n_thought = match &request.thinking {
            Thinking::Off => None,
            Thinking::On => Some(u64::from(request.text.limit)),
            Thinking::Given { thought } => Some(text_tokens(thought)),
        };
        if let Some(n_thought) = n_thought {
            reading.tokens += PROMPT_TOKENS + n_thought;
            reading.text_tokens += PROMPT_TOKENS;
        }
        let fitted = |size| fitted(&self.config.vae_transform, size);
        let side = u32::try_from(self.config.vae_transform.max_size.min(self.config.max_side())).unwrap_or(u32::MAX);
        let widest = Size { width: side, height: side };
        let size = request.image.size.or(reading.last_picture.map(fitted)).unwrap_or(widest);
        let is_guided = request.image.text_guidance > 1.0;
        let has_image_branch =
            is_guided && request.image.image_guidance > 1.0 && (reading.last_picture.is_some() || n_thought.is_some());
        let n_branches = 1 + u64::from(is_guided) + u64::from(has_image_branch);
        let n_kept = reading.tokens + if has_image_branch { reading.text_tokens } else { 0 };
        let n_painted = cells(size, self.config.pixels_per_token());
        let forward = |n_branches, rows| self.arithmetic.forward_bytes(&self.config, n_branches, rows, reading.tokens);
        let working_bytes = forward(n_branches, n_painted).max(forward(1, reading.longest_item));
        let vae_bytes = self.arithmetic.vae_bytes(&self.config.vae, area(size).max(reading.largest_pixels));
        self.planned(n_kept, reading.tokens, working_bytes, vae_bytes, Some(size))
    }

    fn chat(&self, request: &ChatRequest, pictures: &[Size]) -> Planned {
        let mut reading = self.reading(&request.inputs, pictures, false);
        if request.think {
            reading.tokens += PROMPT_TOKENS;
        }
        let n_kept = reading.tokens + u64::from(request.text.limit);
        let working_bytes = self.arithmetic.forward_bytes(&self.config, 1, reading.longest_item, reading.tokens);
        self.planned(n_kept, reading.tokens, working_bytes, 0, None)
    }

    fn planned(&self, n_kept: u64, n_tokens: u64, working_bytes: u64, vae_bytes: u64, size: Option<Size>) -> Planned {
        let context_bytes = self.arithmetic.context_bytes(&self.config, n_kept);
        let peak_bytes = self.weights_bytes + context_bytes + working_bytes.max(vae_bytes) + OVERHEAD_BYTES;
        let memory =
            MemoryEstimate { weights_bytes: self.weights_bytes, context_bytes, working_bytes, vae_bytes, peak_bytes };
        Planned { memory, context_tokens: u32::try_from(n_tokens).unwrap_or(u32::MAX), size }
    }

    fn reading(&self, inputs: &[Input], pictures: &[Size], is_edit: bool) -> Reading {
        let mut reading = Reading::default();
        for input in inputs {
            if let Input::Text { text } = input {
                let n_tokens = text_tokens(text);
                reading.tokens += n_tokens;
                reading.text_tokens += n_tokens;
                reading.longest_item = reading.longest_item.max(n_tokens);
            }
        }
        for picture in pictures {
            let whole = fitted(&self.config.vae_transform, *picture);
            let seen = fitted(&self.config.vision_transform, whole);
            let n_vision = cells(seen, self.config.vision.patch_size);
            let n_latents = if is_edit { cells(whole, self.config.pixels_per_token()) } else { 0 };
            reading.tokens += n_vision + n_latents;
            reading.longest_item = reading.longest_item.max(n_vision).max(n_latents);
            reading.largest_pixels = reading.largest_pixels.max(area(whole));
            reading.last_picture = Some(*picture);
        }
        reading
    }
}

/// Tokens of a text, about: a Chinese character is one, and so are a few letters of an alphabet.
fn text_tokens(text: &str) -> u64 {
    let n_letters = text.bytes().filter(u8::is_ascii).count() as u64;
    let n_others = text.chars().filter(|letter| !letter.is_ascii()).count() as u64;
    n_letters.div_ceil(LETTERS_OF_A_TOKEN) + n_others + MARKS
}

/// Tokens of a picture that is cut into squares.
fn cells(size: Size, side: usize) -> u64 {
    let side = side.max(1) as u64;
    (u64::from(size.width) / side) * (u64::from(size.height) / side) + MARKS
}

fn area(size: Size) -> u64 {
    u64::from(size.width) * u64::from(size.height)
}

/// The size that a picture is brought to before it is read.
fn fitted(rule: &TransformConfig, size: Size) -> Size {
    let [longer, shorter] = [size.width.max(size.height), size.width.min(size.height)].map(|it| f64::from(it.max(1)));
    let scale = (rule.max_size as f64 / longer).min(1.0).max(rule.min_size as f64 / shorter);
    let stride = rule.stride.max(1) as f64;
    let side = |side: u32| {
        let fitted = (f64::from(side) * scale / stride).round_ties_even() * stride;
        fitted.clamp(stride, (rule.max_size as f64).max(stride)) as u32
    };
    Size { width: side(size.width), height: side(size.height) }
}

#[cfg(test)]
mod tests {
    use checkpoint::Quantization;
    use protocol::{ImageParameters, TextParameters};

    use super::*;
    use crate::Needs;

    fn official() -> Planner {
        let config = Config::official();
        let q4 = Quantization::Q4KM;
        Planner { weights_bytes: Arithmetic::GPU.planned_bytes(&config, q4, q4), config, arithmetic: Arithmetic::GPU }
    }

    fn edit(size: Size) -> Request {
        let inputs = vec![Input::Image { path: "a.png".into() }, Input::Text { text: "make the sky red".to_owned() }];
        let image = ImageParameters { size: Some(size), ..ImageParameters::edit() };
        Request::Edit(ImageRequest { inputs, thinking: Thinking::Off, image, text: TextParameters::thought() })
    }

    #[test]
    fn the_largest_edit_takes_what_models_are_compared_by() {
        let size = Size { width: 1024, height: 1024 };
        let planned = official().plan(&edit(size), &[size]);
        let compared = Needs::of(&Config::official(), Quantization::Q4KM).gpu_bytes;
        assert!(compared.abs_diff(planned.memory.peak_bytes) < 64 << 20, "{compared} {planned:?}");
        assert_eq!(planned.size, Some(size));
        // 4,096 latents and 4,900 patches of the picture, and a few words.
        assert!((8_900..9_200).contains(&planned.context_tokens), "{planned:?}");
    }

    #[test]
    fn more_takes_more() {
        let planner = official();
        let [small, large] = [512, 1024].map(|side| Size { width: side, height: side });
        let peak = |request: &Request, pictures: &[Size]| planner.plan(request, pictures).memory.peak_bytes;
        assert!(peak(&edit(large), &[small]) > peak(&edit(small), &[small]));
        assert!(peak(&edit(small), &[small, large]) > peak(&edit(small), &[small]));
        let ask = |text: &str| {
            let inputs = vec![Input::Text { text: text.to_owned() }];
            Request::Chat(ChatRequest { inputs, think: false, text: TextParameters::chat() })
        };
        assert!(peak(&ask(&"一二三".repeat(2000)), &[]) > peak(&ask("一二三"), &[]));
        assert!(planner.plan(&ask("why?"), &[]).memory.peak_bytes > planner.weights_bytes);
    }

    #[test]
    fn pictures_are_brought_to_what_the_model_reads() {
        let rule = TransformConfig { max_size: 1024, min_size: 512, stride: 16 };
        for (from, to) in [
            ((1024, 1024), (1024, 1024)),
            ((4000, 2000), (1024, 512)),
            ((100, 100), (512, 512)),
            ((1000, 333), (1024, 512)),
            ((590, 601), (592, 608)),
        ] {
            let fitted = fitted(&rule, Size { width: from.0, height: from.1 });
            assert_eq!((fitted.width, fitted.height), to, "{from:?}");
        }
    }
}

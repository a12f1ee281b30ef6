//! Validation of requests, before anything is loaded for them.
//!
//! The command line, the studio and the engine check here, so that a bad value
//! gets the same message everywhere. Each process checks once and passes a
//! [`CheckedRequest`] on.

use std::ops::Deref;

use crate::limits::{
    LONGEST_SIDE, MAX_IMAGES, MAX_PLAN_CHARS, MAX_PROMPT_CHARS, MAX_REFERENCES, MAX_SEED, MAX_STEPS, MAX_VARIATIONS,
    SIDE_MULTIPLE,
};
use crate::{
    ChatRequest, ErrorCode, ImageParameters, ImageRequest, Input, Kind, NewJob, Request, Size, TextParameters, Thinking,
};

/// What is wrong with a request, and how to correct it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Invalid {
    /// A side of zero or one that the latent grid cannot hold.
    #[error("size {size} does not fit the model: sides are multiples of {SIDE_MULTIPLE}; try {nearest}")]
    SizeMultiple {
        /// The size that was asked for.
        size: Size,
        /// The nearest size that fits.
        nearest: Size,
    },
    /// Beyond the position grid of the model.
    #[error("size {size} is too large for this model: its longest side is {max_side} pixels; try {nearest}")]
    SizeTooLarge {
        /// The size that was asked for.
        size: Size,
        /// The longest side that the model can place.
        max_side: u32,
        /// The nearest size that fits.
        nearest: Size,
    },
    /// Too few or too many steps.
    #[error("steps {steps} is out of range: give 2 to {MAX_STEPS}")]
    Steps {
        /// The number that was asked for.
        steps: u32,
    },
    /// A number that is not finite or out of its range.
    #[error("{name} {value} is out of range: give {range}")]
    Number {
        /// The parameter.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What can be given.
        range: &'static str,
    },
    /// Bounds of the interval out of order or outside the schedule.
    #[error("guidance interval {start},{end} is not usable: give two numbers from 0 to 1, the smaller one first")]
    Interval {
        /// Lower bound.
        start: f64,
        /// Upper bound.
        end: f64,
    },
    /// A limit that leaves no room for a token.
    #[error("limit {limit} leaves no room for an answer: give 2 or more")]
    Limit {
        /// What was given.
        limit: u32,
    },
    /// No token could be drawn.
    #[error("top-k 0 leaves no token to choose from: give 1 or more, or leave it out")]
    TopK,
    /// A seed that would not survive JSON.
    #[error("seed {seed} is too large: give 0 to {MAX_SEED}")]
    Seed {
        /// What was given.
        seed: u64,
    },
    /// A stop text that every text contains.
    #[error("a stop text is empty: give at least one character or leave it out")]
    EmptyStop,
    /// No text among the inputs, or a blank one.
    #[error("the prompt is empty: describe what you want")]
    EmptyPrompt,
    /// More text than the model was trained on.
    #[error("the prompt has more than {MAX_PROMPT_CHARS} characters: shorten it")]
    LongPrompt,
    /// A blank plan.
    #[error("the plan is empty: write the plan, or let the model think")]
    EmptyPlan,
    /// More text than a plan can have.
    #[error("the plan has more than {MAX_PLAN_CHARS} characters: shorten it")]
    LongPlan,
    /// An image where only texts make sense.
    #[error("generate takes no images: use edit to start from an image")]
    ImageInGenerate,
    /// More images than the model was made to read at once.
    #[error("{n} images are too many: give 1 to {MAX_IMAGES}")]
    TooManyImages {
        /// How many there are.
        n: usize,
    },
    /// No image where one is needed.
    #[error("edit needs an image: give one with the prompt, or use generate")]
    NoImageInEdit,
    /// More reference images than fit beside the edited one.
    #[error("{n} reference images are too many: give up to {MAX_REFERENCES}")]
    TooManyReferences {
        /// How many there are.
        n: usize,
    },
    /// None, or more than one request may ask for.
    #[error("{n} variations are out of range: give 1 to {MAX_VARIATIONS}")]
    Variations {
        /// What was given.
        n: u32,
    },
}

impl Invalid {
    /// The class of failure, which the window acts on.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::SizeMultiple { .. } | Self::SizeTooLarge { .. } => ErrorCode::SizeUnusable,
            Self::Steps { .. }
            | Self::Number { .. }
            | Self::Interval { .. }
            | Self::Limit { .. }
            | Self::TopK
            | Self::Seed { .. }
            | Self::EmptyStop => ErrorCode::OutOfRange,
            Self::EmptyPrompt | Self::EmptyPlan => ErrorCode::TextMissing,
            Self::LongPrompt | Self::LongPlan => ErrorCode::TextTooLong,
            Self::TooManyImages { .. } | Self::TooManyReferences { .. } | Self::Variations { .. } => ErrorCode::TooMany,
            Self::NoImageInEdit => ErrorCode::ImageMissing,
            // The window never sends images with this kind of request.
            Self::ImageInGenerate => ErrorCode::BadInput,
        }
    }
}

/// A request that has passed [`Request::checked`], the only way to make one.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedRequest(Request);

impl CheckedRequest {
    /// Checks the image's size against a model that was not known before.
    pub fn check_size(&self, max_side: u32) -> Result<(), Invalid> {
        match &self.0 {
            Request::Generate(image) | Request::Edit(image) => {
                image.parameters.size.map_or(Ok(()), |size| size.check(Some(max_side)))
            }
            Request::Chat(_) => Ok(()),
        }
    }

    /// The request, to be sent to another process.
    pub fn into_inner(self) -> Request {
        self.0
    }
}

impl Deref for CheckedRequest {
    type Target = Request;

    fn deref(&self) -> &Request {
        &self.0
    }
}

impl NewJob {
    /// Returns the first error; `max_side` is the model's, where it is known.
    pub fn check(&self, max_side: Option<u32>) -> Result<(), Invalid> {
        check_texts([self.prompt.as_str()])?;
        if self.prompt.trim().chars().count() > MAX_PROMPT_CHARS {
            return Err(Invalid::LongPrompt);
        }
        if !(1..=MAX_VARIATIONS).contains(&self.variations) {
            return Err(Invalid::Variations { n: self.variations });
        }
        if self.references.len() > MAX_REFERENCES {
            return Err(Invalid::TooManyReferences { n: self.references.len() });
        }
        if self.kind == Kind::Edit && self.image.is_none() {
            return Err(Invalid::NoImageInEdit);
        }
        self.parameters.check(max_side)
    }
}

impl Request {
    /// Takes the request as valid or returns the first error; `max_side` is the model's, where it is known.
    pub fn checked(self, max_side: Option<u32>) -> Result<CheckedRequest, Invalid> {
        self.check(max_side)?;
        Ok(CheckedRequest(self))
    }

    fn check(&self, max_side: Option<u32>) -> Result<(), Invalid> {
        match self {
            Self::Generate(request) => {
                check_prompt(&request.inputs)?;
                if request.inputs.iter().any(Input::is_image) {
                    return Err(Invalid::ImageInGenerate);
                }
                request.check(max_side)
            }
            Self::Edit(request) => {
                check_prompt(&request.inputs)?;
                match request.inputs.iter().filter(|input| input.is_image()).count() {
                    0 => return Err(Invalid::NoImageInEdit),
                    n if n > MAX_IMAGES => return Err(Invalid::TooManyImages { n }),
                    _ => {}
                }
                request.check(max_side)
            }
            Self::Chat(request) => request.check(),
        }
    }
}

impl Input {
    /// Whether it is an image.
    pub fn is_image(&self) -> bool {
        matches!(self, Self::Image { .. })
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text { text } => Some(text),
            Self::Image { .. } => None,
        }
    }
}

impl ImageRequest {
    fn check(&self, max_side: Option<u32>) -> Result<(), Invalid> {
        if matches!(&self.thinking, Thinking::Given { plan } if plan.trim().is_empty()) {
            return Err(Invalid::EmptyPlan);
        }
        self.parameters.check(max_side)?;
        self.text.check()
    }
}

impl ChatRequest {
    fn check(&self) -> Result<(), Invalid> {
        check_prompt(&self.inputs)?;
        self.text.check()
    }
}

impl ImageParameters {
    /// Returns the first error; `max_side` is the model's, where it is known.
    pub fn check(&self, max_side: Option<u32>) -> Result<(), Invalid> {
        if let Some(size) = self.size {
            size.check(max_side)?;
        }
        if !(2..=MAX_STEPS).contains(&self.steps) {
            return Err(Invalid::Steps { steps: self.steps });
        }
        check_number("text guidance", self.text_guidance, 0.0, f64::MAX, "a number from 0, usually 4 to 8")?;
        check_number("image guidance", self.image_guidance, 0.0, f64::MAX, "a number from 0, usually 1 to 2")?;
        let [start, end] = self.guidance_interval;
        if !(0.0 <= start && start <= end && end <= 1.0) {
            return Err(Invalid::Interval { start, end });
        }
        check_number("renorm minimum", self.renorm_min, 0.0, 1.0, "a number from 0 to 1")?;
        check_number("shift", self.shift, f64::MIN_POSITIVE, f64::MAX, "a number above 0, usually 3")?;
        check_seed(self.seed)
    }
}

impl TextParameters {
    /// Returns the first error.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.limit < 2 {
            return Err(Invalid::Limit { limit: self.limit });
        }
        check_number("temperature", self.temperature, 0.0, f64::MAX, "a number from 0, usually below 1")?;
        if self.top_k == Some(0) {
            return Err(Invalid::TopK);
        }
        if let Some(top_p) = self.top_p {
            check_number("top-p", top_p, f64::MIN_POSITIVE, 1.0, "a number above 0 and up to 1")?;
        }
        let penalty = self.repetition_penalty;
        check_number("repetition penalty", penalty, f64::MIN_POSITIVE, f64::MAX, "a number above 0, usually 1 to 1.2")?;
        if self.stop.iter().any(String::is_empty) {
            return Err(Invalid::EmptyStop);
        }
        check_seed(self.seed)
    }
}

impl Size {
    /// Checks whether an image can have this size; `max_side` is the model's, where it is known.
    pub fn check(self, max_side: Option<u32>) -> Result<(), Invalid> {
        let max_side = max_side.unwrap_or(LONGEST_SIDE);
        let nearest = Self { width: nearest_side(self.width, max_side), height: nearest_side(self.height, max_side) };
        if self.width > max_side || self.height > max_side {
            Err(Invalid::SizeTooLarge { size: self, max_side, nearest })
        } else if self == nearest {
            Ok(())
        } else {
            Err(Invalid::SizeMultiple { size: self, nearest })
        }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

fn nearest_side(side: u32, max_side: u32) -> u32 {
    let longest = (max_side / SIDE_MULTIPLE).max(1) * SIDE_MULTIPLE;
    let rounded = side.min(longest).saturating_add(SIDE_MULTIPLE / 2) / SIDE_MULTIPLE * SIDE_MULTIPLE;
    rounded.clamp(SIDE_MULTIPLE, longest)
}

/// Checks that there is a text and that no text is blank.
pub fn check_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<(), Invalid> {
    let mut texts = texts.into_iter().peekable();
    let are_given = texts.peek().is_some() && texts.all(|text| !text.trim().is_empty());
    if are_given { Ok(()) } else { Err(Invalid::EmptyPrompt) }
}

fn check_prompt(inputs: &[Input]) -> Result<(), Invalid> {
    check_texts(inputs.iter().filter_map(Input::text))
}

/// NaN is out of every range.
fn check_number(name: &'static str, value: f64, least: f64, most: f64, range: &'static str) -> Result<(), Invalid> {
    if value >= least && value <= most { Ok(()) } else { Err(Invalid::Number { name, value, range }) }
}

fn check_seed(seed: Option<u64>) -> Result<(), Invalid> {
    match seed {
        Some(seed) if seed > MAX_SEED => Err(Invalid::Seed { seed }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut ImageParameters), expected: &str) {
        let mut parameters = ImageParameters::generate();
        change(&mut parameters);
        let found = parameters.check(Some(1024)).map_or_else(|invalid| invalid.to_string(), |()| "fine".to_owned());
        assert_eq!(found, expected);
    }

    fn check_size(width: u32, height: u32, expected: &str) {
        check(|image| image.size = Some(Size { width, height }), expected);
    }

    #[test]
    fn the_window_tells_what_is_invalid_by_its_class() {
        let size = Size { width: 8, height: 8 };
        for (invalid, code) in [
            (Invalid::SizeTooLarge { size, max_side: 4, nearest: size }, ErrorCode::SizeUnusable),
            (Invalid::Steps { steps: 1 }, ErrorCode::OutOfRange),
            (Invalid::EmptyPrompt, ErrorCode::TextMissing),
            (Invalid::TooManyImages { n: 9 }, ErrorCode::TooMany),
            (Invalid::NoImageInEdit, ErrorCode::ImageMissing),
        ] {
            assert_eq!(invalid.code(), code, "{invalid}");
        }
    }

    #[test]
    fn defaults_are_fine() {
        check(|_| {}, "fine");
        assert_eq!(ImageParameters::edit().check(None), Ok(()));
        assert_eq!(TextParameters::chat().check(), Ok(()));
        assert_eq!(TextParameters::plan().check(), Ok(()));
    }

    #[test]
    fn sizes_fit_the_grid_or_the_nearest_one_is_named() {
        check_size(1024, 16, "fine");
        check_size(100, 64, "size 100x64 does not fit the model: sides are multiples of 16; try 96x64");
        check_size(0, 7, "size 0x7 does not fit the model: sides are multiples of 16; try 16x16");
        check_size(
            1040,
            u32::MAX,
            "size 1040x4294967295 is too large for this model: its longest side is 1024 pixels; try 1024x1024",
        );
        let size = Size { width: 1 << 20, height: 64 };
        assert!(matches!(size.check(None), Err(Invalid::SizeTooLarge { max_side: LONGEST_SIDE, .. })));
    }

    #[test]
    fn numbers_out_of_range_are_named() {
        check(|image| image.steps = 1, "steps 1 is out of range: give 2 to 1000");
        let guidance = "is out of range: give a number from 0, usually 4 to 8";
        check(|image| image.text_guidance = f64::NAN, &format!("text guidance NaN {guidance}"));
        check(|image| image.text_guidance = f64::INFINITY, &format!("text guidance inf {guidance}"));
        check(|image| image.text_guidance = -0.5, &format!("text guidance -0.5 {guidance}"));
        check(|image| image.renorm_min = 1.5, "renorm minimum 1.5 is out of range: give a number from 0 to 1");
        check(|image| image.shift = 0.0, "shift 0 is out of range: give a number above 0, usually 3");
        check(|image| image.seed = Some(1 << 53), &format!("seed {} is too large: give 0 to {MAX_SEED}", 1_u64 << 53));
    }

    #[test]
    fn interval_is_ordered_and_within_the_schedule() {
        check(|image| image.guidance_interval = [0.0, 1.0], "fine");
        for [start, end] in [[0.5, 0.4], [-0.1, 1.0], [0.0, 1.1]] {
            let parameters = ImageParameters { guidance_interval: [start, end], ..ImageParameters::generate() };
            assert_eq!(parameters.check(None), Err(Invalid::Interval { start, end }));
        }
        let unusable = ImageParameters { guidance_interval: [f64::NAN, 1.0], ..ImageParameters::generate() };
        assert!(unusable.check(None).is_err());
    }

    #[test]
    fn text_parameters_leave_a_token_to_write() {
        let invalid = |change: fn(&mut TextParameters)| {
            let mut text = TextParameters::chat();
            change(&mut text);
            text.check().err()
        };
        assert_eq!(invalid(|text| text.limit = 1), Some(Invalid::Limit { limit: 1 }));
        assert_eq!(invalid(|text| text.top_k = Some(0)), Some(Invalid::TopK));
        let named =
            |change, expected| matches!(invalid(change), Some(Invalid::Number { name, .. }) if name == expected);
        assert!(named(|text| text.top_p = Some(0.0), "top-p"));
        assert!(named(|text| text.temperature = f64::NAN, "temperature"));
        assert!(named(|text| text.repetition_penalty = 0.0, "repetition penalty"));
        assert_eq!(invalid(|text| text.stop.push(String::new())), Some(Invalid::EmptyStop));
    }

    #[test]
    fn requests_have_words_and_the_images_they_need() {
        let text = |text: &str| Input::Text { text: text.to_owned() };
        let shown = || Input::Image { path: "a.png".into() };
        let image = |inputs: Vec<Input>, thinking| ImageRequest {
            inputs,
            thinking,
            parameters: ImageParameters::generate(),
            text: TextParameters::plan(),
        };
        let generate = |inputs| Request::Generate(image(inputs, Thinking::Off)).check(None);
        let edit = |inputs| Request::Edit(image(inputs, Thinking::Off)).check(None);
        assert_eq!(generate(vec![text("a star")]), Ok(()));
        assert_eq!(generate(vec![]), Err(Invalid::EmptyPrompt));
        assert_eq!(generate(vec![text(" \n")]), Err(Invalid::EmptyPrompt));
        assert_eq!(generate(vec![shown(), text("a star")]), Err(Invalid::ImageInGenerate));
        assert_eq!(edit(vec![shown(), text("make it blue")]), Ok(()));
        assert_eq!(edit(vec![text("make it blue")]), Err(Invalid::NoImageInEdit));
        assert_eq!(edit(vec![shown()]), Err(Invalid::EmptyPrompt));
        let given = image(vec![text("a star")], Thinking::Given { plan: " ".to_owned() });
        assert_eq!(Request::Generate(given).check(None), Err(Invalid::EmptyPlan));
    }
}

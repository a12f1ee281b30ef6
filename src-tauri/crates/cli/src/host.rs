//! The one door to the model: requests go in, events and an outcome come out.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use bagel::{ChatJob, EngineProgress, ImageJob, Item, LoadOptions};
use checkpoint::{Checkpoint, Estimator};
use protocol::{
    ChatRequest, CheckedRequest, Event, Frame, Image, ImageRequest, Input, JobId, Kind, ModelDescription, Recipe,
    RecipeInput, Request, Size, Statistics, TextParameters,
};

use crate::noise::Noise;
use crate::recipe;
use crate::{Result, locate};

/// Hears what a job does and may stop it.
pub trait Listener {
    /// Asked between layers, tokens, strips and tensors.
    fn keep_going(&mut self) -> ControlFlow<()>;
    /// Told what happened.
    fn hear(&mut self, frame: Frame<Event>);
}

/// A model on disk whose headers are checked, and where it will be loaded.
pub struct Model {
    checkpoint: Checkpoint,
    options: LoadOptions,
    estimator: Arc<Estimator>,
}

impl Model {
    /// Opens the files; cheap, whatever their size.
    pub fn open(path: &Path, base: Option<&Path>, options: LoadOptions) -> Result<Self> {
        let checkpoint = Checkpoint::open(path, base)?;
        let estimator = Arc::new(bagel::memory::estimator_on(&checkpoint, options.device)?);
        Ok(Self { checkpoint, options, estimator })
    }

    /// Longest side of an image, in pixels.
    pub fn max_side(&self) -> u32 {
        u32::try_from(self.checkpoint.config().max_side()).unwrap_or(u32::MAX)
    }

    /// Refuses a model that does not fit, even when `loaded` has made room for it.
    pub fn check_weights(&self, loaded: Option<&Host>) -> Result<()> {
        Ok(bagel::memory::check_weights(&self.checkpoint, &self.options, loaded.map(|host| &host.engine))?)
    }

    /// Refuses a request that does not fit beside its model.
    pub fn check_memory(&self, request: &Request, inputs: &Inputs) -> Result<()> {
        Ok(bagel::memory::check_request(&self.estimator, request, &inputs.image_sizes(), &self.options)?)
    }

    /// Reads the noise for the image that a request will paint.
    pub fn read_noise(&self, path: &Path, request: &Request, inputs: &Inputs) -> Result<Noise> {
        let size = self.estimator.estimate(request, &inputs.image_sizes()).size.unwrap_or(Size { width: 0, height: 0 });
        let config = self.checkpoint.config();
        let n_patches = |side: u32| side as usize / config.pixels_per_token();
        Noise::read(path, size, n_patches(size.width) * n_patches(size.height) * config.latent_token_dim())
    }

    /// Reads the weights.
    pub fn load(&self, id: JobId, listener: &mut dyn Listener) -> Result<Host> {
        let verified = locate::verified().filter(|_| self.checkpoint.provenance().is_some());
        let is_verified = verified.as_ref().is_some_and(|verified| verified.contains(&self.checkpoint));
        let options = LoadOptions { is_verified, ..self.options };
        let engine = bagel::Engine::load(&self.checkpoint, &options, &mut observe(id, listener))?;
        if let Some(verified) = verified.filter(|_| !is_verified)
            && let Err(error) = verified.record(&self.checkpoint)
        {
            tracing::debug!(%error, "the check of the weights will be made again");
        }
        Ok(Host { engine, estimator: Arc::clone(&self.estimator) })
    }
}

/// A loaded model.
pub struct Host {
    engine: bagel::Engine,
    estimator: Arc<Estimator>,
}

/// What a request gave.
pub enum Outcome {
    /// An image.
    Painted(Box<Painted>),
    /// A text.
    Answered {
        /// The whole text.
        text: String,
        /// How it was sampled, with its seed.
        parameters: TextParameters,
        /// What it took.
        statistics: Statistics,
    },
}

/// An image with its recipe.
pub struct Painted {
    /// The image.
    pub image: Image,
    /// Everything that is needed to paint it again.
    pub recipe: Recipe,
    /// What it took.
    pub statistics: Statistics,
}

/// Inputs of a request, read and decoded.
pub struct Inputs {
    items: Vec<Item>,
    sources: Vec<RecipeInput>,
    noise: Option<Noise>,
}

impl Inputs {
    /// Reads the images.
    pub fn read(inputs: &[Input]) -> Result<Self> {
        let mut read = Self { items: Vec::new(), sources: Vec::new(), noise: None };
        for input in inputs {
            match input {
                Input::Text { text } => {
                    read.items.push(Item::Text(text.clone()));
                    read.sources.push(RecipeInput::Text { text: text.clone() });
                }
                Input::Image { path } => {
                    let image = imagefile::read(path)?.image;
                    read.sources.push(imagefile::image_input(&image, path));
                    read.items.push(Item::Image(Arc::new(image)));
                }
            }
        }
        Ok(read)
    }

    /// The same with the noise that an image starts from.
    pub fn starting_from(self, noise: Option<Noise>) -> Self {
        Self { noise, ..self }
    }

    /// What the model reads.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Sizes of the images, in order.
    pub fn image_sizes(&self) -> Vec<Size> {
        let size = |item: &Item| match item {
            Item::Image(image) => Some(image.size()),
            Item::Text(_) => None,
        };
        self.items.iter().filter_map(size).collect()
    }

    /// What a recipe says about each.
    pub fn sources(&self) -> &[RecipeInput] {
        &self.sources
    }
}

impl Host {
    /// What is loaded.
    pub fn description(&self) -> &ModelDescription {
        self.engine.description()
    }

    /// What foresees a request's memory; lives on when the model is gone.
    pub fn estimator(&self) -> Arc<Estimator> {
        Arc::clone(&self.estimator)
    }

    /// Carries out a request; its inputs have been read from the same request.
    pub fn carry_out(
        &mut self,
        id: JobId,
        request: &CheckedRequest,
        inputs: &Inputs,
        listener: &mut dyn Listener,
    ) -> Result<Outcome> {
        listener.hear(plain(Event::Started { id }));
        self.engine.check_memory(&self.estimator, request, &inputs.image_sizes())?;
        match &**request {
            Request::Generate(request) => self.generate_image(Kind::Generate, id, request, inputs, listener),
            Request::Edit(request) => self.generate_image(Kind::Edit, id, request, inputs, listener),
            Request::Chat(request) => self.chat(id, request, inputs, listener),
        }
    }

    fn generate_image(
        &mut self,
        kind: Kind,
        id: JobId,
        request: &ImageRequest,
        inputs: &Inputs,
        listener: &mut dyn Listener,
    ) -> Result<Outcome> {
        let job = ImageJob {
            inputs: inputs.items.clone(),
            thinking: request.thinking.clone(),
            parameters: request.parameters.clone(),
            text: request.text.clone(),
            noise: inputs.noise.as_ref().map(|noise| noise.numbers.clone()),
        };
        let result = self.engine.generate_image(&job, &mut observe(id, listener))?;
        let recipe = Recipe {
            noise: inputs.noise.as_ref().map(|noise| noise.hash.clone()),
            ..recipe::record(kind, request, inputs.sources(), &result, self.description())
        };
        Ok(Outcome::Painted(Box::new(Painted { image: result.image, recipe, statistics: result.statistics })))
    }

    fn chat(
        &mut self,
        id: JobId,
        request: &ChatRequest,
        inputs: &Inputs,
        listener: &mut dyn Listener,
    ) -> Result<Outcome> {
        let job = ChatJob { inputs: inputs.items.clone(), think: request.think, text: request.text.clone() };
        let result = self.engine.chat(&job, &mut observe(id, listener))?;
        Ok(Outcome::Answered { text: result.text, parameters: result.parameters, statistics: result.statistics })
    }
}

impl Outcome {
    /// The events that end the job.
    pub fn frames(self, id: JobId) -> Vec<Frame<Event>> {
        match self {
            Self::Painted(painted) => {
                let Painted { image, recipe, statistics } = *painted;
                let text = recipe.plan.clone();
                let parameters = text.is_some().then(|| recipe.text.clone());
                let header = Event::Image { id, recipe: Box::new(recipe) };
                vec![
                    Frame { header, payload: image.into_rgb() },
                    plain(Event::Done { id, text, parameters, statistics }),
                ]
            }
            Self::Answered { text, parameters, statistics } => {
                vec![plain(Event::Done { id, text: Some(text), parameters: Some(parameters), statistics })]
            }
        }
    }
}

/// A frame without a payload.
pub fn plain(header: Event) -> Frame<Event> {
    Frame { header, payload: Vec::new() }
}

/// What can be computed on.
pub fn devices() -> Vec<protocol::DeviceDescription> {
    bagel::devices()
}

fn observe<'a>(
    id: JobId,
    listener: &'a mut dyn Listener,
) -> impl FnMut(EngineProgress<'_>) -> ControlFlow<()> + use<'a> {
    move |progress| {
        listener.keep_going()?;
        match progress {
            EngineProgress::Tick => {}
            EngineProgress::Loading { bytes, total_bytes } => {
                listener.hear(plain(Event::Loading { id, bytes, total_bytes }));
            }
            EngineProgress::Context { tokens } => listener.hear(plain(Event::Context { id, tokens })),
            EngineProgress::Text { channel, delta } => {
                listener.hear(plain(Event::Text { id, channel, delta: delta.to_owned() }));
            }
            EngineProgress::Step { step, steps, preview } => {
                let payload = preview.map(|preview| preview.rgb().to_vec()).unwrap_or_default();
                let preview = preview.map(Image::size);
                listener.hear(Frame { header: Event::Step { id, step, steps, preview }, payload });
            }
            EngineProgress::Decoding => listener.hear(plain(Event::Decoding { id })),
        }
        ControlFlow::Continue(())
    }
}

//! Image generation and editing: prefill, plan, denoise, decode.
//!
//! Reference: `inferencer.py` and `generate_image` in `modeling/bagel/bagel.py`
//! of ByteDance-Seed/Bagel at 056b5fd.

use std::collections::HashMap;
use std::time::Instant;

use candle_core::{DType, Tensor};
use protocol::{Image, ImageParameters, Size, Statistics, TextChannel, Thinking};

use super::generate_text::{check_inputs, with_seed};
use super::{Author, Engine, ImageJob, ImageResult, Item};
use crate::context::Context;
use crate::decoder::{ImageRows, Rotations};
use crate::feature_cache::FeatureCache;
use crate::guidance::{Branches, guide};
use crate::latent::Grid;
use crate::progress::{EngineProgress, Observer, report};
use crate::random::{Generator, RandomStream, fresh_seed};
use crate::schedule::{is_guided, timesteps};
use crate::tokens::PLAN_PROMPT;
use crate::vae::is_flat;
use crate::{Error, Result};

/// The three contexts of a request that guidance compares.
#[derive(Clone, Debug)]
pub struct Contexts {
    /// Everything, including the plan.
    pub conditional: Context,
    /// Everything before the last text; everything if the last item is an image.
    pub without_text: Context,
    /// Only the texts.
    pub without_image: Context,
}

/// A request after prefill and planning, ready for its first step.
pub struct PreparedImage {
    /// What guidance compares.
    pub contexts: Contexts,
    /// The plan, generated or given.
    pub plan: Option<String>,
    /// Ids of a generated plan.
    pub plan_ids: Vec<u32>,
    /// Size of the image to make.
    pub size: Size,
}

/// What every step of one image has in common.
#[derive(Clone, Copy, Debug)]
pub struct DenoiseInputs<'a> {
    /// What guidance compares.
    pub contexts: &'a Contexts,
    /// Latent tokens of the image.
    pub grid: Grid,
    /// How the image is sampled.
    pub parameters: &'a ImageParameters,
}

/// One step of denoising.
#[derive(Clone, Copy, Debug)]
pub struct DenoiseStep<'a> {
    /// Timestep, 1 at the noise.
    pub t: f32,
    /// Latent patches before the step.
    pub x: &'a Tensor,
    /// Guided velocity.
    pub v: &'a Tensor,
}

impl Engine {
    /// Generates an image from text, or edits the last image among the inputs.
    ///
    /// # Errors
    /// [`Error::Invalid`] for parameters out of range, [`Error::Cancelled`] when `observe` stops it,
    /// [`Error::NotFinite`] and [`Error::Flat`] when the result is unusable.
    pub fn generate_image(&mut self, job: &ImageJob, observe: &mut Observer<'_>) -> Result<ImageResult> {
        self.check_image_job(job)?;
        let mut statistics = Statistics::default();
        let seed = job.parameters.seed.unwrap_or_else(fresh_seed);
        let text = with_seed(&job.text);
        let mut parameters = ImageParameters { seed: Some(seed), ..job.parameters.clone() };
        let job = ImageJob { text: text.clone(), parameters: parameters.clone(), ..job.clone() };
        let prepared = self.prepare_image(&job, &mut statistics, observe)?;
        parameters.size = Some(prepared.size);

        let grid = self.grid(prepared.size)?;
        let noise = match &job.noise {
            Some(noise) => noise.clone(),
            None => Generator::new(RandomStream::Noise, seed).normals(grid.n_tokens() * self.latents.token_size()),
        };
        let inputs = DenoiseInputs { contexts: &prepared.contexts, grid, parameters: &parameters };
        let x = self.denoise(&inputs, &noise, &mut statistics, &mut |_| Ok(()), observe)?;
        let image = self.decode(&x, grid, &mut statistics, observe)?;
        Ok(ImageResult { image, plan: prepared.plan, size: prepared.size, parameters, text, statistics })
    }

    fn check_image_job(&self, job: &ImageJob) -> Result<()> {
        check_inputs(&job.inputs)?;
        if job.thinking == Thinking::On {
            job.text.check()?;
        }
        job.parameters.check(Some(self.description().max_side))?;
        let size = self.size_of(job);
        self.check_size(size)?;
        let n_numbers = self.grid(size)?.n_tokens() * self.latents.token_size();
        match &job.noise {
            Some(noise) if noise.len() != n_numbers => Err(Error::bad_input(format!(
                "the noise has {} numbers, but an image of {} × {} needs {n_numbers}",
                noise.len(),
                size.width,
                size.height
            ))),
            _ => Ok(()),
        }
    }

    /// The size of the image to make: the requested one, else that of the last image as the model reads it.
    fn size_of(&self, job: &ImageJob) -> Size {
        let last = job.inputs.iter().rev().find_map(|item| match item {
            Item::Image(image) => Some(self.image_rule.resized_size(image.size())),
            Item::Text(_) => None,
        });
        job.parameters.size.or(last).unwrap_or_else(|| self.default_size())
    }

    /// Prefills the contexts that will be needed, and plans if the request says so.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `observe` stops it.
    pub fn prepare_image(
        &mut self,
        job: &ImageJob,
        statistics: &mut Statistics,
        observe: &mut Observer<'_>,
    ) -> Result<PreparedImage> {
        let started = Instant::now();
        let prefill = tracing::debug_span!("prefill", n_inputs = job.inputs.len()).entered();
        let needs_without_image = Branches::needed(&job.parameters, true).without_image;
        let posterior_seed = job.parameters.sample_posterior.then(|| job.parameters.seed.unwrap_or_default());
        let mut n_reused = 0;
        let mut contexts = Contexts {
            conditional: self.empty_context(),
            without_text: self.empty_context(),
            without_image: self.empty_context(),
        };
        if job.thinking != Thinking::Off {
            n_reused += self.prefill_text(&mut contexts.conditional, PLAN_PROMPT, Author::Model, observe)?;
            contexts.without_image = contexts.conditional.clone();
        }
        for item in &job.inputs {
            match item {
                Item::Text(text) => {
                    contexts.without_text = contexts.conditional.clone();
                    n_reused += self.prefill_text(&mut contexts.conditional, text, Author::User, observe)?;
                    if needs_without_image {
                        self.prefill_text(&mut contexts.without_image, text, Author::User, observe)?;
                    }
                }
                Item::Image(image) => {
                    let fitted = self.fit_image(image);
                    n_reused += self.prefill_latents(&mut contexts.conditional, &fitted, posterior_seed, observe)?;
                    n_reused += self.prefill_vision(&mut contexts.conditional, &fitted, observe)?;
                    contexts.without_text = contexts.conditional.clone();
                }
            }
        }
        statistics.context_secs = started.elapsed().as_secs_f64();
        statistics.reused_tokens = n_reused as u32;
        let tokens = contexts.conditional.n_tokens();
        tracing::debug!(secs = statistics.context_secs, tokens, n_reused, "prefill done");
        drop(prefill);
        report(observe, EngineProgress::Context { tokens: tokens as u32 })?;

        let (plan, plan_ids) = match &job.thinking {
            Thinking::Off => (None, Vec::new()),
            Thinking::Given { plan } => (Some(plan.clone()), Vec::new()),
            Thinking::On => {
                let _span = tracing::debug_span!("plan").entered();
                let plan =
                    self.generate_text(&contexts.conditional, &job.text, TextChannel::Plan, statistics, observe)?;
                (Some(plan.text), plan.ids)
            }
        };
        if let Some(plan) = &plan {
            self.prefill_text(&mut contexts.conditional, plan, Author::Model, observe)?;
        }
        let size = self.size_of(job);
        Ok(PreparedImage { contexts, plan, plan_ids, size })
    }

    /// Noise (tokens · numbers) → latent patches (tokens, numbers); calls `on_step` at every step.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `observe` stops it.
    pub fn denoise(
        &self,
        inputs: &DenoiseInputs<'_>,
        noise: &[f32],
        statistics: &mut Statistics,
        on_step: &mut dyn FnMut(DenoiseStep<'_>) -> Result<()>,
        observe: &mut Observer<'_>,
    ) -> Result<Tensor> {
        let started = Instant::now();
        let DenoiseInputs { grid, parameters, .. } = *inputs;
        let _span = tracing::debug_span!("denoise", steps = parameters.steps, tokens = grid.n_tokens()).entered();
        let timesteps = timesteps(parameters.steps, parameters.shift);
        let n_steps = timesteps.len() - 1;
        let mut x = Tensor::from_slice(noise, (grid.n_tokens(), self.latents.token_size()), &self.device)?;
        let mut run = Denoising::new(self, inputs, &timesteps)?;
        for step_idx in 0..n_steps {
            let t = timesteps[step_idx];
            let v = run.velocity(step_idx, &x, is_guided(t, parameters.guidance_interval), observe)?;
            on_step(DenoiseStep { t, x: &x, v: &v })?;
            tracing::trace!(step_idx, t, "step");
            let preview = self.preview_of(&x, &v, t, grid)?;
            x = (x - (v * f64::from(t - timesteps[step_idx + 1]))?)?;
            statistics.steps = step_idx as u32 + 1;
            statistics.forwards = run.n_forwards;
            statistics.denoise_secs = started.elapsed().as_secs_f64();
            report(
                observe,
                EngineProgress::Step { step: step_idx as u32 + 1, steps: n_steps as u32, preview: Some(&preview) },
            )?;
        }
        tracing::debug!(secs = statistics.denoise_secs, forwards = statistics.forwards, "denoised");
        Ok(x)
    }

    /// The guided velocity (tokens, numbers) at one timestep.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `observe` stops it.
    pub fn velocity_at(
        &self,
        inputs: &DenoiseInputs<'_>,
        x: &Tensor,
        t: f32,
        observe: &mut Observer<'_>,
    ) -> Result<Tensor> {
        Denoising::new(self, inputs, &[t, 0.0])?.velocity(0, x, true, observe)
    }

    /// Latent patches → the image.
    ///
    /// # Errors
    /// [`Error::NotFinite`] and [`Error::Flat`] when the result is unusable.
    pub fn decode(
        &self,
        x: &Tensor,
        grid: Grid,
        statistics: &mut Statistics,
        observe: &mut Observer<'_>,
    ) -> Result<Image> {
        let started = Instant::now();
        let _span = tracing::debug_span!("decode").entered();
        let image = self.vae.decode(&self.latents.unpatchify(x, grid)?, observe)?;
        statistics.decode_secs = started.elapsed().as_secs_f64();
        tracing::debug!(secs = statistics.decode_secs, size = %image.size(), "image decoded");
        if is_flat(&image) {
            return Err(Error::Flat);
        }
        Ok(image)
    }

    /// The image that the velocity points at: `x0 = x − t·v`.
    fn preview_of(&self, x: &Tensor, v: &Tensor, t: f32, grid: Grid) -> Result<Image> {
        let x0 = (x - (v * f64::from(t))?)?;
        self.preview.image(&self.latents.unpatchify(&x0, grid)?)
    }
}

/// The state of one denoising run.
struct Denoising<'a> {
    engine: &'a Engine,
    parameters: &'a ImageParameters,
    /// The distinct contexts: equal ones are computed once.
    branches: Vec<&'a Context>,
    without_text: usize,
    without_image: usize,
    markers: Tensor,
    /// Time and position embeddings of each step's tokens are sums of these.
    times: Tensor,
    positions: Tensor,
    rotations: HashMap<Vec<usize>, Rotations>,
    feature_caches: Option<Vec<FeatureCache>>,
    n_forwards: u32,
}

impl<'a> Denoising<'a> {
    fn new(engine: &'a Engine, inputs: &DenoiseInputs<'a>, timesteps: &[f32]) -> Result<Self> {
        let DenoiseInputs { contexts, grid, parameters } = *inputs;
        let mut branches = vec![&contexts.conditional];
        let mut branch_of = |context: &'a Context| {
            branches.iter().position(|branch| branch.chain() == context.chain()).unwrap_or_else(|| {
                branches.push(context);
                branches.len() - 1
            })
        };
        let without_text = branch_of(&contexts.without_text);
        let without_image = branch_of(&contexts.without_image);
        let feature_caches =
            parameters.feature_cache.then(|| branches.iter().map(|_| FeatureCache::default()).collect());
        Ok(Self {
            engine,
            parameters,
            without_text,
            without_image,
            markers: engine.markers()?,
            times: engine.latents.time(&timesteps[..timesteps.len() - 1])?,
            positions: engine.latents.positions(grid)?,
            rotations: HashMap::new(),
            feature_caches,
            branches,
            n_forwards: 0,
        })
    }

    /// The guided velocity (tokens, numbers) of one step.
    fn velocity(&mut self, step_idx: usize, x: &Tensor, is_guided: bool, observe: &mut Observer<'_>) -> Result<Tensor> {
        let needed = Branches::needed(self.parameters, is_guided);
        let mut wanted = vec![0];
        for (is_needed, branch) in
            [(needed.without_text, self.without_text), (needed.without_image, self.without_image)]
        {
            if is_needed && !wanted.contains(&branch) {
                wanted.push(branch);
            }
        }
        let time = self.times.narrow(0, step_idx, 1)?;
        let latents = self.engine.latents.tokens(x, &self.positions.broadcast_add(&time)?)?;
        let outputs = self.outputs(&wanted, &latents, observe)?;
        let velocities = outputs
            .iter()
            .map(|hidden| self.engine.latents.velocity(&self.engine.decoder.generation_norm(hidden)?))
            .collect::<Result<Vec<_>>>()?;
        let of = |branch: usize| wanted.iter().position(|&b| b == branch).map_or(&velocities[0], |i| &velocities[i]);
        if !needed.without_text {
            return Ok(velocities[0].clone());
        }
        let without_image = needed.without_image.then(|| of(self.without_image));
        guide(&velocities[0], of(self.without_text), without_image, self.parameters)
    }

    /// The last layer's output of each wanted branch: computed together, or extrapolated.
    fn outputs(&mut self, wanted: &[usize], latents: &Tensor, observe: &mut Observer<'_>) -> Result<Vec<Tensor>> {
        let is_due = |branch: &usize| self.feature_caches.as_ref().is_none_or(|caches| caches[*branch].is_due());
        let due: Vec<usize> = wanted.iter().copied().filter(is_due).collect();
        let mut computed = HashMap::new();
        if !due.is_empty() {
            let rows = ImageRows { markers: &self.markers, latents };
            let contexts: Vec<&Context> = due.iter().map(|&branch| self.branches[branch]).collect();
            if !self.rotations.contains_key(&due) {
                self.rotations.insert(due.clone(), self.engine.decoder.rotations(&contexts, &rows)?);
            }
            let hidden = self.engine.decoder.denoise(&contexts, &rows, &self.rotations[&due], observe)?;
            self.n_forwards += due.len() as u32;
            for (idx, &branch) in due.iter().enumerate() {
                computed.insert(branch, hidden.get(idx)?);
            }
        }
        let mut outputs = Vec::with_capacity(wanted.len());
        for &branch in wanted {
            outputs.push(match (computed.remove(&branch), &mut self.feature_caches) {
                (Some(output), Some(caches)) => {
                    caches[branch].store(output.to_dtype(DType::F32)?)?;
                    output
                }
                (Some(output), None) => output,
                (None, Some(caches)) => caches[branch].extrapolate()?.to_dtype(latents.dtype())?,
                (None, None) => return Err(Error::bad_input("a branch was neither computed nor cached")),
            });
        }
        Ok(outputs)
    }
}

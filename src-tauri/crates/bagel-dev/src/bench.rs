//! Time and memory of each stage on this machine.
//!
//! A machine can be judged before a model is downloaded: weights of any size are
//! random numbers, and one layer's time stands for all of them.

use std::ops::ControlFlow;
use std::time::Instant;

use bagel::memory;
use bagel::parts::{Context, ImageRows, TextCache};
use bagel::random::{Generator, RandomStream};
use bagel::transform::resize;
use bagel::{Engine, EngineProgress, Error, LoadOptions, Observer, Result, TensorSource};
use candle_core::Tensor;
use checkpoint::{Checkpoint, Estimate, Quantization};
use protocol::{
    Image, ImageParameters, ImageRequest, Input, ModelDescription, Request, Size, TextParameters, Thinking,
};

use crate::process::{peak_bytes, reset_peak, resident_bytes};
use crate::synthetic::{Synthetic, SyntheticSize};

/// The weights that are timed.
#[derive(Clone, Debug)]
pub enum BenchModel<'a> {
    /// A model on disk.
    Checkpoint(&'a Checkpoint),
    /// Random weights.
    Synthetic {
        /// Shapes.
        size: SyntheticSize,
        /// Kind of all matrices.
        quantization: Quantization,
        /// Layers that are loaded; their time stands for the others.
        layers: Option<usize>,
    },
}

/// How they are timed.
#[derive(Clone, Copy, Debug)]
pub struct BenchOptions {
    /// Device, precision and cache.
    pub load: LoadOptions,
    /// Size of the image that is generated and edited.
    pub size: Size,
    /// Timed runs of each stage, after one to warm up.
    pub n_runs: usize,
}

/// Times of one stage, in seconds.
#[derive(Clone, Debug)]
pub struct StageTimes {
    /// Name of the stage.
    pub name: String,
    /// Median of the runs.
    pub median_secs: f64,
    /// Fastest run.
    pub fastest_secs: f64,
    /// Slowest run.
    pub slowest_secs: f64,
    /// Tokens per second, if the stage computes tokens.
    pub tokens_per_sec: Option<f64>,
    /// Peak memory of the process during the stage, including weights, if the system reports it.
    pub peak_bytes: Option<u64>,
}

/// Times of all stages, and memory.
#[derive(Clone, Debug)]
pub struct BenchReport {
    /// The model.
    pub model: ModelDescription,
    /// Layers that were loaded, and layers that the times stand for.
    pub layers: (usize, usize),
    /// In the order of an edit.
    pub stages: Vec<StageTimes>,
    /// The estimate for an edit of this size with the loaded layers.
    pub estimate: Estimate,
    /// Peak memory of the process after loading, if the system reports it.
    pub peak_bytes: Option<u64>,
}

/// Tokens of the prompt and of the generated text.
const N_PROMPT: usize = 64;
const N_WRITTEN: usize = 8;

/// Times every stage of an edit and an answer.
///
/// # Errors
/// As [`Engine::load`], and [`Error::Invalid`] for a size that the model cannot make.
pub fn bench(model: &BenchModel<'_>, options: &BenchOptions, observe: &mut Observer<'_>) -> Result<BenchReport> {
    let started = Instant::now();
    let before_bytes = resident_bytes();
    let synthetic;
    let (source, all_layers): (&dyn TensorSource, usize) = match model {
        BenchModel::Checkpoint(checkpoint) => (*checkpoint, checkpoint.config().text.n_layers),
        BenchModel::Synthetic { size, quantization, layers } => {
            let mut config = size.config();
            let all_layers = config.text.n_layers;
            config.text.n_layers = layers.unwrap_or(all_layers).clamp(1, all_layers);
            synthetic = Synthetic::new(config, *quantization)?;
            (&synthetic, all_layers)
        }
    };
    let mut engine = Engine::load(source, &options.load, observe)?;
    let estimator = memory::estimator(source, engine.precision().arithmetic(engine.device().is_cpu()))?;
    engine.check_size(options.size)?;
    let above = |peak: u64| peak.saturating_sub(before_bytes.unwrap_or(0));
    let mut load = StageTimes::of("load", &[started.elapsed().as_secs_f64()], None);
    load.peak_bytes = peak_bytes().map(above);
    let mut stages = vec![load];
    let layers = (engine.decoder().n_layers(), all_layers);
    let mut timer = Timer { n_runs: options.n_runs.max(1), layers, observe, above: &above, stages: &mut stages };
    timer.all(&mut engine, options.size)?;
    let request = Request::Edit(ImageRequest {
        inputs: vec![Input::Text { text: "text ".repeat(N_PROMPT) }],
        thinking: Thinking::Off,
        parameters: ImageParameters { size: Some(options.size), ..ImageParameters::edit() },
        text: TextParameters::plan(),
    });
    let estimate = estimator.estimate(&request, &[options.size]);
    // Loading ends before a request begins; its peak is that stage's own figure.
    let peak_bytes = stages.iter().skip(1).filter_map(|stage| stage.peak_bytes).max();
    Ok(BenchReport { model: engine.description().clone(), layers, stages, estimate, peak_bytes })
}

struct Timer<'t, 'o> {
    n_runs: usize,
    layers: (usize, usize),
    observe: &'t mut Observer<'o>,
    above: &'t dyn Fn(u64) -> u64,
    stages: &'t mut Vec<StageTimes>,
}

impl Timer<'_, '_> {
    fn all(&mut self, engine: &mut Engine, size: Size) -> Result<()> {
        // As a real edit reads it, within the limits of the autoencoder.
        let image = engine.fit_image(&noise_image(size)?);
        let ids: Vec<u32> = (0..N_PROMPT as u32).map(|id| id % 5).collect();
        let empty = engine.empty_context();
        let read = |observe: &mut Observer<'_>| {
            let hidden = engine.decoder().embed(&ids, engine.device())?;
            engine.decoder().prefill_text(&empty, hidden, observe)
        };
        self.stage("text prefill", Some(N_PROMPT), true, &mut |o| sync(&read(o)?.layers[0].keys))?;
        let resized = resize(&image, engine.vision_rule().resized_size(image.size()));
        self.stage("vision tower", None, false, &mut |o| sync(&engine.vision().encode(&resized, o)?))?;
        let tokens = engine.vision().encode(&resized, self.observe)?;
        let n_vision = tokens.dim(0)? + 2;
        self.stage("vision prefill", Some(n_vision), true, &mut |o| {
            sync(&engine.decoder().prefill_image(&empty, tokens.clone(), o)?.layers[0].keys)
        })?;
        self.stage("VAE encode", None, false, &mut |o| {
            sync(&engine.vae().encode(&image, o)?.latent(engine.vae().config(), None)?)
        })?;

        let grid = engine.grid(size)?;
        let context = self.edit_context(engine, &image, &ids)?;
        let x = Generator::new(RandomStream::Noise, 0).normals(grid.n_tokens() * engine.latents().token_size());
        let x = Tensor::from_vec(x, (grid.n_tokens(), engine.latents().token_size()), engine.device())?;
        let time_and_position = engine.latents().positions(grid)?.broadcast_add(&engine.latents().time(&[0.5])?)?;
        let markers = engine.markers()?;
        for n_branches in 1..=3 {
            let contexts = vec![&context; n_branches];
            let name = format!("denoise step, {n_branches} branch{}", if n_branches == 1 { "" } else { "es" });
            self.stage(&name, Some(n_branches * (grid.n_tokens() + 2)), true, &mut |o| {
                let latents = engine.latents().tokens(&x, &time_and_position)?;
                let rows = ImageRows { markers: &markers, latents: &latents };
                let rotations = engine.decoder().rotations(&contexts, &rows)?;
                let hidden = engine.decoder().denoise(&contexts, &rows, &rotations, o)?;
                sync(&engine.latents().velocity(&engine.decoder().generation_norm(&hidden.get(0)?)?)?)
            })?;
        }
        let latent = engine.latents().unpatchify(&x, grid)?;
        self.stage("VAE decode", None, false, &mut |o| sync(&engine.vae().decode_pixels(&latent, o)?))?;
        self.stage("text decode", Some(N_WRITTEN), true, &mut |o| {
            let mut cache = TextCache::new(engine.decoder().n_layers(), N_WRITTEN);
            for _ in 0..N_WRITTEN {
                let logits = engine.decoder().next_logits(&context, &mut cache, 0, engine.device())?;
                logits.argmax(0)?.to_scalar::<u32>()?;
                // One tick per layer, as in the other stages.
                for _ in 0..engine.decoder().n_layers() {
                    if o(EngineProgress::Tick).is_break() {
                        return Err(Error::Cancelled);
                    }
                }
            }
            Ok(())
        })
    }

    fn edit_context(&mut self, engine: &mut Engine, image: &Image, ids: &[u32]) -> Result<Context> {
        let mut context = engine.empty_context();
        engine.prefill_latents(&mut context, image, None, self.observe)?;
        engine.prefill_vision(&mut context, image, self.observe)?;
        engine.prefill_ids(&mut context, ids, self.observe)?;
        Ok(context)
    }

    /// Runs a stage once to warm up and then as often as requested.
    ///
    /// Decoder stages with missing layers are scaled by the time between their ticks.
    fn stage(
        &mut self,
        name: &str,
        n_tokens: Option<usize>,
        is_decoder: bool,
        run: &mut dyn FnMut(&mut Observer<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut seconds = Vec::with_capacity(self.n_runs);
        reset_peak();
        for run_idx in 0..=self.n_runs {
            let started = Instant::now();
            let (mut last_tick, mut in_layers) = (started, 0.0);
            let outer = &mut *self.observe;
            let mut observe = |progress: EngineProgress<'_>| -> ControlFlow<()> {
                let now = Instant::now();
                in_layers += (now - last_tick).as_secs_f64();
                last_tick = now;
                outer(progress)
            };
            run(&mut observe)?;
            let total = started.elapsed().as_secs_f64();
            let missing = self.layers.1 as f64 / self.layers.0 as f64 - 1.0;
            if run_idx > 0 {
                seconds.push(if is_decoder { total + in_layers * missing } else { total });
            }
        }
        let mut stage = StageTimes::of(name, &seconds, n_tokens);
        stage.peak_bytes = peak_bytes().map(self.above);
        self.stages.push(stage);
        Ok(())
    }
}

impl StageTimes {
    fn of(name: &str, seconds: &[f64], n_tokens: Option<usize>) -> Self {
        let mut sorted = seconds.to_vec();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median_secs =
            if sorted.len().is_multiple_of(2) { sorted[middle - 1].midpoint(sorted[middle]) } else { sorted[middle] };
        Self {
            name: name.to_owned(),
            median_secs,
            fastest_secs: sorted[0],
            slowest_secs: sorted[sorted.len() - 1],
            tokens_per_sec: n_tokens.map(|n| n as f64 / median_secs),
            peak_bytes: None,
        }
    }
}

/// Waits until the device has computed `tensor`.
fn sync(tensor: &Tensor) -> Result<()> {
    Ok(tensor.device().synchronize()?)
}

fn noise_image(size: Size) -> Result<Image> {
    let n = (size.width * size.height * 3) as usize;
    let bytes = Generator::new(RandomStream::Synthetic, 1)
        .normals(n)
        .into_iter()
        .map(|x| (x * 40.0 + 128.0).clamp(0.0, 255.0) as u8)
        .collect();
    Image::new(size.width, size.height, bytes).ok_or_else(|| Error::BadInput("the size is zero".to_owned()))
}

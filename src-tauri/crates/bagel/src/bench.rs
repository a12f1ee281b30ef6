//! How long each stage takes on this machine, and what memory it takes.
//!
//! A machine can be judged before a model is there: weights of any size are
//! made of random numbers, and one layer's time stands for all of them.

mod kernels;

use std::ops::ControlFlow;
use std::str::FromStr;
use std::time::Instant;

use candle_core::Tensor;
use checkpoint::{Checkpoint, Config, Quantization};
use protocol::{Image, ImageParameters, ModelDescription, Size, TextParameters, Thinking};

use crate::context::Context;
use crate::decoder::{ImageRows, Written};
use crate::device::{Precision, best_precision};
use crate::engine::{Engine, LoadOptions};
use crate::memory::{Estimate, PlannedItem, Planner};
use crate::progress::{Observe, Progress, report};
use crate::random::{Generator, Purpose};
use crate::synthetic::Synthetic;
use crate::{Error, Result};

pub use self::kernels::{Kernel, kernels};

/// Shapes of random weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyntheticSize {
    /// BAGEL-7B-MoT: 14.6 billion parameters.
    Official,
    /// About 1 billion parameters with the official autoencoder.
    Medium,
    /// About 20 million parameters; seconds on any machine.
    Small,
}

impl FromStr for SyntheticSize {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "official" => Ok(Self::Official),
            "medium" => Ok(Self::Medium),
            "small" => Ok(Self::Small),
            _ => Err(Error::bad_input(format!("there is no synthetic model {name}; choose official, medium or small"))),
        }
    }
}

impl SyntheticSize {
    /// The shapes.
    pub fn config(self) -> Config {
        let mut config = Config::official();
        let (text, vision) = (&mut config.text, &mut config.vision);
        match self {
            Self::Official => {}
            Self::Medium => {
                (text.hidden_size, text.intermediate_size, text.n_layers) = (1536, 5120, 12);
                (text.n_heads, text.n_kv_heads, text.vocab_size) = (12, 4, 32_768);
                vision.n_layers = 6;
            }
            Self::Small => {
                (text.hidden_size, text.intermediate_size, text.n_layers) = (256, 1024, 4);
                (text.n_heads, text.n_kv_heads, text.head_dim, text.vocab_size) = (4, 2, 64, 4096);
                (vision.hidden_size, vision.intermediate_size) = (192, 512);
                (vision.n_layers, vision.n_heads) = (3, 3);
                (config.vae.ch, config.vae.n_res_blocks) = (32, 1);
                config.vae.ch_mult = vec![1, 2, 2, 2];
            }
        }
        config
    }
}

/// What is timed.
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
        /// Layers really made; the others' time is that of these.
        layers: Option<usize>,
    },
}

/// How it is timed.
#[derive(Clone, Copy, Debug)]
pub struct BenchOptions {
    /// Device, precision and cache.
    pub load: LoadOptions,
    /// Size of the image that is painted and edited.
    pub size: Size,
    /// Timed repetitions of each stage, after one that is not counted.
    pub n_runs: usize,
}

/// One stage's times, in seconds.
#[derive(Clone, Debug)]
pub struct Stage {
    /// What was done.
    pub name: String,
    /// Middle of the runs.
    pub median_secs: f64,
    /// Fastest run.
    pub fastest_secs: f64,
    /// Slowest run.
    pub slowest_secs: f64,
    /// Tokens in a second, where the stage works on tokens.
    pub tokens_per_sec: Option<f64>,
    /// The most memory the process held meanwhile, weights included, where the system says it.
    pub peak_bytes: Option<u64>,
}

/// All stages, and memory.
#[derive(Clone, Debug)]
pub struct BenchReport {
    /// What was timed.
    pub model: ModelDescription,
    /// Layers that were there, and layers that the times stand for.
    pub layers: (usize, usize),
    /// In the order of an edit.
    pub stages: Vec<Stage>,
    /// What was foreseen for an edit of this size with the layers that were there.
    pub estimate: Estimate,
    /// The most memory the process held, where the system says it.
    pub peak_bytes: Option<u64>,
}

/// Tokens of the text that is read, and of the one that is written.
const N_PROMPT: usize = 64;
const N_WRITTEN: usize = 8;

/// Times every stage of an edit and an answer.
///
/// # Errors
/// As [`Engine::load`], and [`Error::Invalid`] for a size that cannot be painted.
pub fn bench(model: &BenchModel<'_>, options: &BenchOptions, observe: &mut Observe<'_>) -> Result<BenchReport> {
    let started = Instant::now();
    let before_bytes = held_now();
    let (mut engine, all_layers, planner) = match model {
        BenchModel::Checkpoint(checkpoint) => {
            let engine = Engine::load(checkpoint, &options.load, observe)?;
            let planner = Planner::new(checkpoint, precision(&engine, options), is_cpu(&engine))?;
            let n_layers = engine.decoder.n_layers();
            (engine, n_layers, planner)
        }
        BenchModel::Synthetic { size, quantization, layers } => {
            let mut config = size.config();
            let all_layers = config.text.n_layers;
            config.text.n_layers = layers.unwrap_or(all_layers).clamp(1, all_layers);
            let synthetic = Synthetic::new(config, *quantization)?;
            let engine = Engine::synthetic(&synthetic, &options.load, observe)?;
            let planner =
                Planner::synthetic(engine.config(), *quantization, precision(&engine, options), is_cpu(&engine))?;
            (engine, all_layers, planner)
        }
    };
    engine.check_size(options.size)?;
    let above = |peak: u64| peak.saturating_sub(before_bytes.unwrap_or(0));
    let mut load = Stage::of("load", &[started.elapsed().as_secs_f64()], None);
    load.peak_bytes = peak().map(above);
    let mut stages = vec![load];
    let layers = (engine.decoder.n_layers(), all_layers);
    let mut timer = Timer { n_runs: options.n_runs.max(1), layers, observe, above: &above, stages: &mut stages };
    timer.all(&mut engine, options.size)?;
    let estimate = planner.image(
        &[PlannedItem::Image(options.size), PlannedItem::Text("text ".repeat(N_PROMPT))],
        &Thinking::Off,
        &ImageParameters { size: Some(options.size), ..ImageParameters::edit() },
        &TextParameters::plan(),
    )?;
    // Loading is over when a request begins; what it took at once is the stage's own figure.
    let peak_bytes = stages.iter().skip(1).filter_map(|stage| stage.peak_bytes).max();
    Ok(BenchReport { model: engine.description().clone(), layers, stages, estimate, peak_bytes })
}

fn is_cpu(engine: &Engine) -> bool {
    engine.device.is_cpu()
}

fn precision(engine: &Engine, options: &BenchOptions) -> Precision {
    options.load.precision.unwrap_or_else(|| best_precision(&engine.device))
}

struct Timer<'t, 'o> {
    n_runs: usize,
    layers: (usize, usize),
    observe: &'t mut Observe<'o>,
    above: &'t dyn Fn(u64) -> u64,
    stages: &'t mut Vec<Stage>,
}

impl Timer<'_, '_> {
    fn all(&mut self, engine: &mut Engine, size: Size) -> Result<()> {
        // As a real edit reads it: brought within the autoencoder's limits.
        let image = engine.fit_image(&noise_image(size)?);
        let ids: Vec<u32> = (0..N_PROMPT as u32).map(|id| id % 5).collect();
        let empty = engine.empty_context();
        let read = |observe: &mut Observe<'_>| {
            let hidden = engine.decoder.embed(&ids, &engine.device)?;
            engine.decoder.read_text(&empty, hidden, observe)
        };
        self.stage("text prefill", Some(N_PROMPT), true, &mut |o| sync(&read(o)?.layers[0].keys))?;
        let resized = crate::transform::resize(&image, engine.vision_rule.resized_size(image.size()));
        self.stage("vision tower", None, false, &mut |o| sync(&engine.vision.encode(&resized, o)?))?;
        let tokens = engine.vision.encode(&resized, self.observe)?;
        let n_vision = tokens.dim(0)? + 2;
        self.stage("vision prefill", Some(n_vision), true, &mut |o| {
            sync(&engine.decoder.read_image(&empty, tokens.clone(), o)?.layers[0].keys)
        })?;
        self.stage("VAE encode", None, false, &mut |o| {
            sync(&engine.vae.encode(&image, o)?.latent(engine.vae.config(), None)?)
        })?;

        let grid = engine.grid(size)?;
        let context = self.edit_context(engine, &image, &ids)?;
        let x = Generator::new(Purpose::Noise, 0).normals(grid.n_tokens() * engine.latents.token_size());
        let x = Tensor::from_vec(x, (grid.n_tokens(), engine.latents.token_size()), &engine.device)?;
        let time_and_position = engine.latents.positions(grid)?.broadcast_add(&engine.latents.time(&[0.5])?)?;
        let markers = engine.markers()?;
        for n_branches in 1..=3 {
            let contexts = vec![&context; n_branches];
            let name = format!("denoise step, {n_branches} branch{}", if n_branches == 1 { "" } else { "es" });
            self.stage(&name, Some(n_branches * (grid.n_tokens() + 2)), true, &mut |o| {
                let latents = engine.latents.tokens(&x, &time_and_position)?;
                let rows = ImageRows { markers: &markers, latents: &latents };
                let rotations = engine.decoder.rotations(&contexts, &rows)?;
                let hidden = engine.decoder.denoise(&contexts, &rows, &rotations, o)?;
                sync(&engine.latents.velocity(&engine.decoder.generation_norm(&hidden.get(0)?)?)?)
            })?;
        }
        let latent = engine.latents.unpatchify(&x, grid)?;
        self.stage("VAE decode", None, false, &mut |o| sync(&engine.vae.decode_pixels(&latent, o)?))?;
        self.stage("text decode", Some(N_WRITTEN), true, &mut |o| {
            let mut written = Written::new(engine.decoder.n_layers(), N_WRITTEN);
            for _ in 0..N_WRITTEN {
                let logits = engine.decoder.next_logits(&context, &mut written, 0, &engine.device)?;
                logits.argmax(0)?.to_scalar::<u32>()?;
                // One tick a layer, as the other stages have it.
                for _ in 0..engine.decoder.n_layers() {
                    report(o, Progress::Tick)?;
                }
            }
            Ok(())
        })
    }

    fn edit_context(&mut self, engine: &mut Engine, image: &Image, ids: &[u32]) -> Result<Context> {
        let mut context = engine.empty_context();
        engine.read_latents(&mut context, image, None, self.observe)?;
        engine.read_vision(&mut context, image, self.observe)?;
        let hidden = engine.decoder.embed(ids, &engine.device)?;
        let segment = engine.decoder.read_text(&context, hidden, self.observe)?;
        let chain = context.chain().then("text", b"bench");
        context.push(segment, chain);
        Ok(context)
    }

    /// Runs a stage once to warm up and then as often as is asked for.
    ///
    /// A stage of the decoder with layers missing is stretched by the time between its ticks.
    fn stage(
        &mut self,
        name: &str,
        n_tokens: Option<usize>,
        is_decoder: bool,
        run: &mut dyn FnMut(&mut Observe<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut seconds = Vec::with_capacity(self.n_runs);
        reset_peak();
        for run_idx in 0..=self.n_runs {
            let started = Instant::now();
            let (mut last_tick, mut in_layers) = (started, 0.0);
            let outer = &mut *self.observe;
            let mut observe = |progress: Progress<'_>| -> ControlFlow<()> {
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
        let mut stage = Stage::of(name, &seconds, n_tokens);
        stage.peak_bytes = peak().map(self.above);
        self.stages.push(stage);
        Ok(())
    }
}

impl Stage {
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
    let bytes = Generator::new(Purpose::Synthetic, 1)
        .normals(n)
        .into_iter()
        .map(|x| (x * 40.0 + 128.0).clamp(0.0, 255.0) as u8)
        .collect();
    Image::new(size.width, size.height, bytes).ok_or_else(|| Error::bad_input("the size is zero"))
}

/// A value of the process's status in bytes; Linux only.
fn status(key: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

fn held_now() -> Option<u64> {
    status("VmRSS:")
}

fn peak() -> Option<u64> {
    status("VmHWM:")
}

/// Begins a new peak; without the right to, the peak is that of the whole process.
fn reset_peak() {
    std::fs::write("/proc/self/clear_refs", "5").ok();
}

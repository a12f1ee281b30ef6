//! The accuracy of each quantization, compared with the same weights in 32 bits.

use std::ops::ControlFlow;
use std::path::Path;

use bagel::pipeline::DenoiseInputs;
use bagel::random::{Generator, RandomStream};
use bagel::{ConvertOptions, DeviceChoice, Engine, EngineProgress, ImageJob, Item, LoadOptions, convert};
use bagel_dev::synthesize;
use candle_core::Tensor;
use checkpoint::{Checkpoint, Config, Kind, Quantization};
use protocol::{ImageParameters, Size, Statistics, TextParameters, Thinking};

fn go_on(_: EngineProgress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Shapes whose rows of 256 and 512 can hold every kind.
fn config() -> Config {
    let mut config = Config::official();
    let (text, vision, vae) = (&mut config.text, &mut config.vision, &mut config.vae);
    (text.hidden_size, text.intermediate_size, text.n_layers) = (256, 512, 3);
    (text.n_heads, text.n_kv_heads, text.head_dim, text.vocab_size) = (4, 2, 64, 512);
    (vision.hidden_size, vision.intermediate_size, vision.n_layers, vision.n_heads) = (96, 192, 2, 4);
    (vae.ch, vae.n_res_blocks) = (32, 1);
    vae.ch_mult = vec![1, 1, 1, 1];
    config
}

fn load(path: &Path) -> Engine {
    let checkpoint = Checkpoint::open(path, None).expect("a model");
    let options = LoadOptions { device: DeviceChoice::Cpu, ..LoadOptions::default() };
    Engine::load(&checkpoint, &options, &mut go_on).expect("loads")
}

/// The reference's small model in 32 bits, which every kind changes.
fn golden() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bagel/tests/golden/mini/model")
}

/// The velocity of the first step.
///
/// Guidance multiplies the difference of two branches, and so the error.
fn velocity(engine: &mut Engine, text_guidance: f64) -> Vec<f32> {
    let job = ImageJob {
        inputs: vec![Item::Text("a boat".to_owned())],
        thinking: Thinking::Given { plan: "<think>a plan</think>".to_owned() },
        parameters: ImageParameters {
            size: Some(Size { width: 128, height: 96 }),
            steps: 2,
            seed: Some(1),
            text_guidance,
            ..ImageParameters::generate()
        },
        text: TextParameters::plan(),
        noise: None,
    };
    let prepared = engine.prepare_image(&job, &mut Statistics::default(), &mut go_on).expect("prepared");
    let grid = engine.grid(prepared.size).expect("a grid");
    let shape = (grid.n_tokens(), engine.latents().token_size());
    let noise = Generator::new(RandomStream::Noise, 1).normals(shape.0 * shape.1);
    let x = Tensor::from_vec(noise, shape, engine.device()).expect("noise");
    let inputs = DenoiseInputs { contexts: &prepared.contexts, grid, parameters: &job.parameters };
    let v = engine.velocity_at(&inputs, &x, 1.0, &mut go_on).expect("a velocity");
    v.flatten_all().and_then(|v| v.to_vec1()).expect("numbers")
}

fn relative_error(a: &[f32], b: &[f32]) -> f64 {
    let square = |x: f64| x * x;
    let difference: f64 = a.iter().zip(b).map(|(a, b)| square(f64::from(a - b))).sum();
    let length: f64 = b.iter().map(|b| square(f64::from(*b))).sum();
    (difference / length).sqrt()
}

#[test]
fn every_quantization_stays_within_its_bound() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    synthesize(&config(), None, &source, &mut go_on).expect("made");
    let checkpoint = Checkpoint::open(&source, None).expect("a model");
    let guided = ImageParameters::generate().text_guidance;
    let reference = velocity(&mut load(&source), guided);
    println!("quantization  velocity error");
    for (quantization, limit) in [
        (Quantization::Bf16, 1e-6),
        (Quantization::Q8_0, 0.02),
        (Quantization::Q6K, 0.02),
        (Quantization::Q5KM, 0.03),
        (Quantization::Q4KM, 0.05),
        (Quantization::Q4_0, 0.06),
    ] {
        let path = folder.path().join(format!("{quantization}.gguf"));
        let options = ConvertOptions { understanding: quantization, generation: quantization };
        let conversion = convert(&checkpoint, &path, options, &mut go_on).expect("converted");
        assert!(conversion.fallbacks.is_empty(), "{:?}", conversion.fallbacks);
        let error = relative_error(&velocity(&mut load(&path), guided), &reference);
        println!("{:12}  {:.4}", quantization.name(), error);
        assert!(error <= limit, "{quantization}: {error} is more than {limit}");
        // A lossy kind must change something.
        assert!(quantization == Quantization::Bf16 || error > 1e-4, "{quantization}: {error}");
    }
}

#[test]
fn kinds_that_the_golden_model_can_hold_stay_within_their_bounds() {
    let folder = tempfile::tempdir().expect("a folder");
    let checkpoint = Checkpoint::open(&golden(), None).expect("a model");
    let reference = velocity(&mut load(&golden()), 1.0);
    println!("quantization  velocity error on the golden model");
    for (quantization, limit) in [(Quantization::Bf16, 0.01), (Quantization::Q8_0, 0.02), (Quantization::Q4_0, 0.2)] {
        let path = folder.path().join(format!("{quantization}.gguf"));
        let options = ConvertOptions { understanding: quantization, generation: quantization };
        convert(&checkpoint, &path, options, &mut go_on).expect("converted");
        let error = relative_error(&velocity(&mut load(&path), 1.0), &reference);
        println!("{:12}  {:.4}", quantization.name(), error);
        assert!((1e-4..limit).contains(&error), "{quantization}: {error} is not below {limit}");
    }
}

#[test]
fn tensors_that_cannot_hold_a_kind_fall_back_and_are_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let checkpoint = Checkpoint::open(&golden(), None).expect("a model");
    let path = folder.path().join("model.gguf");
    let options = ConvertOptions { understanding: Quantization::Q4KM, generation: Quantization::Q6K };
    let conversion = convert(&checkpoint, &path, options, &mut go_on).expect("converted");
    assert!(conversion.fallbacks.iter().any(|(_, asked, used)| *asked == Kind::Q4K && *used == Kind::Q8_0));
    assert!(conversion.fallbacks.iter().any(|(name, asked, _)| name.contains("moe_gen") && *asked == Kind::Q6K));
    load(&path);
}

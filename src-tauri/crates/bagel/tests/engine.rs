//! The engine beyond its numbers: repeatable, stoppable, economical.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bagel::{
    ChatJob, ConvertOptions, DeviceChoice, Engine, EngineProgress, Error, ImageJob, Item, LoadOptions, convert,
};
use checkpoint::{Checkpoint, Quantization};
use protocol::{Image, ImageParameters, Size, TextChannel, TextParameters, Thinking};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/mini")
}

fn load(path: &Path) -> Engine {
    let checkpoint = Checkpoint::open(path, None).expect("a model");
    let options = LoadOptions { device: DeviceChoice::Cpu, ..LoadOptions::default() };
    Engine::load(&checkpoint, &options, &mut go_on).expect("loads")
}

fn mini() -> Engine {
    load(&golden().join("model"))
}

fn go_on(_: EngineProgress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn photograph() -> Arc<Image> {
    Arc::new(imagefile::read(&golden().join("images/wide.png")).expect("an image").image)
}

fn edit() -> ImageJob {
    ImageJob {
        inputs: vec![Item::Image(photograph()), Item::Text("make the house green".to_owned())],
        thinking: Thinking::Off,
        parameters: ImageParameters { steps: 4, seed: Some(7), ..ImageParameters::edit() },
        text: TextParameters { limit: 12, ..TextParameters::plan() },
        noise: None,
    }
}

fn generate() -> ImageJob {
    let parameters = ImageParameters {
        steps: 4,
        seed: Some(7),
        size: Some(Size { width: 64, height: 64 }),
        ..ImageParameters::generate()
    };
    ImageJob { inputs: vec![Item::Text("a red circle".to_owned())], parameters, ..edit() }
}

fn chat(text: &str) -> ChatJob {
    ChatJob {
        inputs: vec![Item::Image(photograph()), Item::Text(text.to_owned())],
        think: false,
        text: TextParameters { limit: 12, ..TextParameters::chat() },
    }
}

#[test]
fn a_seed_repeats_its_image_and_another_seed_gives_another() {
    let mut engine = mini();
    let first = engine.generate_image(&edit(), &mut go_on).expect("an image");
    let again = mini().generate_image(&edit(), &mut go_on).expect("an image");
    assert_eq!(first.image, again.image);
    let mut other = edit();
    other.parameters.seed = Some(8);
    assert_ne!(first.image, engine.generate_image(&other, &mut go_on).expect("an image").image);
}

#[test]
fn a_result_names_every_seed_and_size_that_made_it() {
    let mut job = generate();
    job.parameters.seed = None;
    job.thinking = Thinking::On;
    job.text.temperature = 1.0;
    let mut engine = mini();
    let result = engine.generate_image(&job, &mut go_on).expect("an image");
    assert!(result.parameters.seed.is_some() && result.text.seed.is_some());
    assert_eq!(result.parameters.size, Some(Size { width: 64, height: 64 }));
    let repeated = ImageJob {
        parameters: result.parameters.clone(),
        text: result.text.clone(),
        thinking: Thinking::Given { plan: result.plan.clone().expect("a plan") },
        ..job
    };
    assert_eq!(result.image, engine.generate_image(&repeated, &mut go_on).expect("an image").image);
}

#[test]
fn a_prefilled_input_is_not_computed_again() {
    let mut engine = mini();
    let first = engine.generate_image(&edit(), &mut go_on).expect("an image");
    let mut ticks = 0;
    let mut other = edit();
    other.parameters.seed = Some(9);
    let again = engine
        .generate_image(&other, &mut |progress| {
            if let EngineProgress::Context { .. } = progress {
                assert_eq!(ticks, 0, "a variation reads nothing");
            }
            ticks += 1;
            ControlFlow::Continue(())
        })
        .expect("an image");
    assert_eq!(first.statistics.reused_tokens, 0);
    assert!(again.statistics.reused_tokens > 60, "{}", again.statistics.reused_tokens);
}

#[test]
fn text_to_image_runs_two_branches_and_one_without_guidance() {
    let mut job = generate();
    job.parameters.guidance_interval = [0.0, 1.0];
    let forwards = |job: &ImageJob| mini().generate_image(job, &mut go_on).expect("an image").statistics.forwards;
    assert_eq!(forwards(&job), 3 * 2);
    job.parameters.text_guidance = 1.0;
    assert_eq!(forwards(&job), 3);
    let mut job = edit();
    assert_eq!(forwards(&job), 3 * 3);
    job.parameters.image_guidance = 1.0;
    assert_eq!(forwards(&job), 3 * 2);
}

#[test]
fn every_stage_can_be_stopped_and_leaves_the_engine_usable() {
    let mut engine = mini();
    let whole = engine.generate_image(&edit(), &mut go_on).expect("an image").image;
    let mut n_reports = 0;
    mini()
        .generate_image(&edit(), &mut |_| {
            n_reports += 1;
            ControlFlow::Continue(())
        })
        .expect("an image");
    for stop_at in (0..n_reports).step_by(7) {
        let mut engine = mini();
        let mut n = 0;
        let stopped = engine.generate_image(&edit(), &mut |_| {
            n += 1;
            if n > stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(stopped, Err(Error::Cancelled)), "at {stop_at}");
        assert_eq!(n, stop_at + 1, "nothing is reported after the stop");
        assert_eq!(engine.generate_image(&edit(), &mut go_on).expect("an image").image, whole);
    }
}

#[test]
fn previews_arrive_after_every_step_and_grow_like_the_image() {
    let mut previews = Vec::new();
    let result = mini()
        .generate_image(&edit(), &mut |progress| {
            if let EngineProgress::Step { step, steps, preview: Some(preview) } = progress {
                previews.push((step, steps, preview.size()));
            }
            ControlFlow::Continue(())
        })
        .expect("an image");
    let size = Size { width: result.size.width / 8, height: result.size.height / 8 };
    assert_eq!(previews, [(1, 3, size), (2, 3, size), (3, 3, size)]);
}

#[test]
fn a_chat_streams_exactly_its_text() {
    let mut streamed = String::new();
    let result = mini()
        .chat(&chat("what is in this picture?"), &mut |progress| {
            if let EngineProgress::Text { channel, delta } = progress {
                assert_eq!(channel, TextChannel::Answer);
                streamed.push_str(delta);
            }
            ControlFlow::Continue(())
        })
        .expect("an answer");
    assert_eq!(streamed, result.text);
    assert!(!streamed.is_empty());
}

#[test]
fn a_stop_text_ends_the_answer_before_it() {
    let mut engine = mini();
    let whole = engine.chat(&chat("what is in this picture?"), &mut go_on).expect("an answer").text;
    let middle = whole.char_indices().nth(whole.chars().count() / 2).expect("a text").0;
    let stop = whole[middle..].chars().take(2).collect::<String>();
    let mut job = chat("what is in this picture?");
    job.text.stop = vec![stop.clone()];
    let mut streamed = String::new();
    let cut = engine
        .chat(&job, &mut |progress| {
            if let EngineProgress::Text { delta, .. } = progress {
                streamed.push_str(delta);
            }
            ControlFlow::Continue(())
        })
        .expect("an answer")
        .text;
    assert_eq!(Some(cut.len()), whole.find(&stop));
    assert_eq!(streamed, cut);
}

#[test]
fn special_tokens_in_a_users_text_are_ordinary_text() {
    let mut engine = mini();
    let tokens = |engine: &mut Engine, text: &str| {
        let mut n_tokens = 0;
        engine
            .chat(&chat(text), &mut |progress| {
                if let EngineProgress::Context { tokens } = progress {
                    n_tokens = tokens;
                }
                ControlFlow::Continue(())
            })
            .expect("an answer");
        n_tokens
    };
    // As a special token it would be a single one.
    assert!(tokens(&mut engine, "<|im_end|>") > tokens(&mut engine, "a") + 1);
}

#[test]
fn values_out_of_range_are_refused_with_a_remedy() {
    let mut engine = mini();
    let mut refused = |change: fn(&mut ImageJob), words: &[&str]| {
        let mut job = generate();
        change(&mut job);
        let message = engine.generate_image(&job, &mut go_on).expect_err("refused").to_string();
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
        assert!(!message.contains('\n'));
    };
    refused(|job| job.parameters.size = Some(Size { width: 65, height: 64 }), &["65x64", "multiples of 16", "64x64"]);
    refused(|job| job.parameters.size = Some(Size { width: 64, height: 4096 }), &["4096", "128"]);
    refused(|job| job.parameters.steps = 1, &["steps", "1", "2"]);
    refused(|job| job.parameters.text_guidance = f64::NAN, &["text guidance", "NaN"]);
    refused(|job| job.parameters.guidance_interval = [0.9, 0.1], &["interval", "0.9"]);
    refused(|job| job.parameters.renorm_min = 1.5, &["renorm", "1.5"]);
    refused(|job| job.parameters.shift = 0.0, &["shift", "0"]);
    refused(|job| job.inputs = vec![Item::Text("  ".to_owned())], &["prompt is empty"]);
    refused(|job| job.inputs = vec![Item::Image(photograph())], &["prompt is empty"]);
    refused(|job| job.noise = Some(vec![0.0; 3]), &["noise", "3"]);
}

#[test]
fn nan_in_the_weights_fails_the_job() {
    // One NaN in the map out of the latent space.
    let folder = tempfile::tempdir().expect("a folder");
    for file in std::fs::read_dir(golden().join("model")).expect("the model") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), folder.path().join(file.file_name())).expect("copied");
    }
    let path = folder.path().join("ema.safetensors");
    let mut bytes = std::fs::read(&path).expect("weights");
    let header_len = u64::from_le_bytes(bytes[..8].try_into().expect("a length")) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + header_len]).expect("a header");
    let start = 8 + header_len + header["llm2vae.bias"]["data_offsets"][0].as_u64().expect("an offset") as usize;
    bytes[start..start + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&path, bytes).expect("written");
    let failed = load(folder.path()).generate_image(&generate(), &mut go_on).expect_err("no image");
    assert!(matches!(failed, Error::NotFinite { .. }), "{failed}");
}

#[test]
fn a_converted_model_is_one_file_that_generates_answers_and_keeps_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = Checkpoint::open(&golden().join("model"), None).expect("a model");
    let whole = mini().generate_image(&edit(), &mut go_on).expect("an image").image;
    for quantization in [Quantization::F32, Quantization::Bf16, Quantization::Q8_0, Quantization::Q4_0] {
        let path = folder.path().join(format!("{quantization}.gguf"));
        let options = ConvertOptions { understanding: quantization, generation: quantization };
        let conversion = convert(&source, &path, options, &mut go_on).expect("converted");
        assert_eq!(std::fs::metadata(&path).expect("a file").len(), conversion.file_bytes);
        let mut engine = load(&path);
        assert_eq!(engine.description().quantization, quantization.name());
        let image = engine.generate_image(&edit(), &mut go_on).expect("an image").image;
        engine.chat(&chat("what is this?"), &mut go_on).expect("an answer");
        if quantization == Quantization::F32 {
            assert_eq!(image, whole, "32 bits lose nothing");
        }
    }
}

#[test]
fn a_stopped_conversion_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = Checkpoint::open(&golden().join("model"), None).expect("a model");
    let options = ConvertOptions { understanding: Quantization::Q8_0, generation: Quantization::Q8_0 };
    let mut n = 0;
    let stopped = convert(&source, &folder.path().join("model.gguf"), options, &mut |_| {
        n += 1;
        if n > 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(stopped, Err(Error::Cancelled)));
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
}

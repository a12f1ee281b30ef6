//! Models come, go and are refused.

use protocol::{Command, ErrorCode, Event};

use crate::client::{Engine, generate, generate_sized, job_id, load, run};
use crate::support::{Bench, mini_model};

#[test]
fn model_is_loaded_with_progress_and_given_back() {
    let mut engine = Engine::greeted();
    engine.say(&load("l", &mini_model()));
    let frames = engine.until(|event| matches!(event, Event::Loaded { .. }));
    assert!(frames.iter().any(|frame| {
        matches!(&frame.header, Event::Loading { id, bytes, total_bytes } if *id == job_id("l") && bytes <= total_bytes)
    }));
    let Some(Event::Loaded { model, .. }) = frames.last().map(|frame| &frame.header) else { panic!() };
    assert_eq!((model.device.as_str(), model.max_side), ("cpu", 128));
    engine.say(&Command::Unload { id: job_id("u") });
    assert_eq!(engine.next(), Event::Unloaded { id: job_id("u") });
    engine.say(&run("a", generate(2)));
    assert_eq!(engine.failure("a").0, ErrorCode::ModelMissing);
}

#[test]
fn missing_and_broken_models_have_their_own_codes() {
    let bench = Bench::new();
    let mut engine = Engine::greeted();
    engine.say(&load("a", &bench.path("nothing")));
    let (code, message) = engine.failure("a");
    assert_eq!(code, ErrorCode::ModelMissing, "{message}");
    bench.file("broken.gguf", b"GGUF\x03\0\0\0");
    engine.say(&load("b", &bench.path("broken.gguf")));
    let (code, message) = engine.failure("b");
    assert_eq!(code, ErrorCode::ModelInvalid, "{message}");
    assert!(message.contains("broken.gguf"), "{message}");
}

#[test]
fn loading_can_be_cancelled_and_another_model_takes_its_place() {
    let mut engine = Engine::greeted();
    engine.say(&load("a", &mini_model()));
    engine.say(&load("b", &mini_model()));
    engine.say(&Command::Cancel { id: job_id("b") });
    engine.say(&Command::Cancel { id: job_id("a") });
    let mut n_failed = 0;
    while n_failed < 1 {
        if matches!(engine.next(), Event::Failed { failure, .. } if failure.code == ErrorCode::Cancelled) {
            n_failed += 1;
        }
    }
    engine.say(&load("c", &mini_model()));
    engine.until(|event| matches!(event, Event::Loaded { id, .. } if *id == job_id("c")));
}

/// A copy of the model whose bias of the last layer before the latents is not a number.
fn broken_model(bench: &Bench) -> std::path::PathBuf {
    let folder = bench.path("broken");
    std::fs::create_dir(&folder).unwrap();
    for entry in mini_model().read_dir().unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    let weights = folder.join("ema.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    let header_bytes = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + header_bytes]).unwrap();
    assert_eq!(header["llm2vae.bias"]["dtype"], "F32");
    let offset = 8 + header_bytes + header["llm2vae.bias"]["data_offsets"][0].as_u64().unwrap() as usize;
    bytes[offset..offset + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&weights, bytes).unwrap();
    folder
}

#[test]
fn image_of_no_numbers_is_a_failure_and_no_image() {
    let bench = Bench::new();
    let mut engine = Engine::greeted();
    engine.say(&load("l", &broken_model(&bench)));
    engine.until(|event| matches!(event, Event::Loaded { .. }));
    engine.say(&run("a", generate(3)));
    let frames = engine.until(|event| matches!(event, Event::Failed { .. } | Event::Done { .. }));
    assert!(frames.iter().all(|frame| !matches!(frame.header, Event::Image { .. })));
    let Some(Event::Failed { failure, .. }) = frames.last().map(|frame| &frame.header) else { panic!("{frames:?}") };
    assert_eq!(failure.code, ErrorCode::Internal);
    assert!(failure.message.contains("invalid numbers"), "{}", failure.message);
}

#[test]
fn model_that_does_not_fit_is_refused_unread_and_the_old_one_stays() {
    let bench = Bench::new();
    bench.run(&["synthesize", "small", "large"]).done();
    let mut engine = Engine::limited("60MB");
    engine.say(&load("a", &mini_model()));
    engine.until(|event| matches!(event, Event::Loaded { .. }));
    engine.say(&load("b", &bench.path("large")));
    let frames = engine.until(|event| matches!(event, Event::Failed { .. } | Event::Loaded { .. }));
    assert!(frames.iter().all(|frame| !matches!(frame.header, Event::Loading { .. })));
    let Some(Event::Failed { failure, .. }) = frames.last().map(|frame| &frame.header) else { panic!("{frames:?}") };
    assert_eq!(failure.code, ErrorCode::OutOfHostMemory);
    assert!(failure.message.contains("60 MB are allowed; "), "{}", failure.message);
    engine.say(&Command::Status { id: job_id("s") });
    assert!(matches!(engine.next(), Event::Status { model: Some(_), .. }));
}

#[test]
fn request_that_does_not_fit_is_refused_with_a_size_that_does() {
    let mut engine = Engine::limited("60MB");
    engine.say(&load("l", &mini_model()));
    engine.until(|event| matches!(event, Event::Loaded { .. }));
    engine.say(&run("a", generate_sized(128, 2)));
    let (code, message) = engine.failure("a");
    assert_eq!(code, ErrorCode::OutOfHostMemory);
    let (_, side) = message.rsplit_once('x').expect("a size");
    assert!(message.contains("60 MB are allowed; try "), "{message}");
    engine.say(&run("b", generate_sized(side.parse().unwrap(), 2)));
    engine.until(|event| matches!(event, Event::Done { .. }));
}

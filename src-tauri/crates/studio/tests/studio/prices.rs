//! What a request will take, before it runs.

use std::time::Duration;

use protocol::{EngineState, ErrorCode, Kind, NewJob, Remedy, Size, Thinking};

use crate::publisher::scene::write_gguf;
use crate::support::{Bench, bench, bench_with, engine_called, job};

#[tokio::test]
async fn a_request_that_does_not_fit_is_refused_with_one_that_does() {
    let folder = tempfile::tempdir().unwrap();
    let programs = vec![engine_called(folder.path(), "gpu")];
    let mut bench = bench_with(|options| options.engines = Some(programs)).await;
    bench.ready().await;
    let mut new = NewJob { thinking: Thinking::On, ..job(Kind::Generate, "a boat", None) };
    new.parameters.size = Some(Size { width: 1024, height: 1024 });
    let price = bench.studio.estimate(new.clone()).await.unwrap();
    let refusal = price.refusal.unwrap();
    assert_eq!(refusal.code, ErrorCode::OutOfDeviceMemory);
    assert!(refusal.message.contains("1024 × 1024: it needs 4.3 GB and 2.0 GB"), "{}", refusal.message);
    let size = Size { width: 640, height: 640 };
    assert_eq!(price.remedies, [Remedy::SmallerSize { size }, Remedy::NoThinking, Remedy::SmallerModel]);
    new.parameters.size = Some(size);
    let price = bench.studio.estimate(new).await.unwrap();
    assert_eq!((price.refusal, price.size, price.available_bytes), (None, Some(size), Some(2_000_000_000)));
}

#[tokio::test]
async fn time_is_known_from_the_runs_before() {
    let mut bench = bench().await;
    bench.ready().await;
    let new = job(Kind::Generate, "a boat", None);
    assert_eq!(bench.studio.estimate(new.clone()).await.unwrap().secs, None);
    bench.make("a boat").await;
    // It is written down a moment after the image.
    let price = loop {
        let price = bench.studio.estimate(NewJob { variations: 2, ..new.clone() }).await.unwrap();
        if price.secs.is_some() {
            break price;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert_eq!(price.secs, Some(20.0));
    let id = bench.queue(new).await;
    let expected = bench
        .wait(|event| match event {
            protocol::StudioEvent::JobQueued { job } if job.id == id => Some(job.expected_secs),
            _ => None,
        })
        .await;
    assert_eq!(expected, Some(10.0));
}

#[tokio::test]
async fn without_a_model_the_price_says_so() {
    let mut bench = bench_with(|options| options.model = None).await;
    bench.engine(|state| matches!(state, protocol::EngineState::NoModel)).await;
    let price = bench.studio.estimate(job(Kind::Generate, "a boat", None)).await.unwrap();
    assert_eq!(price.refusal.unwrap().code, ErrorCode::ModelMissing);
}

/// A studio whose model is a real file, so that its headers can be read.
async fn with_a_model(change: impl FnOnce(&mut studio::StudioOptions)) -> (Bench, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("slow tiny.gguf");
    write_gguf(&model, checkpoint::Quantization::Q8_0);
    let bench = bench_with(|options| {
        options.model = Some(model);
        change(options);
    });
    (bench.await, folder)
}

#[tokio::test]
async fn what_a_request_needs_is_known_while_no_model_is_loaded() {
    let (mut bench, _folder) = with_a_model(|options| options.timeouts.idle_minute = Duration::from_millis(1)).await;
    let new = |side: u32| NewJob {
        parameters: protocol::ImageParameters {
            size: Some(Size { width: side, height: side }),
            ..protocol::ImageParameters::generate()
        },
        ..job(Kind::Generate, "a boat", None)
    };
    // While it is read, what it will take is known, and not what will be left.
    let price = bench.studio.estimate(new(16)).await.unwrap();
    assert!(price.memory.weights_bytes > 0 && price.memory.peak_bytes > price.memory.weights_bytes, "{price:?}");
    assert_eq!((price.size, price.refusal), (Some(Size { width: 16, height: 16 }), None));
    bench.engine(|state| matches!(state, EngineState::Idle { .. })).await;
    let [small, large] =
        [bench.studio.estimate(new(16)).await.unwrap(), bench.studio.estimate(new(512)).await.unwrap()];
    assert!(large.memory.peak_bytes > small.memory.peak_bytes, "{large:?}");
    assert!(small.available_bytes.is_some_and(|bytes| bytes > 1 << 20) && small.refusal.is_none(), "{small:?}");
    assert!(small.context_tokens > 2, "{small:?}");
    assert!(matches!(bench.snapshot().await.engine, EngineState::Idle { .. }), "asking wakes nobody");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_before_the_model_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let programs = vec![engine_called(folder.path(), "tight-gpu"), engine_called(folder.path(), "plain")];
    let (mut bench, _folder) = with_a_model(|options| {
        options.engines = Some(programs);
        options.timeouts.idle_minute = Duration::from_millis(1);
    })
    .await;
    bench.engine(|state| matches!(state, EngineState::Idle { .. })).await;
    let mut new = job(Kind::Generate, "a boat", None);
    new.parameters.size = Some(Size { width: 1024, height: 1024 });
    let price = bench.studio.estimate(new).await.unwrap();
    assert_eq!(price.refusal.unwrap().code, ErrorCode::OutOfDeviceMemory);
    assert!(matches!(price.remedies[0], Remedy::SmallerSize { .. }), "{:?}", price.remedies);
}

#[tokio::test]
async fn an_engine_that_failed_keeps_nobody_from_knowing_what_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let programs = vec![engine_called(folder.path(), "old")];
    let (mut bench, _folder) = with_a_model(|options| options.engines = Some(programs)).await;
    bench.engine(|state| matches!(state, EngineState::Failed { .. })).await;
    let price = bench.studio.estimate(job(Kind::Generate, "a boat", None)).await.unwrap();
    assert!(price.refusal.unwrap().message.contains("version 0"));
    assert!(price.memory.peak_bytes > 0);
}

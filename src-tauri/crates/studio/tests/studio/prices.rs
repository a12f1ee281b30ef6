//! What a request will take, before it runs.

use protocol::{ErrorCode, JobKind, NewJob, Remedy, Size, Thinking};

use crate::support::{bench, bench_with, engine_called, job};

#[tokio::test]
async fn a_request_that_does_not_fit_is_refused_with_one_that_does() {
    let folder = tempfile::tempdir().unwrap();
    let programs = vec![engine_called(folder.path(), "gpu")];
    let mut bench = bench_with(|options| options.engines = Some(programs)).await;
    bench.ready().await;
    let mut new = NewJob { thinking: Thinking::On, ..job(JobKind::Create, "a boat", None) };
    new.image.size = Some(Size { width: 1024, height: 1024 });
    let price = bench.studio.price(new.clone()).await.unwrap();
    let refusal = price.refusal.unwrap();
    assert_eq!(refusal.code, ErrorCode::OutOfDeviceMemory);
    assert!(refusal.message.contains("1024 × 1024: 4.3 GB are needed and 2.0 GB"), "{}", refusal.message);
    let size = Size { width: 512, height: 512 };
    assert_eq!(price.remedies, [Remedy::SmallerSize { size }, Remedy::NoThinking, Remedy::SmallerModel]);
    new.image.size = Some(size);
    let price = bench.studio.price(new).await.unwrap();
    assert_eq!((price.refusal, price.size, price.available_bytes), (None, Some(size), Some(2_000_000_000)));
}

#[tokio::test]
async fn time_is_known_from_the_runs_before() {
    let mut bench = bench().await;
    bench.ready().await;
    let new = job(JobKind::Create, "a boat", None);
    assert_eq!(bench.studio.price(new.clone()).await.unwrap().secs, None);
    bench.make("a boat").await;
    // It is written down a moment after the picture.
    let price = loop {
        let price = bench.studio.price(NewJob { variations: 2, ..new.clone() }).await.unwrap();
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
    let price = bench.studio.price(job(JobKind::Create, "a boat", None)).await.unwrap();
    assert_eq!(price.refusal.unwrap().code, ErrorCode::ModelMissing);
}

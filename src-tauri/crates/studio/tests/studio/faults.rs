//! Every way to fail at every point: the job says what happened, and the next one runs.

use std::time::Duration;

use protocol::{EngineState, ErrorCode, JobKind, JobStatus, NewJob, Thinking};

use crate::support::{Bench, bench_with, engine_called, job};

/// Each fault with the class that the window must see.
const FAULTS: [(&str, ErrorCode); 15] = [
    ("exit", ErrorCode::Internal),
    ("abort", ErrorCode::Internal),
    ("segfault", ErrorCode::Internal),
    ("bus", ErrorCode::Internal),
    ("kill", ErrorCode::OutOfHostMemory),
    ("stuck", ErrorCode::Internal),
    ("silent", ErrorCode::Internal),
    ("garbage", ErrorCode::Internal),
    ("half", ErrorCode::Internal),
    ("long", ErrorCode::Internal),
    ("device-memory", ErrorCode::OutOfDeviceMemory),
    ("host-memory", ErrorCode::OutOfHostMemory),
    ("allocation", ErrorCode::OutOfHostMemory),
    ("lost", ErrorCode::DeviceLost),
    ("internal", ErrorCode::Internal),
];

async fn impatient() -> Bench {
    bench_with(|options| {
        options.patience.silence = Duration::from_millis(600);
        options.patience.stall = Duration::from_millis(700);
        options.patience.restart = Duration::from_millis(5);
    })
    .await
}

/// A job that fails at a point, one behind it that must not, and nothing saved of the first.
async fn check(point: &str, faults: &[(&str, ErrorCode)]) {
    for (fault, code) in faults {
        let mut bench = impatient().await;
        let new = NewJob { thinking: Thinking::On, ..job(JobKind::Create, &format!("{fault}@{point}"), None) };
        let lost = bench.queue(new).await;
        let next = bench.submit(JobKind::Create, "a boat", None).await;
        let JobStatus::Failed { failure, remedies } = bench.end_of(&lost).await else {
            panic!("{fault}@{point} did not fail")
        };
        assert_eq!(failure.code, *code, "{fault}@{point}: {}", failure.message);
        assert!(failure.message.chars().count() <= 160 && !failure.message.contains('\n'), "{}", failure.message);
        assert!(!remedies.is_empty(), "{fault}@{point} offers nothing");
        bench.picture_of(&next).await;
        assert_eq!(bench.n_pictures().await, 1, "{fault}@{point} saved something");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_reads() {
    check("reading", &FAULTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_writes() {
    check("writing", &FAULTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_paints() {
    check("step", &FAULTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_decodes() {
    check("decoding", &FAULTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_had_arrived_is_kept_whatever_happens_then() {
    for (fault, _) in
        FAULTS.iter().filter(|(fault, _)| !matches!(*fault, "device-memory" | "host-memory" | "lost" | "internal"))
    {
        let mut bench = impatient().await;
        let id = bench.submit(JobKind::Create, &format!("{fault}@image"), None).await;
        bench.picture_of(&id).await;
        bench.make("a boat").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_loads() {
    for (fault, _) in FAULTS {
        let mut bench = bench_with(|options| {
            options.patience.silence = Duration::from_millis(600);
            options.patience.stall = Duration::from_millis(700);
            options.model = options.model.as_ref().map(|model| model.with_file_name(format!("{fault}@load")));
        })
        .await;
        let id = bench.submit(JobKind::Create, "a boat", None).await;
        // A process that dies is started again; one that says no is believed.
        let refuses = matches!(fault, "device-memory" | "host-memory" | "lost" | "internal");
        if refuses {
            bench.failure_of(&id).await;
            bench.studio.retry_engine();
            bench.engine(|state| matches!(state, EngineState::Ready { .. })).await;
            bench.studio.retry(id.clone()).await.unwrap();
        }
        bench.picture_of(&id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_cannot_start_is_a_state_with_a_sentence() {
    for (name, expected) in [
        ("absent", "does not start"),
        ("old", "speaks version 0"),
        ("mute", "did not answer"),
        ("broken", "ended unexpectedly"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut bench = bench_with(|options| {
            let absent = "/nowhere/bagel".into();
            options.engines = Some(vec![if name == "absent" { absent } else { engine_called(folder.path(), name) }]);
            options.patience.greeting = Duration::from_millis(300);
        })
        .await;
        let state = match bench.start.engine.clone() {
            state @ EngineState::Failed { .. } => state,
            _ => bench.engine(|state| matches!(state, EngineState::Failed { .. })).await,
        };
        let EngineState::Failed { failure } = state else { panic!() };
        assert!(failure.message.contains(expected), "{name}: {}", failure.message);
        let id = bench.submit(JobKind::Create, "a boat", None).await;
        bench.failure_of(&id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_dies_again_and_again_is_given_up_until_the_artist_asks() {
    let mut bench = bench_with(|options| options.patience.restart = Duration::from_millis(1)).await;
    for _ in 0..4 {
        let id = bench.submit(JobKind::Create, "abort@reading", None).await;
        bench.failure_of(&id).await;
    }
    bench.engine(|state| matches!(state, EngineState::Failed { .. })).await;
    bench.studio.retry_engine();
    bench.make("a boat").await;
}

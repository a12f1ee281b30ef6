//! Every way to fail at every point: the job says what happened, and the next one runs.

use std::time::Duration;

use protocol::{EngineState, ErrorCode, JobId, JobStatus, Kind, NewJob, Remedy, StudioEvent, Thinking};

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
        options.timeouts.silence = Duration::from_millis(600);
        options.timeouts.stall = Duration::from_millis(700);
        options.timeouts.restart = Duration::from_millis(5);
    })
    .await
}

/// A job that fails at a point, one behind it that must not, and nothing saved of the first.
async fn check(point: &str, faults: &[(&str, ErrorCode)]) {
    for (fault, code) in faults {
        let mut bench = impatient().await;
        let new = NewJob { thinking: Thinking::On, ..job(Kind::Generate, &format!("{fault}@{point}"), None) };
        let lost = bench.queue(new).await;
        let next = bench.submit(Kind::Generate, "a boat", None).await;
        let JobStatus::Failed { failure, remedies } = bench.end_of(lost).await else {
            panic!("{fault}@{point} did not fail")
        };
        assert_eq!(failure.code, *code, "{fault}@{point}: {}", failure.message);
        assert!(failure.message.chars().count() <= 160 && !failure.message.contains('\n'), "{}", failure.message);
        assert!(!remedies.is_empty(), "{fault}@{point} offers nothing");
        bench.image_of(next).await;
        assert_eq!(bench.n_images().await, 1, "{fault}@{point} saved something");
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
async fn a_image_that_had_arrived_is_kept_whatever_happens_then() {
    for (fault, _) in
        FAULTS.iter().filter(|(fault, _)| !matches!(*fault, "device-memory" | "host-memory" | "lost" | "internal"))
    {
        let mut bench = impatient().await;
        let id = bench.submit(Kind::Generate, &format!("{fault}@image"), None).await;
        bench.image_of(id).await;
        bench.make("a boat").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_loads() {
    for (fault, _) in FAULTS {
        let mut bench = bench_with(|options| {
            options.timeouts.silence = Duration::from_millis(600);
            options.timeouts.stall = Duration::from_millis(700);
            options.model = options.model.as_ref().map(|model| model.with_file_name(format!("{fault}@load")));
        })
        .await;
        let id = bench.submit(Kind::Generate, "a boat", None).await;
        // A process that dies is started again; one that says no is believed.
        let refuses = matches!(fault, "device-memory" | "host-memory" | "lost" | "internal");
        if refuses {
            bench.failure_of(id).await;
            bench.studio.restart_engine();
            bench.engine(|state| matches!(state, EngineState::Ready { .. })).await;
            bench.studio.retry(id).await.unwrap();
        }
        bench.image_of(id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_cannot_start_is_a_state_with_a_sentence() {
    for (name, expected) in [
        ("absent", "does not start"),
        ("old", "uses protocol version 0"),
        ("mute", "did not answer"),
        ("broken", "ended unexpectedly"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut bench = bench_with(|options| {
            let absent = "/nowhere/bagel".into();
            options.engines = Some(vec![if name == "absent" { absent } else { engine_called(folder.path(), name) }]);
            options.timeouts.hello = Duration::from_millis(300);
        })
        .await;
        let state = match bench.start.engine.clone() {
            state @ EngineState::Failed { .. } => state,
            _ => bench.engine(|state| matches!(state, EngineState::Failed { .. })).await,
        };
        let EngineState::Failed { failure } = state else { panic!() };
        assert!(failure.message.contains(expected), "{name}: {}", failure.message);
        let id = bench.submit(Kind::Generate, "a boat", None).await;
        bench.failure_of(id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_dies_again_and_again_is_given_up_until_the_artist_asks() {
    let mut bench = bench_with(|options| options.timeouts.restart = Duration::from_millis(1)).await;
    for _ in 0..4 {
        let id = bench.submit(Kind::Generate, "abort@reading", None).await;
        bench.failure_of(id).await;
    }
    bench.engine(|state| matches!(state, EngineState::Failed { .. })).await;
    bench.studio.restart_engine();
    bench.make("a boat").await;
}

/// Times that a job began, until it was over.
async fn beginnings(bench: &mut Bench, id: JobId) -> (usize, JobStatus) {
    let mut n_begun = 0;
    let mut was_running = false;
    let end = bench
        .wait(|event| match event {
            StudioEvent::JobChanged { job, status } if job == id => {
                let is_running = matches!(status, JobStatus::Running { .. });
                n_begun += usize::from(is_running && !was_running);
                was_running = is_running;
                status.is_over().then_some(status)
            }
            StudioEvent::JobDismissed { job } if job == id => {
                was_running = false;
                None
            }
            _ => None,
        })
        .await;
    (n_begun, end)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_device_costs_a_new_start_and_nothing_else() {
    for (request, point) in [(Kind::Generate, "step"), (Kind::Chat, "writing")] {
        let folder = tempfile::tempdir().unwrap();
        let programs = vec![engine_called(folder.path(), "engine")];
        let mut bench = bench_with(|options| options.engines = Some(programs)).await;
        let lost = bench.submit(request, &format!("lost-once@{point} boat"), None).await;
        let next = bench.submit(Kind::Generate, "a boat", None).await;
        let (n_begun, end) = beginnings(&mut bench, lost).await;
        assert_eq!(n_begun, 2, "{point}");
        assert!(matches!(end, JobStatus::Done { .. }), "{point}: {end:?}");
        bench.image_of(next).await;
        assert_eq!(bench.n_images().await, if request == Kind::Chat { 1 } else { 2 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_lost_again_fails_with_what_to_do() {
    let mut bench = impatient().await;
    for _ in 0..2 {
        let lost = bench.submit(Kind::Generate, "lost@step", None).await;
        let (n_begun, end) = beginnings(&mut bench, lost).await;
        assert_eq!(n_begun, 2, "it is tried once more, and no more");
        let JobStatus::Failed { failure, remedies } = end else { panic!("{end:?}") };
        assert_eq!(failure.code, ErrorCode::DeviceLost);
        assert!(failure.message.contains("again after a restart; restart the computer"), "{}", failure.message);
        assert_eq!(remedies, [Remedy::Retry]);
        // The artist's own try is a new one.
        bench.studio.restart_engine();
        bench.studio.retry(lost).await.unwrap();
        let (n_begun, _) = beginnings(&mut bench, lost).await;
        assert_eq!(n_begun, 2);
        bench.studio.restart_engine();
    }
    bench.make("a boat").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_try_stays_the_last_one_over_a_new_start() {
    let mut bench = bench_with(|_| {}).await;
    let lost = bench.submit(Kind::Generate, "lost@step", None).await;
    bench.running(lost).await;
    bench.studio.pause_queue(true);
    bench.wait(|event| matches!(event, StudioEvent::JobQueued { job } if job.id == lost).then_some(())).await;
    let mut bench = bench.crash().await;
    assert_eq!(bench.job(lost).await.unwrap().status, JobStatus::Queued);
    bench.studio.pause_queue(false);
    let (n_begun, end) = beginnings(&mut bench, lost).await;
    assert_eq!(n_begun, 1);
    assert!(matches!(end, JobStatus::Failed { .. }), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_being_stopped_when_its_device_is_lost_is_stopped() {
    let mut bench = bench_with(|_| {}).await;
    let lost = bench.submit(Kind::Generate, "lost@step heedless", None).await;
    bench.running(lost).await;
    bench.studio.cancel(lost).await.unwrap();
    assert_eq!(bench.end_of(lost).await, JobStatus::Cancelled);
    bench.make("a boat").await;
}

//! The keeper of the engine: its model, its rest, its end.

use std::time::Duration;

use protocol::{EngineState, ErrorCode, JobStatus, Kind, SettingsChange, StudioEvent};

use crate::support::{bench, bench_with, engine_called};

#[tokio::test]
async fn an_engine_that_will_not_stop_is_ended() {
    let mut bench = bench_with(|options| options.timeouts.cancel = Duration::from_millis(200)).await;
    let id = bench.submit(Kind::Generate, "slow stubborn", None).await;
    bench.preview().await;
    bench.studio.cancel(id).await.unwrap();
    assert_eq!(bench.end_of(id).await, JobStatus::Cancelled);
    bench.make("a boat").await;
}

#[tokio::test]
async fn without_a_model_a_request_says_what_is_missing() {
    let mut bench = bench_with(|options| options.model = None).await;
    let id = bench.submit(Kind::Generate, "a boat", None).await;
    assert_eq!(bench.failure_of(id).await.code, ErrorCode::ModelMissing);
    bench.studio.use_model_at("/models/other".into()).await.unwrap();
    bench.studio.retry(id).await.unwrap();
    bench.image_of(id).await;
}

#[tokio::test]
async fn an_idle_engine_gives_its_memory_back_and_comes_when_it_is_called() {
    let mut bench = bench_with(|options| options.timeouts.idle_minute = Duration::from_millis(10)).await;
    bench.engine(|state| matches!(state, EngineState::Idle { .. })).await;
    bench.make("a boat").await;
    bench.engine(|state| matches!(state, EngineState::Idle { .. })).await;
    bench.studio.change_settings(SettingsChange::IdleMinutes(0)).await.unwrap();
    bench.make("a boat").await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(matches!(bench.snapshot().await.engine, EngineState::Ready { .. }), "0 minutes keep it");
}

#[tokio::test]
async fn another_model_takes_the_place_of_the_present_one() {
    let mut bench = bench().await;
    let id = bench.submit(Kind::Generate, "slow boat", None).await;
    bench.preview().await;
    bench.studio.use_model_at("/models/other".into()).await.unwrap();
    assert!(bench.failure_of(id).await.message.contains("another model was chosen"));
    let ready = bench.engine(|state| matches!(state, EngineState::Ready { .. })).await;
    let EngineState::Ready { model, .. } = ready else { panic!() };
    assert_eq!(model.name, "other");
}

#[tokio::test]
async fn the_variant_that_sees_a_card_is_run_unless_the_processor_is_wished_for() {
    let folder = tempfile::tempdir().unwrap();
    let programs = vec![engine_called(folder.path(), "gpu"), engine_called(folder.path(), "plain")];
    let mut bench = bench_with(|options| options.engines = Some(programs)).await;
    let device = async |bench: &mut crate::support::Bench| {
        let ready = bench.engine(|state| matches!(state, EngineState::Ready { .. })).await;
        let EngineState::Ready { model, .. } = ready else { panic!() };
        model.device
    };
    assert_eq!(device(&mut bench).await, "cuda:0");
    let ids: Vec<String> = bench.studio.hardware().await.unwrap().devices.into_iter().map(|it| it.id).collect();
    assert_eq!(ids, ["cuda:0", "cpu"]);
    bench.studio.change_settings(SettingsChange::Device(Some("cpu".to_owned()))).await.unwrap();
    assert_eq!(device(&mut bench).await, "cpu");
}

/// Two variants of the engine that take their time to say what they see.
fn sleepy(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    vec![engine_called(folder, "gpu-sleepy"), engine_called(folder, "plain-sleepy")]
}

#[tokio::test]
async fn what_is_asked_for_while_another_device_is_chosen_is_painted_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench_with(|options| options.engines = Some(sleepy(folder.path()))).await;
    bench.ready().await;
    bench.studio.change_settings(SettingsChange::Device(Some("cpu".to_owned()))).await.unwrap();
    // Slow enough to be at work on the old engine when the new one is known.
    let id = bench.submit(Kind::Generate, "slow boat", None).await;
    bench.image_of(id).await;
    let EngineState::Ready { model, .. } = bench.snapshot().await.engine else { panic!() };
    assert_eq!(model.device, "cpu");
}

#[tokio::test]
async fn what_the_old_engine_still_says_is_not_part_of_an_answer_that_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench_with(|options| options.engines = Some(sleepy(folder.path()))).await;
    bench.ready().await;
    // Long enough for the old engine to be still at it when the new one is known.
    let question = format!("slow {}", "word ".repeat(40).trim_end());
    let id = bench.submit(Kind::Chat, &question, None).await;
    bench.wait(|event| matches!(event, StudioEvent::Text { .. }).then_some(())).await;
    bench.studio.change_settings(SettingsChange::Device(Some("cpu".to_owned()))).await.unwrap();
    assert!(bench.failure_of(id).await.message.contains("another device was chosen"));
    bench.studio.retry(id).await.unwrap();
    assert_eq!(bench.turn().await.answer, format!("I was shown: {question}"));
}

#[tokio::test]
async fn a_model_chosen_before_the_engine_is_known_fails_nothing_that_waits() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench_with(|options| options.engines = Some(sleepy(folder.path()))).await;
    let id = bench.submit(Kind::Generate, "a boat", None).await;
    bench.studio.use_model_at("/models/other".into()).await.unwrap();
    bench.image_of(id).await;
}

#[tokio::test]
async fn a_device_that_could_not_be_written_down_can_be_chosen_again() {
    let folder = tempfile::tempdir().unwrap();
    let programs = vec![engine_called(folder.path(), "gpu"), engine_called(folder.path(), "plain")];
    let mut bench = bench_with(|options| options.engines = Some(programs)).await;
    bench.ready().await;
    let in_the_way = bench.folder.path().join("data/settings.toml");
    let _ = std::fs::remove_file(&in_the_way);
    std::fs::create_dir(&in_the_way).unwrap();
    let change = || bench.studio.change_settings(SettingsChange::Device(Some("cpu".to_owned())));
    assert!(change().await.is_err());
    assert_eq!(bench.studio.settings().await.unwrap().device, None, "what was refused does not hold");
    std::fs::remove_dir(&in_the_way).unwrap();
    change().await.unwrap();
    bench.engine(|state| matches!(state, EngineState::Ready { model, .. } if model.device == "cpu")).await;
}

#[tokio::test]
async fn the_machine_is_tried_with_a_layer_of_true_shape() {
    let mut bench = bench().await;
    bench.ready().await;
    let trial = bench.studio.try_hardware().await.unwrap();
    assert_eq!(trial.tokens_per_sec, 5.0);
    assert!(trial.secs_per_step > 2.0, "the processor's quarter image stands for the whole one");
}

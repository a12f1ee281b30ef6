//! Plans: held while they are written or when they are complete, changed, painted.

use protocol::{ErrorCode, JobId, JobStatus, Kind, NewJob, StudioEvent, TextChannel, Thinking};

use crate::support::{Bench, bench, job};

fn thinking(prompt: &str) -> NewJob {
    NewJob { thinking: Thinking::On, ..job(Kind::Generate, prompt, None) }
}

async fn planned(bench: &mut Bench, id: JobId) -> String {
    bench.status(id, |status| *status == JobStatus::Planned).await;
    bench.job(id).await.unwrap().plan
}

async fn first_words(bench: &mut Bench) {
    bench.wait(|event| matches!(event, StudioEvent::Text { channel: TextChannel::Plan, .. }).then_some(())).await;
}

#[tokio::test]
async fn a_plan_is_painted_as_it_was_written_unless_it_is_held() {
    let mut bench = bench().await;
    let id = bench.queue(thinking("a boat")).await;
    let node = bench.image_of(id).await;
    assert!(bench.node(node).await.plan.unwrap().contains("A red circle"));
}

#[tokio::test]
async fn a_complete_plan_is_held_and_the_engine_is_free() {
    let mut bench = bench().await;
    let id = bench.queue(NewJob { pauses_after_plan: true, ..thinking("a boat") }).await;
    let plan = planned(&mut bench, id).await;
    assert!(plan.trim_end().ends_with("</think>"), "{plan}");
    bench.make("another").await;
    assert_eq!(bench.n_images().await, 1, "the plan waits, and nothing of it is painted");

    bench.studio.paint_plan(id, "A green square.".to_owned()).await.unwrap();
    let node = bench.image_of(id).await;
    assert_eq!(bench.node(node).await.plan.unwrap(), "<think>\nA green square.\n</think>");
}

#[tokio::test]
async fn a_plan_is_held_although_the_engine_was_quicker() {
    let mut bench = bench().await;
    let id = bench.queue(NewJob { pauses_after_plan: true, ..thinking("heedless boat") }).await;
    let plan = planned(&mut bench, id).await;
    assert!(plan.trim_end().ends_with("</think>"), "{plan}");
    assert_eq!(bench.n_images().await, 0, "nothing of it is kept");
}

#[tokio::test]
async fn a_plan_is_held_while_it_is_written_as_far_as_it_came() {
    let mut bench = bench().await;
    let id = bench.queue(thinking("slow boat")).await;
    first_words(&mut bench).await;
    bench.studio.pause_plan(id).await.unwrap();
    let plan = planned(&mut bench, id).await;
    assert!(!plan.is_empty() && !plan.contains("</think>"), "{plan}");
}

#[tokio::test]
async fn a_waiting_job_is_told_to_hold_its_plan() {
    let mut bench = bench().await;
    let first = bench.submit(Kind::Generate, "slow boat", None).await;
    let id = bench.queue(thinking("a boat")).await;
    bench.studio.pause_plan(id).await.unwrap();
    bench.image_of(first).await;
    planned(&mut bench, id).await;
}

#[tokio::test]
async fn a_held_plan_survives_a_new_start() {
    let mut bench = bench().await;
    let id = bench.queue(NewJob { pauses_after_plan: true, ..thinking("a boat") }).await;
    let plan = planned(&mut bench, id).await;
    let mut bench = bench.reopen().await;
    let job = bench.job(id).await.unwrap();
    assert_eq!((job.status, job.plan.clone()), (JobStatus::Planned, plan));
    bench.studio.paint_plan(id, job.plan).await.unwrap();
    bench.image_of(id).await;
}

#[tokio::test]
async fn a_held_plan_can_be_put_away() {
    let mut bench = bench().await;
    let id = bench.queue(NewJob { pauses_after_plan: true, ..thinking("a boat") }).await;
    planned(&mut bench, id).await;
    bench.studio.dismiss(id).await.unwrap();
    assert!(bench.job(id).await.is_none());
}

#[tokio::test]
async fn an_engine_that_dies_while_a_plan_is_being_held_loses_no_word() {
    let mut bench = bench().await;
    let id = bench.queue(NewJob { pauses_after_plan: true, ..thinking("abort@writing") }).await;
    let plan = planned(&mut bench, id).await;
    assert!(plan.contains("A red circle"), "{plan}");
}

#[tokio::test]
async fn what_has_no_plan_cannot_be_held() {
    let mut bench = bench().await;
    let id = bench.submit(Kind::Generate, "slow boat", None).await;
    bench.running(id).await;
    assert!(bench.studio.pause_plan(id).await.is_err());
    assert!(bench.studio.paint_plan(id, "a plan".to_owned()).await.is_err());
    let thinks = bench.queue(thinking("slow boat")).await;
    bench.image_of(id).await;
    bench.status(thinks, |s| matches!(s, JobStatus::Running { phase: protocol::Phase::Painting { .. } })).await;
    let refused = bench.studio.pause_plan(thinks).await.unwrap_err().failure();
    assert_eq!(refused.code, ErrorCode::TooLate, "it is being painted already");
}

//! Questions, and the conversation they belong to.

use protocol::{ErrorCode, Kind, Remedy, StudioEvent, TextChannel, Thinking};

use crate::support::{bench, job};

#[tokio::test]
async fn an_answer_streams_and_joins_the_conversation() {
    let mut bench = bench().await;
    let node = bench.make("a boat").await;
    bench.submit(Kind::Chat, "what is it?", Some(node)).await;
    bench.wait(|event| matches!(event, StudioEvent::Text { channel: TextChannel::Answer, .. }).then_some(())).await;
    let first = bench.turn().await;
    assert_eq!(first.answer, "I was shown: [image] | what is it?");
    assert_eq!(first.images, [node]);
    bench.submit(Kind::Chat, "and now?", Some(node)).await;
    let second = bench.turn().await;
    assert!(second.answer.ends_with("[image] | what is it? | I was shown: [image] | what is it? | and now?"));
    assert!(second.images.is_empty(), "the same image is not shown twice");
}

#[tokio::test]
async fn a_question_that_waits_hears_the_answer_before_it() {
    let mut bench = bench().await;
    let node = bench.make("a boat").await;
    bench.submit(Kind::Chat, "slow one", Some(node)).await;
    bench.submit(Kind::Chat, "two", Some(node)).await;
    bench.turn().await;
    let second = bench.turn().await;
    assert_eq!(second.answer, "I was shown: [image] | slow one | I was shown: [image] | slow one | two");
}

#[tokio::test]
async fn a_stopped_answer_is_kept_as_far_as_it_came() {
    let mut bench = bench().await;
    let id = bench.submit(Kind::Chat, "slow question", None).await;
    bench.wait(|event| matches!(event, StudioEvent::Text { .. }).then_some(())).await;
    bench.studio.cancel(id).await.unwrap();
    let turn = bench.turn().await;
    assert!(turn.stopped && turn.answer.starts_with('I'), "{turn:?}");
}

#[tokio::test]
async fn what_is_reasoned_is_kept_beside_the_answer() {
    let mut bench = bench().await;
    let mut new = job(Kind::Chat, "why?", None);
    new.thinking = Thinking::On;
    bench.queue(new).await;
    let turn = bench.turn().await;
    assert!(turn.plan.unwrap().contains("A red circle"));
    assert_eq!(turn.answer, "I was shown: why?");
}

#[tokio::test]
async fn an_answer_of_nothing_is_a_failure() {
    let mut bench = bench().await;
    let id = bench.submit(Kind::Chat, "mumble", None).await;
    let failure = bench.failure_of(id).await;
    assert!(failure.message.contains("answered with nothing"), "{}", failure.message);
    assert_eq!(failure.code, protocol::ErrorCode::BadResult);
}

#[tokio::test]
async fn a_conversation_that_outgrows_the_model_is_refused_with_a_way_out() {
    let mut bench = bench().await;
    bench.ready().await;
    let long = "word ".repeat(3900);
    bench.submit(Kind::Chat, &format!("fast {long}"), None).await;
    let project = bench
        .wait(|event| match event {
            StudioEvent::TurnAdded { project, .. } => Some(project),
            _ => None,
        })
        .await;
    let mut more = job(Kind::Chat, "and?", None);
    more.project = Some(project);
    let error = bench.studio.submit(more.clone()).await.unwrap_err();
    assert_eq!(error.failure().code, ErrorCode::ContextTooLong);
    assert!(error.to_string().contains("ask in a new project"), "{error}");

    let price = bench.studio.estimate(more.clone()).await.unwrap();
    let Some(Remedy::LeaveOut { turns }) = price.remedies.first() else { panic!("{:?}", price.remedies) };
    bench.studio.leave_out(turns.clone(), true).await.unwrap();
    let changed = bench
        .wait(|event| match event {
            StudioEvent::TurnsChanged { project: of, turns } if of == project => Some(turns),
            _ => None,
        })
        .await;
    assert!(changed.len() == 1 && changed[0].left_out);
    bench.queue(more.clone()).await;
    assert_eq!(bench.turn().await.answer, "I was shown: and?");
    // It is still there, and can be taken in again.
    bench.studio.leave_out(turns.clone(), false).await.unwrap();
    assert!(bench.studio.submit(more).await.is_err());
}

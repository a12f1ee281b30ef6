//! Requests from their queueing to their result.

use protocol::{ErrorCode, JobStatus, Kind, NewJob, StudioEvent, Thinking, Verification};
use studio::Rendition;

use crate::support::{bench, job};

#[tokio::test]
async fn a_created_image_is_on_disk_when_the_job_is_done() {
    let mut bench = bench().await;
    let node = bench.make("a boat").await;
    let image = imagefile::read(&bench.studio.path(node, Rendition::Full).unwrap()).unwrap().image;
    assert_eq!((image.width(), image.height()), (64, 48));
    assert!(bench.studio.path(node, Rendition::Thumbnail).unwrap().exists());
    let node = bench.node(node).await;
    assert_eq!((node.prompt.as_str(), node.has_recipe), ("a boat", true));
    assert!(node.took_ms.is_some());
}

#[tokio::test]
async fn steps_and_previews_are_seen_while_it_paints_and_after() {
    let mut bench = bench().await;
    let id = bench.submit(Kind::Generate, "slow boat", None).await;
    let preview = bench.preview().await;
    assert_eq!(bench.studio.preview(preview).unwrap().width(), 32);
    let node = bench.image_of(id).await;
    let steps = bench.studio.steps(node);
    assert_eq!((steps.len(), steps[0]), (8, preview));
    assert!(bench.studio.preview(preview).is_some());
}

#[tokio::test]
async fn an_edit_is_a_child_of_its_image_and_survives_a_new_start() {
    let mut bench = bench().await;
    let parent = bench.make("a boat").await;
    let second = bench.submit(Kind::Edit, "red sails", Some(parent)).await;
    let child = bench.image_of(second).await;
    let before = bench.node(child).await;
    assert_eq!(before.parent, Some(parent));
    assert_eq!(before.project, bench.node(parent).await.project);
    let reopened = bench.reopen().await;
    assert_eq!(reopened.node(child).await, before);
    assert_eq!(reopened.start.counts.n_nodes, 2);
    assert_eq!(reopened.start.projects.len(), 1);
}

#[tokio::test]
async fn variations_are_jobs_with_seeds_of_their_own() {
    let mut bench = bench().await;
    let mut new = NewJob { variations: 3, ..job(Kind::Generate, "a boat", None) };
    new.parameters.seed = Some(7);
    let ids = bench.studio.submit(new).await.unwrap();
    let mut seeds = Vec::new();
    let mut projects = Vec::new();
    for id in &ids {
        let node = bench.image_of(*id).await;
        let node = bench.node(node).await;
        seeds.push(node.seed.unwrap());
        projects.push(node.project);
    }
    assert_eq!(seeds, [7, 8, 9]);
    projects.dedup();
    assert_eq!(projects.len(), 1, "they belong to one project");
}

#[tokio::test]
async fn a_stopped_job_leaves_no_image() {
    let mut bench = bench().await;
    let id = bench.submit(Kind::Generate, "slow boat", None).await;
    bench.preview().await;
    bench.studio.cancel(id).await.unwrap();
    assert_eq!(bench.end_of(id).await, JobStatus::Cancelled);
    assert_eq!(bench.n_images().await, 0);
    assert!(bench.job(id).await.is_none());
}

#[tokio::test]
async fn a_stopped_jobs_newest_step_can_be_kept() {
    let mut bench = bench().await;
    let id = bench.submit(Kind::Generate, "slow boat", None).await;
    assert!(bench.studio.keep(id).await.is_err(), "there is no step yet");
    bench.preview().await;
    bench.studio.keep(id).await.unwrap();
    let node = bench.image_of(id).await;
    let node = bench.node(node).await;
    assert_eq!((node.size.width, node.has_recipe), (32, false));
}

#[tokio::test]
async fn a_image_that_is_none_is_not_saved() {
    let mut bench = bench().await;
    for (prompt, expected) in
        [("flat gray", "one flat color"), ("short", "not of the size"), ("nothing", "without an image")]
    {
        let id = bench.submit(Kind::Generate, prompt, None).await;
        let failure = bench.failure_of(id).await;
        assert!(failure.message.contains(expected), "{prompt}: {}", failure.message);
    }
    assert_eq!(bench.n_images().await, 0);
    bench.make("a boat").await;
}

#[tokio::test]
async fn a_failure_keeps_its_class_and_stays_until_dismissed() {
    let mut bench = bench().await;
    let id = bench.submit(Kind::Generate, "device-memory@reading", None).await;
    let JobStatus::Failed { failure, remedies } = bench.end_of(id).await else { panic!("it did not fail") };
    assert_eq!(failure.code, ErrorCode::OutOfDeviceMemory);
    assert!(!remedies.is_empty());
    assert_eq!(bench.snapshot().await.jobs.len(), 1);
    bench.studio.dismiss(id).await.unwrap();
    assert!(bench.snapshot().await.jobs.is_empty());
}

#[tokio::test]
async fn a_failed_job_can_be_tried_again() {
    let mut bench = bench().await;
    let id = bench.submit(Kind::Generate, "internal@step", None).await;
    bench.failure_of(id).await;
    bench.studio.retry(id).await.unwrap();
    bench.failure_of(id).await;
    assert_eq!(bench.snapshot().await.jobs.len(), 1);
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused_before_they_are_queued() {
    let bench = bench().await;
    let mut many = job(Kind::Generate, "a boat", None);
    many.variations = 9;
    let mut odd = job(Kind::Generate, "a boat", None);
    odd.parameters.steps = 0;
    let mut plan = job(Kind::Generate, "a boat", None);
    plan.thinking = Thinking::Given { plan: "<think></think>".to_owned() };
    let mut narrow = job(Kind::Generate, "a boat", None);
    narrow.parameters.size = Some(protocol::Size { width: 7, height: 64 });
    for (new, code, expected) in [
        (job(Kind::Generate, "  ", None), ErrorCode::TextMissing, "empty"),
        (job(Kind::Edit, "red sails", None), ErrorCode::ImageMissing, "edit needs an image"),
        (job(Kind::Edit, "red sails", Some(protocol::NodeId::new())), ErrorCode::Gone, "there is no image"),
        (many, ErrorCode::TooMany, "9 variations"),
        (odd, ErrorCode::OutOfRange, "steps 0"),
        (narrow, ErrorCode::SizeUnusable, "size 7x64"),
        (plan, ErrorCode::TextMissing, "the plan is empty"),
    ] {
        let error = bench.studio.submit(new).await.unwrap_err();
        assert_eq!(error.failure().code, code, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert!(bench.snapshot().await.jobs.is_empty());
}

#[tokio::test]
async fn a_image_is_painted_again_from_its_recipe() {
    let mut bench = bench().await;
    let parent = bench.make("a boat").await;
    let mut new = job(Kind::Edit, "red sails", Some(parent));
    new.thinking = Thinking::On;
    let id = bench.queue(new).await;
    let node = bench.image_of(id).await;
    let again = bench.studio.replay(node).await.unwrap();
    let copy = bench.image_of(again[0]).await;
    let pixels = async |node| bench.studio.image(node).await.unwrap();
    assert_eq!(pixels(copy).await, pixels(node).await);
    let (node, copy) = (bench.node(node).await, bench.node(copy).await);
    assert_eq!((copy.parent, copy.seed, &copy.plan), (node.parent, node.seed, &node.plan));
}

#[tokio::test]
async fn verifying_compares_and_keeps_nothing() {
    let mut bench = bench().await;
    for (prompt, is_same) in [("a boat", true), ("chancy boat", false)] {
        let node = bench.make(prompt).await;
        let n_images = bench.n_images().await;
        bench.studio.verify(node).await.unwrap();
        let outcome = bench
            .wait(|event| match event {
                StudioEvent::Verified { node: verified, outcome } if verified == node => Some(outcome),
                _ => None,
            })
            .await;
        assert_eq!(outcome == Verification::Same, is_same, "{outcome:?}");
        assert_eq!(bench.n_images().await, n_images);
    }
}

#[tokio::test]
async fn a_recipe_is_shown_field_by_field() {
    let mut bench = bench().await;
    let parent = bench.make("a boat").await;
    let id = bench.submit(Kind::Edit, "red sails", Some(parent)).await;
    let node = bench.image_of(id).await;
    let recipe = bench.studio.recipe(node).await.unwrap().unwrap();
    assert_eq!((recipe.kind, recipe.prompt.as_str()), (Kind::Edit, "red sails"));
    assert_eq!((recipe.images.as_slice(), recipe.n_missing), ([parent].as_slice(), 0));
    assert!(recipe.is_present_model);
    assert_eq!(recipe.parameters.seed, bench.node(node).await.seed);
}

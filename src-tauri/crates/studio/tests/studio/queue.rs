//! The order of jobs, and what becomes of them when the program ends.

use protocol::{JobId, JobPlace, JobStatus, Kind, NewJob, Phase, StudioEvent};

use crate::support::{Bench, bench, bench_with, job};

/// One that runs for a while, and some that wait.
async fn busy(names: &[&str]) -> (Bench, JobId, Vec<JobId>) {
    let mut bench = bench().await;
    let running = bench.submit(Kind::Generate, "slow boat", None).await;
    bench.running(running).await;
    let mut waiting = Vec::new();
    for name in names {
        waiting.push(bench.submit(Kind::Generate, name, None).await);
    }
    (bench, running, waiting)
}

async fn order(bench: &Bench) -> Vec<String> {
    let jobs = bench.snapshot().await.jobs;
    jobs.into_iter().filter(|job| job.status == JobStatus::Queued).map(|job| job.prompt).collect()
}

#[tokio::test]
async fn waiting_jobs_are_reordered() {
    let (mut bench, _, waiting) = busy(&["a", "b", "c"]).await;
    bench.studio.move_job(waiting[2], JobPlace::First).await.unwrap();
    let told = bench
        .wait(|event| match event {
            StudioEvent::JobsOrdered { jobs } => Some(jobs),
            _ => None,
        })
        .await;
    assert_eq!(told, [waiting[2], waiting[0], waiting[1]]);
    assert_eq!(order(&bench).await, ["c", "a", "b"]);
    bench.studio.move_job(waiting[0], JobPlace::Last).await.unwrap();
    assert_eq!(order(&bench).await, ["c", "b", "a"]);
    bench.queue(NewJob { first: true, ..job(Kind::Generate, "urgent", None) }).await;
    assert_eq!(order(&bench).await, ["urgent", "c", "b", "a"]);
}

#[tokio::test]
async fn a_job_that_waits_is_stopped_at_once() {
    let (mut bench, running, waiting) = busy(&["another"]).await;
    bench.studio.cancel(waiting[0]).await.unwrap();
    assert_eq!(bench.end_of(waiting[0]).await, JobStatus::Cancelled);
    bench.image_of(running).await;
}

#[tokio::test]
async fn all_are_stopped_at_once() {
    let (mut bench, running, _) = busy(&["a", "b"]).await;
    bench.studio.cancel_all().await.unwrap();
    assert_eq!(bench.end_of(running).await, JobStatus::Cancelled);
    assert!(bench.snapshot().await.jobs.is_empty());
}

#[tokio::test]
async fn what_runs_is_the_first_to_stop_when_all_are() {
    let (mut bench, running, _) = busy(&[]).await;
    let mut waiting = Vec::new();
    for _ in 0..25 {
        let new = NewJob { variations: 8, ..job(Kind::Generate, "a boat", None) };
        waiting.extend(bench.studio.submit(new).await.unwrap());
    }
    bench.studio.cancel_all().await.unwrap();
    let mut stopped = Vec::new();
    while stopped.len() <= waiting.len() {
        let is_first = stopped.is_empty();
        stopped.push(
            bench
                .wait(|event| match event {
                    StudioEvent::JobChanged { job, status: JobStatus::Stopping } => {
                        assert!(is_first && job == running);
                        Some(job)
                    }
                    StudioEvent::JobChanged { job, status: JobStatus::Cancelled } if job != running => Some(job),
                    _ => None,
                })
                .await,
        );
    }
    assert_eq!(stopped[0], running, "it would go on while the others are taken away");
    assert_eq!(stopped[1..], waiting);
    let bench = bench.crash().await;
    assert!(bench.start.jobs.iter().all(|job| job.id == running), "none of them comes back");
}

#[tokio::test]
async fn a_held_queue_begins_nothing_until_it_is_let_go() {
    let mut bench = bench().await;
    bench.studio.pause_queue(true);
    let id = bench.submit(Kind::Generate, "a boat", None).await;
    bench.ready().await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(bench.job(id).await.unwrap().status, JobStatus::Queued);
    assert!(bench.snapshot().await.is_paused);
    bench.studio.pause_queue(false);
    bench.image_of(id).await;
}

#[tokio::test]
async fn a_held_queue_is_held_at_the_next_start_too() {
    for crashes in [false, true] {
        let mut bench = bench().await;
        bench.studio.pause_queue(true);
        let id = bench.submit(Kind::Generate, "a boat", None).await;
        bench.ready().await;
        let mut bench = if crashes { bench.crash().await } else { bench.reopen().await };
        assert!(bench.start.is_paused);
        bench.ready().await;
        // Whatever was to be begun is begun before this is answered twice.
        bench.snapshot().await;
        assert_eq!(bench.job(id).await.unwrap().status, JobStatus::Queued);
        bench.studio.pause_queue(false);
        bench.image_of(id).await;
        let bench = bench.crash().await;
        assert!(!bench.start.is_paused);
    }
}

#[tokio::test]
async fn a_restart_continues_the_queue_and_says_what_was_interrupted() {
    for crashes in [false, true] {
        let (bench, running, waiting) = busy(&["a", "b"]).await;
        let mut bench = if crashes { bench.crash().await } else { bench.reopen().await };
        assert_eq!(bench.job(running).await.unwrap().status, JobStatus::Interrupted);
        for id in &waiting {
            if bench.job(*id).await.is_some() {
                bench.image_of(*id).await;
            }
        }
        assert_eq!(bench.n_images().await, 2);
        bench.studio.retry(running).await.unwrap();
        bench.image_of(running).await;
    }
}

#[tokio::test]
async fn a_image_that_is_being_saved_when_the_studio_closes_is_not_lost_sight_of() {
    let mut bench = bench().await;
    let id = bench.submit(Kind::Generate, "a boat", None).await;
    bench.status(id, |status| *status == JobStatus::Running { phase: Phase::Saving }).await;
    let bench = bench.reopen().await;
    assert_eq!(bench.n_images().await, 1);
    assert!(bench.job(id).await.is_none(), "it is over");
}

#[tokio::test]
async fn what_failed_before_it_began_does_not_begin_by_itself_at_the_next_start() {
    let mut bench = bench_with(|options| options.model = None).await;
    let mut ids = Vec::new();
    for prompt in ["a boat", "a house"] {
        ids.push(bench.submit(Kind::Generate, prompt, None).await);
    }
    for id in &ids {
        bench.failure_of(*id).await;
    }
    let bench = bench.crash().await;
    for id in &ids {
        let job = bench.start.jobs.iter().find(|job| job.id == *id).unwrap();
        assert!(matches!(job.status, JobStatus::Failed { .. }), "{:?}", job.status);
    }
}

#[tokio::test]
async fn an_interrupted_job_can_be_put_away_for_good() {
    let (bench, running, _) = busy(&[]).await;
    let bench = bench.reopen().await;
    bench.studio.dismiss(running).await.unwrap();
    let bench = bench.reopen().await;
    assert!(bench.job(running).await.is_none());
}

#[tokio::test]
async fn a_second_studio_on_the_same_images_is_refused() {
    let bench = bench().await;
    let error = studio::Studio::open(crate::support::options(bench.folder.path())).unwrap_err();
    assert!(error.is_in_use(), "{error}");
    assert!(error.to_string().contains("open in another window"), "{error}");
}

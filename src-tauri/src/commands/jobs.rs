//! Requests, their price, their order, their plans.

use protocol::{CostEstimate, JobId, JobPlace, NewJob, NodeId};
use studio::Studio;
use tauri::State;

use super::{Answer, failed};

/// Queues a request, a job for each of its variations.
#[tauri::command]
pub(crate) async fn submit(studio: State<'_, Studio>, job: NewJob) -> Answer<Vec<JobId>> {
    studio.submit(job).await.map_err(failed)
}

/// Says what a request will take.
#[tauri::command]
pub(crate) async fn estimate(studio: State<'_, Studio>, job: NewJob) -> Answer<CostEstimate> {
    studio.estimate(job).await.map_err(failed)
}

/// Stops a job.
#[tauri::command]
pub(crate) async fn cancel(studio: State<'_, Studio>, job: JobId) -> Answer<()> {
    studio.cancel(job).await.map_err(failed)
}

/// Stops what runs and everything that waits.
#[tauri::command]
pub(crate) async fn cancel_all(studio: State<'_, Studio>) -> Answer<()> {
    studio.cancel_all().await.map_err(failed)
}

/// Puts a job that failed, was interrupted or is planned away.
#[tauri::command]
pub(crate) async fn dismiss(studio: State<'_, Studio>, job: JobId) -> Answer<()> {
    studio.dismiss(job).await.map_err(failed)
}

/// Queues a failed or interrupted job again.
#[tauri::command]
pub(crate) async fn retry(studio: State<'_, Studio>, job: JobId) -> Answer<()> {
    studio.retry(job).await.map_err(failed)
}

/// Stops a job that paints, and keeps its newest step.
#[tauri::command]
pub(crate) async fn keep(studio: State<'_, Studio>, job: JobId) -> Answer<()> {
    studio.keep(job).await.map_err(failed)
}

/// Puts a job that waits somewhere else.
#[tauri::command]
pub(crate) async fn move_job(studio: State<'_, Studio>, job: JobId, place: JobPlace) -> Answer<()> {
    studio.move_job(job, place).await.map_err(failed)
}

/// Holds the queue, or lets it go.
#[tauri::command]
pub(crate) async fn pause_queue(studio: State<'_, Studio>, is_paused: bool) -> Answer<()> {
    studio.pause_queue(is_paused);
    Ok(())
}

/// Holds a job's plan.
#[tauri::command]
pub(crate) async fn pause_plan(studio: State<'_, Studio>, job: JobId) -> Answer<()> {
    studio.pause_plan(job).await.map_err(failed)
}

/// Lets a planned job paint this plan.
#[tauri::command]
pub(crate) async fn paint_plan(studio: State<'_, Studio>, job: JobId, plan: String) -> Answer<()> {
    studio.paint_plan(job, plan).await.map_err(failed)
}

/// Paints an image again from its recipe.
#[tauri::command]
pub(crate) async fn replay(studio: State<'_, Studio>, node: NodeId) -> Answer<Vec<JobId>> {
    studio.replay(node).await.map_err(failed)
}

/// Paints an image again and compares.
#[tauri::command]
pub(crate) async fn verify(studio: State<'_, Studio>, node: NodeId) -> Answer<()> {
    studio.verify(node).await.map_err(failed)
}

//! What the artist does with jobs.

use protocol::{ErrorCode, Job, JobId, JobPlace, JobStatus, Kind, Phase, StudioEvent, Thinking};
use store::StoredJob;

use super::Actor;
use super::work::Goal;
use crate::queue::{MAX_WAITING, Queue, SECOND_TRY, is_running};
use crate::studio::blocking;
use crate::{Error, Result, plan};

impl Actor {
    /// Queues jobs; they are on disk before anybody hears of them.
    pub(super) async fn submit(&mut self, jobs: Vec<Job>, first: bool) -> Result<Vec<JobId>> {
        if self.queue.n_waiting() + jobs.len() > MAX_WAITING {
            return Err(Error::refused(
                ErrorCode::TooMany,
                format!("{MAX_WAITING} requests wait already; let some of them finish"),
            ));
        }
        let mut jobs = jobs;
        self.expect_times(&mut jobs).await;
        let ids: Vec<JobId> = jobs.iter().map(|job| job.id.clone()).collect();
        let before = self.queue.clone();
        self.queue.add(jobs.clone(), first);
        self.save_queue_or_undo(before).await?;
        for job in jobs {
            self.tell(StudioEvent::JobQueued { job });
        }
        if first {
            self.tell_order();
        }
        Ok(ids)
    }

    pub(super) async fn cancel(&mut self, id: &JobId) -> Result<()> {
        let Some(job) = self.queue.get(id) else { return Err(Error::NoJob(id.clone())) };
        match job.status {
            JobStatus::Queued | JobStatus::Planned => self.set(id, JobStatus::Cancelled).await,
            // An image that is being written is a result already.
            JobStatus::Running { phase: Phase::Saving } => {}
            JobStatus::Running { .. } => {
                self.stop_running(id, Goal::Finish);
                self.set(id, JobStatus::Stopping).await;
            }
            _ => {}
        }
        Ok(())
    }

    /// Stops a job that paints, and keeps its newest step as an image.
    pub(super) async fn keep_newest(&mut self, id: &JobId) -> Result<()> {
        let Some(job) = self.queue.get(id) else { return Err(Error::NoJob(id.clone())) };
        let paints = matches!(job.status, JobStatus::Running { phase: Phase::Painting { .. } });
        if !paints || job.preview.is_none() || job.verifies.is_some() {
            return Err(Error::refused(ErrorCode::TooLate, "there is no step of this request to keep"));
        }
        self.stop_running(id, Goal::Keep);
        self.set(id, JobStatus::Stopping).await;
        Ok(())
    }

    /// Stops what runs and empties what waits; what is planned stays.
    pub(super) async fn cancel_all(&mut self) -> Result<()> {
        // What runs goes on meanwhile, so it is told first.
        if let Some(id) = self.queue.running().map(|job| job.id.clone()) {
            self.cancel(&id).await?;
        }
        let ids = self.queue.waiting();
        for id in &ids {
            self.queue.remove(id);
            self.queue.forget_second_try(id);
        }
        let stored = (self.shared.store.clone(), ids.clone());
        if let Err(error) = blocking(move || Ok(stored.0.remove_jobs(&stored.1)?)).await {
            tracing::warn!(%error, "jobs that are over stay on disk");
        }
        for job in ids {
            self.tell(StudioEvent::JobChanged { job, status: JobStatus::Cancelled });
        }
        Ok(())
    }

    pub(super) async fn dismiss(&mut self, id: &JobId) -> Result<()> {
        let Some(job) = self.queue.get(id) else { return Ok(()) };
        if !matches!(job.status, JobStatus::Failed { .. } | JobStatus::Interrupted | JobStatus::Planned) {
            return Err(Error::refused(ErrorCode::TooLate, "this request still waits or runs; stop it instead"));
        }
        let stored = (self.shared.store.clone(), id.clone());
        blocking(move || Ok(stored.0.remove_job(&stored.1)?)).await?;
        self.queue.remove(id);
        self.tell(StudioEvent::JobDismissed { job: id.clone() });
        Ok(())
    }

    /// Queues a job again that failed or was interrupted, as if it were new.
    pub(super) async fn retry(&mut self, id: &JobId) -> Result<()> {
        let Some(job) = self.queue.get(id) else { return Err(Error::NoJob(id.clone())) };
        if !matches!(job.status, JobStatus::Failed { .. } | JobStatus::Interrupted) {
            return Err(Error::refused(
                ErrorCode::TooLate,
                "this request has not failed; there is nothing to try again",
            ));
        }
        let job = renewed(job);
        let before = self.queue.clone();
        self.queue.remove(id);
        self.queue.forget_second_try(id);
        self.queue.add(vec![job.clone()], false);
        self.save_queue_or_undo(before).await?;
        self.tell(StudioEvent::JobDismissed { job: id.clone() });
        self.tell(StudioEvent::JobQueued { job });
        Ok(())
    }

    /// Lets a job that lost its device begin once more, before all that wait.
    pub(super) async fn try_again(&mut self, id: &JobId) {
        let Some(job) = self.queue.remove(id).map(|job| renewed(&job)) else { return };
        tracing::info!(job = %id.0, "the device was lost; the request is tried once more");
        self.shared.previews.forget(id);
        self.queue.mark_second_try(id);
        self.queue.add(vec![job.clone()], true);
        self.work = None;
        self.save_queue().await;
        self.tell(StudioEvent::JobDismissed { job: id.clone() });
        self.tell(StudioEvent::JobQueued { job });
        self.tell_order();
    }

    pub(super) async fn place(&mut self, id: &JobId, place: &JobPlace) -> Result<()> {
        if self.queue.get(id).is_none() {
            return Err(Error::NoJob(id.clone()));
        }
        let before = self.queue.clone();
        if self.queue.place(id, place) {
            self.save_queue_or_undo(before).await?;
        }
        self.tell_order();
        Ok(())
    }

    /// Holds the queue or lets it go, also for the next start.
    pub(super) async fn pause(&mut self, is_paused: bool) {
        if self.queue.is_paused == is_paused {
            return;
        }
        self.queue.is_paused = is_paused;
        let store = self.shared.store.clone();
        if let Err(error) = blocking(move || Ok(store.hold_queue(is_paused)?)).await {
            self.notice(error.failure());
        }
        self.tell(StudioEvent::QueuePaused { is_paused });
    }

    /// Holds a plan: what is written of it now, or all of it when it is complete.
    pub(super) async fn pause_plan(&mut self, id: &JobId) -> Result<()> {
        let Some(job) = self.queue.get(id) else { return Err(Error::NoJob(id.clone())) };
        if !plan::can_be_held(job.kind, &job.thinking) {
            return Err(Error::BadRequest("this request writes no plan".to_owned()));
        }
        match job.status {
            JobStatus::Queued | JobStatus::Running { phase: Phase::Reading } => {
                let before = self.queue.clone();
                if let Some(job) = self.queue.get_mut(id) {
                    job.pauses_after_plan = true;
                }
                self.save_queue_or_undo(before).await
            }
            JobStatus::Running { phase: Phase::Writing } => {
                self.stop_running(id, Goal::Hold);
                Ok(())
            }
            JobStatus::Running { .. } => Err(Error::refused(
                ErrorCode::TooLate,
                "the plan is being painted already; stop it and try again with a plan",
            )),
            _ => Ok(()),
        }
    }

    /// Lets a held job paint a plan, before all that wait.
    pub(super) async fn paint_plan(&mut self, id: &JobId, plan: &str) -> Result<()> {
        let given = plan::given(plan)?;
        let before = self.queue.clone();
        let Some(job) = self.queue.get_mut(id) else { return Err(Error::NoJob(id.clone())) };
        if job.status != JobStatus::Planned {
            return Err(Error::refused(ErrorCode::TooLate, "this request has no plan that is held"));
        }
        if let Thinking::Given { plan } = &given {
            job.plan.clone_from(plan);
        }
        job.thinking = given;
        job.pauses_after_plan = false;
        job.status = JobStatus::Queued;
        let plan = job.plan.clone();
        self.queue.place(id, &JobPlace::First);
        self.save_queue_or_undo(before).await?;
        self.tell(StudioEvent::PlanChanged { job: id.clone(), plan });
        self.tell(StudioEvent::JobChanged { job: id.clone(), status: JobStatus::Queued });
        self.tell_order();
        Ok(())
    }

    pub(super) fn tell_order(&self) {
        self.tell(StudioEvent::JobsOrdered { jobs: self.queue.waiting() });
    }

    /// Moves a job on; it leaves when it is done or cancelled.
    pub(super) async fn set(&mut self, id: &JobId, status: JobStatus) {
        let Some(job) = self.queue.get_mut(id) else { return };
        if job.status == status {
            return;
        }
        let was_running = is_running(&job.status);
        job.status = status.clone();
        if !is_running(&status) {
            job.preview = None;
            self.shared.previews.forget(id);
        }
        if status.is_over() {
            self.queue.forget_second_try(id);
        }
        let leaves = matches!(status, JobStatus::Done { .. } | JobStatus::Cancelled);
        if leaves {
            self.queue.remove(id);
            let stored = (self.shared.store.clone(), id.clone());
            if let Err(error) = blocking(move || Ok(stored.0.remove_job(&stored.1)?)).await {
                tracing::warn!(%error, "a job that is over stays on disk");
            }
        } else if was_running != is_running(&status) {
            self.save_queue().await;
        }
        self.tell(StudioEvent::JobChanged { job: id.clone(), status });
    }

    /// Writes the queue; a failure is told, and the work goes on.
    pub(in crate::studio) async fn save_queue(&mut self) {
        if let Err(error) = self.try_save_queue().await {
            self.notice(error.failure());
        }
    }

    /// Writes what the artist changed in the queue; what cannot be written did not happen.
    async fn save_queue_or_undo(&mut self, before: Queue) -> Result<()> {
        let saved = self.try_save_queue().await;
        if saved.is_err() {
            self.queue = before;
        }
        saved
    }

    async fn try_save_queue(&self) -> Result<()> {
        let mut stored = Vec::new();
        for (position, job) in self.queue.jobs().iter().enumerate() {
            let body = serde_json::to_value(job).map_err(|error| Error::BadRequest(error.to_string()))?;
            stored.push(StoredJob {
                id: job.id.clone(),
                order: position as i64,
                state: state(&job.status, self.queue.is_second_try(&job.id)).to_owned(),
                body,
            });
        }
        let store = self.shared.store.clone();
        blocking(move || Ok(store.put_jobs(&stored)?)).await
    }
}

/// A job as it was before it was begun.
fn renewed(job: &Job) -> Job {
    let mut job = job.clone();
    job.status = JobStatus::Queued;
    job.answer.clear();
    job.preview = None;
    if job.thinking == Thinking::On || job.kind == Kind::Chat {
        job.plan.clear();
    }
    job
}

/// A job's state in the database's words.
fn state(status: &JobStatus, is_second_try: bool) -> &'static str {
    match status {
        JobStatus::Queued if is_second_try => SECOND_TRY,
        JobStatus::Queued => "queued",
        JobStatus::Running { .. } | JobStatus::Stopping => "running",
        JobStatus::Planned => "planned",
        JobStatus::Done { .. } => "done",
        JobStatus::Cancelled => "cancelled",
        JobStatus::Interrupted => "interrupted",
        JobStatus::Failed { .. } => "failed",
    }
}

//! What the artist does with jobs.

use protocol::limits::MAX_QUEUED;
use protocol::{ErrorCode, Job, JobId, JobPlace, JobStatus, Kind, NewJob, NodeId, Phase, StudioEvent, Thinking};
use store::StoredJob;

use super::Actor;
use super::running::StopReason;
use crate::queue::{JobQueue, SECOND_TRY, is_running};
use crate::{Error, Result, blocking, now_ms, plan, request};

impl Actor {
    /// Checks a request and queues its jobs; `verifies` is the image that is made again only to be compared.
    pub(in crate::studio) async fn submit(&mut self, new: NewJob, verifies: Option<NodeId>) -> Result<Vec<JobId>> {
        let (first, max_side) = (new.first, self.max_side());
        let store = self.shared.store.clone();
        let mut jobs = blocking(move || request::create_jobs(&new, max_side, &store, now_ms())).await?;
        jobs.iter_mut().for_each(|job| job.verifies = verifies);
        self.enqueue(jobs, first).await
    }

    /// Longest side that the model can make, where a model was loaded.
    pub(super) fn max_side(&self) -> Option<u32> {
        self.model.as_ref().map(|model| model.max_side)
    }

    /// Queues jobs; they are on disk before any listener learns of them.
    pub(super) async fn enqueue(&mut self, mut jobs: Vec<Job>, first: bool) -> Result<Vec<JobId>> {
        if self.queue.n_waiting() + jobs.len() > MAX_QUEUED {
            let message = format!("the queue is full at {MAX_QUEUED} jobs; wait for a job to finish or cancel one");
            return Err(Error::refused(ErrorCode::TooMany, message));
        }
        self.estimate_times(&mut jobs).await;
        let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
        let before = self.queue.clone();
        self.queue.add(jobs.clone(), first);
        self.save_queue_or_undo(before).await?;
        for job in jobs {
            tracing::debug!(job = %job.id, kind = job.kind.name(), "queued");
            self.emit(StudioEvent::JobQueued { job });
        }
        if first {
            self.emit_order();
        }
        Ok(ids)
    }

    fn job(&self, id: JobId) -> Result<&Job> {
        self.queue.get(id).ok_or(Error::NoJob(id))
    }

    pub(in crate::studio) async fn cancel(&mut self, id: JobId) -> Result<()> {
        match self.job(id)?.status {
            JobStatus::Queued | JobStatus::Planned => self.set_status(id, JobStatus::Cancelled).await,
            // An image that is being written is a result already.
            JobStatus::Running { phase: Phase::Saving } => {}
            JobStatus::Running { .. } => {
                self.stop_job(id, StopReason::Cancel);
                self.set_status(id, JobStatus::Stopping).await;
            }
            _ => {}
        }
        Ok(())
    }

    /// Stops a job that denoises, and saves its newest step as an image.
    pub(in crate::studio) async fn stop_and_save_step(&mut self, id: JobId) -> Result<()> {
        let job = self.job(id)?;
        let is_denoising = matches!(job.status, JobStatus::Running { phase: Phase::Painting { .. } });
        if !is_denoising || job.preview.is_none() || job.verifies.is_some() {
            return Err(Error::refused(ErrorCode::TooLate, "this job has no step to keep"));
        }
        self.stop_job(id, StopReason::SaveStep);
        self.set_status(id, JobStatus::Stopping).await;
        Ok(())
    }

    /// Stops the running job and cancels the queued ones; held plans stay.
    pub(in crate::studio) async fn cancel_all(&mut self) -> Result<()> {
        // The running job first: it continues until it is told.
        if let Some(id) = self.queue.running().map(|job| job.id) {
            self.cancel(id).await?;
        }
        let ids = self.queue.waiting();
        for id in &ids {
            self.queue.remove(*id);
            self.queue.forget_second_try(*id);
        }
        let (store, removed) = (self.shared.store.clone(), ids.clone());
        if let Err(error) = blocking(move || Ok(store.remove_jobs(&removed)?)).await {
            tracing::warn!(%error, "cancelled jobs stay on disk");
        }
        for job in ids {
            self.emit(StudioEvent::JobChanged { job, status: JobStatus::Cancelled });
        }
        Ok(())
    }

    pub(in crate::studio) async fn dismiss(&mut self, id: JobId) -> Result<()> {
        let Some(job) = self.queue.get(id) else { return Ok(()) };
        if !matches!(job.status, JobStatus::Failed { .. } | JobStatus::Interrupted | JobStatus::Planned) {
            return Err(Error::refused(ErrorCode::TooLate, "this job is queued or running; cancel it instead"));
        }
        let store = self.shared.store.clone();
        blocking(move || Ok(store.remove_job(id)?)).await?;
        self.queue.remove(id);
        self.emit(StudioEvent::JobDismissed { job: id });
        Ok(())
    }

    /// Queues a job again that failed or was interrupted, as if it were new.
    pub(in crate::studio) async fn retry(&mut self, id: JobId) -> Result<()> {
        let job = self.job(id)?;
        if !matches!(job.status, JobStatus::Failed { .. } | JobStatus::Interrupted) {
            return Err(Error::refused(ErrorCode::TooLate, "this job did not fail; there is nothing to try again"));
        }
        let job = reset(job);
        let before = self.queue.clone();
        self.queue.remove(id);
        self.queue.forget_second_try(id);
        self.queue.add(vec![job.clone()], false);
        self.save_queue_or_undo(before).await?;
        self.emit(StudioEvent::JobDismissed { job: id });
        self.emit(StudioEvent::JobQueued { job });
        Ok(())
    }

    /// Queues a job that lost its device once more, before all that wait.
    pub(super) async fn retry_after_device_loss(&mut self, id: JobId) {
        let Some(job) = self.queue.remove(id).map(|job| reset(&job)) else { return };
        tracing::info!(job = %id, "the device was lost; trying the job once more");
        self.shared.previews.forget(id);
        self.queue.mark_second_try(id);
        self.queue.add(vec![job.clone()], true);
        self.running = None;
        self.save_queue().await;
        self.emit(StudioEvent::JobDismissed { job: id });
        self.emit(StudioEvent::JobQueued { job });
        self.emit_order();
    }

    pub(in crate::studio) async fn move_job(&mut self, id: JobId, place: JobPlace) -> Result<()> {
        self.job(id)?;
        let before = self.queue.clone();
        if self.queue.move_job(id, place) {
            self.save_queue_or_undo(before).await?;
        }
        self.emit_order();
        Ok(())
    }

    /// Pauses or resumes the queue, also for the next start.
    pub(in crate::studio) async fn pause_queue(&mut self, is_paused: bool) {
        if self.queue.is_paused == is_paused {
            return;
        }
        self.queue.is_paused = is_paused;
        let store = self.shared.store.clone();
        if let Err(error) = blocking(move || Ok(store.hold_queue(is_paused)?)).await {
            self.notify(error.failure());
        }
        self.emit(StudioEvent::QueuePaused { is_paused });
    }

    /// Holds a plan: the part that is written now, or all of it once it is complete.
    pub(in crate::studio) async fn pause_plan(&mut self, id: JobId) -> Result<()> {
        let job = self.job(id)?;
        if !plan::can_be_held(job.kind, &job.thinking) {
            return Err(Error::BadRequest("this job writes no plan".to_owned()));
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
                self.stop_job(id, StopReason::HoldPlan);
                Ok(())
            }
            JobStatus::Running { .. } => Err(Error::refused(
                ErrorCode::TooLate,
                "the image is already being made from this plan; cancel the job and try again",
            )),
            _ => Ok(()),
        }
    }

    /// Queues a held job with this plan, before all that wait.
    pub(in crate::studio) async fn paint_plan(&mut self, id: JobId, plan: String) -> Result<()> {
        let given = plan::given(&plan)?;
        let before = self.queue.clone();
        let job = self.queue.get_mut(id).ok_or(Error::NoJob(id))?;
        if job.status != JobStatus::Planned {
            return Err(Error::refused(ErrorCode::TooLate, "this job holds no plan"));
        }
        if let Thinking::Given { plan } = &given {
            job.plan.clone_from(plan);
        }
        job.thinking = given;
        job.pauses_after_plan = false;
        job.status = JobStatus::Queued;
        let plan = job.plan.clone();
        self.queue.move_job(id, JobPlace::First);
        self.save_queue_or_undo(before).await?;
        self.emit(StudioEvent::PlanChanged { job: id, plan });
        self.emit(StudioEvent::JobChanged { job: id, status: JobStatus::Queued });
        self.emit_order();
        Ok(())
    }

    fn emit_order(&self) {
        self.emit(StudioEvent::JobsOrdered { jobs: self.queue.waiting() });
    }

    /// Changes a job's status; done and cancelled jobs leave the queue.
    pub(super) async fn set_status(&mut self, id: JobId, status: JobStatus) {
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
        if matches!(status, JobStatus::Done { .. } | JobStatus::Cancelled) {
            self.queue.remove(id);
            let store = self.shared.store.clone();
            if let Err(error) = blocking(move || Ok(store.remove_job(id)?)).await {
                tracing::warn!(%error, job = %id, "a finished job stays on disk");
            }
        } else if was_running != is_running(&status) {
            self.save_queue().await;
        }
        self.emit(StudioEvent::JobChanged { job: id, status });
    }

    /// Writes the queue; a failure becomes a notice, and the work goes on.
    pub(in crate::studio) async fn save_queue(&mut self) {
        if let Err(error) = self.try_save_queue().await {
            self.notify(error.failure());
        }
    }

    /// Writes what the artist changed in the queue; a change that cannot be written is undone.
    async fn save_queue_or_undo(&mut self, before: JobQueue) -> Result<()> {
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
            let state = stored_state(&job.status, self.queue.is_second_try(job.id)).to_owned();
            stored.push(StoredJob { id: job.id, order: position as i64, state, body });
        }
        let store = self.shared.store.clone();
        blocking(move || Ok(store.put_jobs(&stored)?)).await
    }
}

/// The job as it was before it started.
fn reset(job: &Job) -> Job {
    let mut job = job.clone();
    job.status = JobStatus::Queued;
    job.answer.clear();
    job.preview = None;
    if job.thinking == Thinking::On || job.kind == Kind::Chat {
        job.plan.clear();
    }
    job
}

/// A job's state as the database names it.
fn stored_state(status: &JobStatus, is_second_try: bool) -> &'static str {
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

//! The job that the engine runs, from its start to its last event.

use std::time::Instant;

use protocol::limits::SIDE_MULTIPLE;
use protocol::{
    ErrorCode, Event, Failure, Image, Job, JobId, JobStatus, Kind, NodeId, Phase, Size, Statistics, StudioEvent,
    TextChannel, Verification,
};
use tracing::Span;

use super::Actor;
use crate::request::{self, PreparedJob};
use crate::{blocking, cost, plan};

/// The running job and what it has given so far.
#[derive(Debug)]
pub(super) struct RunningJob {
    pub(super) id: JobId,
    pub(super) stop_reason: Option<StopReason>,
    pub(super) started: Instant,
    /// Images that a question brought into its conversation.
    pub(super) new_images: Vec<NodeId>,
    /// Whether the engine has sent its last event.
    pub(super) is_done: bool,
    pub(super) text: Option<String>,
    pub(super) statistics: Option<Statistics>,
    pub(super) size: Option<Size>,
    pub(super) image: ImageState,
    /// Every log line about the job lies in this span.
    pub(super) span: Span,
}

/// Why the engine was asked to stop a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopReason {
    Cancel,
    /// To hold its plan until the artist has read it.
    HoldPlan,
    /// To save its newest step as an image.
    SaveStep,
}

/// Where the image of a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ImageState {
    None,
    Saving,
    Saved(NodeId),
    /// It was compared with a stored image, and is not kept.
    Compared,
}

impl Actor {
    /// Starts the next job if the engine can take one; fails all that wait when it never will.
    pub(super) async fn start_next_job(&mut self) {
        if self.is_choosing {
            return;
        }
        while let Some(next) = self.queue.next() {
            let next = next.clone();
            if self.engine.resume() {
                self.emit_engine_state();
            }
            if let Some(obstacle) = self.engine.obstacle() {
                for id in self.queue.waiting() {
                    self.fail_job(id, obstacle.clone()).await;
                }
                // Otherwise the next start of the program would run them unasked.
                self.save_queue().await;
                return;
            }
            if !self.engine.is_ready() {
                return;
            }
            self.start_job(next).await;
        }
    }

    async fn start_job(&mut self, job: Job) {
        let id = job.id;
        let span = tracing::debug_span!("job", %id, kind = job.kind.name());
        let (store, chat, max_side) = (self.shared.store.clone(), self.defaults.chat.clone(), self.max_side());
        let prepared = blocking(move || request::prepare(&job, &store, &chat, max_side)).await;
        let PreparedJob { request, new_images, .. } = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                self.fail_job(id, error.failure()).await;
                self.save_queue().await;
                return;
            }
        };
        // On disk first: a start after a crash must know that it had begun.
        self.set_status(id, JobStatus::Running { phase: Phase::Reading }).await;
        span.in_scope(|| tracing::debug!(inputs = request.inputs().len(), "started"));
        self.running = Some(RunningJob {
            id,
            stop_reason: None,
            started: Instant::now(),
            new_images,
            is_done: false,
            text: None,
            statistics: None,
            size: None,
            image: ImageState::None,
            span,
        });
        if let Err(error) = self.engine.run(id, request) {
            self.running = None;
            self.fail_job(id, error.failure()).await;
        }
    }

    /// The running job, if it is this one.
    pub(super) fn running_mut(&mut self, id: JobId) -> Option<&mut RunningJob> {
        self.running.as_mut().filter(|running| running.id == id)
    }

    /// Asks the engine to stop a job, and remembers why.
    pub(super) fn stop_job(&mut self, id: JobId, reason: StopReason) {
        if let Some(running) = self.running_mut(id) {
            running.stop_reason = (reason != StopReason::Cancel).then_some(reason);
        }
        self.engine.cancel(id);
    }

    pub(super) async fn on_job_event(&mut self, event: Event, payload: Vec<u8>) {
        self.last_activity = Instant::now();
        match event {
            Event::Context { id, tokens } => {
                if let Some(running) = self.running_mut(id) {
                    running.span.in_scope(|| tracing::debug!(tokens, "inputs read"));
                }
                self.set_phase(id, Phase::Reading).await;
            }
            Event::Text { id, channel, delta } => self.on_text(id, channel, delta).await,
            Event::Step { id, step, steps, preview } => {
                if self.hold_plan_if_wanted(id) {
                    return;
                }
                self.set_phase(id, Phase::Painting { step, steps }).await;
                let image = preview.and_then(|Size { width, height }| Image::new(width, height, payload));
                if let (Some(image), Some(job)) = (image, self.queue.get_mut(id)) {
                    let preview = self.shared.previews.put(id, image);
                    job.preview = Some(preview);
                    self.emit(StudioEvent::Preview { job: id, preview });
                }
            }
            Event::Decoding { id } => self.set_phase(id, Phase::Decoding).await,
            // A quick model may finish before it learns that its plan is to be held.
            Event::Image { id, .. } if self.is_plan_wanted(id) => {}
            Event::Done { id, .. } if self.is_plan_wanted(id) => self.on_job_failed(id, cancelled()).await,
            Event::Image { id, recipe } => self.save_image(id, *recipe, payload).await,
            Event::Done { id, text, statistics, .. } => {
                if let Some(running) = self.running_mut(id) {
                    let seconds = running.started.elapsed().as_secs_f64();
                    running.span.in_scope(|| tracing::debug!(seconds, ?statistics, "the engine is done"));
                    running.is_done = true;
                    running.text = text;
                    running.statistics = Some(statistics);
                }
                self.finish_if_over(id).await;
            }
            Event::Failed { failure, .. } if failure.code == ErrorCode::DeviceLost => {
                // A process whose device is lost cannot compute any more.
                self.engine.on_exit(Some("its device was lost".to_owned())).await;
                self.lose_running_job(failure).await;
                self.emit_engine_state();
            }
            Event::Failed { id, failure } => self.on_job_failed(id, failure).await,
            _ => {}
        }
    }

    async fn on_text(&mut self, id: JobId, channel: TextChannel, delta: String) {
        let Some(job) = self.queue.get_mut(id) else { return };
        match channel {
            TextChannel::Plan => job.plan.push_str(&delta),
            TextChannel::Answer => job.answer.push_str(&delta),
        }
        let is_complete = channel == TextChannel::Plan && plan::is_complete(&job.plan);
        self.set_phase(id, Phase::Writing).await;
        self.emit(StudioEvent::Text { job: id, channel, delta });
        if is_complete {
            self.hold_plan_if_wanted(id);
        }
    }

    /// Stops a job whose plan is complete and is to be held; returns whether it is to be.
    fn hold_plan_if_wanted(&mut self, id: JobId) -> bool {
        let is_wanted = self.queue.get(id).is_some_and(|job| {
            job.pauses_after_plan
                && plan::can_be_held(job.kind, &job.thinking)
                && matches!(job.status, JobStatus::Running { .. })
        });
        if is_wanted && self.running_mut(id).is_some_and(|running| running.stop_reason.is_none()) {
            self.stop_job(id, StopReason::HoldPlan);
        }
        is_wanted
    }

    fn is_plan_wanted(&mut self, id: JobId) -> bool {
        self.running_mut(id).is_some_and(|running| running.stop_reason == Some(StopReason::HoldPlan))
    }

    async fn set_phase(&mut self, id: JobId, phase: Phase) {
        // Events that arrive after the request to stop must not undo it.
        if self.queue.get(id).is_some_and(|job| matches!(job.status, JobStatus::Running { .. })) {
            self.set_status(id, JobStatus::Running { phase }).await;
        }
    }

    /// The engine ended a job without a result.
    async fn on_job_failed(&mut self, id: JobId, failure: Failure) {
        if failure.code != ErrorCode::Cancelled {
            self.fail_job(id, failure).await;
            return;
        }
        if self.save_step(id).await {
            return;
        }
        let is_plan_wanted = self.is_plan_wanted(id);
        let Some(job) = self.queue.get(id) else { return };
        if is_plan_wanted && job.status != JobStatus::Stopping {
            self.set_status(id, JobStatus::Planned).await;
        } else if job.kind == Kind::Chat && !job.answer.trim().is_empty() {
            self.finish_answer(id, true).await;
        } else {
            self.set_status(id, JobStatus::Cancelled).await;
        }
        self.running = None;
    }

    /// Fails a job and offers what could be tried instead.
    pub(super) async fn fail_job(&mut self, id: JobId, failure: Failure) {
        let Some(job) = self.queue.get(id) else { return };
        tracing::info!(job = %id, code = ?failure.code, "the job failed");
        let size = job.parameters.size.or(self.running.as_ref().and_then(|running| running.size));
        let smaller = size.and_then(|size| catalog::smaller_sizes(size, SIDE_MULTIPLE).take(2).last());
        let remedies = cost::remedies(&failure, job, smaller, Vec::new());
        if let Some(node) = job.verifies {
            let outcome = Verification::Failed { failure: failure.clone() };
            self.emit(StudioEvent::Verified { node, outcome });
        }
        self.set_status(id, JobStatus::Failed { failure, remedies }).await;
        if self.running_mut(id).is_some() {
            self.running = None;
        }
    }

    /// Handles the end of a process, or ends it for a reason: its job fails, the others wait for the next process.
    pub(super) async fn on_engine_exit(&mut self, reason: Option<String>) {
        let failure = self.engine.on_exit(reason).await;
        self.lose_running_job(failure).await;
        self.emit_engine_state();
    }

    async fn lose_running_job(&mut self, failure: Failure) {
        let Some(job) = self.queue.running() else { return };
        let (id, is_stopping) = (job.id, job.status == JobStatus::Stopping);
        let Some(running) = self.running_mut(id) else {
            self.fail_job(id, failure).await;
            return;
        };
        if running.image != ImageState::None {
            // The image had arrived; nothing is lost.
            running.is_done = true;
            self.finish_if_over(id).await;
        } else if is_stopping || running.stop_reason == Some(StopReason::HoldPlan) {
            self.on_job_failed(id, cancelled()).await;
        } else if failure.code == ErrorCode::DeviceLost && self.queue.is_second_try(id) {
            self.fail_job(id, lost_again(&failure)).await;
        } else if failure.code == ErrorCode::DeviceLost && self.engine.obstacle().is_none() {
            self.retry_after_device_loss(id).await;
        } else {
            self.fail_job(id, failure).await;
        }
    }

    /// Takes the running job from an engine that the artist replaces.
    pub(super) async fn interrupt_job(&mut self, reason: &str) {
        // The job may be tried again under its old id while the old process still sends events.
        self.engine.detach_job();
        let message = format!("{reason} while this job ran; try again");
        self.lose_running_job(Failure { code: ErrorCode::Cancelled, message }).await;
    }
}

fn cancelled() -> Failure {
    Failure { code: ErrorCode::Cancelled, message: "stopped".to_owned() }
}

/// The failure of a job whose device was lost twice.
fn lost_again(failure: &Failure) -> Failure {
    let what = failure.message.split(';').next().unwrap_or_default();
    let message = format!("{what}, and again after a restart; restart the computer or choose the processor");
    Failure { code: ErrorCode::DeviceLost, message }
}

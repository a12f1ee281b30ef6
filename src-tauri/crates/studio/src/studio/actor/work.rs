//! The job that the engine has, from its start to its last word.

use std::time::Instant;

use protocol::check::SIDE_MULTIPLE;
use protocol::{
    ErrorCode, Event, Failure, Image, Job, JobId, JobStatus, Kind, NodeId, Phase, Size, Statistics, StudioEvent,
    TextChannel,
};

use super::Actor;
use crate::request::{self, Prepared};
use crate::studio::blocking;
use crate::{plan, price};

/// What has come of the running job.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) job: JobId,
    pub(super) goal: Goal,
    pub(super) began: Instant,
    /// Images that a question brought into its conversation.
    pub(super) new_images: Vec<NodeId>,
    pub(super) is_done: bool,
    pub(super) text: Option<String>,
    pub(super) statistics: Option<Statistics>,
    pub(super) size: Option<Size>,
    pub(super) image: ImageState,
}

/// What a job is to come to when the engine has ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// Its result, or its end.
    Finish,
    /// A plan that is held.
    Hold,
    /// Its newest step, kept as an image.
    Keep,
}

/// Where the image of a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ImageState {
    /// There is none yet.
    None,
    /// It is on its way to the disk.
    Saving,
    /// It is safe.
    Saved(NodeId),
    /// It was compared, and is not kept.
    Compared,
}

impl Actor {
    /// Gives the engine its next job, or ends what it can never do.
    pub(super) async fn pump(&mut self) {
        if self.is_choosing {
            return;
        }
        while let Some(next) = self.queue.next() {
            if self.engine.wake() {
                self.tell_engine_state();
            }
            if let Some(obstacle) = self.engine.obstacle() {
                for id in self.queue.waiting() {
                    self.fail(&id, obstacle.clone()).await;
                }
                // Or the next start would begin them of itself.
                self.save_queue().await;
                return;
            }
            if !self.engine.is_ready() {
                return;
            }
            let job = next.clone();
            self.begin(job).await;
        }
    }

    async fn begin(&mut self, job: Job) {
        let id = job.id.clone();
        let (store, chat) = (self.shared.store.clone(), self.defaults.chat.clone());
        let prepared = blocking(move || request::prepare(&job, &store, &chat)).await;
        match prepared {
            Ok(Prepared { request, new_images, .. }) => {
                // On disk first: a start after a crash must know that it had begun.
                self.set(&id, JobStatus::Running { phase: Phase::Reading }).await;
                self.work = Some(Work {
                    job: id.clone(),
                    goal: Goal::Finish,
                    began: Instant::now(),
                    new_images,
                    is_done: false,
                    text: None,
                    statistics: None,
                    size: None,
                    image: ImageState::None,
                });
                tracing::debug!(job = %id.0, "begins");
                if let Err(error) = self.engine.run(id.clone(), request) {
                    self.work = None;
                    self.fail(&id, error.failure()).await;
                }
            }
            Err(error) => {
                self.fail(&id, error.failure()).await;
                self.save_queue().await;
            }
        }
    }

    /// Asks the engine to end a job, and remembers what for.
    pub(super) fn stop_running(&mut self, id: &JobId, goal: Goal) {
        if let Some(work) = self.work.as_mut().filter(|work| work.job == *id) {
            work.goal = goal;
        }
        self.engine.cancel(id);
    }

    pub(super) async fn hear_of_job(&mut self, event: Event, payload: Vec<u8>) {
        self.last_work = Instant::now();
        match event {
            Event::Context { id, .. } => self.phase(&id, Phase::Reading).await,
            Event::Text { id, channel, delta } => self.hear_text(id, channel, delta).await,
            Event::Step { id, step, steps, preview } => {
                if self.hold_if_wanted(&id) {
                    return;
                }
                self.phase(&id, Phase::Painting { step, steps }).await;
                let image = preview.and_then(|Size { width, height }| Image::new(width, height, payload));
                if let (Some(image), Some(job)) = (image, self.queue.get_mut(&id)) {
                    let preview = self.shared.previews.put(&id, image);
                    job.preview = Some(preview);
                    self.tell(StudioEvent::Preview { job: id, preview });
                }
            }
            Event::Decoding { id } => self.phase(&id, Phase::Decoding).await,
            // A quick model may be done before it hears that its plan is to be held.
            Event::Image { id, .. } if self.is_to_be_held(&id) => {}
            Event::Done { id, .. } if self.is_to_be_held(&id) => {
                let message = "stopped".to_owned();
                self.ended(&id, Failure { code: ErrorCode::Cancelled, message }).await;
            }
            Event::Image { id, size, recipe } => self.keep(&id, size, payload, recipe).await,
            Event::Done { id, text, statistics, .. } => {
                if let Some(work) = self.work.as_mut().filter(|work| work.job == id) {
                    work.is_done = true;
                    work.text = text;
                    work.statistics = Some(statistics);
                }
                self.finish_if_over(&id).await;
            }
            Event::Failed { failure, .. } if failure.code == ErrorCode::DeviceLost => {
                // What a lost device leaves in the process is of no use to anybody.
                self.engine.bury(Some("its device was lost".to_owned())).await;
                self.lose_running(failure).await;
                self.tell_engine_state();
            }
            Event::Failed { id, failure } => self.ended(&id, failure).await,
            _ => {}
        }
    }

    async fn hear_text(&mut self, id: JobId, channel: TextChannel, delta: String) {
        let Some(job) = self.queue.get_mut(&id) else { return };
        match channel {
            TextChannel::Plan => job.plan.push_str(&delta),
            TextChannel::Answer => job.answer.push_str(&delta),
        }
        let is_complete = channel == TextChannel::Plan && plan::is_complete(&job.plan);
        self.phase(&id, Phase::Writing).await;
        self.tell(StudioEvent::Text { job: id.clone(), channel, delta });
        if is_complete {
            self.hold_if_wanted(&id);
        }
    }

    /// Ends a job whose plan is complete and to be held; gives back whether it is to be.
    fn hold_if_wanted(&mut self, id: &JobId) -> bool {
        let is_wanted = self.queue.get(id).is_some_and(|job| {
            job.pauses_after_plan
                && plan::can_be_held(job.kind, &job.thinking)
                && matches!(job.status, JobStatus::Running { .. })
        });
        if is_wanted && self.work.as_ref().is_some_and(|work| work.job == *id && work.goal == Goal::Finish) {
            self.stop_running(id, Goal::Hold);
        }
        is_wanted
    }

    fn is_to_be_held(&self, id: &JobId) -> bool {
        self.work.as_ref().is_some_and(|work| work.job == *id && work.goal == Goal::Hold)
    }

    pub(super) async fn phase(&mut self, id: &JobId, phase: Phase) {
        // Steps that arrive after the wish to stop do not take the wish back.
        if self.queue.get(id).is_some_and(|job| matches!(job.status, JobStatus::Running { .. })) {
            self.set(id, JobStatus::Running { phase }).await;
        }
    }

    /// The engine ended a job without a result.
    pub(super) async fn ended(&mut self, id: &JobId, failure: Failure) {
        if failure.code != ErrorCode::Cancelled {
            self.fail(id, failure).await;
            return;
        }
        if self.keep_step(id).await {
            return;
        }
        let Some(job) = self.queue.get(id) else { return };
        if self.is_to_be_held(id) && job.status != JobStatus::Stopping {
            self.set(id, JobStatus::Planned).await;
        } else if job.kind == Kind::Chat && !job.answer.trim().is_empty() {
            self.finish_answer(id, true).await;
        } else {
            self.set(id, JobStatus::Cancelled).await;
        }
        self.work = None;
    }

    /// A job fails and says what could be done.
    pub(super) async fn fail(&mut self, id: &JobId, failure: Failure) {
        let Some(job) = self.queue.get(id) else { return };
        tracing::info!(job = %id.0, code = ?failure.code, "a request failed");
        let size = job.parameters.size.or(self.work.as_ref().and_then(|work| work.size));
        // Nobody knows what would have fit: three quarters of each side is about half the memory.
        let smaller = size.and_then(|size| catalog::smaller_sizes(size, SIDE_MULTIPLE).take(2).last());
        let remedies = price::remedies(&failure, job, smaller, Vec::new());
        if let Some(node) = job.verifies {
            let outcome = protocol::Verification::Failed { failure: failure.clone() };
            self.tell(StudioEvent::Verified { node, outcome });
        }
        self.set(id, JobStatus::Failed { failure, remedies }).await;
        if self.work.as_ref().is_some_and(|work| work.job == *id) {
            self.work = None;
        }
    }

    /// The process is gone or must go: its job fails, the others wait for the next process.
    pub(super) async fn bury(&mut self, why: Option<String>) {
        let failure = self.engine.bury(why).await;
        self.lose_running(failure).await;
        self.tell_engine_state();
    }

    async fn lose_running(&mut self, failure: Failure) {
        let Some(job) = self.queue.running() else { return };
        let (id, status) = (job.id.clone(), job.status.clone());
        let Some(work) = self.work.as_mut().filter(|work| work.job == id) else {
            self.fail(&id, failure).await;
            return;
        };
        if work.image != ImageState::None {
            // The image had arrived; nothing is lost.
            work.is_done = true;
            self.finish_if_over(&id).await;
        } else if status == JobStatus::Stopping || work.goal == Goal::Hold {
            let message = "stopped".to_owned();
            self.ended(&id, Failure { code: ErrorCode::Cancelled, message }).await;
        } else if failure.code == ErrorCode::DeviceLost && self.queue.is_second_try(&id) {
            self.fail(&id, lost_again(&failure)).await;
        } else if failure.code == ErrorCode::DeviceLost && self.engine.obstacle().is_none() {
            self.try_again(&id).await;
        } else {
            self.fail(&id, failure).await;
        }
    }

    /// The artist replaces the engine while it works.
    pub(super) async fn abandon(&mut self, why: &str) {
        // The job may be tried again while the old process still speaks, and keeps its name then.
        self.engine.disown();
        let message = format!("{why} while this ran; try again");
        self.lose_running(Failure { code: ErrorCode::Cancelled, message }).await;
    }
}

/// What to do about a device that does not stay.
fn lost_again(failure: &Failure) -> Failure {
    let what = failure.message.split(';').next().unwrap_or_default();
    let message = format!("{what}, and again after a new start; restart the computer or choose the processor");
    Failure { code: ErrorCode::DeviceLost, message }
}

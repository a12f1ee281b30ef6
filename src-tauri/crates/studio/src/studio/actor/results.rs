//! What a job made: checked, saved, compared, and told.

use std::time::Duration;

use protocol::{
    ErrorCode, Failure, Image, Job, JobId, JobStatus, Kind, NodeId, Origin, Phase, Size, StudioEvent, Verification,
};
use store::{Added, NewNode, NewTurn};
use tokio::sync::mpsc;
use tokio::time;

use super::work::{Goal, ImageState};
use super::{Actor, Message};
use crate::studio::{blocking, now_ms};
use crate::timing::{self, Run, Work as Amount};
use crate::{Error, Result, history, pixels};

/// How long the end waits for an image that is being saved.
const SAVING: Duration = Duration::from_secs(10);

impl Actor {
    /// Takes an image from the engine: looks whether it is one, and has it saved away from this task.
    pub(super) async fn keep(&mut self, id: &JobId, size: Size, rgb: Vec<u8>, recipe: serde_json::Value) {
        let Some(job) = self.queue.get(id).cloned() else { return };
        let image = match super::image(size, rgb) {
            Ok(image) => image,
            Err(error) => return self.fail(id, error.failure()).await,
        };
        if pixels::is_flat(&image) {
            let message = "the image came out as one flat color and was not saved; \
                           try another seed, or less guidance";
            let failure = Failure { code: ErrorCode::BadResult, message: message.to_owned() };
            return self.fail(id, failure).await;
        }
        let Some(work) = self.work.as_mut().filter(|work| work.job == *id) else { return };
        work.size = Some(size);
        work.image = ImageState::Saving;
        let took_ms = u64::try_from(work.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.set(id, JobStatus::Running { phase: Phase::Saving }).await;
        let (shared, inbox, id) = (self.shared.clone(), self.inbox.clone(), id.clone());
        tokio::task::spawn_blocking(move || {
            let message = match job.verifies {
                Some(node) => {
                    Message::Compared { job: id, node, outcome: history::compare(node, &image, &shared.store) }
                }
                None => {
                    let recipe = serde_json::from_value(recipe).ok();
                    let result = save(&job, &image, recipe.as_ref(), took_ms, &shared.store);
                    Message::Kept { job: id, result: result.map(Box::new) }
                }
            };
            if let Some(inbox) = inbox.upgrade() {
                let _ = inbox.send(message);
            }
        });
    }

    /// Saves the newest step of a job that was stopped for it; gives back whether it does.
    pub(super) async fn keep_step(&mut self, id: &JobId) -> bool {
        let Some(job) = self.queue.get(id).cloned() else { return false };
        let Some(work) = self.work.as_mut().filter(|work| work.job == *id && work.goal == Goal::Keep) else {
            return false;
        };
        let Some(step) = job.preview.and_then(|preview| self.shared.previews.get(preview)) else { return false };
        (work.image, work.is_done) = (ImageState::Saving, true);
        let took_ms = u64::try_from(work.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.set(id, JobStatus::Running { phase: Phase::Saving }).await;
        let (shared, inbox, id) = (self.shared.clone(), self.inbox.clone(), id.clone());
        tokio::task::spawn_blocking(move || {
            // Without its recipe: that leads to another image, the one at the last step.
            let result = save(&job, &step, None, took_ms, &shared.store);
            if let Some(inbox) = inbox.upgrade() {
                let _ = inbox.send(Message::Kept { job: id, result: result.map(Box::new) });
            }
        });
        true
    }

    pub(super) async fn kept(&mut self, id: &JobId, result: Result<Box<Added>>) {
        match result {
            Ok(added) => {
                let node = added.node.id;
                self.shared.previews.hand_over(id, node);
                self.shared.tell_added(added.node).await;
                if let Some(work) = self.work.as_mut().filter(|work| work.job == *id) {
                    work.image = ImageState::Saved(node);
                }
                self.finish_if_over(id).await;
            }
            Err(error) => self.fail(id, error.failure()).await,
        }
    }

    /// Waits for an image that is on its way to the disk, so that its job is over and not interrupted. Whatever else
    /// is asked for meanwhile comes too late.
    pub(super) async fn finish_saving(&mut self, messages: &mut mpsc::UnboundedReceiver<Message>) {
        let Some(work) = self.work.as_mut().filter(|work| !matches!(work.image, ImageState::None)) else { return };
        // The engine's last word is not waited for: it could add nothing to the image.
        work.is_done = true;
        let id = work.job.clone();
        self.finish_if_over(&id).await;
        let saved = async {
            while self.work.is_some() {
                match messages.recv().await {
                    Some(message @ (Message::Kept { .. } | Message::Compared { .. })) => self.receive(message).await,
                    Some(_) => {}
                    None => return,
                }
            }
        };
        if time::timeout(SAVING, saved).await.is_err() {
            tracing::warn!(job = %id.0, "an image was still being saved at the end");
        }
    }

    pub(super) async fn compared(&mut self, id: &JobId, node: NodeId, outcome: Verification) {
        self.tell(StudioEvent::Verified { node, outcome });
        if let Some(work) = self.work.as_mut().filter(|work| work.job == *id) {
            work.image = ImageState::Compared;
        }
        self.finish_if_over(id).await;
    }

    /// Ends a job whose engine has said its last word and whose image, if it has one, is safe.
    pub(super) async fn finish_if_over(&mut self, id: &JobId) {
        let Some(work) = self.work.as_ref().filter(|work| work.job == *id && work.is_done) else { return };
        match work.image {
            ImageState::Saving => return,
            ImageState::Saved(node) => {
                self.remember_time(id);
                self.set(id, JobStatus::Done { node: Some(node) }).await;
            }
            ImageState::Compared => self.set(id, JobStatus::Done { node: None }).await,
            ImageState::None => {
                if self.queue.get(id).is_some_and(|job| job.kind == Kind::Chat) {
                    self.remember_time(id);
                    self.finish_answer(id, false).await;
                } else {
                    let message = "the engine ended without an image; try again".to_owned();
                    self.fail(id, Failure { code: ErrorCode::Internal, message }).await;
                }
            }
        }
        self.work = None;
    }

    pub(super) async fn finish_answer(&mut self, id: &JobId, stopped: bool) {
        let Some(job) = self.queue.get(id).cloned() else { return };
        let work = self.work.as_ref().filter(|work| work.job == *id);
        // What was reasoned before the answer is not part of the conversation.
        let streamed = job.answer.trim();
        let whole = work.and_then(|work| work.text.as_deref()).unwrap_or_default().trim();
        let answer = if streamed.is_empty() { whole } else { streamed };
        if answer.is_empty() {
            let message = "the model answered with nothing; ask in other words".to_owned();
            self.fail(id, Failure { code: ErrorCode::BadResult, message }).await;
            return;
        }
        let turn = NewTurn {
            question: job.prompt.clone(),
            images: work.map(|work| work.new_images.clone()).unwrap_or_default(),
            plan: Some(job.plan.clone()).filter(|plan| !plan.trim().is_empty()),
            answer: answer.to_owned(),
            stopped,
        };
        let (store, project) = (self.shared.store.clone(), job.project);
        let entered = blocking(move || {
            let (turn, _began) = store.add_turn(project, turn, now_ms())?;
            Ok((turn, store.project_summary(project)?))
        });
        match entered.await {
            Ok((turn, summary)) => {
                self.tell(StudioEvent::ProjectChanged { project: summary });
                self.tell(StudioEvent::TurnAdded { project, turn });
                self.set(id, JobStatus::Done { node: None }).await;
            }
            Err(error) => self.fail(id, error.failure()).await,
        }
    }

    /// Keeps how long a job took, for the next one like it.
    fn remember_time(&self, id: &JobId) {
        let (Some(work), Some(job), Some(model)) = (&self.work, self.queue.get(id), &self.model) else { return };
        let Some(statistics) = &work.statistics else { return };
        let run = Run::new(Amount::of(job, work.size), statistics);
        let (store, key) = (self.shared.store.clone(), timing::key(model, job.kind));
        tokio::task::spawn_blocking(move || {
            let kept = serde_json::to_value(run).ok().map(|value| store.put_timing(&key, &value, now_ms()));
            if let Some(Err(error)) = kept {
                tracing::debug!(%error, "a time is not remembered");
            }
        });
    }

    /// Says of new jobs how long each is expected to take.
    pub(super) async fn expect_times(&self, jobs: &mut [Job]) {
        let (Some(model), Some(job)) = (self.model.clone(), jobs.first().cloned()) else { return };
        let store = self.shared.store.clone();
        let expected = blocking(move || Ok(expected_secs(&job, None, &model, &store))).await.ok().flatten();
        for job in jobs {
            job.expected_secs = expected;
        }
    }
}

/// Seconds that a job is expected to take; its size is looked up where nobody knows it yet.
pub(in crate::studio) fn expected_secs(
    job: &Job,
    size: Option<Size>,
    model: &protocol::ModelDescription,
    store: &store::Store,
) -> Option<f64> {
    let source = || job.image.and_then(|image| store.node(image).ok()).map(|node| node.size);
    let most = Size { width: model.max_side, height: model.max_side };
    let size = size.or(job.parameters.size).or_else(source).unwrap_or(most);
    let runs = store.timings(&timing::key(model, job.kind)).ok()?;
    let runs: Vec<Run> = runs.into_iter().filter_map(|run| serde_json::from_value(run).ok()).collect();
    timing::expect(&runs, &Amount::of(job, Some(size)))
}

fn save(
    job: &Job,
    image: &Image,
    recipe: Option<&imagefile::Recipe>,
    took_ms: u64,
    store: &store::Store,
) -> Result<Added> {
    let is_edit = job.kind == Kind::Edit;
    let origin = if is_edit { Origin::Edit } else { Origin::Generate };
    let node = NewNode {
        parent: job.image.filter(|_| is_edit),
        references: if is_edit { job.references.clone() } else { Vec::new() },
        // With a recipe the library takes both from there.
        seed: job.parameters.seed.filter(|_| recipe.is_none()),
        plan: Some(job.plan.clone()).filter(|plan| recipe.is_none() && !plan.is_empty()),
        took_ms: Some(took_ms),
        ..NewNode::new(job.project, origin, job.prompt.clone())
    };
    store.add_result(&node, image, recipe, now_ms()).map_err(Error::from)
}

//! What a job made: saved or compared, and announced.

use std::time::Duration;

use protocol::{
    ErrorCode, Failure, Image, Job, JobId, JobStatus, Kind, ModelDescription, NodeId, Origin, Phase, Recipe, Size,
    StudioEvent, Verification,
};
use store::{Added, NewNode, NewTurn, Store};
use tokio::sync::mpsc;
use tokio::time;

use super::running::{ImageState, StopReason};
use super::{Actor, Message};
use crate::timing::{self, Run, Workload};
use crate::{Error, Result, blocking, history, now_ms};

/// How long closing waits for an image that is being saved.
const SAVING: Duration = Duration::from_secs(10);

/// The outcome of saving or comparing an image in the background.
#[derive(Debug)]
pub(in crate::studio) struct SavedImage {
    job: JobId,
    outcome: SaveOutcome,
}

#[derive(Debug)]
enum SaveOutcome {
    Saved(Box<Added>),
    Failed(Error),
    Compared { node: NodeId, verification: Verification },
}

impl From<Result<Added>> for SaveOutcome {
    fn from(result: Result<Added>) -> Self {
        result.map_or_else(Self::Failed, |added| Self::Saved(Box::new(added)))
    }
}

impl Actor {
    /// Takes an image from the engine, checks its size, and saves or compares it in the background.
    pub(super) async fn save_image(&mut self, id: JobId, recipe: Recipe, rgb: Vec<u8>) {
        let Some(job) = self.queue.get(id).cloned() else { return };
        let image = match super::image(recipe.size, rgb) {
            Ok(image) => image,
            Err(error) => return self.fail_job(id, error.failure()).await,
        };
        let Some(running) = self.running_mut(id) else { return };
        running.size = Some(recipe.size);
        running.image = ImageState::Saving;
        let took_ms = elapsed_ms(running.started);
        self.set_status(id, JobStatus::Running { phase: Phase::Saving }).await;
        match job.verifies {
            Some(node) => self.in_background(id, move |store| {
                let verification = history::compare(node, &image, store);
                SaveOutcome::Compared { node, verification }
            }),
            None => self.in_background(id, move |store| save(&job, &image, Some(&recipe), took_ms, store).into()),
        }
    }

    /// Saves the newest step of a job that was stopped for it; returns whether it does.
    pub(super) async fn save_step(&mut self, id: JobId) -> bool {
        let Some(job) = self.queue.get(id).cloned() else { return false };
        let Some(step) = job.preview.and_then(|preview| self.shared.previews.get(preview)) else { return false };
        let Some(running) = self.running_mut(id) else { return false };
        if running.stop_reason != Some(StopReason::SaveStep) {
            return false;
        }
        (running.image, running.is_done) = (ImageState::Saving, true);
        let took_ms = elapsed_ms(running.started);
        self.set_status(id, JobStatus::Running { phase: Phase::Saving }).await;
        // Without its recipe, which leads to another image: the one at the last step.
        self.in_background(id, move |store| save(&job, &step, None, took_ms, store).into());
        true
    }

    fn in_background(&self, job: JobId, work: impl FnOnce(&Store) -> SaveOutcome + Send + 'static) {
        let (shared, inbox) = (self.shared.clone(), self.inbox.clone());
        tokio::task::spawn_blocking(move || {
            let outcome = work(&shared.store);
            inbox.send(Message::Saved(Box::new(SavedImage { job, outcome })));
        });
    }

    pub(super) async fn on_saved(&mut self, saved: SavedImage) {
        let id = saved.job;
        match saved.outcome {
            SaveOutcome::Saved(added) => {
                let node = added.node.id;
                self.shared.previews.hand_over(id, node);
                self.shared.emit_added(added.node).await;
                if let Some(running) = self.running_mut(id) {
                    let seconds = running.started.elapsed().as_secs_f64();
                    running.span.in_scope(|| tracing::info!(%node, seconds, "image saved"));
                    running.image = ImageState::Saved(node);
                }
                self.finish_if_over(id).await;
            }
            SaveOutcome::Failed(error) => self.fail_job(id, error.failure()).await,
            SaveOutcome::Compared { node, verification } => {
                self.emit(StudioEvent::Verified { node, outcome: verification });
                if let Some(running) = self.running_mut(id) {
                    running.image = ImageState::Compared;
                }
                self.finish_if_over(id).await;
            }
        }
    }

    /// Waits for an image that is being saved, so that its job is done and not interrupted. All other messages come
    /// too late and are dropped.
    pub(super) async fn finish_saving(&mut self, messages: &mut mpsc::UnboundedReceiver<Message>) {
        let Some(running) = &mut self.running else { return };
        if running.image == ImageState::None {
            return;
        }
        // The engine's last event could add nothing to the image.
        running.is_done = true;
        let id = running.id;
        self.finish_if_over(id).await;
        let saved = async {
            while self.running.is_some() {
                match messages.recv().await {
                    Some(Message::Saved(saved)) => self.on_saved(*saved).await,
                    Some(_) => {}
                    None => return,
                }
            }
        };
        if time::timeout(SAVING, saved).await.is_err() {
            tracing::warn!(job = %id, "closing while an image is still being saved");
        }
    }

    /// Ends a job once the engine is done with it and its image, if it has one, is on disk.
    pub(super) async fn finish_if_over(&mut self, id: JobId) {
        let Some(running) = self.running_mut(id) else { return };
        if !running.is_done {
            return;
        }
        match running.image {
            ImageState::Saving => return,
            ImageState::Saved(node) => {
                self.save_timing(id);
                self.set_status(id, JobStatus::Done { node: Some(node) }).await;
            }
            ImageState::Compared => self.set_status(id, JobStatus::Done { node: None }).await,
            ImageState::None => {
                if self.queue.get(id).is_some_and(|job| job.kind == Kind::Chat) {
                    self.save_timing(id);
                    self.finish_answer(id, false).await;
                } else {
                    let message = "the engine ended without an image; try again".to_owned();
                    self.fail_job(id, Failure { code: ErrorCode::Internal, message }).await;
                }
            }
        }
        self.running = None;
    }

    /// Adds an answer to its conversation; `stopped` says that the artist stopped it.
    pub(super) async fn finish_answer(&mut self, id: JobId, stopped: bool) {
        let Some(job) = self.queue.get(id).cloned() else { return };
        let running = self.running_mut(id);
        // The plan before the answer is not part of the conversation, and the whole text contains it.
        let streamed = job.answer.trim();
        let whole = running.as_ref().and_then(|running| running.text.as_deref()).unwrap_or_default().trim();
        let answer = if streamed.is_empty() { whole.to_owned() } else { streamed.to_owned() };
        let images = running.map(|running| running.new_images.clone()).unwrap_or_default();
        if answer.is_empty() {
            let message = "the model answered with nothing; ask in other words".to_owned();
            self.fail_job(id, Failure { code: ErrorCode::BadResult, message }).await;
            return;
        }
        let plan = Some(job.plan).filter(|plan| !plan.trim().is_empty());
        let turn = NewTurn { prompt: job.prompt, images, plan, answer, stopped };
        let (store, project) = (self.shared.store.clone(), job.project);
        let added = blocking(move || {
            let (turn, _new_project) = store.add_turn(project, turn, now_ms())?;
            Ok((turn, store.project_summary(project)?))
        });
        match added.await {
            Ok((turn, summary)) => {
                self.emit(StudioEvent::ProjectChanged { project: summary });
                self.emit(StudioEvent::TurnAdded { project, turn });
                self.set_status(id, JobStatus::Done { node: None }).await;
            }
            Err(error) => self.fail_job(id, error.failure()).await,
        }
    }

    /// Remembers how long a job took, for the next one like it.
    fn save_timing(&self, id: JobId) {
        let (Some(running), Some(job), Some(model)) = (&self.running, self.queue.get(id), &self.model) else { return };
        let Some(statistics) = &running.statistics else { return };
        let run = Run::new(Workload::of(job, running.size), statistics);
        let (store, key) = (self.shared.store.clone(), timing::key(model, job.kind));
        tokio::task::spawn_blocking(move || {
            let Ok(value) = serde_json::to_value(run) else { return };
            if let Err(error) = store.put_timing(&key, &value, now_ms()) {
                tracing::debug!(%error, "the job's duration was not saved");
            }
        });
    }

    /// Estimates for new jobs how long each will take.
    pub(super) async fn estimate_times(&self, jobs: &mut [Job]) {
        let (Some(model), Some(job)) = (self.model.clone(), jobs.first().cloned()) else { return };
        let store = self.shared.store.clone();
        let expected = blocking(move || Ok(expected_secs(&job, None, &model, &store))).await.ok().flatten();
        for job in jobs {
            job.expected_secs = expected;
        }
    }
}

fn elapsed_ms(started: std::time::Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Seconds that a job is expected to take; its size is looked up where it is not known yet.
pub(in crate::studio) fn expected_secs(
    job: &Job,
    size: Option<Size>,
    model: &ModelDescription,
    store: &Store,
) -> Option<f64> {
    let source = || job.image.and_then(|image| store.node(image).ok()).map(|node| node.size);
    let largest = Size { width: model.max_side, height: model.max_side };
    let size = size.or(job.parameters.size).or_else(source).unwrap_or(largest);
    let runs = store.timings(&timing::key(model, job.kind)).ok()?;
    let runs: Vec<Run> = runs.into_iter().filter_map(|run| serde_json::from_value(run).ok()).collect();
    timing::expect(&runs, &Workload::of(job, Some(size)))
}

fn save(job: &Job, image: &Image, recipe: Option<&Recipe>, took_ms: u64, store: &Store) -> Result<Added> {
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

//! Requests: submitting, estimating, ordering, stopping, repeating.

use std::time::Duration;

use catalog::Estimate;
use protocol::limits::SIDE_MULTIPLE;
use protocol::{
    CheckedRequest, CostEstimate, EngineState, ErrorCode, Failure, InstallStage, Job, JobId, JobPlace, Kind,
    MemoryEstimate, NewJob, NodeId, Remedy, Request, Size, TurnId,
};
use tokio::sync::oneshot;

use super::Studio;
use super::actor::{EngineSnapshot, expected_secs};
use crate::request::PreparedJob;
use crate::{Error, Result, blocking, conversation, cost, estimate, history, now_ms, queue, request};

/// How long the engine may take to estimate a request.
const ESTIMATE_TIMEOUT: Duration = Duration::from_secs(10);

/// A request to be estimated, and the sizes of the images that it reads.
struct Candidate {
    job: Job,
    request: CheckedRequest,
    images: Vec<Size>,
}

impl EngineSnapshot {
    /// Where the model computes, or will.
    fn device(&self) -> Option<String> {
        match &self.model {
            Some(model) if self.is_loaded => Some(model.device.clone()),
            _ => self.target.as_ref().map(|_| estimate::choose_device(self.settings.device.as_deref(), &self.devices)),
        }
    }

    /// Bytes that the loaded weights hold.
    fn held_bytes(&self) -> u64 {
        match &self.model {
            Some(model) if self.is_loaded => model.memory_bytes,
            _ => 0,
        }
    }

    fn max_side(&self) -> Option<u32> {
        self.model.as_ref().map(|model| model.max_side)
    }
}

impl Studio {
    /// Checks and queues a request, a job for each of its variations; they are on disk when this returns.
    pub async fn submit(&self, new: NewJob) -> Result<Vec<JobId>> {
        if new.kind == Kind::Chat {
            // A question whose conversation the model cannot hold would wait in vain.
            match self.estimate(new.clone()).await?.refusal {
                Some(refusal) if refusal.code == ErrorCode::ContextTooLong => return Err(Error::Failed(refusal)),
                _ => {}
            }
        }
        self.call(move |actor| Box::pin(actor.submit(new, None))).await?
    }

    /// Estimates memory and time of a request.
    pub async fn estimate(&self, new: NewJob) -> Result<CostEstimate> {
        let engine = self.read(|actor| actor.engine_snapshot()).await?;
        let (chat, max_side) = (engine.defaults.chat.clone(), engine.max_side());
        let (n_jobs, candidate) = self
            .with_store(move |store| {
                let jobs = request::create_jobs(&new, max_side, store, now_ms())?;
                let n_jobs = jobs.len();
                let job = jobs.into_iter().next().ok_or(Error::Closed)?;
                let PreparedJob { request, images, .. } = request::prepare(&job, store, &chat, max_side)?;
                // Images that are deleted for good are not shown to the model.
                let images = images.iter().filter_map(|id| store.node(*id).ok()).map(|node| node.size).collect();
                Ok((n_jobs, Candidate { job, request, images }))
            })
            .await?;
        let mut cost = CostEstimate {
            memory: MemoryEstimate::default(),
            available_bytes: None,
            context_tokens: 0,
            size: if candidate.job.kind == Kind::Chat { None } else { candidate.job.parameters.size },
            secs: None,
            refusal: engine.obstacle.clone(),
            remedies: Vec::new(),
        };
        let Some(device) = engine.device() else {
            cost.remedies = cost.refusal.iter().map(|_| Remedy::SmallerModel).collect();
            return Ok(cost);
        };
        // While a model is loading, nobody knows how much of the memory it has taken.
        if engine.is_loaded || matches!(engine.state, EngineState::Idle { .. }) {
            let folder = self.shared.models_folder.clone();
            let machine = blocking(move || Ok(crate::models::hardware(&folder, Vec::new()))).await?;
            cost.available_bytes =
                cost::available_bytes(&device, engine.held_bytes(), &engine.devices, machine.free_memory_bytes);
        }
        match self.estimate_request(&candidate.request, &candidate.images, &engine).await {
            Some(Ok(estimate)) => {
                (cost.memory, cost.context_tokens, cost.size) =
                    (estimate.memory, estimate.context_tokens, estimate.size);
                // Only the engine knows how many tokens a text has.
                if engine.is_loaded {
                    cost.refusal = cost.refusal.or_else(|| cost::check_context(&estimate, &candidate.job));
                }
                cost.refusal = cost
                    .refusal
                    .or_else(|| cost::check_memory(&estimate, cost.available_bytes, &device, &candidate.job));
            }
            Some(Err(failure)) => cost.refusal = cost.refusal.or(Some(failure)),
            None => {}
        }
        if let Some(refusal) = &cost.refusal {
            let fitting = self.find_fitting_size(refusal, &candidate, &cost, &engine).await;
            let older = if cost.context_tokens > 0 { self.older_turns(&candidate.job).await } else { Vec::new() };
            cost.remedies = cost::remedies(refusal, &candidate.job, fitting, older);
            cost.remedies.retain(|remedy| *remedy != Remedy::Retry);
        }
        if let Some(model) = engine.model {
            let size = cost.size;
            let secs = self.with_store(move |store| Ok(expected_secs(&candidate.job, size, &model, store))).await?;
            cost.secs = secs.map(|secs| secs * n_jobs as f64);
        }
        Ok(cost)
    }

    /// The engine's estimate; while no model is loaded, one from the headers of the model to load. `None` where
    /// neither can be had.
    async fn estimate_request(
        &self,
        request: &CheckedRequest,
        images: &[Size],
        engine: &EngineSnapshot,
    ) -> Option<std::result::Result<Estimate, Failure>> {
        if engine.is_loaded {
            let (reply, answer) = oneshot::channel();
            let request = request.clone();
            self.post(move |actor| {
                actor.engine_mut().estimate(request, reply);
                Box::pin(std::future::ready(()))
            });
            return tokio::time::timeout(ESTIMATE_TIMEOUT, answer).await.ok()?.ok();
        }
        let (target, device) = (engine.target.clone()?, engine.device()?);
        let (shared, request, images) = (self.shared.clone(), request.clone(), images.to_vec());
        let estimate = blocking(move || shared.estimator.estimate(&target, &device, &request, &images)).await;
        // A model that cannot be read fails when it is loaded.
        estimate.inspect_err(|error| tracing::debug!(%error, "the request cannot be estimated")).ok().map(Ok)
    }

    /// Questions of a conversation without which the next one may fit.
    async fn older_turns(&self, job: &Job) -> Vec<TurnId> {
        if job.kind != Kind::Chat {
            return Vec::new();
        }
        let project = job.project;
        let turns = self.with_store(move |store| Ok(store.turns(project)?)).await;
        turns.map(|turns| conversation::older_half(&turns)).unwrap_or_default()
    }

    /// The largest smaller size that is known to fit.
    async fn find_fitting_size(
        &self,
        refusal: &Failure,
        candidate: &Candidate,
        cost: &CostEstimate,
        engine: &EngineSnapshot,
    ) -> Option<Size> {
        let is_memory = matches!(refusal.code, ErrorCode::OutOfDeviceMemory | ErrorCode::OutOfHostMemory);
        if !is_memory || candidate.job.kind == Kind::Chat {
            return None;
        }
        let available_bytes = cost.available_bytes?;
        for size in catalog::smaller_sizes(cost.size?, SIDE_MULTIPLE) {
            let mut smaller = candidate.request.clone().into_inner();
            if let Request::Generate(request) | Request::Edit(request) = &mut smaller {
                request.parameters.size = Some(size);
            }
            let smaller = smaller.checked(engine.max_side()).ok()?;
            if let Some(Ok(estimate)) = self.estimate_request(&smaller, &candidate.images, engine).await
                && estimate.memory.peak_bytes <= available_bytes
            {
                return Some(size);
            }
        }
        None
    }

    /// Cancels a waiting job at once, and the running one within a step.
    pub async fn cancel(&self, job: JobId) -> Result<()> {
        self.call(move |actor| Box::pin(actor.cancel(job))).await?
    }

    /// Stops a job that denoises, and saves its newest step as an image of its project.
    pub async fn keep(&self, job: JobId) -> Result<()> {
        self.call(move |actor| Box::pin(actor.stop_and_save_step(job))).await?
    }

    /// Cancels the running job and all that wait.
    pub async fn cancel_all(&self) -> Result<()> {
        self.call(|actor| Box::pin(actor.cancel_all())).await?
    }

    /// Removes a job that failed, was interrupted or holds a plan.
    pub async fn dismiss(&self, job: JobId) -> Result<()> {
        self.call(move |actor| Box::pin(actor.dismiss(job))).await?
    }

    /// Queues a failed or interrupted job again.
    pub async fn retry(&self, job: JobId) -> Result<()> {
        self.call(move |actor| Box::pin(actor.retry(job))).await?
    }

    /// Moves a waiting job.
    pub async fn move_job(&self, job: JobId, place: JobPlace) -> Result<()> {
        self.call(move |actor| Box::pin(actor.move_job(job, place))).await?
    }

    /// Pauses or resumes the queue; the running job continues.
    pub fn pause_queue(&self, is_paused: bool) {
        self.post(move |actor| Box::pin(actor.pause_queue(is_paused)));
    }

    /// Holds a job's plan, while it is written or once it is complete.
    pub async fn pause_plan(&self, job: JobId) -> Result<()> {
        self.call(move |actor| Box::pin(actor.pause_plan(job))).await?
    }

    /// Queues a job that holds a plan to make its image from this one.
    pub async fn paint_plan(&self, job: JobId, plan: String) -> Result<()> {
        self.call(move |actor| Box::pin(actor.paint_plan(job, plan))).await?
    }

    /// Makes an image again from its recipe as a new one.
    pub async fn replay(&self, node: NodeId) -> Result<Vec<JobId>> {
        let new = self.with_store(move |store| history::replay(node, store)).await?;
        self.call(move |actor| Box::pin(actor.submit(new, None))).await?
    }

    /// Makes an image again and compares; the outcome is an event.
    pub async fn verify(&self, node: NodeId) -> Result<()> {
        let new = self.with_store(move |store| history::replay(node, store)).await?;
        self.call(move |actor| Box::pin(actor.submit(new, Some(node)))).await?.map(drop)
    }

    /// Whether there is work that closing would interrupt.
    pub async fn is_working(&self) -> bool {
        let Ok(state) = self.read(|actor| actor.state()).await else { return false };
        let is_installing = |stage: &InstallStage| {
            matches!(stage, InstallStage::Downloading | InstallStage::Checking | InstallStage::Converting)
        };
        state.jobs.iter().any(|job| queue::is_running(&job.status))
            || state.models.iter().filter_map(|model| model.install.as_ref()).any(|it| is_installing(&it.stage))
    }
}

//! What is asked for: requests, their price, their order, their plans.

use std::time::Duration;

use protocol::{
    ErrorCode, Failure, Job, JobId, JobKind, JobPlace, MemoryEstimate, NewJob, NodeId, Price, Remedy, Request, Size,
};
use store::Store;
use tokio::sync::oneshot;

use super::actor::{Basis, Message, expected_secs};
use super::{Studio, now_ms};
use crate::engine::supervisor::Estimate;
use crate::{Error, Result, history, price, request};

/// How long the engine may take to say what a request would need.
const ESTIMATE: Duration = Duration::from_secs(10);

impl Studio {
    /// Queues a request, a job for each of its variations; they are on disk when this returns.
    pub async fn submit(&self, new: NewJob) -> Result<Vec<JobId>> {
        let first = new.first;
        let basis = self.ask(Message::Basis).await?;
        let jobs = self.with_store(move |store| expand(&new, store, &basis)).await?;
        self.check_conversation(&jobs).await?;
        self.queue(jobs, first).await
    }

    /// Refuses a question whose conversation the model cannot hold: waiting for that would be in vain.
    async fn check_conversation(&self, jobs: &[Job]) -> Result<()> {
        let Some(job) = jobs.first().filter(|job| job.request == JobKind::Ask).cloned() else { return Ok(()) };
        let basis = self.ask(Message::Basis).await?;
        let priced = self.reckon(job, 1, basis).await?;
        match priced.refusal.filter(|refusal| refusal.code == ErrorCode::BadInput) {
            Some(refusal) => Err(Error::Failed(refusal)),
            None => Ok(()),
        }
    }

    async fn queue(&self, jobs: Vec<Job>, first: bool) -> Result<Vec<JobId>> {
        self.ask(|reply| Message::Submit { jobs, first, reply }).await?
    }

    /// What a request would take.
    pub async fn price(&self, new: NewJob) -> Result<Price> {
        let basis = self.ask(Message::Basis).await?;
        let known = basis.clone();
        let jobs = self.with_store(move |store| expand(&new, store, &known)).await?;
        let n_jobs = jobs.len();
        let job = jobs.into_iter().next().ok_or(Error::Closed)?;
        self.reckon(job, n_jobs, basis).await
    }

    async fn reckon(&self, job: Job, n_jobs: usize, basis: Basis) -> Result<Price> {
        let (chat, for_store) = (basis.defaults.chat.clone(), job.clone());
        let prepared = self.with_store(move |store| request::prepare(&for_store, store, &chat)).await?;
        let mut price = Price {
            memory: MemoryEstimate::default(),
            available_bytes: None,
            context_tokens: 0,
            size: job.image.size.filter(|_| job.request != JobKind::Ask),
            secs: None,
            refusal: basis.obstacle.clone(),
            remedies: Vec::new(),
        };
        let Some(model) = basis.model.clone() else {
            price.remedies = price.refusal.iter().map(|_| Remedy::SmallerModel).collect();
            return Ok(price);
        };
        if basis.is_loaded {
            let folder = self.shared.models_folder.clone();
            let machine = super::blocking(move || Ok(crate::models::hardware(&folder, Vec::new()))).await?;
            price.available_bytes = price::available(&model, &basis.devices, machine.free_memory_bytes);
        }
        if let Some(answer) = self.estimate(prepared.request.clone()).await {
            match answer {
                Ok(estimate) => {
                    (price.memory, price.context_tokens, price.size) =
                        (estimate.memory, estimate.context_tokens, estimate.size);
                    price.refusal = price::refusal(&estimate, price.available_bytes, &model, &job);
                }
                Err(failure) => price.refusal = Some(failure),
            }
        }
        if let Some(refusal) = &price.refusal {
            let fitting = self.fitting_size(refusal, &job, &prepared.request, &price).await;
            price.remedies = price::remedies(refusal, &job, fitting);
            price.remedies.retain(|remedy| *remedy != Remedy::Retry);
        }
        let size = price.size;
        let secs = self.with_store(move |store| Ok(expected_secs(&job, size, &model, store))).await?;
        price.secs = secs.map(|secs| secs * n_jobs as f64);
        Ok(price)
    }

    /// What the engine says; nothing while no model is loaded.
    async fn estimate(&self, request: Request) -> Option<std::result::Result<Estimate, Failure>> {
        let (reply, answer) = oneshot::channel();
        self.tell(Message::Estimate(Box::new(request), reply));
        tokio::time::timeout(ESTIMATE, answer).await.ok()?.ok()
    }

    /// The largest smaller size that is known to fit.
    async fn fitting_size(&self, refusal: &Failure, job: &Job, request: &Request, price: &Price) -> Option<Size> {
        let is_memory = matches!(refusal.code, ErrorCode::OutOfDeviceMemory | ErrorCode::OutOfHostMemory);
        let available = price.available_bytes.filter(|_| is_memory && job.request != JobKind::Ask)?;
        for size in price::smaller_sizes(price.size?) {
            let mut smaller = request.clone();
            if let Request::Generate(request) | Request::Edit(request) = &mut smaller {
                request.image.size = Some(size);
            }
            if let Some(Ok(estimate)) = self.estimate(smaller).await
                && estimate.memory.peak_bytes <= available
            {
                return Some(size);
            }
        }
        None
    }

    /// Ends a job that waits at once, and one that runs within a step.
    pub async fn cancel(&self, job: JobId) -> Result<()> {
        self.ask(|reply| Message::Cancel(job, reply)).await?
    }

    /// Ends a job that paints, and keeps its newest step as a picture of its piece.
    pub async fn keep(&self, job: JobId) -> Result<()> {
        self.ask(|reply| Message::Keep(job, reply)).await?
    }

    /// Ends what runs and everything that waits.
    pub async fn cancel_all(&self) -> Result<()> {
        self.ask(Message::CancelAll).await?
    }

    /// Puts a job that failed, was interrupted or is planned away.
    pub async fn dismiss(&self, job: JobId) -> Result<()> {
        self.ask(|reply| Message::Dismiss(job, reply)).await?
    }

    /// Queues a failed or interrupted job again.
    pub async fn retry(&self, job: JobId) -> Result<()> {
        self.ask(|reply| Message::Retry(job, reply)).await?
    }

    /// Puts a job that waits somewhere else.
    pub async fn move_job(&self, job: JobId, place: JobPlace) -> Result<()> {
        self.ask(|reply| Message::Place(job, place, reply)).await?
    }

    /// Holds the queue, or lets it go; what runs goes on.
    pub fn pause_queue(&self, is_paused: bool) {
        self.tell(Message::Pause(is_paused));
    }

    /// Holds a job's plan, while it is written or when it will be complete.
    pub async fn pause_plan(&self, job: JobId) -> Result<()> {
        self.ask(|reply| Message::PausePlan(job, reply)).await?
    }

    /// Lets a planned job paint this plan.
    pub async fn paint_plan(&self, job: JobId, thought: String) -> Result<()> {
        self.ask(|reply| Message::PaintPlan(job, thought, reply)).await?
    }

    /// Paints a picture again from its recipe as a new one.
    pub async fn replay(&self, node: NodeId) -> Result<Vec<JobId>> {
        let jobs =
            self.with_store(move |store| request::expand(&history::replay(node, store)?, store, now_ms())).await?;
        self.queue(jobs, false).await
    }

    /// Paints a picture again and compares; the outcome is an event.
    pub async fn verify(&self, node: NodeId) -> Result<()> {
        let job = self.with_store(move |store| history::verify(node, store, now_ms())).await?;
        self.queue(vec![job], false).await.map(drop)
    }

    /// Whether there is work that closing would interrupt.
    pub async fn is_working(&self) -> bool {
        let standing = self.ask(Message::Subscribe).await;
        standing.is_ok_and(|(standing, _)| {
            standing.jobs.iter().any(|job| crate::queue::is_running(&job.status))
                || standing.models.iter().any(|model| {
                    model.install.as_ref().is_some_and(|install| {
                        use protocol::InstallStage as Stage;
                        matches!(install.stage, Stage::Downloading | Stage::Checking | Stage::Converting)
                    })
                })
        })
    }
}

/// The jobs of a request that makes sense, for the present model where there is one.
fn expand(new: &NewJob, store: &Store, basis: &Basis) -> Result<Vec<Job>> {
    let jobs = request::expand(new, store, now_ms())?;
    if let Some(job) = jobs.first() {
        let request = request::prepare(job, store, &basis.defaults.chat)?.request;
        let max_side = basis.model.as_ref().map(|model| model.max_side);
        request.check(max_side).map_err(|invalid| Error::BadRequest(invalid.to_string()))?;
    }
    Ok(jobs)
}

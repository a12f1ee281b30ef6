//! What is asked for: requests, their price, their order, their plans.

use std::time::Duration;

use catalog::Estimate;
use protocol::check::SIDE_MULTIPLE;
use protocol::{
    EngineState, ErrorCode, Failure, Job, JobId, JobPlace, Kind, MemoryEstimate, NewJob, NodeId, Price, Remedy,
    Request, Size, TurnId,
};
use store::Store;
use tokio::sync::oneshot;

use super::actor::{Basis, Message, expected_secs};
use super::{Studio, now_ms};
use crate::{Error, Result, conversation, forecast, history, price, request};

/// How long the engine may take to say what a request would need.
const ESTIMATE: Duration = Duration::from_secs(10);

/// A request that has a price, and the sizes of the images that it reads.
struct Question {
    job: Job,
    request: Request,
    images: Vec<Size>,
}

impl Basis {
    /// Where the model computes, or will.
    fn device(&self) -> Option<String> {
        let wished = || forecast::device(self.settings.device.as_deref(), &self.devices);
        let loaded = self.model.as_ref().filter(|_| self.is_loaded).map(|model| model.device.clone());
        loaded.or_else(|| self.target.is_some().then(wished))
    }
}

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
        let Some(job) = jobs.first().filter(|job| job.kind == Kind::Chat).cloned() else { return Ok(()) };
        let basis = self.ask(Message::Basis).await?;
        let priced = self.reckon(job, 1, basis).await?;
        match priced.refusal.filter(|refusal| refusal.code == ErrorCode::ContextTooLong) {
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
        let (request, images) = self
            .with_store(move |store| {
                let prepared = request::prepare(&for_store, store, &chat)?;
                // One that is gone for good is not shown.
                let sizes = prepared.images.iter().filter_map(|id| store.node(*id).ok()).map(|node| node.size);
                Ok((prepared.request, sizes.collect::<Vec<Size>>()))
            })
            .await?;
        let question = Question { job, request, images };
        let mut price = Price {
            memory: MemoryEstimate::default(),
            available_bytes: None,
            context_tokens: 0,
            size: question.job.parameters.size.filter(|_| question.job.kind != Kind::Chat),
            secs: None,
            refusal: basis.obstacle.clone(),
            remedies: Vec::new(),
        };
        let Some(device) = basis.device() else {
            price.remedies = price.refusal.iter().map(|_| Remedy::SmallerModel).collect();
            return Ok(price);
        };
        // While a model is being loaded nobody knows how much of the memory it has taken.
        if basis.is_loaded || matches!(basis.engine, EngineState::Idle { .. }) {
            let held_bytes = basis.model.as_ref().filter(|_| basis.is_loaded).map_or(0, |model| model.memory_bytes);
            let folder = self.shared.models_folder.clone();
            let machine = super::blocking(move || Ok(crate::models::hardware(&folder, Vec::new()))).await?;
            price.available_bytes = price::available(&device, held_bytes, &basis.devices, machine.free_memory_bytes);
        }
        match self.foresee(&question.request, &question.images, &basis).await {
            Some(Ok(estimate)) => {
                (price.memory, price.context_tokens, price.size) =
                    (estimate.memory, estimate.context_tokens, estimate.size);
                // Only the engine knows how many tokens a text is.
                let overlong = price::overlong(&estimate, &question.job).filter(|_| basis.is_loaded);
                let too_large = || price::too_large(&estimate, price.available_bytes, &device, &question.job);
                price.refusal = price.refusal.or(overlong).or_else(too_large);
            }
            Some(Err(failure)) => price.refusal = price.refusal.or(Some(failure)),
            None => {}
        }
        if let Some(refusal) = &price.refusal {
            let fitting = self.fitting_size(refusal, &question, &price, &basis).await;
            let older = if price.context_tokens > 0 { self.older_turns(&question.job).await } else { Vec::new() };
            price.remedies = price::remedies(refusal, &question.job, fitting, older);
            price.remedies.retain(|remedy| *remedy != Remedy::Retry);
        }
        if let Some(model) = basis.model {
            let size = price.size;
            let secs = self.with_store(move |store| Ok(expected_secs(&question.job, size, &model, store))).await?;
            price.secs = secs.map(|secs| secs * n_jobs as f64);
        }
        Ok(price)
    }

    /// What the engine says; while no model is loaded, what the headers of the one to load say. Nothing where neither
    /// can be asked.
    async fn foresee(
        &self,
        request: &Request,
        images: &[Size],
        basis: &Basis,
    ) -> Option<std::result::Result<Estimate, Failure>> {
        if basis.is_loaded {
            let (reply, answer) = oneshot::channel();
            self.tell(Message::Estimate(Box::new(request.clone()), reply));
            return tokio::time::timeout(ESTIMATE, answer).await.ok()?.ok();
        }
        let (target, device) = (basis.target.clone()?, basis.device()?);
        let (shared, request, images) = (self.shared.clone(), request.clone(), images.to_vec());
        let forecast = super::blocking(move || shared.forecaster.estimate(&target, &device, &request, &images)).await;
        // A model that cannot be read says so when it is loaded.
        forecast.inspect_err(|error| tracing::debug!(%error, "a request's needs are not known")).ok().map(Ok)
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
    async fn fitting_size(&self, refusal: &Failure, question: &Question, price: &Price, basis: &Basis) -> Option<Size> {
        let is_memory = matches!(refusal.code, ErrorCode::OutOfDeviceMemory | ErrorCode::OutOfHostMemory);
        let available = price.available_bytes.filter(|_| is_memory && question.job.kind != Kind::Chat)?;
        for size in catalog::smaller_sizes(price.size?, SIDE_MULTIPLE) {
            let mut smaller = question.request.clone();
            if let Request::Generate(request) | Request::Edit(request) = &mut smaller {
                request.parameters.size = Some(size);
            }
            if let Some(Ok(estimate)) = self.foresee(&smaller, &question.images, basis).await
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

    /// Ends a job that paints, and keeps its newest step as an image of its project.
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
    pub async fn paint_plan(&self, job: JobId, plan: String) -> Result<()> {
        self.ask(|reply| Message::PaintPlan(job, plan, reply)).await?
    }

    /// Paints an image again from its recipe as a new one.
    pub async fn replay(&self, node: NodeId) -> Result<Vec<JobId>> {
        let jobs =
            self.with_store(move |store| request::expand(&history::replay(node, store)?, store, now_ms())).await?;
        self.queue(jobs, false).await
    }

    /// Paints an image again and compares; the outcome is an event.
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
        request.check(max_side)?;
    }
    Ok(jobs)
}

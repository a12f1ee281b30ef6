//! What the studio keeps here without the store understanding it: its queue, and how long past runs took.

use protocol::JobId;
use serde_json::Value;

use crate::table::{job, meta, timing};
use crate::{Error, Result, Store};

/// A job of the queue.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredJob {
    /// Its id.
    pub id: JobId,
    /// Where it stands; smaller numbers come first.
    pub order: i64,
    /// What it is doing, in the studio's words.
    pub state: String,
    /// Everything else about it, in the studio's form.
    pub body: Value,
}

impl Store {
    /// The queue in its order.
    pub fn jobs(&self) -> Result<Vec<StoredJob>> {
        self.read(job::all)
    }

    /// Enters a job, or replaces what was known of it.
    pub fn put_job(&self, job: &StoredJob) -> Result<()> {
        self.put_jobs(std::slice::from_ref(job))
    }

    /// Enters or replaces jobs, all of them or none.
    #[tracing::instrument(level = "debug", skip_all, fields(n_jobs = jobs.len()))]
    pub fn put_jobs(&self, jobs: &[StoredJob]) -> Result<()> {
        self.write(|tx, _files| jobs.iter().try_for_each(|job| job::put(tx, job)))
    }

    /// Forgets a job.
    #[tracing::instrument(level = "debug", skip_all, fields(job = %id))]
    pub fn remove_job(&self, id: JobId) -> Result<()> {
        self.write(|tx, _files| if job::remove(tx, id)? { Ok(()) } else { Err(Error::NoJob(id)) })
    }

    /// Forgets jobs at once; those that are forgotten already are no error.
    #[tracing::instrument(level = "debug", skip_all, fields(n_jobs = ids.len()))]
    pub fn remove_jobs(&self, ids: &[JobId]) -> Result<()> {
        self.write(|tx, _files| ids.iter().try_for_each(|id| job::remove(tx, *id).map(drop)))
    }

    /// Whether the queue was held when that was last said.
    pub fn is_queue_held(&self) -> Result<bool> {
        Ok(self.read(|db| meta::get(db, meta::QUEUE_HELD))?.is_some_and(|held| held != 0))
    }

    /// Remembers whether the queue is held.
    #[tracing::instrument(level = "debug", skip_all, fields(is_held))]
    pub fn hold_queue(&self, is_held: bool) -> Result<()> {
        self.write(|tx, _files| meta::set(tx, meta::QUEUE_HELD, u64::from(is_held)))
    }

    /// Keeps what a run took, under what it depends on; the newest 32 of each key stay.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn put_timing(&self, key: &str, value: &Value, now_ms: u64) -> Result<()> {
        self.write(|tx, _files| timing::put(tx, key, value, now_ms))
    }

    /// What past runs took, the newest first.
    pub fn timings(&self, key: &str) -> Result<Vec<Value>> {
        self.read(|db| timing::all(db, key))
    }
}

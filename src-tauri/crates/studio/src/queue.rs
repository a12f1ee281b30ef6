//! Jobs in order: at most one runs, the others wait.

use protocol::{Failure, JobId};

use crate::request::Prepared;
use crate::{Job, JobStatus};

/// Most jobs that may wait; beyond it something presses the button on its own.
pub(crate) const MOST_WAITING: usize = 64;

/// All jobs that are not over, and failures that were not dismissed.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    jobs: Vec<Prepared>,
}

impl Queue {
    pub(crate) fn push(&mut self, job: Prepared) {
        self.jobs.push(job);
    }

    pub(crate) fn n_waiting(&self) -> usize {
        self.jobs.iter().filter(|prepared| prepared.job.status == JobStatus::Queued).count()
    }

    /// The job that the engine has.
    pub(crate) fn running(&self) -> Option<&Prepared> {
        self.jobs.iter().find(|prepared| is_running(&prepared.job.status))
    }

    /// The next one that waits, if none runs.
    pub(crate) fn next(&self) -> Option<&Prepared> {
        if self.running().is_some() {
            return None;
        }
        self.jobs.iter().find(|prepared| prepared.job.status == JobStatus::Queued)
    }

    pub(crate) fn get(&self, id: &JobId) -> Option<&Prepared> {
        self.jobs.iter().find(|prepared| prepared.job.id == *id)
    }

    pub(crate) fn job_mut(&mut self, id: &JobId) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|prepared| prepared.job.id == *id).map(|prepared| &mut prepared.job)
    }

    /// Moves a job on; it leaves when it is done or cancelled. Gives back whether anything changed.
    pub(crate) fn set(&mut self, id: &JobId, status: JobStatus) -> bool {
        let Some(position) = self.jobs.iter().position(|prepared| prepared.job.id == *id) else { return false };
        let leaves = status.is_over() && !matches!(status, JobStatus::Failed { .. });
        if leaves {
            self.jobs.remove(position);
            return true;
        }
        self.jobs.get_mut(position).is_some_and(|prepared| {
            let changes = prepared.job.status != status;
            prepared.job.status = status;
            changes
        })
    }

    /// Forgets a job that failed.
    pub(crate) fn dismiss(&mut self, id: &JobId) -> bool {
        let before = self.jobs.len();
        self.jobs.retain(|p| p.job.id != *id || !matches!(p.job.status, JobStatus::Failed { .. }));
        before != self.jobs.len()
    }

    /// Ends everything that waits with the same failure.
    pub(crate) fn waiting(&self) -> Vec<JobId> {
        self.jobs.iter().filter(|p| p.job.status == JobStatus::Queued).map(|p| p.job.id.clone()).collect()
    }

    /// All jobs as the window sees them.
    pub(crate) fn snapshot(&self) -> Vec<Job> {
        self.jobs.iter().map(|prepared| prepared.job.clone()).collect()
    }
}

fn is_running(status: &JobStatus) -> bool {
    matches!(status, JobStatus::Running { .. } | JobStatus::Stopping)
}

/// A failure as a status.
pub(crate) fn failed(failure: Failure) -> JobStatus {
    JobStatus::Failed { failure }
}

//! Jobs in order: at most one runs, the others wait, hold a plan, or have ended and stay visible.

use std::collections::HashSet;

use protocol::{Job, JobId, JobPlace, JobStatus};

/// State in the database of a job that is tried again after its device was lost.
pub(crate) const SECOND_TRY: &str = "second_try";

/// All jobs that have not left, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobQueue {
    jobs: Vec<Job>,
    /// Jobs that were started twice because the device was lost the first time.
    second_tries: HashSet<JobId>,
    /// Whether no job is started.
    pub(crate) is_paused: bool,
}

impl JobQueue {
    /// The jobs of an earlier start; the one that ran then was interrupted.
    pub(crate) fn restore(mut jobs: Vec<Job>) -> Self {
        for job in &mut jobs {
            job.preview = None;
            if is_running(&job.status) {
                job.status = JobStatus::Interrupted;
            }
        }
        jobs.retain(|job| !matches!(job.status, JobStatus::Done { .. } | JobStatus::Cancelled));
        Self { jobs, ..Self::default() }
    }

    /// Adds jobs, behind or before all that wait.
    pub(crate) fn add(&mut self, jobs: Vec<Job>, first: bool) {
        let position = if first { self.first_waiting() } else { self.jobs.len() };
        self.jobs.splice(position..position, jobs);
    }

    pub(crate) fn n_waiting(&self) -> usize {
        self.waiting().len()
    }

    /// The job that the engine runs.
    pub(crate) fn running(&self) -> Option<&Job> {
        self.jobs.iter().find(|job| is_running(&job.status))
    }

    /// The next job to start, if none runs and the queue is not paused.
    pub(crate) fn next(&self) -> Option<&Job> {
        if self.is_paused || self.running().is_some() {
            return None;
        }
        self.jobs.iter().find(|job| job.status == JobStatus::Queued)
    }

    /// Whether a job runs or could start.
    pub(crate) fn has_work(&self) -> bool {
        self.running().is_some() || self.next().is_some()
    }

    pub(crate) fn get(&self, id: JobId) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }

    pub(crate) fn get_mut(&mut self, id: JobId) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.id == id)
    }

    /// Takes a job out.
    pub(crate) fn remove(&mut self, id: JobId) -> Option<Job> {
        let position = self.jobs.iter().position(|job| job.id == id)?;
        Some(self.jobs.remove(position))
    }

    /// Remembers that a job has had its one automatic second try.
    pub(crate) fn mark_second_try(&mut self, id: JobId) {
        self.second_tries.insert(id);
    }

    pub(crate) fn is_second_try(&self, id: JobId) -> bool {
        self.second_tries.contains(&id)
    }

    /// Gives a job that is over, or that the artist tries again, its second try back.
    pub(crate) fn forget_second_try(&mut self, id: JobId) {
        self.second_tries.remove(&id);
    }

    /// All that wait, the next one first.
    pub(crate) fn waiting(&self) -> Vec<JobId> {
        self.jobs.iter().filter(|job| job.status == JobStatus::Queued).map(|job| job.id).collect()
    }

    /// Moves a waiting job; returns whether the order changed.
    pub(crate) fn move_job(&mut self, id: JobId, place: JobPlace) -> bool {
        let before = self.waiting();
        if !before.contains(&id) || matches!(place, JobPlace::Before { job } if job == id || !before.contains(&job)) {
            return false;
        }
        let Some(job) = self.remove(id) else { return false };
        let position = match place {
            JobPlace::First => self.first_waiting(),
            JobPlace::Before { job } => self.jobs.iter().position(|it| it.id == job).unwrap_or(self.jobs.len()),
            JobPlace::Last => self.jobs.len(),
        };
        self.jobs.insert(position, job);
        self.waiting() != before
    }

    /// All jobs in order.
    pub(crate) fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// All jobs as the window lists them: the running one, the waiting ones, and the others.
    pub(crate) fn snapshot(&self) -> Vec<Job> {
        let rank = |job: &Job| match job.status {
            JobStatus::Running { .. } | JobStatus::Stopping => 0,
            JobStatus::Queued => 1,
            _ => 2,
        };
        let mut jobs = self.jobs.clone();
        jobs.sort_by_key(rank);
        jobs
    }

    fn first_waiting(&self) -> usize {
        self.jobs.iter().position(|job| job.status == JobStatus::Queued).unwrap_or(self.jobs.len())
    }
}

pub(crate) fn is_running(status: &JobStatus) -> bool {
    matches!(status, JobStatus::Running { .. } | JobStatus::Stopping)
}

#[cfg(test)]
mod tests {
    use protocol::Phase;

    use super::*;
    use crate::fixtures::{id, job};

    fn queue(names: &str) -> JobQueue {
        let mut queue = JobQueue::default();
        queue.add(vec![job("r", JobStatus::Running { phase: Phase::Reading }), job("p", JobStatus::Planned)], false);
        queue.add(names.chars().map(|name| job(&name.to_string(), JobStatus::Queued)).collect(), false);
        queue
    }

    fn check(queue: &JobQueue, expected: &str) {
        let prompts: String = queue.waiting().into_iter().map(|id| queue.get(id).unwrap().prompt.as_str()).collect();
        assert_eq!(prompts, expected);
    }

    #[test]
    fn jobs_move_among_the_waiting_ones() {
        for (name, place, expected) in [
            ("c", JobPlace::First, "cabd"),
            ("a", JobPlace::Last, "bcda"),
            ("d", JobPlace::Before { job: id("b") }, "adbc"),
            ("a", JobPlace::Before { job: id("d") }, "bcad"),
            ("a", JobPlace::Before { job: id("a") }, "abcd"),
            ("a", JobPlace::Before { job: id("r") }, "abcd"),
            ("a", JobPlace::First, "abcd"),
            ("r", JobPlace::Last, "abcd"),
            ("x", JobPlace::Last, "abcd"),
        ] {
            let mut queue = queue("abcd");
            let moved = queue.move_job(id(name), place);
            check(&queue, expected);
            assert_eq!(moved, expected != "abcd", "{name} {place:?}");
        }
    }

    #[test]
    fn a_job_can_be_added_before_all_waiting_ones() {
        let mut queue = queue("ab");
        queue.add(vec![job("x", JobStatus::Queued), job("y", JobStatus::Queued)], true);
        check(&queue, "xyab");
    }

    #[test]
    fn no_job_starts_while_one_runs_or_the_queue_is_paused() {
        let mut queue = queue("ab");
        assert!(queue.next().is_none());
        queue.remove(id("r"));
        assert_eq!(queue.next().map(|job| job.prompt.as_str()), Some("a"));
        queue.is_paused = true;
        assert!(queue.next().is_none() && !queue.has_work());
    }

    #[test]
    fn a_restored_queue_marks_the_running_job_as_interrupted() {
        let restored = JobQueue::restore(queue("ab").jobs);
        let states: Vec<&JobStatus> = restored.jobs.iter().map(|job| &job.status).collect();
        assert_eq!(states, [&JobStatus::Interrupted, &JobStatus::Planned, &JobStatus::Queued, &JobStatus::Queued]);
    }
}

//! Jobs in order: at most one runs, the others wait, are planned, or have ended and stay to be seen.

use std::collections::HashSet;

use protocol::{Job, JobId, JobPlace, JobStatus};

/// Most jobs that may wait; beyond it something presses the button on its own.
pub(crate) const MAX_WAITING: usize = 1000;

/// The database's word for a job that waits to be tried once more.
pub(crate) const SECOND_TRY: &str = "second_try";

/// All jobs that have not left, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    jobs: Vec<Job>,
    /// Those that were begun twice because the device was lost the first time.
    second_tries: HashSet<JobId>,
    /// Whether nothing is begun.
    pub(crate) is_paused: bool,
}

impl Queue {
    /// Jobs of an earlier start; what ran then was interrupted.
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

    /// The job that the engine has.
    pub(crate) fn running(&self) -> Option<&Job> {
        self.jobs.iter().find(|job| is_running(&job.status))
    }

    /// The next one to begin, if none runs and the queue is not held.
    pub(crate) fn next(&self) -> Option<&Job> {
        if self.is_paused || self.running().is_some() {
            return None;
        }
        self.jobs.iter().find(|job| job.status == JobStatus::Queued)
    }

    /// Whether something runs or could begin.
    pub(crate) fn has_work(&self) -> bool {
        self.running().is_some() || self.next().is_some()
    }

    pub(crate) fn get(&self, id: &JobId) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == *id)
    }

    pub(crate) fn get_mut(&mut self, id: &JobId) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.id == *id)
    }

    /// Takes a job out.
    pub(crate) fn remove(&mut self, id: &JobId) -> Option<Job> {
        let position = self.jobs.iter().position(|job| job.id == *id)?;
        Some(self.jobs.remove(position))
    }

    /// Remembers that a job has had its one second try without being asked.
    pub(crate) fn mark_second_try(&mut self, id: &JobId) {
        self.second_tries.insert(id.clone());
    }

    pub(crate) fn is_second_try(&self, id: &JobId) -> bool {
        self.second_tries.contains(id)
    }

    /// Lets a job that is over, or that the artist tries again, begin like any other.
    pub(crate) fn forget_second_try(&mut self, id: &JobId) {
        self.second_tries.remove(id);
    }

    /// All that wait, the next one first.
    pub(crate) fn waiting(&self) -> Vec<JobId> {
        self.jobs.iter().filter(|job| job.status == JobStatus::Queued).map(|job| job.id.clone()).collect()
    }

    /// Puts a job that waits somewhere else. Gives back whether anything moved.
    pub(crate) fn place(&mut self, id: &JobId, place: &JobPlace) -> bool {
        let before = self.waiting();
        if !before.contains(id) || matches!(place, JobPlace::Before { job } if job == id || !before.contains(job)) {
            return false;
        }
        let Some(job) = self.remove(id) else { return false };
        let position = match place {
            JobPlace::First => self.first_waiting(),
            JobPlace::Before { job } => self.jobs.iter().position(|it| it.id == *job).unwrap_or(self.jobs.len()),
            JobPlace::Last => self.jobs.len(),
        };
        self.jobs.insert(position, job);
        self.waiting() != before
    }

    /// All jobs in order.
    pub(crate) fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// All jobs as the window lists them: what runs, what waits, and the others.
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
    use crate::fixtures::job;

    fn queue(names: &str) -> Queue {
        let mut queue = Queue::default();
        queue.add(vec![job("r", JobStatus::Running { phase: Phase::Reading }), job("p", JobStatus::Planned)], false);
        queue.add(names.chars().map(|name| job(&name.to_string(), JobStatus::Queued)).collect(), false);
        queue
    }

    fn check(queue: &Queue, expected: &str) {
        assert_eq!(queue.waiting().into_iter().map(|id| id.0).collect::<String>(), expected);
    }

    #[test]
    fn jobs_move_among_those_that_wait() {
        let id = |name: &str| JobId(name.to_owned());
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
            let moved = queue.place(&id(name), &place);
            check(&queue, expected);
            assert_eq!(moved, expected != "abcd", "{name} {place:?}");
        }
    }

    #[test]
    fn an_urgent_job_goes_before_all_that_wait() {
        let mut queue = queue("ab");
        queue.add(vec![job("x", JobStatus::Queued), job("y", JobStatus::Queued)], true);
        check(&queue, "xyab");
    }

    #[test]
    fn nothing_begins_while_one_runs_or_the_queue_is_held() {
        let mut queue = queue("ab");
        assert!(queue.next().is_none());
        queue.remove(&JobId("r".to_owned()));
        assert_eq!(queue.next().map(|job| job.id.0.as_str()), Some("a"));
        queue.is_paused = true;
        assert!(queue.next().is_none() && !queue.has_work());
    }

    #[test]
    fn a_new_start_goes_on_and_says_what_was_interrupted() {
        let restored = Queue::restore(queue("ab").jobs);
        let states: Vec<&JobStatus> = restored.jobs.iter().map(|job| &job.status).collect();
        assert_eq!(states, [&JobStatus::Interrupted, &JobStatus::Planned, &JobStatus::Queued, &JobStatus::Queued]);
    }
}

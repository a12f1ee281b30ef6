//! Jobs that wait, the one that runs, and how both are stopped.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use checkpoint::Estimator;
use protocol::{CheckedRequest, JobId, ModelDescription, ModelSource};

/// Most jobs that may wait; the studio keeps longer queues itself.
const CAPACITY: usize = 1024;

/// Something for the thread that owns the model.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Work {
    Load(LoadJob),
    Unload(JobId),
    Run(JobId, CheckedRequest),
}

/// A model that is to be loaded.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LoadJob {
    pub(super) id: JobId,
    pub(super) source: ModelSource,
}

impl Work {
    pub(super) fn id(&self) -> JobId {
        match self {
            Self::Load(job) => job.id,
            Self::Unload(id) | Self::Run(id, _) => *id,
        }
    }
}

/// The state that the reading thread and the working thread share.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    running: Option<(JobId, Arc<AtomicBool>)>,
    description: Option<ModelDescription>,
    estimator: Option<Arc<Estimator>>,
}

/// What a cancel met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cancelled {
    /// It waited and is gone; nobody else will answer for it.
    Waiting,
    /// It runs and will answer itself.
    Running,
    /// It is over, or never was.
    Unknown,
}

/// Everything a status says.
pub(super) struct Snapshot {
    pub(super) model: Option<ModelDescription>,
    pub(super) running: Option<JobId>,
    pub(super) waiting: Vec<JobId>,
}

impl Queue {
    /// Appends a job; gives it back when too many wait.
    pub(super) fn push(&self, work: Work) -> Result<(), Box<Work>> {
        let mut state = self.lock();
        if state.waiting.len() >= CAPACITY {
            return Err(Box::new(work));
        }
        state.waiting.push_back(work);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for the next job and marks it as running; the flag says when to stop it.
    pub(super) fn take(&self) -> (Work, Arc<AtomicBool>) {
        let mut state = self.lock();
        loop {
            if let Some(work) = state.waiting.pop_front() {
                let stop = Arc::new(AtomicBool::new(false));
                state.running = Some((work.id(), Arc::clone(&stop)));
                return (work, stop);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Marks the running job as over; says what is loaded now.
    pub(super) fn finish(&self, description: Option<ModelDescription>) {
        let mut state = self.lock();
        state.running = None;
        state.description = description;
    }

    /// Says which model estimates are made for.
    pub(super) fn set_estimator(&self, estimator: Option<Arc<Estimator>>) {
        self.lock().estimator = estimator;
    }

    /// What foresees the memory of requests to the model that is loaded.
    pub(super) fn estimator(&self) -> Option<Arc<Estimator>> {
        self.lock().estimator.clone()
    }

    /// Stops a job, wherever it is.
    pub(super) fn cancel(&self, id: JobId) -> Cancelled {
        let mut state = self.lock();
        if let Some(position) = state.waiting.iter().position(|work| work.id() == id) {
            state.waiting.remove(position);
            return Cancelled::Waiting;
        }
        match &state.running {
            Some((running, stop)) if *running == id => {
                stop.store(true, Ordering::SeqCst);
                Cancelled::Running
            }
            _ => Cancelled::Unknown,
        }
    }

    /// What is loaded, runs and waits.
    pub(super) fn snapshot(&self) -> Snapshot {
        let state = self.lock();
        Snapshot {
            model: state.description.clone(),
            running: state.running.as_ref().map(|(id, _)| *id),
            waiting: state.waiting.iter().map(Work::id).collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> JobId {
        JobId::from_u128(name.bytes().fold(0, |bits, byte| bits << 8 | u128::from(byte)))
    }

    fn unload(name: &str) -> Work {
        Work::Unload(id(name))
    }

    #[test]
    fn jobs_run_in_the_order_they_came() {
        let queue = Queue::default();
        queue.push(unload("a")).unwrap();
        queue.push(unload("b")).unwrap();
        assert_eq!(queue.take().0, unload("a"));
        let snapshot = queue.snapshot();
        assert_eq!((snapshot.running, snapshot.waiting), (Some(id("a")), vec![id("b")]));
    }

    #[test]
    fn cancel_reaches_waiting_and_running_jobs() {
        let queue = Queue::default();
        queue.push(unload("a")).unwrap();
        queue.push(unload("b")).unwrap();
        let (_, stop) = queue.take();
        assert_eq!(queue.cancel(id("b")), Cancelled::Waiting);
        assert_eq!(queue.cancel(id("b")), Cancelled::Unknown);
        assert!(!stop.load(Ordering::SeqCst));
        assert_eq!(queue.cancel(id("a")), Cancelled::Running);
        assert!(stop.load(Ordering::SeqCst));
        queue.finish(None);
        assert_eq!(queue.cancel(id("a")), Cancelled::Unknown);
    }

    #[test]
    fn queue_has_an_end() {
        let queue = Queue::default();
        for _ in 0..CAPACITY {
            queue.push(unload("a")).unwrap();
        }
        assert_eq!(queue.push(unload("b")), Err(Box::new(unload("b"))));
    }
}

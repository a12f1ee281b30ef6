//! The main thread of the engine: one job after the other on the one model.

use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use protocol::{Event, Frame, JobId, ModelSource};

use super::outbox::Outbox;
use super::queue::{LoadJob, Queue, Work};
use crate::arguments::load_options;
use crate::host::{Host, Inputs, Listener, Model, plain};
use crate::{Error, Result};

/// What the process has in memory.
#[derive(Default)]
struct Session {
    /// The last model that was loaded, so that it can be read again after a defect.
    loaded: Option<LoadJob>,
    host: Option<Host>,
}

/// Takes jobs for as long as the process lives.
pub(super) fn work_off(queue: &Queue, outbox: &Outbox) -> ! {
    let mut session = Session::default();
    loop {
        let (work, stop) = queue.take();
        let id = work.id();
        tracing::debug!(job = %id, "begins");
        let mut listener = JobListener { outbox, stop: &stop };
        let result = guard(|| session.do_work(work, queue, &mut listener));
        if let Err(Error::Internal(_)) = &result {
            // What a defect leaves behind is not to be trusted; the next job reads the model again.
            session.host = None;
        }
        // First the state, then the answer: who asks after the answer hears the truth.
        queue.finish(session.host.as_ref().map(|host| host.description().clone()));
        match result {
            Ok(frames) => frames.into_iter().for_each(|frame| outbox.push(frame)),
            Err(error) => {
                tracing::info!(job = %id, code = ?error.code(), "failed");
                outbox.send(Event::Failed { id, failure: error.failure() });
            }
        }
    }
}

impl Session {
    /// Does the work; the frames that end the job are left to the caller.
    fn do_work(&mut self, work: Work, queue: &Queue, listener: &mut JobListener<'_>) -> Result<Vec<Frame<Event>>> {
        match work {
            Work::Load(job) => {
                let id = job.id;
                let model = self.load(job, id, queue, listener)?.description().clone();
                tracing::info!(name = model.name, device = model.device, "model loaded");
                Ok(vec![plain(Event::Loaded { id, model })])
            }
            Work::Unload(id) => {
                self.unload(queue);
                Ok(vec![plain(Event::Unloaded { id })])
            }
            Work::Run(id, request) => {
                if let (None, Some(job)) = (&self.host, self.loaded.clone()) {
                    self.reload(job, id, queue, listener)?;
                }
                let Some(host) = &mut self.host else {
                    return Err(Error::ModelMissing("no model is loaded; load one first".to_owned()));
                };
                request.check_size(host.description().max_side)?;
                let inputs = Inputs::read(request.inputs())?;
                Ok(host.carry_out(id, &request, &inputs, listener)?.frames(id))
            }
        }
    }

    fn load(&mut self, job: LoadJob, id: JobId, queue: &Queue, listener: &mut JobListener<'_>) -> Result<&mut Host> {
        let ModelSource { path, base, device } = &job.source;
        let model = Model::open(path, base.as_deref(), load_options(device.as_deref(), None)?)?;
        model.check_weights(self.host.as_ref())?;
        // The new weights need the room of the old ones.
        self.unload(queue);
        let host = model.load(id, listener)?;
        queue.set_estimator(Some(host.estimator()));
        self.loaded = Some(job);
        Ok(self.host.insert(host))
    }

    fn unload(&mut self, queue: &Queue) {
        self.host = None;
        self.loaded = None;
        queue.set_estimator(None);
    }

    /// The model after a defect, read once more; a job that is stopped meanwhile leaves that to the next one.
    fn reload(&mut self, job: LoadJob, id: JobId, queue: &Queue, listener: &mut JobListener<'_>) -> Result<()> {
        let result = self.load(job.clone(), id, queue, listener).map(drop);
        self.loaded = Some(job);
        result
    }
}

struct JobListener<'a> {
    outbox: &'a Outbox,
    stop: &'a AtomicBool,
}

impl Listener for JobListener<'_> {
    fn keep_going(&mut self) -> ControlFlow<()> {
        self.outbox.advance();
        if self.stop.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn hear(&mut self, frame: Frame<Event>) {
        self.outbox.push(frame);
    }
}

/// Turns a panic into an error.
pub(super) fn guard<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Error::Internal(reason(panic.as_ref()))))
}

fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("the engine stopped for a reason it cannot name").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_fails_the_job_and_not_the_process() {
        let result: Result<()> = guard(|| panic!("index {} out of range", 3));
        let failure = result.unwrap_err().failure();
        assert_eq!(failure.code, protocol::ErrorCode::Internal);
        assert!(failure.message.starts_with("index 3 out of range; "), "{}", failure.message);
    }
}

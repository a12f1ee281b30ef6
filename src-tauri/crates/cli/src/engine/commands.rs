//! What the studio asks for, answered at once or queued.

use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use checkpoint::{Checkpoint, Estimate, Estimator};
use protocol::{Command, ErrorCode, Event, Failure, JobId, ModelSource, PROTOCOL_VERSION, Request, read_frame};

use super::outbox::Outbox;
use super::queue::{Cancelled, LoadJob, Queue, Snapshot, Work};
use super::work::guard;
use crate::arguments::load_options;
use crate::host::{self, Inputs};
use crate::{Error, Result};

/// A request whose memory is to be foreseen.
pub(super) struct EstimateJob {
    id: JobId,
    request: Request,
    planned: Planned,
}

/// Which model a request is foreseen for.
enum Planned {
    /// The one that was loaded when it was asked, if any was.
    Loaded(Option<Arc<Estimator>>),
    /// One whose headers are read for it.
    OnDisk(ModelSource),
}

/// Reads commands until the pipe closes.
pub(super) fn read(
    pipe: &mut impl Read,
    queue: &Queue,
    outbox: &Outbox,
    estimates: &Sender<EstimateJob>,
) -> Result<()> {
    let Some(first) = read_frame::<Command>(pipe)? else { return Ok(()) };
    greet(&first.header, outbox)?;
    while let Some(frame) = read_frame::<Command>(pipe)? {
        obey(frame.header, queue, outbox, estimates);
    }
    Ok(())
}

/// Answers with this engine's version before judging the other's, so that the studio can tell too.
fn greet(first: &Command, outbox: &Outbox) -> Result<()> {
    let Command::Hello { protocol } = *first else {
        return Err(Error::BadInput("the first frame is not a hello; start the engine through the studio".to_owned()));
    };
    outbox.send(Event::Hello {
        protocol: PROTOCOL_VERSION,
        engine: env!("CARGO_PKG_VERSION").to_owned(),
        devices: host::devices(),
    });
    if protocol == PROTOCOL_VERSION { Ok(()) } else { Err(Error::Version { theirs: protocol, ours: PROTOCOL_VERSION }) }
}

fn obey(command: Command, queue: &Queue, outbox: &Outbox, estimates: &Sender<EstimateJob>) {
    match command {
        // A second greeting changes nothing.
        Command::Hello { .. } => {}
        Command::Load { id, model: source } => enqueue(Work::Load(LoadJob { id, source }), queue, outbox),
        Command::Unload { id } => enqueue(Work::Unload(id), queue, outbox),
        Command::Run { id, request } => match request.checked(None) {
            Ok(request) => enqueue(Work::Run(id, request), queue, outbox),
            Err(invalid) => outbox.send(Event::Failed { id, failure: Error::from(invalid).failure() }),
        },
        // Its images are read by another thread, so that a cancel never waits for them.
        Command::Estimate { id, model, request } => {
            let planned = match model {
                Some(source) => Planned::OnDisk(source),
                None => Planned::Loaded(queue.estimator()),
            };
            if estimates.send(EstimateJob { id, request, planned }).is_err() {
                tracing::error!("the thread that estimates has ended");
            }
        }
        Command::Cancel { id } => {
            if queue.cancel(id) == Cancelled::Waiting {
                outbox.send(Event::Failed { id, failure: Error::Cancelled.failure() });
            }
        }
        Command::Status { id } => {
            let Snapshot { model, running, waiting } = queue.snapshot();
            outbox.send(Event::Status { id, model, running, waiting });
        }
    }
}

/// Answers estimates for as long as the process lives.
pub(super) fn answer_estimates(jobs: &Receiver<EstimateJob>, outbox: &Outbox) {
    // Prices are asked for while one types: the headers of the last model are kept.
    let mut last: Option<(ModelSource, Arc<Estimator>)> = None;
    while let Ok(EstimateJob { id, request, planned }) = jobs.recv() {
        let answer = guard(|| match planned {
            Planned::Loaded(Some(estimator)) => answer_estimate(&estimator, id, request),
            Planned::Loaded(None) => Err(Error::ModelMissing("no model is loaded; load one first".to_owned())),
            Planned::OnDisk(source) => {
                let known = last.take().filter(|(known, _)| *known == source);
                let (_, estimator) = last.insert(match known {
                    Some(known) => known,
                    None => (source.clone(), Arc::new(open_estimator(&source)?)),
                });
                answer_estimate(estimator, id, request)
            }
        });
        outbox.send(answer.unwrap_or_else(|error| Event::Failed { id, failure: error.failure() }));
    }
}

fn open_estimator(source: &ModelSource) -> Result<Estimator> {
    let checkpoint = Checkpoint::open(&source.path, source.base.as_deref())?;
    Ok(bagel::memory::estimator_on(&checkpoint, load_options(source.device.as_deref(), None)?.device)?)
}

/// Reads the images of the request for their sizes.
fn answer_estimate(estimator: &Estimator, id: JobId, request: Request) -> Result<Event> {
    let request = request.checked(u32::try_from(estimator.config().max_side()).ok())?;
    let images = Inputs::read(request.inputs())?.image_sizes();
    let Estimate { memory, context_tokens, size } = estimator.estimate(&request, &images);
    Ok(Event::Estimate { id, memory, context_tokens, size })
}

fn enqueue(work: Work, queue: &Queue, outbox: &Outbox) {
    if let Err(refused) = queue.push(work) {
        let id = refused.id();
        let message = "too many jobs wait in the engine; wait until some are done".to_owned();
        outbox.send(Event::Failed { id, failure: Failure { code: ErrorCode::TooMany, message } });
    }
}

//! What the studio asks for, answered at once or queued.

use std::io::Read;

use protocol::{Command, ErrorCode, Event, Failure, JobId, PROTOCOL_VERSION, read_frame};

use super::outbox::Outbox;
use super::queue::{Cancelled, LoadJob, Queue, Snapshot, Work};
use crate::{Error, Result, host};

/// Reads commands until the pipe closes.
pub(super) fn read(pipe: &mut impl Read, queue: &Queue, outbox: &Outbox) -> Result<()> {
    let Some(first) = read_frame::<Command>(pipe)? else { return Ok(()) };
    greet(&first.header, outbox)?;
    while let Some(frame) = read_frame::<Command>(pipe)? {
        obey(frame.header, queue, outbox);
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

fn obey(command: Command, queue: &Queue, outbox: &Outbox) {
    match command {
        // A second greeting changes nothing.
        Command::Hello { .. } => {}
        Command::Load { id, path, base, device } => {
            enqueue(Work::Load(LoadJob { id, path, base, device }), queue, outbox);
        }
        Command::Unload { id } => enqueue(Work::Unload(id), queue, outbox),
        Command::Run { id, request } => enqueue(Work::Run(id, request), queue, outbox),
        Command::Estimate { id, request } => {
            let answer = match queue.model() {
                Some(model) => model.estimate(&id, &request),
                None => Err(Error::ModelMissing("no model is loaded; load one first".to_owned())),
            };
            outbox.send(answer.unwrap_or_else(|error| Event::Failed { id, failure: error.failure() }));
        }
        Command::Cancel { id } => {
            if queue.cancel(&id) == Cancelled::Waiting {
                outbox.send(Event::Failed { id, failure: Error::Cancelled.failure() });
            }
        }
        Command::Status { id } => {
            let Snapshot { model, running, waiting } = queue.snapshot();
            outbox.send(Event::Status { id, model, running, waiting });
        }
    }
}

fn enqueue(work: Work, queue: &Queue, outbox: &Outbox) {
    if let Err(refused) = queue.push(work) {
        let id: JobId = refused.id().clone();
        let message = "too many jobs wait in the engine; wait until some are done".to_owned();
        outbox.send(Event::Failed { id, failure: Failure { code: ErrorCode::BadInput, message } });
    }
}

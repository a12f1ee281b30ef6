//! What tests of more than one module are made of.

use protocol::{ImageParameters, Job, JobId, JobStatus, Kind, ProjectId, Thinking};

/// The id of the job with this name.
pub(crate) fn id(name: &str) -> JobId {
    JobId::from_u128(name.bytes().fold(0, |bits, byte| bits << 8 | u128::from(byte)))
}

/// A job that generates an image; its name is also its prompt.
pub(crate) fn job(name: &str, status: JobStatus) -> Job {
    Job {
        id: id(name),
        project: ProjectId::new(),
        kind: Kind::Generate,
        prompt: name.to_owned(),
        image: None,
        references: Vec::new(),
        thinking: Thinking::Off,
        pauses_after_plan: false,
        parameters: ImageParameters::generate(),
        verifies: None,
        status,
        plan: String::new(),
        answer: String::new(),
        preview: None,
        expected_secs: None,
        created_ms: 0,
    }
}

//! What tests of more than one module are made of.

use protocol::{ImageParameters, Job, JobId, JobStatus, Kind, ProjectId, Thinking};

/// A creation; its name is what it asks for.
pub(crate) fn job(name: &str, status: JobStatus) -> Job {
    Job {
        id: JobId(name.to_owned()),
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

//! What tests of more than one module are made of.

use protocol::{ImageParameters, Job, JobId, JobKind, JobStatus, PieceId, Thinking};

/// A creation; its name is what it asks for.
pub(crate) fn job(name: &str, status: JobStatus) -> Job {
    Job {
        id: JobId(name.to_owned()),
        piece: PieceId::new(),
        request: JobKind::Create,
        instruction: name.to_owned(),
        picture: None,
        references: Vec::new(),
        thinking: Thinking::Off,
        pauses_after_plan: false,
        parameters: ImageParameters::generate(),
        verifies: None,
        status,
        thought: String::new(),
        answer: String::new(),
        preview: None,
        expected_secs: None,
        created_ms: 0,
    }
}

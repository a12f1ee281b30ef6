//! From the artist's request to queued jobs, and from a job to the engine's request.

use protocol::limits::MAX_SEED;
use protocol::{
    ChatRequest, CheckedRequest, ImageParameters, ImageRequest, Input, Job, JobId, JobStatus, Kind, NewJob, NodeId,
    ProjectId, Request, TextParameters, Thinking, draw_seed,
};
use store::Store;

use crate::{Result, conversation, plan};

/// The engine's request for a job, and what it means for the history.
#[derive(Clone, Debug)]
pub(crate) struct PreparedJob {
    pub(crate) request: CheckedRequest,
    /// Images that a question brings into its conversation.
    pub(crate) new_images: Vec<NodeId>,
    /// Images that are read, in order.
    pub(crate) images: Vec<NodeId>,
}

/// Creates the jobs of a request, one for each variation, each with its seed.
///
/// This is where the request is checked: whatever is queued has come through here.
pub(crate) fn create_jobs(new: &NewJob, max_side: Option<u32>, store: &Store, now_ms: u64) -> Result<Vec<Job>> {
    new.check(max_side)?;
    let project = match (new.project, new.image) {
        (Some(project), _) => project,
        (None, Some(image)) => store.node(image)?.project,
        (None, None) => ProjectId::new(),
    };
    let thinking = match (&new.thinking, new.kind) {
        (Thinking::Given { .. }, Kind::Chat) => Thinking::Off,
        (Thinking::Given { plan }, _) => plan::given(plan)?,
        (thinking, _) => thinking.clone(),
    };
    // An image that was deleted for good is refused now rather than when its job starts.
    for image in new.references.iter().chain(&new.image) {
        store.path(*image)?;
    }
    let first_seed = new.parameters.seed.unwrap_or_else(draw_seed);
    let n_jobs = if new.kind == Kind::Chat { 1 } else { u64::from(new.variations) };
    let create = |number| Job {
        id: JobId::new(),
        project,
        kind: new.kind,
        prompt: new.prompt.trim().to_owned(),
        image: new.image,
        references: new.references.clone(),
        thinking: thinking.clone(),
        pauses_after_plan: new.pauses_after_plan && plan::can_be_held(new.kind, &thinking),
        parameters: ImageParameters {
            seed: Some(first_seed.wrapping_add(number) % (MAX_SEED + 1)),
            ..new.parameters.clone()
        },
        verifies: None,
        status: JobStatus::Queued,
        plan: if let Thinking::Given { plan } = &thinking { plan.clone() } else { String::new() },
        answer: String::new(),
        preview: None,
        expected_secs: None,
        created_ms: now_ms,
    };
    Ok((0..n_jobs).map(create).collect())
}

/// Prepares a job for the engine.
///
/// Done when the job starts and not when it is queued: a question is asked in the conversation as it is then, and
/// the library may have moved.
pub(crate) fn prepare(job: &Job, store: &Store, chat: &TextParameters, max_side: Option<u32>) -> Result<PreparedJob> {
    let prompt = Input::Text { text: job.prompt.clone() };
    let images: Vec<NodeId> = job.references.iter().copied().chain(job.image).collect();
    let image_request = |inputs| ImageRequest {
        inputs,
        thinking: job.thinking.clone(),
        parameters: job.parameters.clone(),
        text: with_seed(TextParameters::plan(), job),
    };
    let (request, new_images, images) = match job.kind {
        Kind::Generate => (Request::Generate(image_request(vec![prompt])), Vec::new(), images),
        Kind::Edit => {
            let mut inputs = image_inputs(&images, store)?;
            inputs.push(prompt);
            (Request::Edit(image_request(inputs)), Vec::new(), images)
        }
        Kind::Chat => {
            // A project that has not begun has no conversation.
            let turns = conversation::kept(store.turns(job.project).unwrap_or_default());
            let new_images = conversation::new_images(&turns, &images);
            let mut inputs = conversation::inputs(&turns, |node| image_input(node, store))?;
            inputs.extend(image_inputs(&new_images, store)?);
            inputs.push(prompt);
            let images = turns.iter().flat_map(|turn| &turn.images).chain(&new_images).copied().collect();
            let text = with_seed(chat.clone(), job);
            (Request::Chat(ChatRequest { inputs, think: job.thinking == Thinking::On, text }), new_images, images)
        }
    };
    Ok(PreparedJob { request: request.checked(max_side)?, new_images, images })
}

/// The job's one seed also draws its text, where text is drawn at all.
fn with_seed(text: TextParameters, job: &Job) -> TextParameters {
    let seed = text.seed.or(job.parameters.seed.filter(|_| text.temperature > 0.0));
    TextParameters { seed, ..text }
}

fn image_inputs(nodes: &[NodeId], store: &Store) -> Result<Vec<Input>> {
    nodes.iter().map(|node| image_input(*node, store)).collect()
}

fn image_input(node: NodeId, store: &Store) -> Result<Input> {
    Ok(Input::Image { path: store.path(node)? })
}

//! From what the artist asks for to jobs, and from a job to what the engine reads.

use protocol::check::{MAX_IMAGES, MAX_SEED};
use protocol::{
    ChatRequest, ErrorCode, ImageParameters, ImageRequest, Input, Job, JobId, JobStatus, Kind, NewJob, NodeId,
    ProjectId, Request, TextParameters, Thinking,
};
use store::Store;
use uuid::Uuid;

use crate::{Error, Result, conversation, plan};

/// Most images of one request: each of the artist's variations is another job.
const MAX_VARIATIONS: u32 = 8;

/// Most other images that a request may use.
const MAX_REFERENCES: usize = MAX_IMAGES - 1;

/// Longest prompt, in characters: more than the model was ever shown.
const MAX_CHARACTERS: usize = 20_000;

/// What the engine is told, and what it means for the history.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) request: Request,
    /// Images that a question brings into its conversation.
    pub(crate) new_images: Vec<NodeId>,
    /// Images that are read, in order.
    pub(crate) images: Vec<NodeId>,
}

/// A seed that nobody chose: short enough to be read out.
pub(crate) fn draw_seed() -> u64 {
    // The low bits of such an id are random.
    u64::from(Uuid::now_v7().as_u128() as u32)
}

/// The checked jobs of what was asked for, one for each variation.
pub(crate) fn expand(new: &NewJob, store: &Store, now_ms: u64) -> Result<Vec<Job>> {
    let prompt = new.prompt.trim().to_owned();
    if prompt.is_empty() {
        return Err(Error::refused(ErrorCode::TextMissing, "the prompt is empty; write what you want"));
    }
    if prompt.chars().count() > MAX_CHARACTERS {
        return Err(Error::refused(
            ErrorCode::TextTooLong,
            format!("the prompt is longer than {MAX_CHARACTERS} characters; shorten it"),
        ));
    }
    if !(1..=MAX_VARIATIONS).contains(&new.variations) {
        return Err(Error::refused(
            ErrorCode::TooMany,
            format!("{} variations cannot be made; ask for 1 to {MAX_VARIATIONS}", new.variations),
        ));
    }
    if new.references.len() > MAX_REFERENCES {
        return Err(Error::refused(
            ErrorCode::TooMany,
            format!("at most {MAX_REFERENCES} other images can be used; take some out"),
        ));
    }
    if new.kind == Kind::Edit && new.image.is_none() {
        return Err(Error::refused(ErrorCode::ImageMissing, "there is no image to edit; open one first"));
    }
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
    let is_ask = new.kind == Kind::Chat;
    let first_seed = new.parameters.seed.unwrap_or_else(draw_seed);
    let n_jobs = if is_ask { 1 } else { u64::from(new.variations) };
    let jobs: Vec<Job> = (0..n_jobs)
        .map(|number| {
            let seed = first_seed.wrapping_add(number) % (MAX_SEED + 1);
            Job {
                id: JobId(Uuid::now_v7().to_string()),
                project,
                kind: new.kind,
                prompt: prompt.clone(),
                image: new.image,
                references: new.references.clone(),
                thinking: thinking.clone(),
                pauses_after_plan: new.pauses_after_plan && plan::can_be_held(new.kind, &thinking),
                parameters: ImageParameters { seed: Some(seed), ..new.parameters.clone() },
                verifies: None,
                status: JobStatus::Queued,
                plan: if let Thinking::Given { plan } = &thinking { plan.clone() } else { String::new() },
                answer: String::new(),
                preview: None,
                expected_secs: None,
                created_ms: now_ms,
            }
        })
        .collect();
    Ok(jobs)
}

/// What the engine is told for a job; images and the conversation are looked up now, not when it was queued.
pub(crate) fn prepare(job: &Job, store: &Store, chat: &TextParameters) -> Result<Prepared> {
    let text = || Input::Text { text: job.prompt.clone() };
    let images: Vec<NodeId> = job.references.iter().copied().chain(job.image).collect();
    let image_request = |inputs| ImageRequest {
        inputs,
        thinking: job.thinking.clone(),
        parameters: job.parameters.clone(),
        text: TextParameters::plan(),
    };
    let mut new_images = Vec::new();
    let mut read = images.clone();
    let request = match job.kind {
        Kind::Generate => Request::Generate(image_request(vec![text()])),
        Kind::Edit => {
            let mut inputs = image_inputs(&images, store)?;
            inputs.push(text());
            Request::Edit(image_request(inputs))
        }
        Kind::Chat => {
            // A project that has not begun has no conversation.
            let turns = conversation::kept(store.turns(job.project).unwrap_or_default());
            new_images = conversation::new_images(&turns, &images);
            let mut inputs = conversation::inputs(&turns, |node| image_input(node, store))?;
            inputs.extend(image_inputs(&new_images, store)?);
            inputs.push(text());
            read = turns.iter().flat_map(|turn| &turn.images).chain(&new_images).copied().collect();
            Request::Chat(ChatRequest { inputs, think: job.thinking == Thinking::On, text: chat.clone() })
        }
    };
    request.check(None)?;
    Ok(Prepared { request, new_images, images: read })
}

fn image_inputs(nodes: &[NodeId], store: &Store) -> Result<Vec<Input>> {
    nodes.iter().map(|node| image_input(*node, store)).collect()
}

fn image_input(node: NodeId, store: &Store) -> Result<Input> {
    Ok(Input::Image { path: store.path(node)? })
}

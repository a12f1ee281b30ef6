//! From what the artist asks for to jobs, and from a job to what the engine reads.

use protocol::check::{MAX_SEED, MOST_IMAGES};
use protocol::{
    ChatRequest, ErrorCode, ImageParameters, ImageRequest, Input, Job, JobId, JobKind, JobStatus, NewJob, NodeId,
    PieceId, Request, TextParameters, Thinking,
};
use store::Store;
use uuid::Uuid;

use crate::{Error, Result, conversation, plan};

/// Most pictures of one request: each of the artist's variations is another job.
const MOST_VARIATIONS: u32 = 8;

/// Most other pictures that a request may use.
const MOST_REFERENCES: usize = MOST_IMAGES - 1;

/// Longest instruction, in characters: more than the model was ever shown.
const MOST_CHARACTERS: usize = 20_000;

/// What the engine is told, and what it means for the history.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) request: Request,
    /// Pictures that a question brings into its conversation.
    pub(crate) new_pictures: Vec<NodeId>,
    /// Pictures that are read, in order.
    pub(crate) pictures: Vec<NodeId>,
}

/// A seed that nobody chose: short enough to be read out.
pub(crate) fn draw_seed() -> u64 {
    // The low bits of such an id are random.
    u64::from(Uuid::now_v7().as_u128() as u32)
}

/// The checked jobs of what was asked for, one for each variation.
pub(crate) fn expand(new: &NewJob, store: &Store, now_ms: u64) -> Result<Vec<Job>> {
    let instruction = new.instruction.trim().to_owned();
    if instruction.is_empty() {
        return Err(Error::refused(ErrorCode::TextMissing, "the instruction is empty; write what you want"));
    }
    if instruction.chars().count() > MOST_CHARACTERS {
        return Err(Error::refused(
            ErrorCode::TextTooLong,
            format!("the instruction is longer than {MOST_CHARACTERS} characters; shorten it"),
        ));
    }
    if !(1..=MOST_VARIATIONS).contains(&new.variations) {
        return Err(Error::refused(
            ErrorCode::TooMany,
            format!("{} variations cannot be made; ask for 1 to {MOST_VARIATIONS}", new.variations),
        ));
    }
    if new.references.len() > MOST_REFERENCES {
        return Err(Error::refused(
            ErrorCode::TooMany,
            format!("at most {MOST_REFERENCES} other pictures can be used; take some out"),
        ));
    }
    if new.request == JobKind::Edit && new.picture.is_none() {
        return Err(Error::refused(ErrorCode::PictureMissing, "there is no picture to edit; open one first"));
    }
    let piece = match (new.piece, new.picture) {
        (Some(piece), _) => piece,
        (None, Some(picture)) => store.node(picture)?.piece,
        (None, None) => PieceId::new(),
    };
    let thinking = match (&new.thinking, new.request) {
        (Thinking::Given { .. }, JobKind::Ask) => Thinking::Off,
        (Thinking::Given { thought }, _) => plan::given(thought)?,
        (thinking, _) => thinking.clone(),
    };
    let is_ask = new.request == JobKind::Ask;
    let first_seed = new.parameters.seed.unwrap_or_else(draw_seed);
    let n_jobs = if is_ask { 1 } else { u64::from(new.variations) };
    let jobs: Vec<Job> = (0..n_jobs)
        .map(|number| {
            let seed = first_seed.wrapping_add(number) % (MAX_SEED + 1);
            Job {
                id: JobId(Uuid::now_v7().to_string()),
                piece,
                request: new.request,
                instruction: instruction.clone(),
                picture: new.picture,
                references: new.references.clone(),
                thinking: thinking.clone(),
                pauses_after_plan: new.pauses_after_plan && plan::can_be_held(new.request, &thinking),
                parameters: ImageParameters { seed: Some(seed), ..new.parameters.clone() },
                verifies: None,
                status: JobStatus::Queued,
                thought: if let Thinking::Given { thought } = &thinking { thought.clone() } else { String::new() },
                answer: String::new(),
                preview: None,
                expected_secs: None,
                created_ms: now_ms,
            }
        })
        .collect();
    Ok(jobs)
}

/// What the engine is told for a job; pictures and the conversation are looked up now, not when it was queued.
pub(crate) fn prepare(job: &Job, store: &Store, chat: &TextParameters) -> Result<Prepared> {
    let text = || Input::Text { text: job.instruction.clone() };
    let pictures: Vec<NodeId> = job.references.iter().copied().chain(job.picture).collect();
    let image = |inputs| ImageRequest {
        inputs,
        thinking: job.thinking.clone(),
        parameters: job.parameters.clone(),
        text: TextParameters::thought(),
    };
    let mut new_pictures = Vec::new();
    let mut read = pictures.clone();
    let request = match job.request {
        JobKind::Create => Request::Generate(image(vec![text()])),
        JobKind::Edit => {
            let mut inputs = images(&pictures, store)?;
            inputs.push(text());
            Request::Edit(image(inputs))
        }
        JobKind::Ask => {
            // A piece that has not begun has no conversation.
            let turns = conversation::kept(store.turns(job.piece).unwrap_or_default());
            new_pictures = conversation::new_pictures(&turns, &pictures);
            let mut inputs = conversation::inputs(&turns, |node| image_input(node, store))?;
            inputs.extend(images(&new_pictures, store)?);
            inputs.push(text());
            read = turns.iter().flat_map(|turn| &turn.pictures).chain(&new_pictures).copied().collect();
            Request::Chat(ChatRequest { inputs, think: job.thinking == Thinking::On, text: chat.clone() })
        }
    };
    request.check(None)?;
    Ok(Prepared { request, new_pictures, pictures: read })
}

fn images(nodes: &[NodeId], store: &Store) -> Result<Vec<Input>> {
    nodes.iter().map(|node| image_input(*node, store)).collect()
}

fn image_input(node: NodeId, store: &Store) -> Result<Input> {
    Ok(Input::Image { path: store.path(node)? })
}

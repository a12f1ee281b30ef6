//! From what the artist asks for to what the engine reads.

use protocol::{ChatRequest, ImageParameters, ImageRequest, Input, JobId, Request, TextParameters, Thinking};
use serde::Deserialize;
use ts_rs::TS;
use uuid::Uuid;

use crate::library::Rendition;
use crate::{Error, Job, JobKind, JobStatus, Library, NodeId, PieceId, Result};

/// What the window asks for.
#[derive(Clone, Debug, PartialEq, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct NewJob {
    /// What to do.
    pub request: JobKind,
    /// The artist's words.
    pub instruction: String,
    /// The piece that the result belongs to; a new one when absent.
    pub piece: Option<PieceId>,
    /// The picture to edit or to ask about.
    pub picture: Option<NodeId>,
    /// Other pictures to use, in the order the model reads them.
    pub references: Vec<NodeId>,
    /// Whether to plan before painting, or to reason before answering.
    pub thinking: Thinking,
    /// How a picture is sampled; unused for a question.
    pub image: ImageParameters,
}

/// A checked job with all that the engine will be told.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) job: Job,
    pub(crate) request: Request,
    /// Pictures that a question brings into its conversation.
    pub(crate) new_pictures: Vec<NodeId>,
}

/// Checks a job and gathers its inputs from the library.
pub(crate) fn prepare(new: NewJob, library: &Library) -> Result<Prepared> {
    let instruction = new.instruction.trim().to_owned();
    if instruction.is_empty() {
        return Err(Error::BadRequest("the instruction is empty; write what you want".to_owned()));
    }
    let piece = match (new.piece, new.picture) {
        (Some(piece), _) => piece,
        (None, Some(picture)) => library.node(picture)?.piece,
        (None, None) => PieceId::new(),
    };
    let pictures: Vec<NodeId> = new.references.iter().copied().chain(new.picture).collect();
    let mut new_pictures = Vec::new();
    let request = match new.request {
        JobKind::Create => Request::Generate(ImageRequest {
            inputs: vec![Input::Text { text: instruction.clone() }],
            thinking: new.thinking,
            image: new.image.clone(),
            text: TextParameters::thought(),
        }),
        JobKind::Edit => {
            if new.picture.is_none() {
                return Err(Error::BadRequest("there is no picture to edit; open one first".to_owned()));
            }
            let mut inputs = images(&pictures, library)?;
            inputs.push(Input::Text { text: instruction.clone() });
            Request::Edit(ImageRequest {
                inputs,
                thinking: new.thinking,
                image: new.image.clone(),
                text: TextParameters::thought(),
            })
        }
        JobKind::Ask => {
            let turns = library.turns(piece);
            // The model has seen what the last picture of the conversation shows;
            // it is shown again only when the artist moved to another one.
            let last_shown = turns.iter().rev().find_map(|turn| turn.pictures.last().copied());
            if pictures.last().copied() != last_shown || pictures.len() > 1 {
                new_pictures = pictures;
            }
            let mut inputs = Vec::new();
            for turn in turns {
                inputs.extend(images(&turn.pictures, library)?);
                inputs.push(Input::Text { text: turn.question });
                inputs.push(Input::Text { text: turn.answer });
            }
            inputs.extend(images(&new_pictures, library)?);
            inputs.push(Input::Text { text: instruction.clone() });
            let think = new.thinking == Thinking::On;
            Request::Chat(ChatRequest { inputs, think, text: TextParameters::chat() })
        }
    };
    let job = Job {
        id: JobId(Uuid::now_v7().to_string()),
        piece,
        request: new.request,
        instruction,
        picture: new.picture,
        references: new.references,
        size: new.image.size,
        status: JobStatus::Queued,
        thought: String::new(),
        answer: String::new(),
        preview: None,
    };
    Ok(Prepared { job, request, new_pictures })
}

fn images(nodes: &[NodeId], library: &Library) -> Result<Vec<Input>> {
    nodes.iter().map(|node| Ok(Input::Image { path: library.path(*node, Rendition::Full)? })).collect()
}

// Generated from src-tauri/crates/studio by `cargo xtask codegen`. Do not edit.

import type {
  DeviceDescription,
  Failure,
  ImageParameters,
  JobId,
  ModelDescription,
  Size,
  TextChannel,
  Thinking,
} from './protocol';

/**
 * A picture in the history.
 */
export type NodeId = string;

/**
 * A tree of pictures with the conversation about them.
 */
export type PieceId = string;

/**
 * A picture of a step, held in memory while its job runs.
 */
export type PreviewId = string;

/**
 * Everything as it stands.
 */
export type Snapshot = { 
/**
 * The engine process and its model.
 */
engine: EngineState, 
/**
 * All pieces, oldest first.
 */
pieces: Array<Piece>, 
/**
 * All pictures, oldest first.
 */
nodes: Array<Node>, 
/**
 * What runs, then what waits in order, and failures that were not dismissed.
 */
jobs: Array<Job>, 
/**
 * What the dials stand at unless the artist turns them.
 */
defaults: Defaults, };

/**
 * Parameters that pictures are made with unless others are chosen.
 */
export type Defaults = { 
/**
 * For a picture from text.
 */
create: ImageParameters, 
/**
 * For an edit.
 */
edit: ImageParameters, };

/**
 * A change.
 */
export type StudioEvent = { "kind": "engine", 
/**
 * As it is now.
 */
engine: EngineState, } | { "kind": "job_queued", 
/**
 * The job.
 */
job: Job, } | { "kind": "job_changed", 
/**
 * The job.
 */
job: JobId, 
/**
 * As it is now.
 */
status: JobStatus, } | { "kind": "job_dismissed", 
/**
 * The job.
 */
job: JobId, } | { "kind": "text", 
/**
 * The job.
 */
job: JobId, 
/**
 * Which of its texts.
 */
channel: TextChannel, 
/**
 * What to append.
 */
delta: string, } | { "kind": "preview", 
/**
 * The job.
 */
job: JobId, 
/**
 * Names the picture in the window's image scheme.
 */
preview: PreviewId, } | { "kind": "piece_added", 
/**
 * The piece.
 */
piece: Piece, } | { "kind": "node_added", 
/**
 * The picture.
 */
node: Node, } | { "kind": "dragging", 
/**
 * Where, in the window's pixels; absent when they left.
 */
position: [number, number] | null, } | { "kind": "arrived", 
/**
 * What could be read, in order.
 */
nodes: Array<NodeId>, 
/**
 * What could not, and why.
 */
failures: Array<Failure>, 
/**
 * Where they were dropped, in the window's pixels.
 */
position: [number, number] | null, } | { "kind": "turn_added", 
/**
 * The piece whose conversation grew.
 */
piece: PieceId, 
/**
 * Question and answer.
 */
turn: Turn, } | { "kind": "lagged" };

/**
 * The engine process and its model.
 */
export type EngineState = { "state": "starting" } | { "state": "no_model" } | { "state": "loading", 
/**
 * The model's name.
 */
name: string, 
/**
 * Bytes read so far.
 */
bytes: number, 
/**
 * Bytes to read.
 */
total_bytes: number, } | { "state": "ready", 
/**
 * The model.
 */
model: ModelDescription, 
/**
 * What the engine could compute on.
 */
devices: Array<DeviceDescription>, } | { "state": "failed", 
/**
 * Why.
 */
failure: Failure, };

/**
 * What kind of request a job carries out.
 */
export type JobKind = "create" | "edit" | "ask";

/**
 * What the window asks for.
 */
export type NewJob = { 
/**
 * What to do.
 */
request: JobKind, 
/**
 * The artist's words.
 */
instruction: string, 
/**
 * The piece that the result belongs to; a new one when absent.
 */
piece: PieceId | null, 
/**
 * The picture to edit or to ask about.
 */
picture: NodeId | null, 
/**
 * Other pictures to use, in the order the model reads them.
 */
references: Array<NodeId>, 
/**
 * Whether to plan before painting, or to reason before answering.
 */
thinking: Thinking, 
/**
 * How a picture is sampled; unused for a question.
 */
image: ImageParameters, };

/**
 * A queued request.
 */
export type Job = { 
/**
 * Its name.
 */
id: JobId, 
/**
 * The piece that its result will belong to.
 */
piece: PieceId, 
/**
 * What it does.
 */
request: JobKind, 
/**
 * The artist's words.
 */
instruction: string, 
/**
 * The picture that is edited or asked about.
 */
picture: NodeId | null, 
/**
 * Other pictures that are used.
 */
references: Array<NodeId>, 
/**
 * The size asked for; an edit without it keeps its picture's.
 */
size: Size | null, 
/**
 * Where it is.
 */
status: JobStatus, 
/**
 * The plan, as far as it is written.
 */
thought: string, 
/**
 * The answer, as far as it is written.
 */
answer: string, 
/**
 * The newest step that can be seen.
 */
preview: PreviewId | null, };

/**
 * Where a job is.
 */
export type JobStatus = { "state": "queued" } | { "state": "running", 
/**
 * What the engine does.
 */
phase: Phase, } | { "state": "stopping" } | { "state": "done", 
/**
 * The picture, where it made one.
 */
node: NodeId | null, } | { "state": "cancelled" } | { "state": "failed", 
/**
 * Why.
 */
failure: Failure, };

/**
 * What the engine does for a job.
 */
export type Phase = { "name": "reading" } | { "name": "writing" } | { "name": "painting", 
/**
 * Steps done.
 */
step: number, 
/**
 * Steps in all.
 */
steps: number, } | { "name": "decoding" } | { "name": "saving" };

/**
 * A tree of pictures with the conversation about them.
 */
export type Piece = { 
/**
 * Its name.
 */
id: PieceId, 
/**
 * What it began with: an instruction, a question or a file's name.
 */
title: string, 
/**
 * Questions and answers, oldest first.
 */
turns: Array<Turn>, 
/**
 * Milliseconds since 1970, UTC.
 */
created_ms: number, };

/**
 * A picture of the history.
 */
export type Node = { 
/**
 * Its name.
 */
id: NodeId, 
/**
 * The piece it belongs to.
 */
piece: PieceId, 
/**
 * The picture that was edited.
 */
parent: NodeId | null, 
/**
 * Other pictures that were used.
 */
references: Array<NodeId>, 
/**
 * How it came about.
 */
origin: Origin, 
/**
 * The instruction, or the name of the file it was imported from.
 */
title: string, 
/**
 * Its size in pixels.
 */
size: Size, 
/**
 * Seed of its noise, where it was made here.
 */
seed: number | null, 
/**
 * The plan it was painted after.
 */
thought: string | null, 
/**
 * Milliseconds since 1970, UTC.
 */
created_ms: number, };

/**
 * How a picture came about.
 */
export type Origin = "imported" | "created" | "edited";

/**
 * A question and its answer.
 */
export type Turn = { 
/**
 * What was asked.
 */
question: string, 
/**
 * Pictures that were new to the conversation with this question.
 */
pictures: Array<NodeId>, 
/**
 * What was answered.
 */
answer: string, 
/**
 * Whether the artist stopped the answer before its end.
 */
stopped: boolean, 
/**
 * Milliseconds since 1970, UTC.
 */
created_ms: number, };

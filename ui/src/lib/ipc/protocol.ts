// Generated from src-tauri/crates/protocol by `cargo xtask codegen`. Do not edit.

/** Version of these types; window, studio and engine must agree. */
export const SIDE_MULTIPLE = 16;
export const MAX_REFERENCES = 3;
export const MAX_VARIATIONS = 8;

/** Planning before painting. */
export type Thinking = { "kind": "off" } | { "kind": "on" } | { "kind": "given",
  /** The plan with its `<think> </think>` tags. */
  plan: string,
};

/** Width and height in pixels, both multiples of 16. */
export type Size = {
  /** Pixels across. */
  width: number,
  /** Pixels down. */
  height: number,
};

/** How the guided velocity is scaled back to the conditional one's length. */
export type Renorm = "global" | "channel" | "text_channel";

/** How an image is sampled. */
export type ImageParameters = {
  /** Size of the image; an edit without it keeps the size of its last image. */
  size: Size | null,
  /** Points of the schedule; the model is evaluated `steps - 1` times. */
  steps: number,
  /** How strongly the text is followed; 1 or less switches guidance off. */
  text_guidance: number,
  /** How strongly the images are kept; 1 or less switches this branch off. */
  image_guidance: number,
  /** Guidance applies at timesteps `start < t <= end`. */
  guidance_interval: [number, number],
  /** Which renormalization follows guidance. */
  renorm: Renorm,
  /** Lower bound of the renormalization factor, 0 to 1. */
  renorm_min: number,
  /** Timestep shift; higher spends more steps on layout. */
  shift: number,
  /** Seed of the noise; drawn and reported back when absent. */
  seed: number | null,
  /** Whether images read in are sampled from the VAE's posterior rather than its mean. */
  sample_posterior: boolean,
  /** Whether most steps are extrapolated from earlier ones (TaylorSeer): faster, not exact. */
  feature_cache: boolean,
};

/** How text is sampled. */
export type TextParameters = {
  /** Most tokens to write, the start token counted: `limit - 1` are written at most. */
  limit: number,
  /** 0 takes the likeliest token; higher is freer. */
  temperature: number,
  /** Only the `top_k` likeliest tokens are drawn from. */
  top_k: number | null,
  /** Only the likeliest tokens that together reach this probability are drawn from. */
  top_p: number | null,
  /** Above 1, tokens already written become less likely. */
  repetition_penalty: number,
  /** Seed of the draws; drawn and reported back when absent and needed. */
  seed: number | null,
  /** Texts at which writing ends; they are not part of the result. */
  stop: Array<string>,
};

/** A request, in the queue and between studio and engine. */
export type JobId = string;

/** Which text a delta belongs to. */
export type TextChannel = "plan" | "answer";

/** Something to compute on. */
export type DeviceDescription = {
  /** `cpu`, `cuda:0`, `metal:0`. */
  id: string,
  /** Name for the artist. */
  name: string,
  /** Memory in all, where known. */
  memory_bytes: number | null,
  /** Memory free now, where known. */
  free_bytes: number | null,
  /** CUDA compute capability such as `8.9`. */
  compute_capability: string | null,
};

/** A loaded model. */
export type ModelDescription = {
  /** Name of its file or folder. */
  name: string,
  /** Hash that recipes carry. */
  hash: string,
  /** `f32`, `bf16`, `q4_k_m` … */
  quantization: string,
  /** Parameters in all. */
  parameters: number,
  /** Bytes its weights hold in memory. */
  memory_bytes: number,
  /** Where it is. */
  device: string,
  /** Longest side of an image, in pixels. */
  max_side: number,
};

/** What a request needs, in bytes by part. */
export type MemoryEstimate = {
  /** Weights as loaded. */
  weights_bytes: number,
  /** Keys and values of all contexts. */
  context_bytes: number,
  /** Activations of the largest forward. */
  working_bytes: number,
  /** Activations of the autoencoder. */
  vae_bytes: number,
  /** The peak: weights, context, and the larger of the working sets. */
  peak_bytes: number,
};

/** The one list of failures. */
export type ErrorCode = "cancelled" | "out_of_device_memory" | "out_of_host_memory" | "device_lost" | "model_invalid" | "model_missing" | "bad_input" | "not_an_image" | "image_too_large" | "image_missing" | "size_unusable" | "out_of_range" | "not_a_project" | "file_unusable" | "text_missing" | "text_too_long" | "context_too_long" | "too_many" | "gone" | "busy" | "too_late" | "not_repeatable" | "catalog_unusable" | "token_unusable" | "bad_address" | "keyring" | "newer_program" | "disk_full" | "network" | "hash_mismatch" | "bad_result" | "repaired" | "settings_unusable" | "internal";

/** A failure with its one line for the artist. */
export type Failure = {
  /** The class of failure. */
  code: ErrorCode,
  /** What happened, to which file or value, and what to do; one line. */
  message: string,
};

/** An image in the history. */
export type NodeId = string;

/** A tree of images with the conversation about them. */
export type ProjectId = string;

/** A question with its answer. */
export type TurnId = string;

/** An image of a step, held in memory while its job runs. */
export type PreviewId = string;

/** A tree of images with the conversation about them, as lists show it. */
export type Project = {
  /** Its id. */
  id: ProjectId,
  /** What it is called: what the artist named it, or what it began with. */
  name: string,
  /** The image that stands for it: the newest that is not in the trash. */
  cover: NodeId | null,
  /** Images in it that are not in the trash. */
  n_nodes: number,
  /** Milliseconds since 1970, UTC. */
  created_ms: number,
  /** When an image or an answer last joined it; milliseconds since 1970, UTC. */
  changed_ms: number,
};

/** A project with everything in it. */
export type ProjectContents = {
  /** The project. */
  project: Project,
  /** Its images in the order they were made, those in the trash among them. */
  nodes: Array<Node>,
  /** Its conversation, oldest first. */
  turns: Array<Turn>,
};

/** An image of the history. */
export type Node = {
  /** Its id. */
  id: NodeId,
  /** The project it belongs to. */
  project: ProjectId,
  /** The image that was edited. */
  parent: NodeId | null,
  /** Other images that were used, of this project or another. */
  references: Array<NodeId>,
  /** How it came about. */
  origin: Origin,
  /** The prompt; for an imported image the name of its file. */
  prompt: string,
  /** What the artist named it. */
  name: string | null,
  /** Its size in pixels. */
  size: Size,
  /** Seed of its noise, where it is known. */
  seed: number | null,
  /** The plan it was painted after. */
  plan: string | null,
  /** Whether its recipe is known: it was made here, or its file brought one. */
  has_recipe: boolean,
  /** The model that made it, as its recipe names it. */
  model: string | null,
  /** The artist's mark of favor. */
  starred: boolean,
  /** The artist's words to find it by, sorted. */
  tags: Array<string>,
  /** When it was put into the trash; milliseconds since 1970, UTC. */
  trashed_ms: number | null,
  /** How long it took to make. */
  took_ms: number | null,
  /** Milliseconds since 1970, UTC. */
  created_ms: number,
};

/** How an image came about. */
export type Origin = "imported" | "generate" | "edit";

/** A question and its answer. */
export type Turn = {
  /** Its id. */
  id: TurnId,
  /** What was asked. */
  prompt: string,
  /** Images that were new to the conversation with this question. */
  images: Array<NodeId>,
  /** What was reasoned before the answer. */
  plan: string | null,
  /** What was answered. */
  answer: string,
  /** Whether the artist stopped the answer before its end. */
  stopped: boolean,
  /** Whether later questions are asked without it: the model no longer reads it, the artist still does. */
  left_out: boolean,
  /** Milliseconds since 1970, UTC. */
  created_ms: number,
};

/** Which images are wanted; all of the conditions hold for each. */
export type GalleryFilter = {
  /** Words in prompts, answers, plans, names and tags; the last may be unfinished. Empty finds everything. */
  text: string,
  /** Tags that it has, each of them. */
  tags: Array<string>,
  /** Whether only starred ones are wanted. */
  starred: boolean,
  /** How it came about. */
  origin: Origin | null,
  /** Where it is. */
  place: Place,
};

/** Where an image is. */
export type Place = "library" | "trash";

/** Where a page ended; means something to the one who made it only. */
export type GalleryCursor = string;

/** A page of images, those of the project that changed last first; in a project, the newest first. */
export type GalleryPage = {
  /** The images. */
  nodes: Array<Node>,
  /** The projects they belong to. */
  projects: Array<Project>,
  /** Where the next page begins; absent at the end. */
  next: GalleryCursor | null,
  /** How many images match in all. */
  total: number,
};

/** What the library holds. */
export type GalleryCounts = {
  /** Images that are not in the trash. */
  n_nodes: number,
  /** Images in the trash. */
  n_trashed: number,
  /** Images with a star. */
  n_starred: number,
  /** All tags in use, sorted. */
  tags: Array<TagCount>,
};

/** A tag and how often it is used. */
export type TagCount = {
  /** The tag. */
  tag: string,
  /** Images that have it and are not in the trash. */
  n_nodes: number,
};

/** How an image leaves the studio. */
export type ExportFormat = "png" | "png_plain" | "jpeg" | "webp";

/** Names a model: an entry of models.toml, or an imported one. */
export type ModelId = string;

/** A text in the window's languages. */
export type LocalText = {
  /** English. */
  en: string,
  /** Simplified Chinese. */
  zh: string,
};

/** A model as the window shows it. */
export type ModelCard = {
  /** Its id. */
  id: ModelId,
  /** What it is called. */
  name: LocalText,
  /** What it is good for, in a sentence or two. */
  summary: LocalText,
  /** Where it comes from. */
  origin: ModelOrigin,
  /** SPDX name of its license, where known. */
  license: string | null,
  /** The repository that publishes it, where it is published. */
  repository: string | null,
  /** Bytes to download; 0 when nothing is. */
  download_bytes: number,
  /** Longest side of an image, in pixels. */
  max_side: number,
  /** What the parameters stand at for this model. */
  defaults: ModelDefaults,
  /** The forms it can run in, the most exact first. */
  forms: Array<ModelForm>,
  /** What is on disk of its published files. */
  files: FilesState,
  /** What is being done about it now. */
  install: Install | null,
};

/** Where a model comes from. */
export type ModelOrigin = "bundled" | "catalog" | "imported";

/** Parameters that requests are made with unless others are chosen. */
export type ModelDefaults = {
  /** For an image from text. */
  generate: ImageParameters,
  /** For an edit. */
  edit: ImageParameters,
  /** For an answer. */
  chat: TextParameters,
};

/** A model at one quantization. */
export type ModelForm = {
  /** `bf16`, `q8_0`, `q4_k_m` … */
  quantization: string,
  /** Bytes on disk. */
  disk_bytes: number,
  /** Bytes of memory at work, with the largest request that it serves. */
  memory_bytes: number,
  /** Whether this machine can run it. */
  verdict: Verdict,
  /** Whether it is here and whole. */
  is_installed: boolean,
  /** Whether it is the form that suits this machine best. */
  is_recommended: boolean,
};

/** Whether a machine can run a model. */
export type Verdict = { "kind": "fits",
  /** Where it would run. */
  on: Processor,
} | { "kind": "fits_tightly",
  /** Where it would run. */
  on: Processor,
  /** Bytes that would be left. */
  spare_bytes: number,
} | { "kind": "does_not_fit",
  /** Where it would have had to run. */
  on: Processor,
  /** Bytes that are missing. */
  missing_bytes: number,
};

/** What a model computes on. */
export type Processor = "gpu" | "cpu";

/** What is on disk of a model's published files. */
export type FilesState = { "state": "absent" } | { "state": "partial",
  /** Bytes that are here. */
  bytes: number,
} | { "state": "complete",
  /** Bytes that removing it would free. */
  bytes: number,
} | { "state": "damaged",
  /** What is wrong, and what to do. */
  failure: Failure,
};

/** A model on its way to this machine. */
export type Install = {
  /** What it becomes. */
  quantization: string,
  /** Whether the published files are removed once it is that. */
  removes_source: boolean,
  /** What is done now. */
  stage: InstallStage,
  /** Bytes done of this stage. */
  bytes: number,
  /** Bytes of this stage. */
  total_bytes: number,
  /** Bytes a second of late, once known. */
  bytes_per_sec: number | null,
};

/** A stage of an installation. */
export type InstallStage = { "stage": "downloading" } | { "stage": "checking" } | { "stage": "converting" } | { "stage": "paused" } | { "stage": "failed",
  /** Why. */
  failure: Failure,
};

/** What the machine has. */
export type Hardware = {
  /** The processor's name. */
  processor: string,
  /** Its cores. */
  n_cores: number,
  /** What it can do beyond the ordinary: `avx2`, `avx512f`, `neon` … */
  processor_features: Array<string>,
  /** Bytes of memory. */
  memory_bytes: number,
  /** Bytes of memory that programs could still take. */
  free_memory_bytes: number,
  /** Bytes free where models are kept. */
  free_disk_bytes: number,
  /** What the engine could compute on. */
  devices: Array<DeviceDescription>,
  /** A graphics card that is here while no engine here computes on it. */
  card_without_engine: string | null,
};

/** All settings. A file that lacks some of them means their defaults. */
export type Settings = {
  /** The form of this file. */
  version: number,
  /** The window's language. */
  language: Language,
  /** The window's colors. */
  theme: Theme,
  /** Whether a new result takes the view. */
  follows: boolean,
  /** Whether single letters are keys of their own. */
  single_letter_keys: boolean,
  /** Whether a result is announced while another program has the focus. */
  notifies: boolean,
  /** The model to load at the start; the pocket model when absent. */
  model: ModelChoice | null,
  /** The device to compute on; the best one there is when absent. */
  device: string | null,
  /** The engine program; the one beside the studio when absent. */
  engine: string | null,
  /** Minutes without work after which the model's memory is given back; 0 keeps it. */
  idle_minutes: number,
  /** Where images are kept; the system's usual place when absent. Takes effect at the next start. */
  library_folder: string | null,
  /** Where models are kept; the system's usual place when absent. */
  models_folder: string | null,
  /** Address that downloads come from instead of the publisher's. */
  mirror: string | null,
  /** Parameters under a name. */
  presets: Array<Preset>,
  /** Plans that were saved to be painted again. */
  plans: Array<SavedPlan>,
  /** Whether the first start's welcome was put away. */
  welcomed: boolean,
};

/** The window's language. */
export type Language = "system" | "en" | "zh";

/** The window's colors. */
export type Theme = "system" | "dark" | "light" | "contrast";

/** A model in one of its forms. */
export type ModelChoice = {
  /** The model. */
  model: ModelId,
  /** `bf16`, `q8_0`, `q4_k_m` … */
  quantization: string,
};

/** Parameters under a name. */
export type Preset = {
  /** What the artist calls it. */
  name: string,
  /** Where the parameters stand. */
  parameters: ImageParameters,
};

/** A plan that was saved to be painted again. */
export type SavedPlan = {
  /** What the artist calls it: the prompt it was written for, unless named otherwise. */
  name: string,
  /** The plan, without the model's tags. */
  plan: string,
};

/** One change of the settings, as the window asks for it; folders and programs are chosen in dialogs of the host. */
export type SettingsChange = { "kind": "language", "value": Language } | { "kind": "theme", "value": Theme } | { "kind": "follows", "value": boolean } | { "kind": "single_letter_keys", "value": boolean } | { "kind": "notifies", "value": boolean } | { "kind": "device", "value": string | null } | { "kind": "idle_minutes", "value": number } | { "kind": "mirror", "value": string | null } | { "kind": "presets", "value": Array<Preset> } | { "kind": "plans", "value": Array<SavedPlan> } | { "kind": "welcomed" };

/** A place that the artist can move. */
export type Folder = "library" | "models";

/** The programs and what they are built of. */
export type About = {
  /** Version of the studio. */
  version: string,
  /** Version of the engine, when it runs. */
  engine: string | null,
  /** Licenses of everything inside, as one text. */
  licenses: string,
};

/** An image that was brought in. */
export type Arrival = {
  /** The image in the history. */
  node: NodeId,
  /** Whether it was in the library before; nothing new was made then. */
  is_known: boolean,
  /** Whether its file brought a recipe that can be offered. */
  has_recipe: boolean,
};

/** The engine process and its model. */
export type EngineState = { "state": "starting" } | { "state": "no_model" } | { "state": "idle",
  /** The model that will be loaded. */
  name: string,
} | { "state": "loading",
  /** The model's name. */
  name: string,
  /** Bytes read so far. */
  bytes: number,
  /** Bytes to read. */
  total_bytes: number,
} | { "state": "ready",
  /** The model. */
  model: ModelDescription,
  /** Which of the catalog's it is; absent for files chosen by hand. */
  choice: ModelChoice | null,
  /** Whether it is the pocket model that ships with the studio. */
  is_pocket: boolean,
  /** What the engine could compute on. */
  devices: Array<DeviceDescription>,
} | { "state": "failed",
  /** Why. */
  failure: Failure,
};

/** A queued request. */
export type Job = {
  /** Its id. */
  id: JobId,
  /** The project that its result will belong to. */
  project: ProjectId,
  /** What it does. */
  kind: Kind,
  /** The artist's words. */
  prompt: string,
  /** The image that is edited or asked about. */
  image: NodeId | null,
  /** Other images that are used. */
  references: Array<NodeId>,
  /** Whether it plans or reasons first. */
  thinking: Thinking,
  /** Whether it stops when the plan is complete. */
  pauses_after_plan: boolean,
  /** How its image is sampled; the seed is chosen when it is queued. */
  parameters: ImageParameters,
  /** The image that it paints again to compare, rather than to keep. */
  verifies: NodeId | null,
  /** Where it is. */
  status: JobStatus,
  /** The plan, as far as it is written. */
  plan: string,
  /** The answer, as far as it is written. */
  answer: string,
  /** The newest step that can be seen. */
  preview: PreviewId | null,
  /** Seconds that it is expected to take, where this machine has done the like. */
  expected_secs: number | null,
  /** Milliseconds since 1970, UTC, when it was queued. */
  created_ms: number,
};

/** What kind of request a job carries out. */
export type Kind = "generate" | "edit" | "chat";

/** Where a waiting job is to go. */
export type JobPlace = { "kind": "first" } | { "kind": "before",
  /** That one. */
  job: JobId,
} | { "kind": "last" };

/** Where a job is. */
export type JobStatus = { "state": "queued" } | { "state": "running",
  /** What the engine does. */
  phase: Phase,
} | { "state": "stopping" } | { "state": "planned" } | { "state": "done",
  /** The image, where it made one. */
  node: NodeId | null,
} | { "state": "cancelled" } | { "state": "interrupted" } | { "state": "failed",
  /** Why. */
  failure: Failure,
  /** What could be tried instead, the gentlest first. */
  remedies: Array<Remedy>,
};

/** What the window asks for. */
export type NewJob = {
  /** What to do. */
  kind: Kind,
  /** The artist's words. */
  prompt: string,
  /** The project that the result belongs to; a new one when absent. */
  project: ProjectId | null,
  /** The image to edit or to ask about. */
  image: NodeId | null,
  /** Other images to use, in the order the model reads them. */
  references: Array<NodeId>,
  /** Whether to plan before painting, or to reason before answering. */
  thinking: Thinking,
  /** Whether to stop when the plan is complete, so that it can be changed before it is painted. */
  pauses_after_plan: boolean,
  /** How an image is sampled; unused for a question. */
  parameters: ImageParameters,
  /** How many images, each from another seed: 1 to 8. */
  variations: number,
  /** Whether it goes before everything that waits. */
  first: boolean,
};

/** What the engine does for a job. */
export type Phase = { "name": "reading" } | { "name": "writing" } | { "name": "painting",
  /** Steps done. */
  step: number,
  /** Steps in all. */
  steps: number,
} | { "name": "decoding" } | { "name": "saving" };

/** What a request will take, before it runs. */
export type CostEstimate = {
  /** Bytes by part. */
  memory: MemoryEstimate,
  /** Bytes that there are for it, weights included. */
  available_bytes: number | null,
  /** Tokens of context. */
  context_tokens: number,
  /** Size of the image that would be made. */
  size: Size | null,
  /** Seconds for all of its variations, where this machine has done the like. */
  secs: number | null,
  /** Why it cannot be done, if it cannot. */
  refusal: Failure | null,
  /** What could be done instead. */
  remedies: Array<Remedy>,
};

/** What could be tried instead of what cannot be done. */
export type Remedy = { "kind": "retry" } | { "kind": "smaller_size",
  /** One that fits. */
  size: Size,
} | { "kind": "no_thinking" } | { "kind": "fewer_images" } | { "kind": "leave_out",
  /** Which they are. */
  turns: Array<TurnId>,
} | { "kind": "smaller_model" };

/** How an image was made, field by field. */
export type RecipeView = {
  /** What was asked for. */
  kind: Kind,
  /** The words. */
  prompt: string,
  /** How it was sampled, with the seed that was used. */
  parameters: ImageParameters,
  /** The plan that was painted. */
  plan: string | null,
  /** Images that were read, those of them that are in the library. */
  images: Array<NodeId>,
  /** Images that were read and are not in the library. */
  n_missing: number,
  /** The model's name. */
  model: string | null,
  /** Whether it is the model that is loaded now. */
  is_present_model: boolean,
  /** The engine's version. */
  engine: string | null,
  /** Names of fields that this program does not know; they are shown and never applied. */
  unknown: Array<string>,
};

/** Everything as it stands, but for what is asked for when it is shown: projects, pages of the gallery. */
export type Snapshot = {
  /** The engine process and its model. */
  engine: EngineState,
  /** What runs, then what waits in order, then what is put aside, failed or was interrupted. */
  jobs: Array<Job>,
  /** Whether the queue is held: what runs goes on, and nothing is begun. */
  is_paused: boolean,
  /** What the parameters stand at unless the artist turns them: the present model's. */
  defaults: ModelDefaults,
  /** The projects that changed last, newest first; the gallery has them all. */
  projects: Array<Project>,
  /** What the library holds. */
  counts: GalleryCounts,
  /** All models, the bundled one first. */
  models: Array<ModelCard>,
  /** All settings. */
  settings: Settings,
  /** What the start found and mended, or could not. */
  notices: Array<Failure>,
};

/** A change. */
export type StudioEvent = { "kind": "engine",
  /** As it is now. */
  engine: EngineState,
} | { "kind": "defaults",
  /** As they are now. */
  defaults: ModelDefaults,
} | { "kind": "job_queued",
  /** The job. */
  job: Job,
} | { "kind": "job_changed",
  /** The job. */
  job: JobId,
  /** As it is now. */
  status: JobStatus,
} | { "kind": "jobs_ordered",
  /** All that wait, the next one first. */
  jobs: Array<JobId>,
} | { "kind": "job_dismissed",
  /** The job. */
  job: JobId,
} | { "kind": "queue_paused",
  /** Whether it is held. */
  is_paused: boolean,
} | { "kind": "text",
  /** The job. */
  job: JobId,
  /** Which of its texts. */
  channel: TextChannel,
  /** What to append. */
  delta: string,
} | { "kind": "plan_changed",
  /** The job. */
  job: JobId,
  /** The whole plan. */
  plan: string,
} | { "kind": "preview",
  /** The job. */
  job: JobId,
  /** Names the image in the window's image scheme. */
  preview: PreviewId,
} | { "kind": "project_changed",
  /** As it is now. */
  project: Project,
} | { "kind": "node_added",
  /** The image. */
  node: Node,
} | { "kind": "nodes_changed",
  /** As they are now. */
  nodes: Array<Node>,
} | { "kind": "nodes_removed",
  /** The images. */
  nodes: Array<NodeId>,
  /** Projects that went with their last image. */
  projects: Array<ProjectId>,
} | { "kind": "turn_added",
  /** The project whose conversation grew. */
  project: ProjectId,
  /** Question and answer. */
  turn: Turn,
} | { "kind": "turns_changed",
  /** The project whose conversation they belong to. */
  project: ProjectId,
  /** As they are now. */
  turns: Array<Turn>,
} | { "kind": "counts",
  /** As it is now. */
  counts: GalleryCounts,
} | { "kind": "models",
  /** All of them. */
  models: Array<ModelCard>,
} | { "kind": "install",
  /** The model. */
  model: ModelId,
  /** How far it is; absent when it ended. */
  install: Install | null,
} | { "kind": "settings",
  /** All of them. */
  settings: Settings,
} | { "kind": "verified",
  /** The image. */
  node: NodeId,
  /** What came of it. */
  outcome: Verification,
} | { "kind": "dragging",
  /** Where, in the window's pixels; absent when they left. */
  position: [number, number] | null,
} | { "kind": "arrived",
  /** What could be read, in order. */
  arrivals: Array<Arrival>,
  /** What could not, and why. */
  failures: Array<Failure>,
  /** Where they were dropped, in the window's pixels. */
  position: [number, number] | null,
} | { "kind": "notice",
  /** What, and what to do. */
  failure: Failure,
} | { "kind": "close_asked" } | { "kind": "lagged" };

/** How fast the full model would run here, from one layer of its true shape with random weights. */
export type Trial = {
  /** Quantization tried. */
  quantization: string,
  /** Where it ran. */
  device: string,
  /** Seconds for a step at 1024 × 1024, all layers and branches. */
  secs_per_step: number,
  /** Words (tokens) a second of an answer. */
  tokens_per_sec: number,
};

/** What painting an image again has shown. */
export type Verification = { "kind": "same" } | { "kind": "differs",
  /** Mean difference of a channel, 0 to 255. */
  mean: number,
  /** Largest difference of a channel. */
  largest: number,
} | { "kind": "failed",
  /** Why. */
  failure: Failure,
};

// Generated from src-tauri/crates/protocol by `cargo xtask codegen`. Do not edit.

/** Version of these types; window, studio and engine must agree. */
export const PROTOCOL_VERSION = 1;

/** One request to the model. */
export type Request = { "kind": "generate" } & ImageRequest | { "kind": "edit" } & ImageRequest | { "kind": "chat" } & ChatRequest;

/** Inputs and parameters of a picture to be made. */
export type ImageRequest = {
  /** Texts and pictures in the order the model reads them. */
  inputs: Array<Input>,
  /** Whether the model plans before it paints, or is given the plan. */
  thinking: Thinking,
  /** How the picture is sampled. */
  image: ImageParameters,
  /** How the thought is sampled; unused without thinking. */
  text: TextParameters,
};

/** Inputs and parameters of an answer. */
export type ChatRequest = {
  /** The conversation so far, earlier answers as text, in order. */
  inputs: Array<Input>,
  /** Whether the model reasons in `<think> </think>` before it answers. */
  think: boolean,
  /** How the answer is sampled. */
  text: TextParameters,
};

/** One item of a conversation. */
export type Input = { "kind": "text",
  /** The text itself. */
  text: string,
} | { "kind": "image",
  /** Where the picture lies. */
  path: string,
};

/** Planning before painting. */
export type Thinking = { "kind": "off" } | { "kind": "on" } | { "kind": "given",
  /** The plan with its `<think> </think>` tags. */
  thought: string,
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

/** How a picture is sampled. */
export type ImageParameters = {
  /** Size of the picture; an edit without it keeps the size of its last picture. */
  size: Size | null,
  /** Points of the schedule; the model is evaluated `steps - 1` times. */
  steps: number,
  /** How strongly the text is followed; 1 or less switches guidance off. */
  text_guidance: number,
  /** How strongly the pictures are kept; 1 or less switches this branch off. */
  image_guidance: number,
  /** Guidance applies at timesteps `start < t <= end`. */
  guidance_interval: [number, number],
  /** Which renormalisation follows guidance. */
  renorm: Renorm,
  /** Lower bound of the renormalisation factor, 0 to 1. */
  renorm_min: number,
  /** Timestep shift; higher spends more steps on layout. */
  shift: number,
  /** Seed of the noise; drawn and reported back when absent. */
  seed: number | null,
  /** Whether pictures read in are sampled from the VAE's posterior rather than its mean. */
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

/** Names one request between studio and engine; chosen by the studio. */
export type JobId = string;

/** Studio to engine. */
export type Command = { "kind": "hello",
  /** The studio's `PROTOCOL_VERSION`. */
  protocol: number,
} | { "kind": "load",
  /** Answers carry this id. */
  id: JobId,
  /** A folder in the official layout, a safetensors file or a GGUF of ours. */
  path: string,
  /** Checkpoint that supplies tensors the first one lacks. */
  base: string | null,
  /** `cpu`, `cuda:0`, `metal:0`; the best one there is when absent. */
  device: string | null,
} | { "kind": "unload",
  /** Answers carry this id. */
  id: JobId,
} | { "kind": "run",
  /** Answers carry this id. */
  id: JobId,
  /** What to do. */
  request: Request,
} | { "kind": "estimate",
  /** Answers carry this id. */
  id: JobId,
  /** What would be done. */
  request: Request,
} | { "kind": "cancel",
  /** The job to stop. */
  id: JobId,
} | { "kind": "status",
  /** Answers carry this id. */
  id: JobId,
};

/** Engine to studio. Pictures (of `Step` and `Image`) carry their RGB bytes as the frame's payload. */
export type Event = { "kind": "hello",
  /** The engine's `PROTOCOL_VERSION`. */
  protocol: number,
  /** Version of the engine program. */
  engine: string,
  /** What it can compute on. */
  devices: Array<DeviceDescription>,
} | { "kind": "heartbeat",
  /** Layers, tokens, strips and tensors done since the start. */
  progress: number,
} | { "kind": "loading",
  /** The load's id. */
  id: JobId,
  /** Bytes read so far. */
  bytes: number,
  /** Bytes to read. */
  total_bytes: number,
} | { "kind": "loaded",
  /** The load's id. */
  id: JobId,
  /** What was loaded. */
  model: ModelDescription,
} | { "kind": "unloaded",
  /** The unload's id. */
  id: JobId,
} | { "kind": "started",
  /** The job. */
  id: JobId,
} | { "kind": "context",
  /** The job. */
  id: JobId,
  /** Tokens in the conditional context. */
  tokens: number,
} | { "kind": "text",
  /** The job. */
  id: JobId,
  /** Which text it belongs to. */
  channel: TextChannel,
  /** What to append; never part of a character. */
  delta: string,
} | { "kind": "step",
  /** The job. */
  id: JobId,
  /** Steps done. */
  step: number,
  /** Steps in all. */
  steps: number,
  /** Size of the preview in the payload (rgb8), if there is one. */
  preview: Size | null,
} | { "kind": "decoding",
  /** The job. */
  id: JobId,
} | { "kind": "image",
  /** The job. */
  id: JobId,
  /** Size of the picture in the payload. */
  size: Size,
  /** The recipe as JSON. */
  recipe: unknown,
} | { "kind": "done",
  /** The job. */
  id: JobId,
  /** The whole text, where the job wrote one. */
  text: string | null,
  /** How the text was sampled, with the seed that was used. */
  parameters: TextParameters | null,
  /** What it took. */
  statistics: Statistics,
} | { "kind": "failed",
  /** What failed. */
  id: JobId,
  /** Why. */
  failure: Failure,
} | { "kind": "estimate",
  /** The estimate's id. */
  id: JobId,
  /** Bytes by part. */
  memory: MemoryEstimate,
  /** Tokens of the conditional context. */
  context_tokens: number,
  /** Size of the picture that would be made. */
  size: Size | null,
} | { "kind": "status",
  /** The status request's id. */
  id: JobId,
  /** What is loaded. */
  model: ModelDescription | null,
  /** What runs. */
  running: JobId | null,
  /** What waits, in order. */
  waiting: Array<JobId>,
};

/** Which text a delta belongs to. */
export type TextChannel = "thought" | "answer";

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
  /** Longest side of a picture, in pixels. */
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

/** What a job took. */
export type Statistics = {
  /** Seconds to read the inputs. */
  context_secs: number,
  /** Seconds to write text. */
  text_secs: number,
  /** Tokens written. */
  text_tokens: number,
  /** Seconds to denoise. */
  denoise_secs: number,
  /** Steps of denoising. */
  steps: number,
  /** Forwards of the model in these steps. */
  forwards: number,
  /** Seconds to decode the picture. */
  decode_secs: number,
  /** Tokens of context taken from the cache instead of computed. */
  reused_tokens: number,
};

/** The one list of failures. */
export type ErrorCode = "cancelled" | "out_of_device_memory" | "out_of_host_memory" | "device_lost" | "model_invalid" | "model_missing" | "bad_input" | "disk_full" | "network" | "hash_mismatch" | "internal";

/** A failure with its one line for the artist. */
export type Failure = {
  /** The class of failure. */
  code: ErrorCode,
  /** What happened, to which file or value, and what to do; one line. */
  message: string,
};

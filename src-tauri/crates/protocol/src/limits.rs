//! Bounds that the window, the studio and the engine share; generated for the window too.

/// Sides of an image are multiples of this many pixels.
pub const SIDE_MULTIPLE: u32 = 16;

/// Most images of one edit, the edited one included.
pub const MAX_IMAGES: usize = 4;

/// Most reference images beside the edited one.
pub const MAX_REFERENCES: usize = MAX_IMAGES - 1;

/// Most images of one request, each with its own seed and job.
pub const MAX_VARIATIONS: u32 = 8;

/// Longest prompt, in characters: more than the model was trained on.
pub const MAX_PROMPT_CHARS: usize = 20_000;

/// Longest plan, in characters: many times what a model writes.
pub const MAX_PLAN_CHARS: usize = 20_000;

/// Most steps of a schedule.
pub const MAX_STEPS: u32 = 1_000;

/// Largest seed: every reader of JSON keeps whole numbers up to here exactly.
pub const MAX_SEED: u64 = (1 << 53) - 1;

/// Most jobs that may wait; more can only come from a stuck key or a runaway script.
pub const MAX_QUEUED: usize = 1_000;

/// Longest side that any checkpoint could hold, whatever its position grid.
pub(crate) const LONGEST_SIDE: u32 = 16_384;

/** Texts of the canvas, the prompt bar and the history. */

export const modes = { generate: 'Generate', edit: 'Edit', chat: 'Chat' };

export const examples = {
  pocket: [
    'A large yellow star on a blue background',
    'A small yellow star on the left and a large blue square on the right',
    'A green triangle in the centre on a black background',
    'A red heart in the centre on a white background',
  ],
  full: [
    'A sailing boat in a quiet harbor at dusk',
    'A still life with lemons, woodcut style',
    'A fox asleep in tall grass, morning fog',
    'A paper-cut city under a large moon',
  ],
};

export const welcome = {
  title: 'Welcome',
  pocket:
    'You are using the pocket model. It comes with Bagel Studio, is tiny, and knows only colored shapes: enough to try every tool within a minute.',
  ready: 'The model is ready. Describe an image below and click Generate.',
  download: (size: string, time: string) => `a download of ${size}, about ${time} at 100 Mbit/s`,
  offer: (name: string, download: string, form: string, memory: string, disk: string) =>
    `${name} generates, edits and discusses any image. It is ${download}. Recommended for this computer: ${form}, which uses ${memory} of memory and ${disk} of disk space.`,
  offer_small: (name: string, download: string) =>
    `${name} generates, edits and discusses any image. It is ${download}, and needs more memory than this computer has free.`,
  begin: 'Start with the Pocket Model',
  begin_full: 'Get Started',
  see_models: 'View the Full Model',
};

export const composer = {
  form: 'New prompt',
  label: 'Prompt',
  mode: 'Mode',
  placeholder: {
    generate: 'Describe an image…',
    edit: 'Describe the change…',
    chat: 'Ask about this image…',
    chat_without: 'Ask anything…',
  },
  run: { generate: 'Generate', edit: 'Edit', chat: 'Send' },
  queue: 'Add to Queue',
  edited: 'Image to edit',
  asked: 'Image to ask about',
  reference: (n: number) => `reference image ${String(n)}`,
  move_reference: (n: number) => `Reference image ${String(n)}: drag or use the arrow keys to reorder`,
  remove_reference: (name: string) => `Remove ${name}`,
  use_as_reference: (name: string) => `Use as reference image: ${name}`,
  add_reference: 'Add Reference Image',
  open_reference: 'Open File',
  references_hint: 'Add up to three more images for the model to use, in this order. You can also drop or paste images here.',
  surplus: (n: number) =>
    n === 1
      ? 'Three reference images are the maximum. 1 image was not added; it is in the gallery.'
      : `Three reference images are the maximum. ${String(n)} images were not added; they are in the gallery.`,
  pasted: 'Added as reference image',
  open_pasted: 'Open Instead',
  add: 'Open Image',
  thinking: {
    label: 'Thinking',
    modes: { off: 'Thinking off', on: 'Thinking on', edit: 'Review plan' },
    details: {
      off: 'Starts right away.',
      on: 'Writes a plan first.',
      edit: 'Writes a plan, then waits for your changes.',
    },
    given: 'Saved plan',
    forget: 'Remove Plan',
  },
  variations: 'Variations',
  variations_hint: 'Several images from the same prompt, each with its own seed.',
  n_variations: (n: number): string => (n === 1 ? 'image' : 'images'),
  size: 'Size',
  width: 'Width',
  height: 'Height',
  size_hint: (step: number, most: number) => `In steps of ${String(step)}, up to ${String(most)} with this model.`,
  same_size: 'Same as image',
  quality: 'Quality',
  qualities: { draft: 'Draft', balanced: 'Balanced', fine: 'Fine' },
  steps: (n: number) => `${String(n)} steps`,
  needs_image: 'Open an image to edit it',
  waiting: (n: number) => (n === 1 ? '1 job in the queue' : `${String(n)} jobs in the queue`),
  shapes: {
    square: 'Square',
    landscape: 'Landscape',
    portrait: 'Portrait',
    wide: 'Wide',
    tall: 'Tall',
  },
};

export const estimate = {
  about: (time: string) => `about ${time}`,
  needs: (bytes: string) => `needs ${bytes}`,
  needs_of: (bytes: string, all: string) => `needs ${bytes} of ${all}`,
  refused: (why: string, needed: string, available: string) => `${why}: needs ${needed}, ${available} available.`,
  because: (what: string, why: string) => `${what}. ${why}`,
  too_long: (tokens: string) => `This prompt needs ${tokens} tokens, more than the model can read. Remove images, or start a new project.`,
  context: (tokens: string) => `${tokens} tokens`,
  parts: (weights: string, context: string, working: string) => `Weights ${weights}, context ${context}, working memory ${working}`,
};

export const remedies = {
  retry: 'Retry',
  smaller_size: (size: string) => `Use ${size}`,
  no_thinking: 'Turn Off Thinking',
  fewer_images: 'Remove References',
  leave_out: (n: number) => (n === 1 ? 'Exclude Oldest Question' : `Exclude ${String(n)} Oldest Questions`),
  smaller_model: 'Choose a Smaller Model',
};

export const canvas = {
  stage: 'Canvas',
  tools: 'Image tools',
  empty: 'What would you like to create?',
  empty_hint: 'Describe an image below, or drop one here to edit it.',
  open: 'Open Image',
  paste: 'or paste one with',
  fit: 'Fit',
  zoom_in: 'Zoom In',
  zoom_out: 'Zoom Out',
  export: 'Export',
  original: 'Original',
  original_hint: 'Hold to show the image before this edit',
  compare: 'Compare',
  more: 'More',
  steps: 'Step History',
  steps_close: 'Close Step History',
  no_steps: 'The steps of this image are no longer available.',
  image_missing: 'This image cannot be shown. Its file is missing or damaged.',
  image: (title: string) => `Image: ${title}`,
  drop: 'Drop to open',
  drop_reference: 'Drop to add as reference image',
};

export const compare = {
  modes: { slider: 'Slider', side: 'Side by Side', difference: 'Difference' },
  with: 'Compare with',
  divider: 'Share of the other image shown',
  done: 'Done',
};

export const progress = {
  label: 'Progress',
  queued: 'Queued',
  held: 'Queue paused',
  waiting_for_model: 'Waiting for the model',
  reading: 'Reading the prompt',
  writing: 'Thinking',
  step: (step: number, steps: number) => `Step ${String(step)} of ${String(steps)}`,
  quarter: (percent: number) => `${String(percent)}% complete`,
  decoding: 'Decoding',
  saving: 'Saving',
  stopping: 'Stopping…',
  left: (seconds: number) => (seconds < 60 ? `${String(seconds)} s left` : `${String(Math.round(seconds / 60))} min left`),
  stop: 'Stop',
  keep: 'Stop and Keep',
  keep_hint: 'Stops here and keeps this step as an image',
  interrupted: {
    title: 'The job was interrupted',
    text: 'Bagel Studio closed while it was running. Nothing else was lost. Retry to run it again.',
  },
};

export const history = {
  title: 'History',
  empty: 'The images of this project appear here, each below the image it was made from.',
  others: 'Other projects',
  all: 'View All',
  new: 'New Project',
  imported: 'Imported',
  generate: 'Generated',
  edit: 'Edited',
  waiting: 'Queued',
};

export const repeat = {
  title: 'Repeat a branch here',
  hint: (name: string) => `Applies the edits of a branch to “${name}”, one after the other, with their original parameters and seeds.`,
  after: (n: number, name: string) => (n === 1 ? `1 edit of “${name}”` : `${String(n)} edits, starting from “${name}”`),
  done: 'The branch has been repeated',
  busy: 'Another branch is being repeated. Wait for it to finish.',
  left: (n: number) => (n === 1 ? '1 edit of the branch was not made' : `${String(n)} edits of the branch were not made`),
  go_on: 'Continue',
  lacking: (n: number) =>
    n === 1 ? '1 image of the branch has no recipe and is skipped' : `${String(n)} images of the branch have no recipe and are skipped`,
};

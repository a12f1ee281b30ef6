/** Texts of the studio: the line, the canvas and the history. */

export const modes = { generate: 'Create', edit: 'Edit', chat: 'Ask' };

export const examples = {
  pocket: [
    'A large yellow star on a blue background',
    'A small yellow star on the left and a large blue square on the right',
    'A green triangle in the center on a black background',
    'A red heart in the center on a white background',
  ],
  full: [
    'A sailing boat in a quiet harbour at dusk',
    'A still life with lemons, in the manner of a woodcut',
    'A fox asleep in tall grass, morning fog',
    'A paper-cut city under a large moon',
  ],
};

export const welcome = {
  title: 'Welcome',
  pocket:
    'You are painting with the pocket model. It ships with the studio, is tiny, and knows only a world of colored shapes: enough to try every tool here within a minute.',
  ready: 'A model is ready. Describe an image below and press Paint.',
  download: (size: string, time: string) => `a download of ${size}, about ${time} at 100 Mbit a second`,
  offer: (name: string, download: string, form: string, memory: string, disk: string) =>
    `${name} paints, edits and talks about any image. It is ${download}. Here ${form} suits best, with ${memory} in memory and ${disk} on the disk.`,
  offer_small: (name: string, download: string) =>
    `${name} paints, edits and talks about any image. It is ${download}, and needs more memory than this machine has free.`,
  begin: 'Begin with the pocket model',
  begin_full: 'Begin',
  see_models: 'See the full model',
};

export const composer = {
  form: 'New request',
  label: 'Prompt',
  mode: 'What to do',
  placeholder: {
    generate: 'Describe an image…',
    edit: 'Say what should change…',
    chat: 'Ask about this image…',
    chat_without: 'Ask something…',
  },
  run: { generate: 'Paint', edit: 'Edit', chat: 'Ask' },
  queue: 'Queue',
  edited: 'The image that is edited',
  asked: 'The image you ask about',
  reference: (n: number) => `Reference ${String(n)}`,
  move_reference: (n: number) => `Reference ${String(n)}: drag, or use the arrow keys, to change the order`,
  remove_reference: (name: string) => `Remove ${name}`,
  use_as_reference: (name: string) => `Use as a reference: ${name}`,
  add_reference: 'Add a reference',
  open_reference: 'Open a file…',
  references_hint: 'Up to three more images for the model to look at, in this order. You can also drop or paste them on the line.',
  surplus: (n: number) =>
    n === 1 ? 'Three references at most: 1 image was left out. It is in the gallery.' : `Three references at most: ${String(n)} images were left out. They are in the gallery.`,
  pasted: 'Added as a reference',
  open_pasted: 'Open it instead',
  add: 'Open an image',
  thinking: {
    label: 'Thinking',
    modes: { off: 'No plan', on: 'Think first', edit: 'Let me edit the plan' },
    details: {
      off: 'Paints at once.',
      on: 'Writes a plan, then paints it.',
      edit: 'Writes a plan and waits, so that you can change it.',
    },
    given: 'With a saved plan',
    forget: 'Paint without this plan',
  },
  variations: 'Variations',
  variations_hint: 'Several images from the same words, each with a seed of its own.',
  n_variations: (n: number): string => (n === 1 ? 'image' : 'images'),
  size: 'Size',
  width: 'Width',
  height: 'Height',
  size_hint: (step: number, most: number) => `Steps of ${String(step)}, up to ${String(most)} with this model.`,
  keeps: 'As the image',
  quality: 'Quality',
  qualities: { draft: 'Draft', balanced: 'Balanced', fine: 'Fine' },
  steps: (n: number) => `${String(n)} steps`,
  needs_image: 'Open an image to edit it',
  waiting: (n: number) => (n === 1 ? '1 request waits' : `${String(n)} requests wait`),
  shapes: {
    square: 'Square',
    landscape: 'Landscape',
    portrait: 'Portrait',
    wide: 'Wide',
    tall: 'Tall',
  },
};

export const price = {
  about: (time: string) => `about ${time}`,
  needs: (bytes: string) => `needs ${bytes}`,
  needs_of: (bytes: string, all: string) => `needs ${bytes} of ${all}`,
  refused: (why: string, needed: string, there: string) => `${why}: ${needed} are needed and ${there} are there.`,
  because: (what: string, why: string) => `${what}. ${why}`,
  too_long: (tokens: string) => `This reads ${tokens} tokens, and the model cannot read as many. Leave images out, or ask in a new project.`,
  context: (tokens: string) => `reads ${tokens} tokens`,
  parts: (weights: string, context: string, working: string) =>
    `Weights ${weights}, context ${context}, working memory ${working}`,
};

export const remedies = {
  retry: 'Try again',
  smaller_size: (size: string) => `Try ${size}`,
  no_thinking: 'Without a plan',
  fewer_images: 'Without the references',
  leave_out: (n: number) => (n === 1 ? 'Leave the oldest question out' : `Leave the ${String(n)} oldest questions out`),
  smaller_model: 'A smaller model',
};

export const canvas = {
  stage: 'Canvas',
  tools: 'Image tools',
  empty: 'What shall it be?',
  empty_hint: 'Describe an image below, or drop one here to edit it.',
  open: 'Open an image',
  paste: 'or paste one with',
  fit: 'Fit',
  zoom_in: 'Zoom in',
  zoom_out: 'Zoom out',
  export: 'Save a copy',
  original: 'Original',
  original_hint: 'Hold to see what it was made from',
  compare: 'Compare',
  more: 'More',
  steps: 'Walk through the steps',
  steps_close: 'Back to the image',
  no_steps: 'The steps of this image are no longer kept.',
  lost: 'This image cannot be loaded. Its file is missing or damaged.',
  image: (title: string) => `Image: ${title}`,
  drop: 'Drop to open',
  drop_reference: 'Drop to use as a reference',
};

export const compare = {
  modes: { slider: 'Slider', side: 'Side by side', difference: 'Difference' },
  with: 'Compare with',
  divider: 'How much of the other image is shown',
  done: 'Done',
};

export const progress = {
  label: 'Progress',
  queued: 'Waiting for its turn',
  held: 'The queue is paused',
  waiting_for_model: 'Waiting for the model',
  reading: 'Reading',
  writing: 'Thinking',
  painting: (step: number, steps: number) => `Step ${String(step)} of ${String(steps)}`,
  quarter: (percent: number) => `${String(percent)} % painted`,
  decoding: 'Developing',
  saving: 'Saving',
  stopping: 'Stopping…',
  left: (seconds: number) => (seconds < 60 ? `${String(seconds)} s left` : `${String(Math.round(seconds / 60))} min left`),
  stop: 'Stop',
  keep: 'Stop and keep',
  keep_hint: 'Ends here and keeps this step as an image',
  interrupted: { title: 'The program ended while this ran', text: 'Nothing else was lost. It can be painted again.' },
};

export const history = {
  title: 'History',
  empty: 'Every image of this project will stand here, under the one it was made from.',
  others: 'Other projects',
  all: 'All',
  new: 'New project',
  imported: 'opened',
  generate: 'generated',
  edit: 'edited',
  waiting: 'waits',
};

export const repeat = {
  title: 'Repeat a branch here',
  hint: (name: string) => `Its edits are painted again from “${name}”, one after the other, each with the parameters and the seed it had.`,
  after: (n: number, name: string) => (n === 1 ? `1 edit, made after “${name}”` : `${String(n)} edits, made after “${name}”`),
  done: 'The branch is repeated',
  busy: 'A branch is being repeated; one goes after the other',
  left: (n: number) => (n === 1 ? '1 edit of the branch was not made' : `${String(n)} edits of the branch were not made`),
  go_on: 'Go on',
  lacking: (n: number) => (n === 1 ? '1 image of the branch has no recipe and is left out' : `${String(n)} images of the branch have no recipe and are left out`),
};

/** Texts around every place: the header, the queue, dialogs, actions and failures. */

export const app = {
  name: 'Bagel Studio',
  untitled: 'New piece',
  pictures: (n: number) => (n === 1 ? '1 picture' : `${n.toLocaleString('en')} pictures`),
};

export const places = {
  label: 'Places',
  studio: 'Studio',
  gallery: 'Gallery',
  models: 'Models',
  settings: 'Settings',
};

export const engine = {
  starting: 'Starting…',
  loading: (percent: number) => `Loading ${String(percent)} %`,
  no_model: 'No model',
  failed: 'Engine stopped',
  details: 'Model and engine',
  model: 'Model',
  quantization: 'Precision',
  device: 'Runs on',
  memory: 'Memory',
  parameters: 'Parameters',
  largest: 'Largest side',
  pixels: (n: number) => `${String(n)} px`,
  memory_of: (used: string, free: string) => `${used} · ${free} free`,
  memory_part: (used: string, all: string) => `${used} of ${all}`,
  choose: 'Choose another model',
  retry: 'Start the engine again',
  no_model_hint: 'Choose a model on the Models page to begin.',
  idle_hint: (name: string) => `${name} gave its memory back while nobody painted. The next request loads it again.`,
  pocket: 'The pocket model knows a small world of coloured shapes. The full model is on the Models page.',
  by_hand: 'This model was named when the program was started. The Models page does not list it.',
  processor: 'Processor',
};

export const queue = {
  more: (n: number) => `${n.toLocaleString('en')} more`,
  title: 'Queue',
  pause: 'Pause',
  resume: 'Resume',
  cancel_all: 'Cancel all',
  cancel: 'Cancel',
  retry: 'Try again',
  first: 'Put first',
  is_paused: 'Paused: what runs goes on, and nothing new is begun.',
  sections: { running: 'Running', waiting: 'Waiting', held: 'Plans to read', broken: 'Need attention' },
  n_broken: (n: number) => (n === 1 ? 'One needs attention' : `${String(n)} need attention`),
  planned: 'Plan is ready',
  interrupted: 'Interrupted',
  about: (time: string) => `about ${time}`,
  move: (name: string, place: number, total: number) => `Move “${name}”, ${String(place)} of ${String(total)}: arrow keys`,
  move_hint: 'Drag, or use the arrow keys',
  empty: 'Nothing waits',
  empty_hint: 'While one picture is painted, the next instruction can be queued. It waits here.',
};

export const dialogs = {
  done: 'Done',
  cancel: 'Cancel',
  save: 'Save',
  close_title: 'Work is under way',
  close_text: (n: number) =>
    n === 1
      ? 'One request is not finished. It is kept, and goes on at the next start.'
      : `${String(n)} requests are not finished. They are kept, and go on at the next start.`,
  close_anyway: 'Close',
  stay: 'Stay',
};

export const palette = {
  title: 'Commands',
  placeholder: 'What do you want to do?',
  open_piece: (name: string) => `Open “${name}”`,
  nothing: 'Nothing by that name.',
};

export const keys = {
  title: 'Keys',
  letters_off: 'Single-letter keys are switched off in the settings.',
  groups: {
    request: 'Request',
    pictures: 'Pictures',
    history: 'History and comparing',
    zoom: 'Zoom',
    places: 'Places',
  },
  mouse: 'Elsewhere',
  gestures: [
    ['Zoom at the pointer', 'Wheel'],
    ['Move the picture', 'Space + drag'],
    ['Paste a picture', 'Ctrl V'],
    ['Earlier instructions', '↑ in an empty line'],
    ['Choose in the gallery', 'Space, Shift + arrows'],
    ['Compare two', 'Ctrl + click in the history'],
    ['Open from the gallery', '↵'],
  ] as [string, string][],
  drag_out: ['Take a picture to another program', 'Drag it out'] as [string, string],
};

export const actions = {
  run: 'Run the request',
  run_next: 'Run it next, before all that wait',
  stop: 'Stop, or close',
  write: 'Write an instruction',
  reuse_seed: 'Reuse the seed',
  reuse_instruction: 'Reuse the instruction',
  reuse_all: 'Reuse the whole recipe',
  open: 'Open a picture',
  new: 'New piece',
  export: 'Save a copy',
  copy: 'Copy the picture',
  star: 'Star',
  tags: 'Edit tags',
  rename: 'Rename the picture',
  trash: 'Move to the trash',
  parent: 'To what it was made from',
  child: 'To what was made from it',
  previous: 'Up in the history',
  next: 'Down in the history',
  original: 'Hold: show the original',
  compare: 'Compare',
  steps: 'Walk through the steps',
  recipe: 'Show the recipe',
  fit: 'Fit',
  zoom_1: '100 %',
  zoom_2: '200 %',
  zoom_4: '400 %',
  zoom_in: 'Zoom in',
  zoom_out: 'Zoom out',
  studio: 'Studio',
  gallery: 'Gallery',
  models: 'Models',
  settings: 'Settings',
  queue: 'Queue',
  search: 'Search',
  palette: 'Command palette',
  keys: 'All keys',
};

export const failure = {
  titles: {
    cancelled: 'Stopped',
    out_of_device_memory: 'Not enough graphics memory',
    out_of_host_memory: 'Not enough memory',
    device_lost: 'The graphics card stopped answering',
    model_invalid: 'The model’s files are damaged',
    model_missing: 'There is no model',
    bad_input: 'This cannot be done as it stands',
    disk_full: 'The disk is full',
    network: 'The download failed',
    hash_mismatch: 'The download is not what was expected',
    internal: 'Something went wrong',
  },
  nothing_lost: 'Your pictures are safe.',
  again: 'Try again',
  choose_model: 'Choose a model',
  dismiss: 'Dismiss',
};

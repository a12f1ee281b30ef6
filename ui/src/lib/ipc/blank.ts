/** Empty state: shown until the snapshot arrives, and the base of test data. */
import type { ImageParameters, Settings, Snapshot } from './protocol';

export const parameters: ImageParameters = {
  size: null,
  steps: 50,
  text_guidance: 4,
  image_guidance: 1.5,
  guidance_interval: [0.4, 1],
  renorm: 'global',
  renorm_min: 0,
  shift: 3,
  seed: null,
  sample_posterior: false,
  feature_cache: false,
};

export const settings: Settings = {
  version: 1,
  language: 'system',
  theme: 'system',
  follows: true,
  single_letter_keys: true,
  notifies: true,
  model: null,
  device: null,
  engine: null,
  idle_minutes: 30,
  library_folder: null,
  models_folder: null,
  mirror: null,
  presets: [],
  plans: [],
  welcomed: true,
};

export const snapshot: Snapshot = {
  engine: { state: 'starting' },
  jobs: [],
  is_paused: false,
  defaults: {
    generate: parameters,
    edit: { ...parameters, image_guidance: 2 },
    chat: { limit: 512, temperature: 0, top_k: null, top_p: null, repetition_penalty: 1, seed: null, stop: [] },
  },
  projects: [],
  counts: { n_nodes: 0, n_trashed: 0, n_starred: 0, tags: [] },
  models: [],
  settings,
  notices: [],
};

import { MAX_REFERENCES } from '$lib/ipc/protocol';
import type { ImageParameters, Job, Kind, NewJob, NodeId, Preset, RecipeView, Remedy, Size, Thinking } from '$lib/ipc';
import type { LibraryState } from './library.svelte';
import { stripThinkTags, addThinkTags } from '$lib/format/plans';
import { roundSize, sizeForShape, type ShapeId } from '$lib/format/sizes';
import type { ViewState } from './view.svelte';

/** Named step counts. */
export const QUALITIES = [
  { id: 'draft', steps: 15 },
  { id: 'balanced', steps: 30 },
  { id: 'fine', steps: 50 },
] as const;

/** Default size; for an edit, `square` means the size of the edited image. */
const SQUARE = { shape: 'square' as const, custom: { width: 1024, height: 1024 } };

const MAX_PROMPTS = 100;
const PROMPTS_KEY = 'prompts';

export type ThinkingMode = 'off' | 'on' | 'edit';
/** The sampling parameters; size and seed are kept separately. */
export type Parameters = Omit<ImageParameters, 'size' | 'seed'>;

/** The request being written. */
export class ComposerState {
  prompt = $state('');
  thinking = $state<ThinkingMode>('off');
  /** A saved plan to generate from, instead of writing a new one. */
  plan = $state<string | null>(null);
  references = $state<NodeId[]>([]);
  variations = $state(1);
  /** A locked seed; null draws a new one for each image. */
  seed = $state<number | null>(null);

  #chosenMode = $state<Kind | null>(null);
  /** Whether the mode was set by a recipe or job that filled the prompt, not by the user. */
  #isPinned = false;
  /** Generating and editing keep separate sizes and parameters. */
  #sizes = $state.raw<Record<'generate' | 'edit', { shape: ShapeId | 'custom'; custom: Size }>>({ generate: SQUARE, edit: SQUARE });
  #parameters = $state.raw<Partial<Record<'generate' | 'edit', Partial<Parameters>>>>({});
  #history: string[] = readPromptHistory();
  #historyIndex = -1;
  /** The text before the user stepped back through earlier prompts. */
  #draft = '';
  #library: LibraryState;
  #view: ViewState;

  constructor(library: LibraryState, view: ViewState) {
    this.#library = library;
    this.#view = view;
  }

  /** Follows from what is open, until the user chooses. */
  get mode(): Kind {
    return this.#chosenMode ?? (this.#view.nodeId === null ? 'generate' : 'edit');
  }

  set mode(mode: Kind) {
    this.#chosenMode = mode;
    this.#isPinned = false;
  }

  /** Keeps the mode while a prompt is being written, whatever image comes into view. */
  pinMode(mode: Kind): void {
    if (this.prompt.trim() === '') return;
    this.#isPinned ||= this.#chosenMode === null;
    this.#chosenMode = mode;
  }

  /** Resets the mode and the size of an edit to their defaults. */
  resetMode(): void {
    this.#chosenMode = null;
    this.#isPinned = false;
    this.#sizes = { ...this.#sizes, edit: SQUARE };
  }

  get shape(): ShapeId | 'custom' {
    return this.#sizes[this.#imageKind].shape;
  }

  set shape(shape: ShapeId | 'custom') {
    this.#sizes = { ...this.#sizes, [this.#imageKind]: { ...this.#sizes[this.#imageKind], shape } };
  }

  /** The size if its shape is `custom`. */
  get customSize(): Size {
    return this.#sizes[this.#imageKind].custom;
  }

  set customSize(custom: Size) {
    this.#sizes = { ...this.#sizes, [this.#imageKind]: { ...this.#sizes[this.#imageKind], custom } };
  }

  /** Which kind the size and parameters apply to. While chatting they are those of the next edit. */
  get #imageKind(): 'generate' | 'edit' {
    return this.mode === 'generate' ? 'generate' : 'edit';
  }

  /** What prevents sending this request, or null. */
  get obstacle(): 'empty' | 'needs_image' | null {
    if (this.mode === 'edit' && this.#view.nodeId === null) return 'needs_image';
    return this.prompt.trim() === '' ? 'empty' : null;
  }

  /** Size of the new image, if it is chosen here. */
  get size(): Size | null {
    if (this.mode === 'chat') return null;
    if (this.shape === 'custom') return roundSize(this.customSize, this.#library.maxSide);
    return this.mode === 'generate' ? sizeForShape(this.shape, this.#library.maxSide) : null;
  }

  get defaults(): ImageParameters {
    return this.#library.defaults[this.#imageKind];
  }

  parameter<K extends keyof Parameters>(name: K): Parameters[K] {
    const turned = this.#parameters[this.#imageKind]?.[name];
    return turned === undefined ? this.defaults[name] : (turned as Parameters[K]);
  }

  setParameter<K extends keyof Parameters>(name: K, value: Parameters[K]): void {
    this.#parameters = { ...this.#parameters, [this.#imageKind]: { ...this.#parameters[this.#imageKind], [name]: value } };
  }

  get isDefault(): boolean {
    const turned = Object.entries(this.#parameters[this.#imageKind] ?? {});
    return (
      this.seed === null &&
      turned.every(([name, value]) => JSON.stringify(this.defaults[name as keyof Parameters]) === JSON.stringify(value))
    );
  }

  resetParameters(): void {
    this.#parameters = { ...this.#parameters, [this.#imageKind]: {} };
    this.seed = null;
  }

  get parameters(): ImageParameters {
    return { ...this.defaults, ...this.#parameters[this.#imageKind], size: this.size, seed: this.seed };
  }

  applyPreset(preset: Preset): void {
    this.#parameters = { ...this.#parameters, [this.#imageKind]: parametersOf(preset.parameters) };
  }

  /** The references to send. The edited image is read anyway, and may have been opened after it was added as a reference. */
  get sentReferences(): NodeId[] {
    return this.references.filter((reference) => reference !== this.#view.nodeId);
  }

  /** Adds references up to the maximum; returns how many did not fit. */
  addReferences(ids: NodeId[]): number {
    const { sentReferences: present } = this;
    const added = [...new Set(ids)].filter((id) => id !== this.#view.nodeId && !present.includes(id));
    if (added.length > 0) this.references = [...present, ...added].slice(0, MAX_REFERENCES);
    return Math.max(0, present.length + added.length - MAX_REFERENCES);
  }

  removeReference(id: NodeId): void {
    this.references = this.references.filter((reference) => reference !== id);
  }

  moveReference(id: NodeId, index: number): void {
    const others = this.sentReferences.filter((reference) => reference !== id);
    const place = Math.max(0, Math.min(others.length, index));
    this.references = [...others.slice(0, place), id, ...others.slice(place)];
  }

  /** Applies one field of a recipe, or everything the composer can hold. */
  applyRecipe(recipe: RecipeView, field: RecipeField | 'all'): void {
    const all = field === 'all';
    if (all) this.mode = recipe.kind;
    if (all || field === 'prompt') this.replacePrompt(recipe.prompt);
    if (all || field === 'seed') this.seed = recipe.parameters.seed;
    if (recipe.parameters.size && (field === 'size' || (all && recipe.kind === 'generate'))) {
      this.shape = 'custom';
      this.customSize = recipe.parameters.size;
    } else if (all) this.shape = 'square';
    if ((all || field === 'plan') && recipe.plan !== null) this.plan = recipe.plan;
    else if (all) [this.plan, this.thinking] = [null, 'off'];
    if (all) this.#parameters = { ...this.#parameters, [this.#imageKind]: parametersOf(recipe.parameters) };
    else if (field !== 'prompt' && field !== 'seed' && field !== 'size' && field !== 'plan') {
      this.setParameter(field, recipe.parameters[field]);
    }
  }

  /** Loads a failed job's request into the composer. */
  applyJob(job: Job): void {
    this.mode = job.kind;
    this.replacePrompt(job.prompt);
    this.references = job.references;
    this.plan = job.thinking.kind === 'given' ? stripThinkTags(job.thinking.plan) : null;
    this.thinking = job.thinking.kind === 'off' ? 'off' : job.pauses_after_plan ? 'edit' : 'on';
    // A chat has no sampling parameters, so those of the next edit stay.
    if (job.kind === 'chat') return;
    this.seed = job.parameters.seed;
    if (job.parameters.size) {
      this.shape = 'custom';
      this.customSize = job.parameters.size;
    } else this.shape = 'square';
    this.#parameters = { ...this.#parameters, [this.#imageKind]: parametersOf(job.parameters) };
  }

  /** Applies a remedy. Returns false if the composer cannot apply it by itself. */
  applyRemedy(remedy: Remedy): boolean {
    switch (remedy.kind) {
      case 'smaller_size':
        this.shape = 'custom';
        this.customSize = remedy.size;
        return true;
      case 'no_thinking':
        this.thinking = 'off';
        this.plan = null;
        return true;
      case 'fewer_images':
        this.references = [];
        return true;
      case 'leave_out':
      case 'smaller_model':
      case 'retry':
        return false;
    }
  }

  buildJob(first = false): NewJob {
    const isChat = this.mode === 'chat';
    return {
      kind: this.mode,
      prompt: this.prompt.trim(),
      project: this.#view.project,
      image: this.mode === 'generate' ? null : this.#view.nodeId,
      references: this.mode === 'generate' ? [] : this.sentReferences,
      thinking: this.#thinking(),
      pauses_after_plan: !isChat && this.plan === null && this.thinking === 'edit',
      parameters: this.parameters,
      variations: isChat ? 1 : this.variations,
      first,
    };
  }

  /** Clears the composer after a request was sent. */
  clearSent(): void {
    this.#remember();
    this.prompt = '';
    this.plan = null;
    if (this.#isPinned) [this.#chosenMode, this.#isPinned] = [null, false];
  }

  /** Replaces the prompt; the old one goes into the prompt history, like a sent one. */
  replacePrompt(words: string): void {
    if (this.prompt.trim() !== '' && this.prompt !== words) this.#remember();
    this.#historyIndex = -1;
    this.prompt = words;
  }

  /** Puts back a prompt whose request was refused, unless a new one has been typed. */
  restoreUnsent(job: NewJob, plan: string | null): void {
    if (this.prompt !== '') return;
    this.prompt = job.prompt;
    this.plan = plan;
  }

  /** Steps through earlier prompts: -1 to an older one, 1 to a newer one and finally to the unsent text. */
  recall(direction: -1 | 1): void {
    // An edited prompt counts as new text.
    if (this.#historyIndex >= 0 && this.prompt !== this.#history.at(-1 - this.#historyIndex)) this.#historyIndex = -1;
    const index = this.#historyIndex - direction;
    if (index >= this.#history.length || index < -1) return;
    if (this.#historyIndex < 0) this.#draft = this.prompt;
    this.#historyIndex = index;
    this.prompt = index < 0 ? this.#draft : (this.#history.at(-1 - index) ?? '');
  }

  #remember(): void {
    this.#history = [...this.#history.filter((text) => text !== this.prompt), this.prompt].slice(-MAX_PROMPTS);
    this.#historyIndex = -1;
    try {
      localStorage.setItem(PROMPTS_KEY, JSON.stringify(this.#history));
    } catch {
      // Storage can be full or forbidden; then prompts are kept until the window closes.
    }
  }

  #thinking(): Thinking {
    if (this.plan !== null && this.mode !== 'chat') return { kind: 'given', plan: addThinkTags(this.plan) };
    return { kind: this.thinking === 'off' ? 'off' : 'on' };
  }
}

export type RecipeField = 'prompt' | 'seed' | 'size' | 'plan' | keyof Parameters;

function parametersOf(parameters: ImageParameters): Parameters {
  const chosen: Parameters & Partial<ImageParameters> = { ...parameters };
  delete chosen.size;
  delete chosen.seed;
  return chosen;
}

function readPromptHistory(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(PROMPTS_KEY) ?? '[]');
    return Array.isArray(stored) ? stored.filter((text): text is string => typeof text === 'string') : [];
  } catch {
    return [];
  }
}

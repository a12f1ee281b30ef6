import type { ImageParameters, JobKind, NewJob, NodeId, Size } from '$lib/ipc';
import type { LibraryState } from './library.svelte';
import { sizeOf, type ShapeId } from './sizes';
import type { ViewState } from './view.svelte';

/** Steps by name; any other number comes from the dial. */
export const qualities = [
  { id: 'draft', steps: 15 },
  { id: 'balanced', steps: 30 },
  { id: 'fine', steps: 50 },
] as const;

/** References beside the edited picture: the model was trained with at most this many. */
export const MOST_REFERENCES = 3;

const REMEMBERED = 100;

type Dial = 'text_guidance' | 'image_guidance' | 'shift' | 'steps';

/** The request that is being written. */
export class ComposerState {
  instruction = $state('');
  thinks = $state(false);
  shape = $state<ShapeId>('square');
  references = $state<NodeId[]>([]);
  /** The seed when it is locked; a new one is drawn for each picture otherwise. */
  seed = $state<number | null>(null);

  #chosen = $state<JobKind | null>(null);
  #dials = $state<Partial<Record<JobKind, Partial<Record<Dial, number>>>>>({});
  #past: string[] = [];
  #pastIndex = -1;
  #library: LibraryState;
  #view: ViewState;

  constructor(library: LibraryState, view: ViewState) {
    this.#library = library;
    this.#view = view;
  }

  /** Chosen by what is there, until the artist chooses. */
  get mode(): JobKind {
    return this.#chosen ?? (this.#view.nodeId === null ? 'create' : 'edit');
  }

  set mode(mode: JobKind) {
    this.#chosen = mode;
  }

  /** Lets what is there choose again. */
  forgetMode(): void {
    this.#chosen = null;
  }

  /** What hinders this request, or null. */
  get obstacle(): 'empty' | 'needs_picture' | null {
    if (this.mode === 'edit' && this.#view.nodeId === null) return 'needs_picture';
    return this.instruction.trim() === '' ? 'empty' : null;
  }

  /** Size of the picture to come. */
  get size(): Size | null {
    return this.mode === 'create' ? sizeOf(this.shape, this.#library.maxSide) : null;
  }

  get defaults(): ImageParameters {
    return this.mode === 'edit' ? this.#library.defaults.edit : this.#library.defaults.create;
  }

  dial(name: Dial): number {
    return this.#dials[this.mode]?.[name] ?? this.defaults[name];
  }

  setDial(name: Dial, value: number): void {
    this.#dials = { ...this.#dials, [this.mode]: { ...this.#dials[this.mode], [name]: value } };
  }

  get isDefault(): boolean {
    const names: Dial[] = ['text_guidance', 'image_guidance', 'shift', 'steps'];
    return this.seed === null && names.every((name) => this.dial(name) === this.defaults[name]);
  }

  resetDials(): void {
    this.#dials = { ...this.#dials, [this.mode]: {} };
    this.seed = null;
  }

  addReference(id: NodeId): void {
    if (!this.references.includes(id)) this.references = [...this.references, id].slice(-MOST_REFERENCES);
  }

  removeReference(id: NodeId): void {
    this.references = this.references.filter((reference) => reference !== id);
  }

  /** The request as it stands. */
  job(): NewJob {
    return {
      request: this.mode,
      instruction: this.instruction.trim(),
      piece: this.#view.piece,
      picture: this.mode === 'create' ? null : this.#view.nodeId,
      references: this.mode === 'create' ? [] : $state.snapshot(this.references),
      thinking: { kind: this.thinks ? 'on' : 'off' },
      image: {
        ...$state.snapshot(this.defaults),
        size: this.size,
        steps: this.dial('steps'),
        text_guidance: this.dial('text_guidance'),
        image_guidance: this.dial('image_guidance'),
        shift: this.dial('shift'),
        seed: this.seed,
      },
    };
  }

  /** The request was taken: the line is free for the next one. */
  sent(): void {
    this.#past = [...this.#past.filter((text) => text !== this.instruction), this.instruction].slice(-REMEMBERED);
    this.#pastIndex = -1;
    this.instruction = '';
  }

  /** Walks through instructions of before: -1 to an older one, 1 to a newer one. */
  recall(direction: -1 | 1): void {
    const index = this.#pastIndex - direction;
    if (index >= this.#past.length) return;
    this.#pastIndex = Math.max(-1, index);
    this.instruction = this.#pastIndex < 0 ? '' : (this.#past.at(-1 - this.#pastIndex) ?? '');
  }
}

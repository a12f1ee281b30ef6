import { i18n } from '$lib/i18n/index.svelte';
import type { Host, NodeId, RecipeView, Verification } from '$lib/ipc';
import type { ComposerState } from './composer.svelte';
import type { Jobs } from './jobs.svelte';
import type { LibraryState } from './library.svelte';
import type { Toasts } from './toasts.svelte';
import type { ViewState } from './view.svelte';

/** Reads recipes and acts on them. */
export class Recipes {
  /** The recipe of the current image, and the model that was loaded when it was read. */
  current = $state.raw<{ node: NodeId; model: string | null; recipe: RecipeView | null } | null>(null);

  #host: Host;
  #library: LibraryState;
  #view: ViewState;
  #composer: ComposerState;
  #jobs: Jobs;
  #toasts: Toasts;

  constructor(host: Host, library: LibraryState, view: ViewState, composer: ComposerState, jobs: Jobs, toasts: Toasts) {
    this.#host = host;
    this.#library = library;
    this.#view = view;
    this.#composer = composer;
    this.#jobs = jobs;
    this.#toasts = toasts;
  }

  async read(node: NodeId): Promise<void> {
    const model = this.#model;
    const isHere = this.current?.node === node;
    if (isHere && this.current?.model === model) return;
    if (!isHere) this.current = null;
    await this.#toasts.try(async () => {
      const recipe = await this.#host.recipe(node);
      if (this.#view.nodeId !== node) return;
      this.current = { node, model, recipe };
      const unknown = recipe?.images.filter((id) => !this.#library.node(id)) ?? [];
      if (unknown.length > 0) this.#library.remember(await this.#host.nodes(unknown));
    });
  }

  /** The model that generated the current image, if a different one is loaded. */
  get otherModel(): string | null {
    const { current } = this;
    const isComparable = current !== null && current.model !== null && current.model === this.#model;
    return isComparable && current.recipe?.is_present_model === false ? current.recipe.model : null;
  }

  /** Puts the current image's recipe into the composer: one field or all. */
  async reuse(field: 'prompt' | 'seed' | 'all'): Promise<void> {
    const id = this.#view.nodeId;
    if (id === null) return;
    await this.read(id);
    const recipe = this.current?.recipe;
    if (!recipe) return;
    if (field === 'all') this.applyAll(recipe);
    else this.#composer.applyRecipe(recipe, field);
  }

  /** Applies a whole recipe, including its input images. */
  applyAll(recipe: RecipeView): void {
    const [image, ...references] = [...recipe.images].reverse();
    if (recipe.kind !== 'generate' && image !== undefined && this.#library.node(image)) this.#view.select(image);
    this.#composer.applyRecipe(recipe, 'all');
    this.#composer.references = references.reverse();
  }

  /** Generates an image again as a new one. */
  replay(node: NodeId): void {
    void this.#toasts.try(async () => {
      const [id] = await this.#host.replay(node);
      this.#jobs.follow(id);
    });
  }

  /** Generates an image again to check that the result is the same. */
  verify(node: NodeId): void {
    this.#library.verifications.delete(node);
    void this.#toasts.try(() => this.#host.verify(node));
  }

  /** Shows a toast unless the recipe panel, which shows the outcome too, is open. */
  onVerified(node: NodeId, outcome: Verification): void {
    if (this.#view.nodeId === node && this.#view.tab === 'recipe' && this.#view.place === 'studio') return;
    if (outcome.kind === 'failed') this.#toasts.show({ failure: outcome.failure });
    else if (outcome.kind === 'same') this.#toasts.show({ text: () => i18n.m.recipe.same });
    else this.#toasts.show({ text: () => i18n.m.recipe.differs(outcome.mean, outcome.largest) });
  }

  /** Starts or ends scrubbing through the steps of the current image, if they are still kept. */
  async toggleScrub(): Promise<void> {
    const node = this.#view.nodeId;
    if (this.#view.scrub !== null || node === null) {
      this.#view.scrub = null;
      return;
    }
    await this.#toasts.try(async () => {
      const previews = await this.#host.steps(node);
      if (this.#view.nodeId !== node) return;
      if (previews.length > 0) this.#view.scrub = { node, previews, index: previews.length - 1 };
      else this.#toasts.show({ text: () => i18n.m.canvas.no_steps });
    });
  }

  /** Hash of the loaded model, or null. */
  get #model(): string | null {
    const { engine } = this.#library;
    return engine.state === 'ready' ? engine.model.hash : null;
  }
}

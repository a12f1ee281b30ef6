import { i18n } from '$lib/i18n/index.svelte';
import type { Host, Job, JobId, NewJob, Node, NodeId, RecipeView } from '$lib/ipc';
import type { Jobs } from './jobs.svelte';
import type { LibraryState } from './library.svelte';
import type { Notices } from './notices.svelte';
import { tagged } from './plan';
import type { ViewState } from './view.svelte';

/** Makes a branch again from another picture: each of its edits from what the one before it has given. */
export class Repeat {
  #rest: RecipeView[] = [];
  /** The edit that is under way. */
  #job: JobId | null = null;
  #host: Host;
  #library: LibraryState;
  #view: ViewState;
  #jobs: Jobs;
  #notices: Notices;

  constructor(host: Host, library: LibraryState, view: ViewState, jobs: Jobs, notices: Notices) {
    this.#host = host;
    this.#library = library;
    this.#view = view;
    this.#jobs = jobs;
    this.#notices = notices;
  }

  async start(edits: Node[], picture: Node): Promise<void> {
    if (this.#job !== null || this.#rest.length > 0) {
      this.#notices.notify({ text: i18n.m.repeat.busy });
      return;
    }
    const hasBegun = await this.#notices.try(async () => {
      const recipes = await Promise.all(edits.map((edit) => this.#host.recipe(edit.id)));
      this.#rest = recipes.filter((recipe) => recipe !== null);
      const lacking = recipes.length - this.#rest.length;
      if (lacking > 0) this.#notices.notify({ text: i18n.m.repeat.lacking(lacking) });
      await this.#next(picture.id);
    });
    if (!hasBegun) this.#rest = [];
  }

  /** A job moved on: where it was one of these edits, the next one follows, or none where it failed. */
  settle(job: JobId, status: Job['status']): void {
    if (job !== this.#job || !['done', 'failed', 'cancelled', 'interrupted'].includes(status.state)) return;
    this.#job = null;
    if (status.state !== 'done' || status.node === null) {
      this.#rest = [];
      return;
    }
    const { node } = status;
    if (this.#rest.length > 0) void this.#go(node);
    else this.#notices.notify({ text: i18n.m.repeat.done });
  }

  async #go(picture: NodeId): Promise<void> {
    if (!(await this.#notices.try(() => this.#next(picture)))) this.#rest = [];
  }

  async #next(picture: NodeId): Promise<void> {
    const [recipe, ...rest] = this.#rest;
    const piece = this.#library.node(picture)?.piece;
    if (!recipe || piece === undefined) return;
    this.#rest = rest;
    const isWatched = this.#view.nodeId === picture && this.#view.jobId === null;
    const [id] = await this.#host.submit(again(recipe, piece, picture));
    this.#job = id ?? null;
    if (isWatched) this.#jobs.follow(id);
  }
}

/** A recipe's request on another picture, which gives the size. */
function again(recipe: RecipeView, piece: string, picture: NodeId): NewJob {
  return {
    request: 'edit',
    instruction: recipe.instruction,
    piece,
    picture,
    // The edited picture is the last that was read.
    references: recipe.pictures.slice(0, -1),
    thinking: recipe.thought === null ? { kind: 'off' } : { kind: 'given', thought: tagged(recipe.thought) },
    pauses_after_plan: false,
    image: { ...recipe.image, size: null },
    variations: 1,
    first: false,
  };
}

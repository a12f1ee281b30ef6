import { i18n } from '$lib/i18n/index.svelte';
import type { Host, Job, JobId, NewJob, Node, NodeId, RecipeView } from '$lib/ipc';
import type { Jobs } from './jobs.svelte';
import type { LibraryState } from './library.svelte';
import type { Toasts } from './toasts.svelte';
import { addThinkTags } from '$lib/format/plans';
import type { ViewState } from './view.svelte';

/** Repeats a branch on another image: each edit is applied to the result of the one before. */
export class Repeat {
  /** The remaining edits, the current one first. */
  #rest: RecipeView[] = [];
  /** The image that the next edit is applied to. */
  #image: NodeId | null = null;
  /** The current edit, or the failed one, which can be retried. */
  #job: JobId | null = null;
  /** The toast of a repetition that was interrupted. */
  #toast: number | null = null;
  #host: Host;
  #library: LibraryState;
  #view: ViewState;
  #jobs: Jobs;
  #toasts: Toasts;

  constructor(host: Host, library: LibraryState, view: ViewState, jobs: Jobs, toasts: Toasts) {
    this.#host = host;
    this.#library = library;
    this.#view = view;
    this.#jobs = jobs;
    this.#toasts = toasts;
  }

  async start(edits: Node[], image: Node): Promise<void> {
    if (this.#rest.length > 0 && this.#toast === null) {
      this.#toasts.show({ text: () => i18n.m.repeat.busy });
      return;
    }
    this.#closeToast();
    this.#job = null;
    await this.#toasts.try(async () => {
      const recipes = await Promise.all(edits.map((edit) => this.#host.recipe(edit.id)));
      this.#rest = recipes.filter((recipe) => recipe !== null);
      this.#image = image.id;
      const nMissing = recipes.length - this.#rest.length;
      if (nMissing > 0) this.#toasts.show({ text: () => i18n.m.repeat.lacking(nMissing) });
    });
    await this.#submitNext();
  }

  /** Starts the next edit when one is done, or offers to go on after one failed. */
  onStatusChanged(job: JobId, status: Job['status']): void {
    if (job !== this.#job) return;
    switch (status.state) {
      case 'done':
        this.#closeToast();
        this.#job = null;
        this.#rest = this.#rest.slice(1);
        this.#image = status.node;
        if (this.#rest.length > 0) void this.#submitNext();
        else this.#toasts.show({ text: () => i18n.m.repeat.done });
        break;
      case 'cancelled':
        this.#job = null;
        this.#pause();
        break;
      case 'failed':
      case 'interrupted':
        this.#pause();
        break;
      default:
        // The failed edit is retried.
        this.#closeToast();
    }
  }

  /** Queues the next edit. */
  async #submitNext(): Promise<void> {
    const [recipe] = this.#rest;
    const image = this.#image;
    const project = this.#library.node(image)?.project;
    if (!recipe || image === null || project === undefined) {
      this.#rest = [];
      return;
    }
    const isWatched = this.#view.nodeId === image && this.#view.jobId === null;
    const isTaken = await this.#toasts.try(async () => {
      const [id] = await this.#host.submit(buildJob(recipe, project, image));
      this.#job = id ?? null;
      if (isWatched) this.#jobs.follow(id);
    });
    if (!isTaken) this.#pause();
  }

  /** Reports the edits that were not made, and offers to make them. */
  #pause(): void {
    const action = { label: () => i18n.m.repeat.go_on, run: () => this.#resume() };
    const n = this.#rest.length;
    this.#closeToast();
    this.#toast = this.#toasts.show({ text: () => i18n.m.repeat.left(n), action, isSticky: true });
  }

  #closeToast(): void {
    if (this.#toast !== null) this.#toasts.close(this.#toast);
    this.#toast = null;
  }

  #resume(): void {
    if (this.#toast === null) return;
    this.#closeToast();
    // A failed job is still in the queue.
    if (this.#job !== null && this.#library.job(this.#job)) this.#jobs.retry(this.#job);
    else void this.#submitNext();
  }
}

/** A recipe's request on another image, which sets the size. */
function buildJob(recipe: RecipeView, project: string, image: NodeId): NewJob {
  return {
    kind: 'edit',
    prompt: recipe.prompt,
    project,
    image,
    // The edited image is the last one read.
    references: recipe.images.slice(0, -1),
    thinking: recipe.plan === null ? { kind: 'off' } : { kind: 'given', plan: addThinkTags(recipe.plan) },
    pauses_after_plan: false,
    parameters: { ...recipe.parameters, size: null },
    variations: 1,
    first: false,
  };
}

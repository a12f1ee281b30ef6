import { i18n } from '$lib/i18n/index.svelte';
import type { Host, Job, JobId, NewJob, Node, NodeId, RecipeView } from '$lib/ipc';
import type { Jobs } from './jobs.svelte';
import type { LibraryState } from './library.svelte';
import type { Notices } from './toasts.svelte';
import { tagged } from '$lib/format/plans';
import type { ViewState } from './view.svelte';

/** Makes a branch again from another image: each of its edits from what the one before it has given. */
export class Repeat {
  /** What is still to be made, the edit that is under way first. */
  #rest: RecipeView[] = [];
  /** What the next edit is made from. */
  #image: NodeId | null = null;
  /** The edit that is under way, or that broke and may be tried again. */
  #job: JobId | null = null;
  /** The notice of a repetition that waits to go on. */
  #held: number | null = null;
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

  async start(edits: Node[], image: Node): Promise<void> {
    if (this.#rest.length > 0 && this.#held === null) {
      this.#notices.notify({ text: () => i18n.m.repeat.busy });
      return;
    }
    this.#let();
    this.#job = null;
    await this.#notices.try(async () => {
      const recipes = await Promise.all(edits.map((edit) => this.#host.recipe(edit.id)));
      this.#rest = recipes.filter((recipe) => recipe !== null);
      this.#image = image.id;
      const lacking = recipes.length - this.#rest.length;
      if (lacking > 0) this.#notices.notify({ text: () => i18n.m.repeat.lacking(lacking) });
    });
    await this.#make();
  }

  /** A job moved on: where it was one of these edits, the next one follows, or waits for a word where it broke. */
  settle(job: JobId, status: Job['status']): void {
    if (job !== this.#job) return;
    switch (status.state) {
      case 'done':
        this.#let();
        this.#job = null;
        this.#rest = this.#rest.slice(1);
        this.#image = status.node;
        if (this.#rest.length > 0) void this.#make();
        else this.#notices.notify({ text: () => i18n.m.repeat.done });
        break;
      case 'cancelled':
        this.#job = null;
        this.#hold();
        break;
      case 'failed':
      case 'interrupted':
        this.#hold();
        break;
      default:
        // What broke is tried again.
        this.#let();
    }
  }

  /** Makes the next edit. */
  async #make(): Promise<void> {
    const [recipe] = this.#rest;
    const image = this.#image;
    const project = this.#library.node(image)?.project;
    if (!recipe || image === null || project === undefined) {
      this.#rest = [];
      return;
    }
    const isWatched = this.#view.nodeId === image && this.#view.jobId === null;
    const isTaken = await this.#notices.try(async () => {
      const [id] = await this.#host.submit(again(recipe, project, image));
      this.#job = id ?? null;
      if (isWatched) this.#jobs.follow(id);
    });
    if (!isTaken) this.#hold();
  }

  /** Says what was not made, and offers to make it. */
  #hold(): void {
    const action = { label: () => i18n.m.repeat.go_on, run: () => this.#goOn() };
    const n = this.#rest.length;
    this.#let();
    this.#held = this.#notices.notify({ text: () => i18n.m.repeat.left(n), action, waits: true });
  }

  #let(): void {
    if (this.#held !== null) this.#notices.close(this.#held);
    this.#held = null;
  }

  #goOn(): void {
    if (this.#held === null) return;
    this.#let();
    // One that broke is in the queue still.
    if (this.#job !== null && this.#library.job(this.#job)) this.#jobs.retry(this.#job);
    else void this.#make();
  }
}

/** A recipe's request on another image, which gives the size. */
function again(recipe: RecipeView, project: string, image: NodeId): NewJob {
  return {
    kind: 'edit',
    prompt: recipe.prompt,
    project,
    image,
    // The edited image is the last that was read.
    references: recipe.images.slice(0, -1),
    thinking: recipe.plan === null ? { kind: 'off' } : { kind: 'given', plan: tagged(recipe.plan) },
    pauses_after_plan: false,
    parameters: { ...recipe.parameters, size: null },
    variations: 1,
    first: false,
  };
}

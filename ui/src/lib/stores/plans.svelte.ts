import { SvelteMap } from 'svelte/reactivity';
import { i18n } from '$lib/i18n/index.svelte';
import type { Host, Job, JobId } from '$lib/ipc';
import type { LibraryState } from './library.svelte';
import type { Toasts } from './toasts.svelte';
import { stripThinkTags } from '$lib/format/plans';
import type { ViewState } from './view.svelte';

const DRAFTS_KEY = 'plans';

/** What can be done with the plans that are written before an image is painted. */
export class Plans {
  readonly #drafts = new SvelteMap<JobId, string>(readDrafts());
  #host: Host;
  #library: LibraryState;
  #view: ViewState;
  #toasts: Toasts;

  constructor(host: Host, library: LibraryState, view: ViewState, toasts: Toasts) {
    this.#host = host;
    this.#library = library;
    this.#view = view;
    this.#toasts = toasts;
  }

  /** A plan as the artist reads it: as it was changed, which outlives the window, or else as the model wrote it. */
  draftOf(job: Job): string {
    return this.#drafts.get(job.id) ?? stripThinkTags(job.plan);
  }

  /** Changes a plan that is held. */
  setDraft(id: JobId, plan: string): void {
    this.#drafts.set(id, plan);
    this.#store();
  }

  /** The plan is again as the model wrote it, or gone. */
  discardDraft(id: JobId): void {
    if (this.#drafts.delete(id)) this.#store();
  }

  /** Forgets what was changed in plans that are gone. */
  pruneDrafts(): void {
    for (const id of [...this.#drafts.keys()]) if (!this.#library.job(id)) this.discardDraft(id);
  }

  /** Holds a plan that is being written, or that will be. */
  pause(id: JobId): void {
    this.#view.tab = 'plan';
    void this.#toasts.try(() => this.#host.pausePlan(id));
  }

  /** Paints a held plan as it stands in the panel. */
  generate(job: Job): void {
    const plan = this.draftOf(job);
    void this.#toasts.try(async () => {
      await this.#host.paintPlan(job.id, plan);
      this.discardDraft(job.id);
    });
  }

  /** Keeps a plan under a name, to be painted again. */
  save(name: string, plan: string): void {
    const others = this.#library.settings.plans.filter((saved) => saved.plan !== plan);
    void this.#toasts.try(async () => {
      await this.#host.changeSettings({ kind: 'plans', value: [{ name, plan }, ...others] });
      this.#toasts.show({ text: () => i18n.m.plan.saved });
    });
  }

  forget(plan: string): void {
    const value = this.#library.settings.plans.filter((saved) => saved.plan !== plan);
    void this.#toasts.try(() => this.#host.changeSettings({ kind: 'plans', value }));
  }

  #store(): void {
    try {
      localStorage.setItem(DRAFTS_KEY, JSON.stringify([...this.#drafts]));
    } catch {
      // A full or forbidden storage forgets at the end of the session, nothing more.
    }
  }
}

function readDrafts(): [JobId, string][] {
  try {
    const drafts: unknown = JSON.parse(localStorage.getItem(DRAFTS_KEY) ?? '[]');
    const isDraft = (one: unknown): one is [JobId, string] =>
      Array.isArray(one) && one.length === 2 && one.every((part) => typeof part === 'string');
    return Array.isArray(drafts) ? drafts.filter(isDraft) : [];
  } catch {
    return [];
  }
}

import { SvelteMap } from 'svelte/reactivity';
import { i18n } from '$lib/i18n/index.svelte';
import type { Host, Job, JobId } from '$lib/ipc';
import type { LibraryState } from './library.svelte';
import type { Toasts } from './toasts.svelte';
import { stripThinkTags } from '$lib/format/plans';
import type { ViewState } from './view.svelte';

const DRAFTS_KEY = 'plans';

/** Reviews, edits and saves the plans that the model writes before it generates. */
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

  /** A plan as shown: the user's draft, which survives a reload, or else the model's text. */
  draftOf(job: Job): string {
    return this.#drafts.get(job.id) ?? stripThinkTags(job.plan);
  }

  setDraft(id: JobId, plan: string): void {
    this.#drafts.set(id, plan);
    this.#store();
  }

  discardDraft(id: JobId): void {
    if (this.#drafts.delete(id)) this.#store();
  }

  /** Drops the drafts of jobs that are gone. */
  pruneDrafts(): void {
    for (const id of [...this.#drafts.keys()]) if (!this.#library.job(id)) this.discardDraft(id);
  }

  /** Pauses a job once its plan is written. */
  pause(id: JobId): void {
    this.#view.tab = 'plan';
    void this.#toasts.try(() => this.#host.pausePlan(id));
  }

  /** Continues a paused job with its plan as edited. */
  generate(job: Job): void {
    const plan = this.draftOf(job);
    void this.#toasts.try(async () => {
      await this.#host.paintPlan(job.id, plan);
      this.discardDraft(job.id);
    });
  }

  /** Saves a plan under a name, to generate from it again. */
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
      // Storage can be full or forbidden; then drafts are kept until the window closes.
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

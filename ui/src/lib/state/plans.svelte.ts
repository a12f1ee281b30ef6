import { SvelteMap } from 'svelte/reactivity';
import { i18n } from '$lib/i18n/index.svelte';
import type { Host, Job, JobId } from '$lib/ipc';
import type { LibraryState } from './library.svelte';
import type { Notices } from './notices.svelte';
import { readable } from './plan';
import type { ViewState } from './view.svelte';

/** What can be done with the plans that are written before a picture is painted. */
export class Plans {
  /** Plans that were changed and not painted yet. */
  readonly drafts = new SvelteMap<JobId, string>();

  #host: Host;
  #library: LibraryState;
  #view: ViewState;
  #notices: Notices;

  constructor(host: Host, library: LibraryState, view: ViewState, notices: Notices) {
    this.#host = host;
    this.#library = library;
    this.#view = view;
    this.#notices = notices;
  }

  /** Holds a plan that is being written, or that will be. */
  pause(id: JobId): void {
    this.#view.side = 'plan';
    void this.#notices.try(() => this.#host.pausePlan(id));
  }

  /** Paints a held plan as it stands in the panel. */
  paint(job: Job): void {
    const thought = this.drafts.get(job.id) ?? readable(job.thought);
    void this.#notices.try(async () => {
      await this.#host.paintPlan(job.id, thought);
      this.drafts.delete(job.id);
    });
  }

  /** Keeps a plan under a name, to be painted again. */
  save(name: string, thought: string): void {
    const others = this.#library.settings.plans.filter((plan) => plan.thought !== thought);
    void this.#notices.try(async () => {
      await this.#host.changeSettings({ kind: 'plans', value: [{ name, thought }, ...others] });
      this.#notices.notify({ text: i18n.m.plan.saved });
    });
  }

  forget(thought: string): void {
    const value = this.#library.settings.plans.filter((plan) => plan.thought !== thought);
    void this.#notices.try(() => this.#host.changeSettings({ kind: 'plans', value }));
  }
}

import { i18n } from '$lib/i18n/index.svelte';
import type { Host, Job, JobId, JobPlace, NewJob, NodeId, Remedy } from '$lib/ipc';
import type { ComposerState } from './composer.svelte';
import type { LibraryState } from './library.svelte';
import type { Toasts } from './toasts.svelte';
import type { ViewState } from './view.svelte';

/** Sends and manages jobs, and lets the view follow them. */
export class Jobs {
  /** A job to show as soon as the host reports it. */
  #awaited: JobId | null = null;
  /** The job that was dismissed while in view; a retried job comes back with the same id. */
  #dismissed: JobId | null = null;
  #host: Host;
  #library: LibraryState;
  #view: ViewState;
  #composer: ComposerState;
  #toasts: Toasts;

  constructor(host: Host, library: LibraryState, view: ViewState, composer: ComposerState, toasts: Toasts) {
    this.#host = host;
    this.#library = library;
    this.#view = view;
    this.#composer = composer;
    this.#toasts = toasts;
  }

  /** Sends the request in the composer. */
  async submit(first = false): Promise<void> {
    if (this.#composer.obstacle !== null) return;
    const { plan } = this.#composer;
    const job = this.#composer.buildJob(first);
    // Cleared at once: anything typed from here on belongs to the next request.
    this.#composer.clearSent();
    const isBusy = this.#library.running !== undefined;
    if (job.kind === 'chat') this.#view.tab = 'chat';
    else if (job.pauses_after_plan) this.#view.tab = 'plan';
    const isTaken = await this.#toasts.try(async () => {
      const [id] = await this.#host.submit(job);
      // A second request does not take the view from the first.
      if (job.kind === 'chat' || !isBusy || this.#view.jobId === null) this.follow(id);
    });
    if (!isTaken) this.#composer.restoreUnsent(job, plan);
  }

  /** Sends a suggested question without touching the composer. */
  submitChat(prompt: string): void {
    const draft = { prompt: this.#composer.prompt, plan: this.#composer.plan, mode: this.#composer.mode };
    this.#composer.mode = 'chat';
    this.#composer.prompt = prompt;
    void this.submit();
    this.#composer.prompt = draft.prompt;
    this.#composer.plan = draft.plan;
    if (draft.prompt.trim() !== '') this.#composer.mode = draft.mode;
  }

  get canStop(): boolean {
    return this.#activeJob() !== undefined;
  }

  /** Stops the job in view if it is active, or else the running one; a plan waiting for review is left alone. */
  stop(id: JobId | undefined = this.#activeJob()): void {
    if (id !== undefined) void this.#toasts.try(() => this.#host.cancel(id));
  }

  /** Stops a job and keeps its newest step as an image. */
  keep(id: JobId): void {
    void this.#toasts.try(() => this.#host.keep(id));
  }

  cancelAll(): void {
    void this.#toasts.try(() => this.#host.cancelAll());
  }

  retry(id: JobId): void {
    void this.#toasts.try(() => this.#host.retry(id));
  }

  move(id: JobId, place: JobPlace): void {
    void this.#toasts.try(() => this.#host.moveJob(id, place));
  }

  pauseQueue(isPaused: boolean): void {
    void this.#toasts.try(() => this.#host.pauseQueue(isPaused));
  }

  /** Dismisses a failed, interrupted or planned job. */
  dismiss(id: JobId): void {
    void this.#toasts.try(() => this.#host.dismiss(id));
  }

  /** Loads a failed job into the composer, to change it and send it again. */
  editAgain(id: JobId): void {
    const job = this.#library.job(id);
    if (!job) return;
    const image = this.#library.node(job.image);
    if (image?.trashed_ms === null) this.#view.select(image.id);
    else if (job.image !== null)
      this.#toasts.show({ text: () => (image ? i18n.m.images.in_trash : i18n.m.images.deleted), isSticky: true });
    this.#composer.applyJob($state.snapshot(job));
    this.dismiss(id);
  }

  remedy(job: Job, remedy: Remedy): void {
    if (remedy.kind === 'retry') {
      this.retry(job.id);
      return;
    }
    if (remedy.kind === 'smaller_model') {
      this.#view.place = 'models';
      return;
    }
    void this.#toasts.try(async () => {
      if (remedy.kind === 'leave_out') {
        await this.#host.leaveOut(remedy.turns, true);
        await this.#host.retry(job.id);
        return;
      }
      const [id] = await this.#host.submit(applyRemedy(job, remedy));
      await this.#host.dismiss(job.id);
      this.follow(id);
    });
  }

  /** Shows a job at once, or as soon as the host reports it. */
  follow(id: JobId | undefined): void {
    this.#awaited = id ?? null;
    this.showAwaited();
  }

  onDismissed(id: JobId): void {
    if (this.#view.jobId !== id) return;
    this.#view.jobId = null;
    this.#dismissed = id;
  }

  showAwaited(): void {
    const ids = [this.#awaited, this.#dismissed];
    const job = ids.map((id) => (id === null ? undefined : this.#library.job(id))).find((one) => one !== undefined);
    if (!job) return;
    if (job.id === this.#awaited) this.#awaited = null;
    this.#dismissed = null;
    if (job.kind === 'chat') this.#view.project = job.project;
    else this.#view.watch(job);
  }

  /** Follows a job in view; a finished one may show its image. */
  onStatusChanged(job: JobId, status: Job['status']): void {
    const isWatched = this.#view.jobId === job;
    if (status.state === 'planned' && isWatched) this.#view.tab = 'plan';
    if (status.state === 'cancelled' && isWatched) this.#view.jobId = null;
    if (status.state !== 'done') return;
    if (isWatched) this.#view.jobId = null;
    if (status.node !== null && (isWatched || this.#canTakeView(status.node))) this.#show(status.node);
  }

  #activeJob(): JobId | undefined {
    const shown = this.#view.job;
    const isAtWork = shown && (shown.status.state === 'running' || shown.status.state === 'queued');
    return isAtWork ? shown.id : this.#library.running?.id;
  }

  /** A prompt being written belongs to the current image, so the view must not change then. */
  #canTakeView(node: NodeId): boolean {
    const isFree = this.#view.place === 'studio' && this.#view.jobId === null && this.#composer.prompt.trim() === '';
    return this.#library.settings.follows && isFree && this.#library.node(node)?.project === this.#view.project;
  }

  /** Selects a result without leaving the current page. */
  #show(node: NodeId): void {
    const { place } = this.#view;
    const { mode } = this.#composer;
    this.#view.select(node);
    this.#composer.pinMode(mode);
    this.#view.place = place;
  }
}

/** A failed job's request with its remedy applied. */
function applyRemedy(job: Job, remedy: Remedy): NewJob {
  // The library's jobs are reactive proxies, which the host cannot clone.
  const { kind, prompt, project, image, references, thinking, pauses_after_plan, parameters } = $state.snapshot(job);
  const isPlanless = remedy.kind === 'no_thinking';
  return {
    kind,
    prompt,
    project,
    image,
    references: remedy.kind === 'fewer_images' ? [] : references,
    thinking: isPlanless ? { kind: 'off' } : thinking,
    pauses_after_plan: !isPlanless && pauses_after_plan,
    parameters: remedy.kind === 'smaller_size' ? { ...parameters, size: remedy.size } : parameters,
    variations: 1,
    first: true,
  };
}

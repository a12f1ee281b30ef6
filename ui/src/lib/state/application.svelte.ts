import type { Failure, Host, JobId, NodeId, PieceId, StudioEvent } from '$lib/ipc';
import { ComposerState } from './composer.svelte';
import { LibraryState } from './library.svelte';
import { ViewState } from './view.svelte';

/** Something to tell the artist that belongs to no job. */
export interface Notice {
  id: number;
  failure?: Failure;
  text?: string;
}

/** Everything the window shows, and what can be done with it. */
export class Application {
  readonly library = new LibraryState();
  readonly view = new ViewState(this.library);
  readonly composer = new ComposerState(this.library, this.view);
  notices = $state<Notice[]>([]);
  /** Where files hover over the window. */
  dragging = $state<{ x: number; y: number } | null>(null);
  /** Whether the program has answered; nothing is known before. */
  isOpen = $state(false);

  /** Says whether a point of the window belongs to the tray of references; set by the composer. */
  isTray: (point: { x: number; y: number }) => boolean = () => false;

  #host: Host;
  #follows: JobId | null = null;
  #nNotices = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  async start(): Promise<void> {
    this.library.reset(await this.#host.subscribe((events) => this.receive(events)));
    this.isOpen = true;
    const running = this.library.running;
    const last = this.library.pieces.at(-1);
    if (this.view.piece !== null) return;
    if (running) this.view.openPiece(running.piece);
    else if (last) this.view.openPiece(last.id);
  }

  receive(events: StudioEvent[]): void {
    for (const event of events) {
      this.library.apply(event);
      this.#react(event);
    }
  }

  async submit(): Promise<void> {
    if (this.composer.obstacle !== null) return;
    const job = this.composer.job();
    const isBusy = this.library.running !== undefined;
    if (job.request === 'ask') this.view.side = 'ask';
    await this.#try(async () => {
      const id = await this.#host.submit(job);
      this.composer.sent();
      // A second request does not take the view from the first.
      if (job.request !== 'ask' && isBusy && this.view.jobId !== null) return;
      this.#follows = id;
      this.#followIfThere();
    });
  }

  /** Stops what is shown, or else what runs. */
  stop(id: JobId | undefined = this.view.jobId ?? this.library.running?.id): void {
    if (id !== undefined) void this.#try(() => this.#host.cancel(id));
  }

  /** Puts a failed job away. */
  dismiss(id: JobId): void {
    void this.#try(() => this.#host.dismiss(id));
  }

  /** Takes a failed job's words back into the line, to be sent again. */
  revise(id: JobId): void {
    const job = this.library.job(id);
    if (!job) return;
    if (job.picture) this.view.select(job.picture);
    this.composer.mode = job.request;
    this.composer.instruction = job.instruction;
    this.dismiss(id);
  }

  openPictures(): void {
    void this.#try(() => this.#host.openPictures());
  }

  async paste(file: Blob): Promise<void> {
    await this.#try(async () => this.#host.pastePicture(await file.arrayBuffer()));
  }

  async exportPicture(id: NodeId, saved: (name: string) => string): Promise<void> {
    await this.#try(async () => {
      const name = await this.#host.exportPicture(id);
      if (name !== null) this.notify({ text: saved(name) });
    });
  }

  chooseModel(): void {
    void this.#try(() => this.#host.chooseModel());
  }

  retryEngine(): void {
    void this.#try(() => this.#host.retryEngine());
  }

  openPiece(id: PieceId): void {
    this.view.openPiece(id);
    this.composer.forgetMode();
    this.composer.references = [];
  }

  newPiece(): void {
    this.view.newPiece();
    this.composer.forgetMode();
    this.composer.references = [];
  }

  notify(notice: Omit<Notice, 'id'>): void {
    const id = (this.#nNotices += 1);
    this.notices = [...this.notices, { id, ...notice }].slice(-4);
    // A success may go unseen; a failure waits for the artist.
    if (!notice.failure) setTimeout(() => this.close(id), 5000);
  }

  close(id: number): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
  }

  #react(event: StudioEvent): void {
    switch (event.kind) {
      case 'job_queued':
        this.#followIfThere();
        break;
      case 'job_changed':
        if (event.status.state === 'done' && this.view.jobId === event.job) {
          this.view.jobId = null;
          if (event.status.node) this.view.select(event.status.node);
        }
        if (event.status.state === 'cancelled' && this.view.jobId === event.job) this.view.jobId = null;
        break;
      case 'job_dismissed':
        if (this.view.jobId === event.job) this.view.jobId = null;
        break;
      case 'text':
        if (event.channel === 'thought' && event.job === this.view.jobId && this.view.side === 'ask') {
          this.view.side = 'plan';
        }
        break;
      case 'dragging':
        this.dragging = event.position && { x: event.position[0], y: event.position[1] };
        break;
      case 'arrived':
        this.dragging = null;
        this.#arrive(event.nodes, event.position);
        for (const failure of event.failures) this.notify({ failure });
        break;
      case 'lagged':
        void this.start();
        break;
      default:
        break;
    }
  }

  #arrive(nodes: NodeId[], position: [number, number] | null): void {
    const isReference = position !== null && this.view.nodeId !== null && this.isTray({ x: position[0], y: position[1] });
    if (isReference) {
      for (const node of nodes) this.composer.addReference(node);
      return;
    }
    const [first, ...others] = nodes;
    if (first === undefined) return;
    this.composer.forgetMode();
    this.composer.references = [];
    this.view.select(first);
    for (const node of others) this.composer.addReference(node);
  }

  #followIfThere(): void {
    const job = this.#follows === null ? undefined : this.library.job(this.#follows);
    if (!job) return;
    this.#follows = null;
    if (job.request === 'ask') this.view.piece = job.piece;
    else this.view.watch(job);
  }

  async #try(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.notify({ failure: asFailure(error) });
    }
  }
}

function asFailure(error: unknown): Failure {
  if (typeof error === 'object' && error !== null && 'code' in error && 'message' in error) return error as Failure;
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
}

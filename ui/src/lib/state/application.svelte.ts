import type {
  Arrival,
  Host,
  Job,
  JobId,
  JobPlace,
  NewJob,
  NodeId,
  PieceId,
  RecipeView,
  Remedy,
  SettingsChange,
  StudioEvent,
  Verification,
} from '$lib/ipc';
import { i18n } from '$lib/i18n/index.svelte';
import { SvelteMap } from 'svelte/reactivity';
import { ComposerState } from './composer.svelte';
import { GalleryState } from './gallery.svelte';
import { LibraryState } from './library.svelte';
import { readable } from './plans';
import { Models } from './models.svelte';
import { asFailure, Notices, type Notice } from './notices.svelte';
import { Pictures } from './pictures';
import { PriceState } from './price.svelte';
import { ViewState } from './view.svelte';

/** Everything the window shows, and what can be done with it. */
export class Application {
  readonly library = new LibraryState();
  readonly view = new ViewState(this.library);
  readonly composer = new ComposerState(this.library, this.view);
  readonly notices = new Notices();
  readonly gallery: GalleryState;
  readonly pictures: Pictures;
  readonly models: Models;
  readonly price: PriceState;
  /** Where files hover over the window. */
  dragging = $state.raw<{ x: number; y: number } | null>(null);
  /** Whether the program has answered; nothing is known before. */
  isOpen = $state(false);
  /** How the picture in the middle was made; of which picture it is comes with it. */
  recipe = $state.raw<{ node: NodeId; recipe: RecipeView | null } | null>(null);
  /** Plans that were changed and not painted yet. */
  readonly drafts = new SvelteMap<JobId, string>();

  /** Says whether a point of the window belongs to the tray of references; set by the composer. */
  isTray: (point: { x: number; y: number }) => boolean = () => false;

  #host: Host;
  #follows: JobId | null = null;

  constructor(host: Host) {
    this.#host = host;
    this.gallery = new GalleryState(host, (error) => this.notify({ failure: asFailure(error) }));
    this.pictures = new Pictures(host, this.notices, this.view);
    this.models = new Models(host, this.notices);
    this.price = new PriceState(host);
    this.view.onpiece = (id) => void this.try(() => this.#fetch(id));
  }

  async start(): Promise<void> {
    const snapshot = await this.#host.subscribe((events) => this.receive(events));
    this.library.reset(snapshot);
    const isFirst = !this.isOpen;
    this.isOpen = true;
    if (isFirst) for (const failure of snapshot.notices) this.notify({ failure });
    else this.gallery.refresh();
    if (isFirst) this.#tellOfEngine();
    const { piece } = this.view;
    if (piece !== null) {
      await this.try(() => this.#fetch(piece));
      return;
    }
    const running = this.library.running;
    const last = this.library.pieces[0];
    if (running) this.view.openPiece(running.piece);
    else if (last) this.view.openPiece(last.id);
  }

  receive(events: StudioEvent[]): void {
    for (const event of events) {
      this.library.apply(event);
      this.#react(event);
    }
    this.gallery.apply(events);
  }

  // Jobs.

  async submit(first = false): Promise<void> {
    if (this.composer.obstacle !== null) return;
    const job = this.composer.job(first);
    const isBusy = this.library.running !== undefined;
    if (job.request === 'ask') this.view.side = 'ask';
    else if (job.pauses_after_plan) this.view.side = 'plan';
    await this.try(async () => {
      const [id] = await this.#host.submit(job);
      this.composer.sent();
      // A second request does not take the view from the first.
      if (id === undefined || (job.request !== 'ask' && isBusy && this.view.jobId !== null)) return;
      this.#follows = id;
      this.#followIfThere();
    });
  }

  /** Stops what is shown, or else what runs. */
  stop(id: JobId | undefined = this.view.jobId ?? this.library.running?.id): void {
    if (id !== undefined) void this.try(() => this.#host.cancel(id));
  }

  /** Stops a job, and keeps its newest step as a picture. */
  keep(id: JobId): void {
    void this.try(() => this.#host.keep(id));
  }

  cancelAll(): void {
    void this.try(() => this.#host.cancelAll());
  }

  retry(id: JobId): void {
    void this.try(() => this.#host.retry(id));
  }

  moveJob(id: JobId, place: JobPlace): void {
    void this.try(() => this.#host.moveJob(id, place));
  }

  pauseQueue(isPaused: boolean): void {
    void this.try(() => this.#host.pauseQueue(isPaused));
  }

  pausePlan(id: JobId): void {
    this.view.side = 'plan';
    void this.try(() => this.#host.pausePlan(id));
  }

  /** Paints a held plan as it stands in the panel. */
  paintPlan(job: Job): void {
    const thought = this.drafts.get(job.id) ?? readable(job.thought);
    void this.try(async () => {
      await this.#host.paintPlan(job.id, thought);
      this.drafts.delete(job.id);
    });
  }

  savePlan(name: string, thought: string): void {
    const others = this.library.settings.plans.filter((plan) => plan.thought !== thought);
    this.changeSettings({ kind: 'plans', value: [{ name, thought }, ...others] });
    this.notify({ text: i18n.m.plan.saved });
  }

  /** Puts a failed, interrupted or planned job away. */
  dismiss(id: JobId): void {
    void this.try(() => this.#host.dismiss(id));
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

  /** Does what was proposed for a failed job. */
  remedy(job: Job, remedy: Remedy): void {
    if (remedy.kind === 'retry') {
      this.retry(job.id);
      return;
    }
    if (remedy.kind === 'smaller_model') {
      this.view.place = 'models';
      return;
    }
    const again: NewJob = {
      request: job.request,
      instruction: job.instruction,
      piece: job.piece,
      picture: job.picture,
      references: remedy.kind === 'fewer_pictures' ? [] : $state.snapshot(job.references),
      thinking: remedy.kind === 'no_thinking' ? { kind: 'off' } : $state.snapshot(job.thinking),
      pauses_after_plan: remedy.kind === 'no_thinking' ? false : job.pauses_after_plan,
      image: { ...$state.snapshot(job.image), ...(remedy.kind === 'smaller_size' ? { size: remedy.size } : {}) },
      variations: 1,
      first: true,
    };
    void this.try(async () => {
      const [id] = await this.#host.submit(again);
      await this.#host.dismiss(job.id);
      if (id === undefined) return;
      this.#follows = id;
      this.#followIfThere();
    });
  }

  // Pictures and pieces.

  /** Opens a picture of any piece. */
  async openNode(id: NodeId): Promise<void> {
    if (!this.library.node(id)) await this.try(async () => this.library.remember(await this.#host.nodes([id])));
    this.composer.forgetMode();
    this.view.select(id);
  }

  openPictures(): void {
    void this.try(() => this.#host.openPictures());
  }

  async paste(file: Blob): Promise<void> {
    await this.try(async () => this.#host.pastePicture(await file.arrayBuffer()));
  }

  importPiece(): void {
    void this.try(async () => {
      const id = await this.#host.openPiece();
      if (id !== null) this.openPiece(id);
    });
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

  // Recipes.

  /** Fetches how a picture was made. */
  async readRecipe(node: NodeId): Promise<void> {
    if (this.recipe?.node === node) return;
    this.recipe = null;
    await this.try(async () => {
      const recipe = await this.#host.recipe(node);
      if (this.view.nodeId !== node) return;
      this.recipe = { node, recipe };
      const unknown = recipe?.pictures.filter((id) => !this.library.node(id)) ?? [];
      if (unknown.length > 0) this.library.remember(await this.#host.nodes(unknown));
    });
  }

  /** Makes the line say what made the picture in the middle: one field of it, or all. */
  async reuse(field: 'instruction' | 'seed' | 'all'): Promise<void> {
    const id = this.view.nodeId;
    if (id === null) return;
    await this.readRecipe(id);
    const recipe = this.recipe?.recipe;
    if (!recipe) return;
    if (field === 'all') this.takeAll(recipe);
    else this.composer.take(recipe, field);
  }

  /** Everything of a recipe, the pictures it read among it. */
  takeAll(recipe: RecipeView): void {
    const [picture, ...references] = [...recipe.pictures].reverse();
    if (recipe.request !== 'create' && picture !== undefined && this.library.node(picture)) this.view.select(picture);
    this.composer.take(recipe, 'all');
    this.composer.references = references.reverse();
  }

  replay(node: NodeId): void {
    void this.try(async () => {
      const [id] = await this.#host.replay(node);
      if (id === undefined) return;
      this.#follows = id;
      this.#followIfThere();
    });
  }

  verify(node: NodeId): void {
    this.library.verifications.delete(node);
    void this.try(() => this.#host.verify(node));
  }

  /** Walks through the steps of the picture in the middle, if they are still kept. */
  async scrub(): Promise<void> {
    const node = this.view.nodeId;
    if (this.view.scrub !== null || node === null) {
      this.view.scrub = null;
      return;
    }
    await this.try(async () => {
      const previews = await this.#host.steps(node);
      if (this.view.nodeId !== node) return;
      if (previews.length > 0) this.view.scrub = { node, previews, index: previews.length - 1 };
      else this.notify({ text: i18n.m.canvas.no_steps });
    });
  }

  // Models, settings, the program.

  changeSettings(change: SettingsChange): void {
    void this.try(() => this.#host.changeSettings(change));
  }

  /** Closes the window although there is work. */
  closeWindow(): void {
    void this.try(() => this.#host.close());
  }

  /** Does something that can fail, and tells the artist when it does. */
  try(action: () => Promise<unknown>): Promise<boolean> {
    return this.notices.try(action);
  }

  notify(notice: Omit<Notice, 'id'>): void {
    this.notices.notify(notice);
  }

  async #fetch(piece: PieceId): Promise<void> {
    const isKnown = this.library.piece(piece) !== undefined || this.library.nodesOf(piece).length > 0;
    const isNew = !isKnown && this.library.jobs.some((job) => job.piece === piece);
    // A piece whose first picture is still being painted is nowhere yet.
    if (isNew) return;
    await this.library.open(piece, (id) => this.#host.piece(id));
    if (this.view.piece === piece && this.view.jobId === null) this.view.replaceMissing();
  }

  #react(event: StudioEvent): void {
    switch (event.kind) {
      case 'engine':
        this.#tellOfEngine();
        break;
      case 'verified':
        this.#tellOfVerification(event.node, event.outcome);
        break;
      case 'job_queued':
        this.#followIfThere();
        break;
      case 'job_changed':
        this.#settle(event.job, event.status);
        break;
      case 'job_dismissed':
        this.drafts.delete(event.job);
        if (this.view.jobId === event.job) this.view.jobId = null;
        break;
      case 'piece_changed':
        if (this.view.piece === event.piece.id) this.view.onpiece(event.piece.id);
        break;
      case 'nodes_changed':
        if (this.view.node?.trashed_ms != null) this.view.replaceMissing();
        break;
      case 'nodes_removed':
        this.view.replaceMissing();
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
        void this.#arrive(event.arrivals, event.position);
        for (const failure of event.failures) this.notify({ failure });
        break;
      case 'notice':
        this.notify({ failure: event.failure });
        break;
      case 'close_asked':
        this.view.dialog = { kind: 'close' };
        break;
      case 'lagged':
        void this.try(() => this.start());
        break;
      default:
        break;
    }
  }

  /** An engine that does not run is not only a red point. */
  #tellOfEngine(): void {
    const { engine } = this.library;
    if (engine.state !== 'failed') return;
    this.notify({ failure: engine.failure, action: { label: i18n.m.engine.retry, run: () => this.models.retryEngine() } });
  }

  /** The recipe's panel shows it too, where it is open. */
  #tellOfVerification(node: NodeId, outcome: Verification): void {
    if (this.view.nodeId === node && this.view.side === 'recipe' && this.view.place === 'studio') return;
    const m = i18n.m.recipe;
    if (outcome.kind === 'failed') this.notify({ failure: outcome.failure });
    else this.notify({ text: outcome.kind === 'same' ? m.same : m.differs(outcome.mean, outcome.largest) });
  }

  /** A job moved on: its result may take the view. */
  #settle(job: JobId, status: Job['status']): void {
    const isWatched = this.view.jobId === job;
    if (status.state === 'planned' && isWatched) this.view.side = 'plan';
    if (status.state === 'done') {
      if (isWatched) this.view.jobId = null;
      if (status.node === null) return;
      // Words in the line are meant for the picture in sight: it is not taken from under them.
      const isFree = this.view.place === 'studio' && this.view.jobId === null && this.composer.instruction.trim() === '';
      const follows = this.library.settings.follows && isFree && this.library.node(status.node)?.piece === this.view.piece;
      if (isWatched || follows) this.#show(status.node);
    }
    if (status.state === 'cancelled' && isWatched) this.view.jobId = null;
  }

  /** Shows a result without leaving the place the artist is in. */
  #show(node: NodeId): void {
    const { place } = this.view;
    this.view.select(node);
    this.view.place = place;
  }

  async #arrive(arrivals: Arrival[], position: [number, number] | null): Promise<void> {
    const unknown = arrivals.filter(({ node }) => !this.library.node(node)).map(({ node }) => node);
    if (unknown.length > 0) await this.try(async () => this.library.remember(await this.#host.nodes(unknown)));
    const isReference = position !== null && this.view.nodeId !== null && this.isTray({ x: position[0], y: position[1] });
    if (isReference) {
      for (const { node } of arrivals) this.composer.addReference(node);
      return;
    }
    const [first, ...others] = arrivals;
    if (first === undefined) return;
    this.composer.forgetMode();
    this.composer.references = [];
    this.view.select(first.node);
    for (const { node } of others) this.composer.addReference(node);
    if (first.has_recipe) {
      const action = { label: i18n.m.recipe.show, run: () => void (this.view.side = 'recipe') };
      this.notify({ text: i18n.m.recipe.offered, action });
    } else if (first.is_known) this.notify({ text: i18n.m.pictures.known });
  }

  #followIfThere(): void {
    const job = this.#follows === null ? undefined : this.library.job(this.#follows);
    if (!job) return;
    this.#follows = null;
    if (job.request === 'ask') this.view.piece = job.piece;
    else this.view.watch(job);
  }
}

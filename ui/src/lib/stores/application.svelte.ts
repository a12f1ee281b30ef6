import { i18n } from '$lib/i18n/index.svelte';
import type { Ability, Arrival, Failure, Host, Node, NodeId, ProjectId, SettingsChange, StudioEvent } from '$lib/ipc';
import { ComposerState } from './composer.svelte';
import { GalleryState } from './gallery.svelte';
import { Jobs } from './jobs.svelte';
import { LibraryState } from './library.svelte';
import { Models } from './models.svelte';
import { asFailure, Notices, type Notice } from './toasts.svelte';
import { Images } from './images';
import { Plans } from './plans.svelte';
import { PriceState } from './estimate.svelte';
import { Recipes } from './recipes.svelte';
import { Repeat } from './repeat';
import { ViewState } from './view.svelte';

/** How long the news of chosen files may take. */
const EVENT_MS = 1000;

/** Everything the window shows, and what can be done with it. */
export class Application {
  readonly library = new LibraryState();
  readonly view = new ViewState(this.library);
  readonly composer = new ComposerState(this.library, this.view);
  readonly notices = new Notices();
  readonly gallery: GalleryState;
  readonly jobs: Jobs;
  readonly plans: Plans;
  readonly recipes: Recipes;
  readonly repeat: Repeat;
  readonly images: Images;
  readonly models: Models;
  readonly price: PriceState;
  /** What was asked for as references and has not arrived yet, in the order it was asked for. */
  #expected: { how: 'chosen' | 'pasted' }[] = [];

  /** Where files hover over the window. */
  dragging = $state.raw<{ x: number; y: number } | null>(null);
  /** Whether the program has answered; nothing is known before. */
  isOpen = $state(false);
  /** What this program can do that not every one can. */
  abilities = $state.raw<Ability[]>([]);

  /** Says whether a point of the window belongs to the tray of references; set by the composer. */
  isTray: (point: { x: number; y: number }) => boolean = () => false;

  #host: Host;

  constructor(host: Host) {
    const { library, view, composer, notices } = this;
    this.#host = host;
    this.gallery = new GalleryState(host, (error) => this.notify({ failure: asFailure(error) }));
    this.jobs = new Jobs(host, library, view, composer, notices);
    this.plans = new Plans(host, library, view, notices);
    this.recipes = new Recipes(host, library, view, composer, this.jobs, notices);
    this.repeat = new Repeat(host, library, view, this.jobs, notices);
    this.images = new Images(host, notices, view);
    this.models = new Models(host, library, view, notices);
    this.price = new PriceState(host);
    view.onproject = (id) => void this.try(() => this.#fetch(id));
  }

  async start(): Promise<void> {
    // What is told before the snapshot is here happened after it.
    let early: StudioEvent[] | null = [];
    const snapshot = await this.#host.subscribe((events) => {
      if (early === null) this.receive(events);
      else early.push(...events);
    });
    this.library.reset(snapshot);
    this.models.expect(snapshot.models);
    this.plans.prune();
    // What ended while nothing was heard is not waited for.
    if (this.view.jobId !== null && this.view.job === undefined) this.view.jobId = null;
    const isFirst = !this.isOpen;
    this.isOpen = true;
    if (isFirst) this.#greet(snapshot.notices);
    else this.gallery.refresh();
    const missed = early;
    early = null;
    this.receive(missed);
    const { project } = this.view;
    if (project !== null) {
      await this.try(() => this.#fetch(project));
      return;
    }
    const running = this.library.running;
    const last = this.library.projects[0];
    if (running) this.view.openProject(running.project);
    else if (last) this.view.openProject(last.id);
  }

  receive(events: StudioEvent[]): void {
    for (const event of events) {
      this.library.apply(event);
      this.#react(event);
    }
    this.gallery.apply(events);
  }

  // Images and projects.

  /** Opens an image of any project. */
  async openNode(id: NodeId): Promise<void> {
    if (!this.library.node(id)) await this.try(async () => this.library.remember(await this.#host.nodes([id])));
    const node = this.library.node(id);
    if (node === undefined || node.trashed_ms !== null) {
      this.#tellOfMissing(node);
      return;
    }
    this.composer.forgetMode();
    this.view.select(id);
  }

  openImages(): void {
    void this.try(() => this.#host.openImages());
  }

  /** Lets files be chosen that join the line instead of opening. */
  async openReferences(): Promise<void> {
    await this.#bringReferences('chosen', () => this.#host.openImages());
  }

  /** Opens an image from the clipboard, or lets it join the line beside the one that is there. */
  async paste(file: Blob, as: 'image' | 'reference'): Promise<void> {
    const bring = async () => this.#host.pasteImage(await file.arrayBuffer());
    if (as === 'reference' && this.view.nodeId !== null) await this.#bringReferences('pasted', bring);
    else await this.try(bring);
  }

  /** Lets images join the line, and tells of those that there is no room for. */
  refer(ids: NodeId[]): void {
    if (this.composer.mode === 'generate') this.composer.mode = 'edit';
    const n = this.composer.addReferences(ids);
    if (n > 0) this.notify({ text: () => i18n.m.composer.surplus(n) });
  }

  importProject(): void {
    void this.try(async () => {
      const id = await this.#host.openProject();
      if (id === null) return;
      this.openProject(id);
      // Of its images no event tells.
      this.gallery.refresh();
    });
  }

  openProject(id: ProjectId): void {
    this.view.openProject(id);
    this.composer.forgetMode();
    this.composer.references = [];
  }

  newProject(): void {
    this.view.newProject();
    this.composer.forgetMode();
    this.composer.references = [];
  }

  // Settings, the program.

  changeSettings(change: SettingsChange): void {
    void this.try(() => this.#host.changeSettings(change));
  }

  /** Versions, hardware, settings and the last log lines, for a report. */
  copyDiagnostics(): void {
    void this.try(async () => {
      await navigator.clipboard.writeText(await this.#host.diagnostics());
      this.notify({ text: () => i18n.m.settings.diagnostics_copied });
    });
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

  #greet(notices: Failure[]): void {
    for (const failure of notices) this.notify({ failure });
    this.#tellOfEngine();
    void this.try(async () => {
      this.abilities = await this.#host.abilities();
    });
  }

  async #fetch(project: ProjectId): Promise<void> {
    const isKnown = this.library.project(project) !== undefined || this.library.nodesOf(project).length > 0;
    const isNew = !isKnown && this.library.jobs.some((job) => job.project === project);
    // A project whose first image is still being painted is nowhere yet.
    if (isNew) return;
    await this.library.open(project, (id) => this.#host.project(id));
    if (this.view.project === project && this.view.jobId === null) this.view.replaceMissing();
  }

  #react(event: StudioEvent): void {
    switch (event.kind) {
      case 'engine':
        this.#tellOfEngine();
        break;
      case 'install':
        this.models.follow(event.model, event.install);
        break;
      case 'models':
        this.models.greet(event.models);
        break;
      case 'verified':
        this.recipes.tellOf(event.node, event.outcome);
        break;
      case 'job_queued':
        this.jobs.showAwaited();
        break;
      case 'job_changed':
        this.jobs.settle(event.job, event.status);
        this.repeat.settle(event.job, event.status);
        break;
      case 'job_dismissed':
        this.plans.reset(event.job);
        this.jobs.left(event.job);
        break;
      case 'project_changed':
        if (this.view.project === event.project.id) this.view.onproject(event.project.id);
        break;
      case 'nodes_changed':
        if (this.view.node?.trashed_ms != null) this.view.replaceMissing();
        break;
      case 'nodes_removed':
        if (this.view.project !== null && event.projects.includes(this.view.project)) this.view.leaveProject();
        else this.view.replaceMissing();
        break;
      case 'text':
        // With its first word: where the artist goes after that is where they want to be.
        if (event.channel === 'plan' && event.job === this.view.jobId && this.view.job?.plan === event.delta && this.view.side === 'chat') {
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

  async #bringReferences(how: 'chosen' | 'pasted', bring: () => Promise<void>): Promise<void> {
    const expected = { how };
    this.#expected.push(expected);
    await this.try(bring);
    // What was brought is told by an event, which may come a little later.
    setTimeout(() => (this.#expected = this.#expected.filter((one) => one !== expected)), EVENT_MS);
  }

  /** Where the caret was decided what became of a pasted image: it can be otherwise. */
  #tellOfPasted(id: NodeId): void {
    if (!this.composer.references.includes(id)) return;
    const run = () => {
      this.composer.removeReference(id);
      void this.openNode(id);
    };
    this.notify({ text: () => i18n.m.composer.pasted, action: { label: () => i18n.m.composer.open_pasted, run } });
  }

  /** What something was made from, or was asked about, may have been thrown away since. */
  #tellOfMissing(node: Node | undefined): void {
    if (node === undefined) this.notify({ text: () => i18n.m.images.gone });
    else this.notify({ text: () => i18n.m.images.in_trash, action: { label: () => i18n.m.gallery.restore, run: () => this.images.restore([node]) } });
  }

  /** An engine that does not run is not only a red point. */
  #tellOfEngine(): void {
    const { engine } = this.library;
    if (engine.state !== 'failed') return;
    this.notify({ failure: engine.failure, action: { label: () => i18n.m.engine.retry, run: () => this.models.retryEngine() } });
  }

  async #arrive(arrivals: Arrival[], position: [number, number] | null): Promise<void> {
    const unknown = arrivals.filter(({ node }) => !this.library.node(node)).map(({ node }) => node);
    if (unknown.length > 0) await this.try(async () => this.library.remember(await this.#host.nodes(unknown)));
    const isDropped = position !== null && this.view.nodeId !== null && this.isTray({ x: position[0], y: position[1] });
    const [first, ...others] = arrivals;
    const expected = position === null ? this.#expected.shift() : undefined;
    if (expected !== undefined || isDropped) {
      const isPasted = expected?.how === 'pasted';
      this.refer(arrivals.map(({ node }) => node));
      if (isPasted && first) this.#tellOfPasted(first.node);
      return;
    }
    if (first === undefined) return;
    this.composer.forgetMode();
    this.composer.references = [];
    this.view.select(first.node);
    if (others.length > 0) this.refer(others.map(({ node }) => node));
    if (first.has_recipe) {
      const action = { label: () => i18n.m.recipe.show, run: () => void (this.view.side = 'recipe') };
      this.notify({ text: () => i18n.m.recipe.offered, action });
    } else if (first.is_known) this.notify({ text: () => i18n.m.images.known });
  }
}

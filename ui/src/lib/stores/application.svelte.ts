import { i18n } from '$lib/i18n/index.svelte';
import type { Ability, Arrival, Failure, Host, Node, NodeId, ProjectId, SettingsChange, StudioEvent } from '$lib/ipc';
import { ComposerState } from './composer.svelte';
import { GalleryState } from './gallery.svelte';
import { Jobs } from './jobs.svelte';
import { LibraryState } from './library.svelte';
import { Models } from './models.svelte';
import { asFailure, Toasts } from './toasts.svelte';
import { Images } from './images';
import { Plans } from './plans.svelte';
import { EstimateState } from './estimate.svelte';
import { Recipes } from './recipes.svelte';
import { Repeat } from './repeat';
import { ViewState } from './view.svelte';

/** How long to wait for the event that reports opened or pasted files. */
const EVENT_MS = 1000;

/** The state of the window and the actions on it. */
export class Application {
  readonly library = new LibraryState();
  readonly view = new ViewState(this.library);
  readonly composer = new ComposerState(this.library, this.view);
  readonly toasts = new Toasts();
  readonly gallery: GalleryState;
  readonly jobs: Jobs;
  readonly plans: Plans;
  readonly recipes: Recipes;
  readonly repeat: Repeat;
  readonly images: Images;
  readonly models: Models;
  readonly estimate: EstimateState;
  /** Requested references whose `arrived` event has not come yet, oldest first. */
  #pendingImports: { how: 'chosen' | 'pasted' }[] = [];

  /** Where files are dragged over the window, in window pixels. */
  dragging = $state.raw<{ x: number; y: number } | null>(null);
  /** Whether the first snapshot has arrived. */
  isOpen = $state(false);
  /** What this host supports that others do not. */
  abilities = $state.raw<Ability[]>([]);

  /** Whether a point of the window is within the reference strip; set by the composer. */
  isReferenceStripAt: (point: { x: number; y: number }) => boolean = () => false;

  #host: Host;

  constructor(host: Host) {
    const { library, view, composer, toasts } = this;
    this.#host = host;
    this.gallery = new GalleryState(host, (error) => this.toasts.show({ failure: asFailure(error) }));
    this.jobs = new Jobs(host, library, view, composer, toasts);
    this.plans = new Plans(host, library, view, toasts);
    this.recipes = new Recipes(host, library, view, composer, this.jobs, toasts);
    this.repeat = new Repeat(host, library, view, this.jobs, toasts);
    this.images = new Images(host, toasts, view);
    this.models = new Models(host, library, view, toasts);
    this.estimate = new EstimateState(host);
    view.onEnterProject = (id) => void this.try(() => this.#fetch(id));
  }

  async start(): Promise<void> {
    // Events that come before the snapshot are newer than it.
    let early: StudioEvent[] | null = [];
    const snapshot = await this.#host.subscribe((events) => {
      if (early === null) this.receive(events);
      else early.push(...events);
    });
    this.library.reset(snapshot);
    this.models.trackInstalls(snapshot.models);
    this.plans.pruneDrafts();
    // The job in view may have ended while disconnected.
    if (this.view.jobId !== null && this.view.job === undefined) this.view.jobId = null;
    const isFirst = !this.isOpen;
    this.isOpen = true;
    if (isFirst) this.#showStartupNotices(snapshot.notices);
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
    for (const event of events) (this.#on[event.kind] as (event: StudioEvent) => void)(event);
  }

  /** Opens an image of any project. */
  async openNode(id: NodeId): Promise<void> {
    if (!this.library.node(id)) await this.try(async () => this.library.remember(await this.#host.nodes([id])));
    const node = this.library.node(id);
    if (node === undefined || node.trashed_ms !== null) {
      this.#reportMissing(node);
      return;
    }
    this.composer.resetMode();
    this.view.select(id);
  }

  openImages(): void {
    void this.try(() => this.#host.openImages());
  }

  /** Chooses files that are added as references instead of opened. */
  async openReferences(): Promise<void> {
    await this.#importReferences('chosen', () => this.#host.openImages());
  }

  /** Opens an image from the clipboard, or adds it as a reference. */
  async paste(file: Blob, as: 'image' | 'reference'): Promise<void> {
    const bring = async () => this.#host.pasteImage(await file.arrayBuffer());
    if (as === 'reference' && this.view.nodeId !== null) await this.#importReferences('pasted', bring);
    else await this.try(bring);
  }

  /** Adds references and reports those beyond the maximum. */
  addReferences(ids: NodeId[]): void {
    if (this.composer.mode === 'generate') this.composer.mode = 'edit';
    const n = this.composer.addReferences(ids);
    if (n > 0) this.toasts.show({ text: () => i18n.m.composer.surplus(n) });
  }

  importProject(): void {
    void this.try(async () => {
      const id = await this.#host.openProject();
      if (id === null) return;
      this.openProject(id);
      // The host sends no event for imported images.
      this.gallery.refresh();
    });
  }

  openProject(id: ProjectId): void {
    this.view.openProject(id);
    this.composer.resetMode();
    this.composer.references = [];
  }

  newProject(): void {
    this.view.newProject();
    this.composer.resetMode();
    this.composer.references = [];
  }

  changeSettings(change: SettingsChange): void {
    void this.try(() => this.#host.changeSettings(change));
  }

  copyDiagnostics(): void {
    void this.try(async () => {
      await navigator.clipboard.writeText(await this.#host.diagnostics());
      this.toasts.show({ text: () => i18n.m.settings.diagnostics_copied });
    });
  }

  /** Closes the window although jobs are running. */
  closeWindow(): void {
    void this.try(() => this.#host.close());
  }

  try(action: () => Promise<unknown>): Promise<boolean> {
    return this.toasts.try(action);
  }

  #showStartupNotices(notices: Failure[]): void {
    for (const failure of notices) this.toasts.show({ failure });
    this.#reportEngineFailure();
    void this.try(async () => {
      this.abilities = await this.#host.abilities();
    });
  }

  async #fetch(project: ProjectId): Promise<void> {
    const isKnown = this.library.project(project) !== undefined || this.library.nodesOf(project).length > 0;
    const isNew = !isKnown && this.library.jobs.some((job) => job.project === project);
    // A project is stored with its first image; before that there is nothing to fetch.
    if (isNew) return;
    await this.library.open(project, (id) => this.#host.project(id));
    if (this.view.project === project && this.view.jobId === null) this.view.replaceMissing();
  }

  /** Updates for each event: first the stores, then the view. */
  readonly #on: { [K in StudioEvent['kind']]: (event: Extract<StudioEvent, { kind: K }>) => void } = {
    engine: ({ engine }) => {
      this.library.engine = engine;
      this.#reportEngineFailure();
    },
    defaults: ({ defaults }) => (this.library.defaults = defaults),
    counts: ({ counts }) => (this.library.counts = counts),
    settings: ({ settings }) => (this.library.settings = settings),
    models: ({ models }) => {
      this.library.models = models;
      this.models.announceInstalled(models);
    },
    install: ({ model, install }) => {
      this.library.setInstall(model, install);
      this.models.onInstallChanged(model, install);
    },
    verified: ({ node, outcome }) => {
      this.library.verifications.set(node, outcome);
      this.recipes.onVerified(node, outcome);
    },
    job_queued: ({ job }) => {
      this.library.addJob(job);
      this.jobs.showAwaited();
    },
    job_changed: ({ job, status }) => {
      this.library.setJobStatus(job, status);
      this.jobs.onStatusChanged(job, status);
      this.repeat.onStatusChanged(job, status);
    },
    jobs_ordered: ({ jobs }) => this.library.orderJobs(jobs),
    job_dismissed: ({ job }) => {
      this.library.removeJob(job);
      this.plans.discardDraft(job);
      this.jobs.onDismissed(job);
    },
    queue_paused: ({ is_paused }) => (this.library.isPaused = is_paused),
    text: ({ job, channel, delta }) => {
      this.library.updateJob(job, (changed) => (changed[channel] += delta));
      // Only with the first token, so that the user can leave the tab afterwards.
      const isFirst = channel === 'plan' && job === this.view.jobId && this.view.job?.plan === delta;
      if (isFirst && this.view.tab === 'chat') this.view.tab = 'plan';
    },
    plan_changed: ({ job, plan }) => this.library.updateJob(job, (changed) => (changed.plan = plan)),
    preview: ({ job, preview }) => this.library.updateJob(job, (changed) => (changed.preview = preview)),
    project_changed: ({ project }) => {
      this.library.setProject(project);
      this.gallery.setProject(project);
      if (this.view.project === project.id) this.view.onEnterProject(project.id);
    },
    node_added: ({ node }) => {
      this.library.addNode(node);
      this.gallery.refresh();
    },
    nodes_changed: ({ nodes }) => {
      this.library.updateNodes(nodes);
      this.gallery.updateNodes(nodes);
      if (this.view.node?.trashed_ms != null) this.view.replaceMissing();
    },
    nodes_removed: ({ nodes, projects }) => {
      this.library.removeNodes(nodes, projects);
      this.gallery.removeNodes(new Set(nodes));
      if (this.view.project !== null && projects.includes(this.view.project)) this.view.leaveProject();
      else this.view.replaceMissing();
    },
    turn_added: ({ project, turn }) => this.library.addTurn(project, turn),
    turns_changed: ({ project, turns }) => this.library.updateTurns(project, turns),
    dragging: ({ position }) => (this.dragging = position && { x: position[0], y: position[1] }),
    arrived: ({ arrivals, position, failures }) => {
      this.dragging = null;
      void this.#arrive(arrivals, position);
      for (const failure of failures) this.toasts.show({ failure });
    },
    notice: ({ failure }) => this.toasts.show({ failure }),
    close_asked: () => (this.view.dialog = { kind: 'close' }),
    lagged: () => void this.try(() => this.start()),
  };

  async #importReferences(how: 'chosen' | 'pasted', bring: () => Promise<void>): Promise<void> {
    const expected = { how };
    this.#pendingImports.push(expected);
    await this.try(bring);
    // The `arrived` event may come a little after the answer.
    setTimeout(() => (this.#pendingImports = this.#pendingImports.filter((one) => one !== expected)), EVENT_MS);
  }

  /** Where the caret was decided how a pasted image is used, so the other way is offered. */
  #offerToOpen(id: NodeId): void {
    if (!this.composer.references.includes(id)) return;
    const run = () => {
      this.composer.removeReference(id);
      void this.openNode(id);
    };
    this.toasts.show({ text: () => i18n.m.composer.pasted, action: { label: () => i18n.m.composer.open_pasted, run } });
  }

  /** The source image of a recipe or turn may have been deleted since. */
  #reportMissing(node: Node | undefined): void {
    if (node === undefined) this.toasts.show({ text: () => i18n.m.images.deleted });
    else
      this.toasts.show({
        text: () => i18n.m.images.in_trash,
        action: { label: () => i18n.m.gallery.restore, run: () => this.images.restore([node]) },
      });
  }

  /** A failed engine needs more than a red dot in the header. */
  #reportEngineFailure(): void {
    const { engine } = this.library;
    if (engine.state !== 'failed') return;
    this.toasts.show({ failure: engine.failure, action: { label: () => i18n.m.engine.retry, run: () => this.models.restartEngine() } });
  }

  async #arrive(arrivals: Arrival[], position: [number, number] | null): Promise<void> {
    const unknown = arrivals.filter(({ node }) => !this.library.node(node)).map(({ node }) => node);
    if (unknown.length > 0) await this.try(async () => this.library.remember(await this.#host.nodes(unknown)));
    const isDropped = position !== null && this.view.nodeId !== null && this.isReferenceStripAt({ x: position[0], y: position[1] });
    const [first, ...others] = arrivals;
    const expected = position === null ? this.#pendingImports.shift() : undefined;
    if (expected !== undefined || isDropped) {
      const isPasted = expected?.how === 'pasted';
      this.addReferences(arrivals.map(({ node }) => node));
      if (isPasted && first) this.#offerToOpen(first.node);
      return;
    }
    if (first === undefined) return;
    this.composer.resetMode();
    this.composer.references = [];
    this.view.select(first.node);
    if (others.length > 0) this.addReferences(others.map(({ node }) => node));
    if (first.has_recipe) {
      const action = { label: () => i18n.m.recipe.show, run: () => void (this.view.tab = 'recipe') };
      this.toasts.show({ text: () => i18n.m.recipe.offered, action });
    } else if (first.is_known) this.toasts.show({ text: () => i18n.m.images.known });
  }
}

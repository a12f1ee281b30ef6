import { SvelteMap } from 'svelte/reactivity';
import { snapshot as blank } from '$lib/ipc/blank';
import type {
  EngineState,
  GalleryCounts,
  Install,
  Job,
  JobId,
  JobStatus,
  ModelCard,
  ModelDefaults,
  ModelId,
  Node,
  NodeId,
  Project,
  ProjectContents,
  ProjectId,
  Settings,
  Snapshot,
  Turn,
  Verification,
} from '$lib/ipc';

/** The window keeps only the newest projects; the gallery pages through all of them. */
const MAX_PROJECTS = 60;

/** The host's state as this window knows it. Changes only by events, and by opening a project. */
export class LibraryState {
  engine = $state.raw<EngineState>(blank.engine);
  jobs = $state<Job[]>([]);
  isPaused = $state(false);
  defaults = $state.raw<ModelDefaults>(blank.defaults);
  /** The most recently changed projects, newest first. */
  projects = $state.raw<Project[]>([]);
  counts = $state.raw<GalleryCounts>(blank.counts);
  models = $state.raw<ModelCard[]>([]);
  settings = $state.raw<Settings>(blank.settings);
  /** Outcomes of verifying images. */
  readonly verifications = new SvelteMap<NodeId, Verification>();

  /** The open project with all of its contents. */
  #open = $state.raw<ProjectContents | null>(null);
  #openById = $derived(new Map(this.#open?.nodes.map((node) => [node.id, node])));
  /** Known images of other projects. */
  readonly #seen = new SvelteMap<NodeId, Node>();
  /** Changes to replay once the project being fetched arrives. */
  #missed: (() => void)[] = [];
  #wanted: ProjectId | null = null;

  node(id: NodeId | null): Node | undefined {
    return id === null ? undefined : (this.#openById.get(id) ?? this.#seen.get(id));
  }

  project(id: ProjectId | null): Project | undefined {
    if (id === null) return undefined;
    return this.#open?.project.id === id ? this.#open.project : this.projects.find((project) => project.id === id);
  }

  /** Images of the open project that are not in the trash, oldest first. */
  nodesOf(project: ProjectId | null): Node[] {
    if (project === null) return [];
    const nodes = this.#open?.project.id === project ? this.#open.nodes : [...this.#seen.values()].filter((n) => n.project === project);
    return nodes.filter((node) => node.trashed_ms === null);
  }

  turnsOf(project: ProjectId | null): Turn[] {
    return project !== null && this.#open?.project.id === project ? this.#open.turns : [];
  }

  isOpen(project: ProjectId): boolean {
    return this.#open?.project.id === project;
  }

  /** Jobs that will add to a project. */
  jobsOf(project: ProjectId | null): Job[] {
    return project === null ? [] : this.jobs.filter((job) => job.project === project && job.verifies === null);
  }

  job(id: JobId): Job | undefined {
    return this.jobs.find((job) => job.id === id);
  }

  get running(): Job | undefined {
    return this.jobs.find((job) => job.status.state === 'running' || job.status.state === 'stopping');
  }

  get waiting(): Job[] {
    return this.jobs.filter((job) => job.status.state === 'queued');
  }

  /**
   * The card of the model that is loaded or that the next request loads.
   * Undefined for a model file given by path, which has no card.
   */
  get model(): ModelCard | undefined {
    const { engine } = this;
    switch (engine.state) {
      case 'ready':
        if (engine.choice === null) return engine.is_pocket ? this.#bundled : undefined;
        return this.#card(engine.choice.model);
      case 'idle':
      case 'loading':
        // The engine reports only the name while it loads.
        return this.models.find((card) => card.name.en === engine.name);
      default:
        return this.settings.model ? this.#card(this.settings.model.model) : this.#bundled;
    }
  }

  /** The model's name in the catalog, or else its file name. */
  modelName(language: 'en' | 'zh'): string {
    const { engine } = this;
    if (this.model) return this.model.name[language];
    if (engine.state === 'ready') return engine.model.name;
    return engine.state === 'idle' || engine.state === 'loading' ? engine.name : '';
  }

  /** The longest side in pixels that the model generates. */
  get maxSide(): number {
    return this.engine.state === 'ready' ? this.engine.model.max_side : (this.model?.max_side ?? 1024);
  }

  get isPocket(): boolean {
    return this.engine.state === 'ready' ? this.engine.is_pocket : this.model?.origin === 'bundled';
  }

  remember(nodes: Node[]): void {
    for (const node of nodes) this.#seen.set(node.id, node);
  }

  /** Fetches and opens a project; what is known of it stays visible meanwhile. */
  async open(id: ProjectId, fetch: (id: ProjectId) => Promise<ProjectContents>): Promise<void> {
    if (this.isOpen(id)) {
      // Drops the answer of a fetch that is still under way.
      this.#wanted = null;
      return;
    }
    this.#wanted = id;
    this.#missed = [];
    const contents = await fetch(id);
    if (this.#wanted !== id) return;
    this.#wanted = null;
    this.#open = contents;
    const missed = this.#missed;
    this.#missed = [];
    for (const change of missed) change();
  }

  reset(snapshot: Snapshot): void {
    this.engine = snapshot.engine;
    this.jobs = snapshot.jobs;
    this.isPaused = snapshot.is_paused;
    this.defaults = snapshot.defaults;
    this.projects = snapshot.projects;
    this.counts = snapshot.counts;
    this.models = snapshot.models;
    this.settings = snapshot.settings;
    this.#open = null;
  }

  setInstall(model: ModelId, install: Install | null): void {
    this.models = this.models.map((card) => (card.id === model ? { ...card, install } : card));
  }

  setProject(project: Project): void {
    this.#change(() => {
      const others = this.projects.filter(({ id }) => id !== project.id);
      this.projects = [project, ...others].sort((a, b) => b.changed_ms - a.changed_ms).slice(0, MAX_PROJECTS);
      if (this.#open?.project.id === project.id) this.#open = { ...this.#open, project };
    });
  }

  addNode(node: Node): void {
    this.#change(() => {
      if (this.#open?.project.id !== node.project) this.#seen.set(node.id, node);
      else if (!this.#openById.has(node.id)) this.#open = { ...this.#open, nodes: [...this.#open.nodes, node] };
    });
  }

  updateNodes(nodes: Node[]): void {
    this.#change(() => {
      const changed = new Map(nodes.map((node) => [node.id, node]));
      if (this.#open) this.#open = { ...this.#open, nodes: this.#open.nodes.map((node) => changed.get(node.id) ?? node) };
      for (const node of nodes) if (this.#seen.has(node.id)) this.#seen.set(node.id, node);
    });
  }

  removeNodes(ids: NodeId[], projects: ProjectId[]): void {
    this.#change(() => {
      const gone = new Set(ids);
      if (this.#open) {
        // As in the library, children of a removed image move to its parent.
        const parents = new Map(this.#open.nodes.map((node) => [node.id, node.parent]));
        const heir = (id: NodeId | null): NodeId | null => (id !== null && gone.has(id) ? heir(parents.get(id) ?? null) : id);
        const left = this.#open.nodes.filter((node) => !gone.has(node.id));
        this.#open = { ...this.#open, nodes: left.map((node) => ({ ...node, parent: heir(node.parent) })) };
      }
      for (const id of gone) this.#seen.delete(id);
      this.projects = this.projects.filter((project) => !projects.includes(project.id));
    });
  }

  addTurn(project: ProjectId, turn: Turn): void {
    this.#change(() => {
      if (this.#open?.project.id !== project || this.#open.turns.some(({ id }) => id === turn.id)) return;
      this.#open = { ...this.#open, turns: [...this.#open.turns, turn] };
    });
  }

  updateTurns(project: ProjectId, turns: Turn[]): void {
    this.#change(() => {
      if (this.#open?.project.id !== project) return;
      const changed = new Map(turns.map((turn) => [turn.id, turn]));
      this.#open = { ...this.#open, turns: this.#open.turns.map((turn) => changed.get(turn.id) ?? turn) };
    });
  }

  addJob(job: Job): void {
    if (!this.job(job.id)) this.jobs.push(job);
  }

  setJobStatus(id: JobId, status: JobStatus): void {
    const job = this.job(id);
    if (!job) return;
    if (status.state === 'done' || status.state === 'cancelled') this.removeJob(id);
    else job.status = status;
    // The host keeps previews only while their job runs.
    if (status.state === 'failed' || status.state === 'queued') job.preview = null;
  }

  orderJobs(ids: JobId[]): void {
    const place = new Map(ids.map((id, index) => [id, index]));
    const waiting = this.jobs.filter((job) => place.has(job.id)).sort((a, b) => (place.get(a.id) ?? 0) - (place.get(b.id) ?? 0));
    this.jobs = this.jobs.map((job) => (place.has(job.id) ? (waiting.shift() ?? job) : job));
  }

  updateJob(id: JobId, update: (job: Job) => void): void {
    const job = this.job(id);
    if (job) update(job);
  }

  removeJob(id: JobId): void {
    this.jobs = this.jobs.filter((job) => job.id !== id);
  }

  /** Applies a change. It is applied again to a project being fetched, whose contents may be older. */
  #change(change: () => void): void {
    if (this.#wanted !== null) this.#missed.push(change);
    change();
  }

  get #bundled(): ModelCard | undefined {
    return this.models.find((card) => card.origin === 'bundled');
  }

  #card(id: ModelId): ModelCard | undefined {
    return this.models.find((card) => card.id === id);
  }
}

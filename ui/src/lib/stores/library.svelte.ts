import { SvelteMap } from 'svelte/reactivity';
import { snapshot as blank } from '$lib/ipc/blank';
import type {
  EngineState,
  GalleryCounts,
  Job,
  JobId,
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
  StudioEvent,
  Turn,
  Verification,
} from '$lib/ipc';

/** Headers that the window keeps; the gallery knows them all. */
const MAX_PROJECTS = 60;

/** What the program holds, as this window knows it. Changes only by events, and by opening a project. */
export class LibraryState {
  engine = $state.raw<EngineState>(blank.engine);
  jobs = $state<Job[]>([]);
  isPaused = $state(false);
  defaults = $state.raw<ModelDefaults>(blank.defaults);
  /** The projects that changed last, newest first. */
  projects = $state.raw<Project[]>([]);
  counts = $state.raw<GalleryCounts>(blank.counts);
  models = $state.raw<ModelCard[]>([]);
  settings = $state.raw<Settings>(blank.settings);
  /** What came of painting images again, for those that were tried. */
  readonly verifications = new SvelteMap<NodeId, Verification>();

  /** The project that is open, with everything in it. */
  #open = $state.raw<ProjectContents | null>(null);
  #openById = $derived(new Map(this.#open?.nodes.map((node) => [node.id, node])));
  /** Images of other projects that were seen in passing. */
  readonly #seen = new SvelteMap<NodeId, Node>();
  /** What happened to a project while it was being fetched. */
  #missed: StudioEvent[] = [];
  #wanted: ProjectId | null = null;

  node(id: NodeId | null): Node | undefined {
    return id === null ? undefined : (this.#openById.get(id) ?? this.#seen.get(id));
  }

  project(id: ProjectId | null): Project | undefined {
    if (id === null) return undefined;
    return this.#open?.project.id === id ? this.#open.project : this.projects.find((project) => project.id === id);
  }

  /** Images of the open project that are not in the trash, in the order they were made. */
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

  /** Jobs that will add something to a project. */
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
   * The model that is loaded or that the next request loads, as its card has it.
   * Absent where that is a file named by hand, which has no card.
   */
  get model(): ModelCard | undefined {
    const { engine } = this;
    switch (engine.state) {
      case 'ready':
        if (engine.choice === null) return engine.is_pocket ? this.#bundled : undefined;
        return this.#card(engine.choice.model);
      case 'idle':
      case 'loading':
        // Nothing but the name says which of the cards it is.
        return this.models.find((card) => card.name.en === engine.name);
      default:
        return this.settings.model ? this.#card(this.settings.model.model) : this.#bundled;
    }
  }

  /** What that model is called: in the catalog, or else as its file. */
  modelName(language: 'en' | 'zh'): string {
    const { engine } = this;
    if (this.model) return this.model.name[language];
    if (engine.state === 'ready') return engine.model.name;
    return engine.state === 'idle' || engine.state === 'loading' ? engine.name : '';
  }

  /** Longest side that it paints. */
  get maxSide(): number {
    return this.engine.state === 'ready' ? this.engine.model.max_side : (this.model?.max_side ?? 1024);
  }

  get isPocket(): boolean {
    return this.engine.state === 'ready' ? this.engine.is_pocket : this.model?.origin === 'bundled';
  }

  /** Remembers images that were seen outside the open project. */
  remember(nodes: Node[]): void {
    for (const node of nodes) this.#seen.set(node.id, node);
  }

  /** Opens a project: what was known of it is shown until all of it is here. */
  async open(id: ProjectId, fetch: (id: ProjectId) => Promise<ProjectContents>): Promise<void> {
    if (this.isOpen(id)) {
      // What is still on its way is not wanted any more.
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
    for (const event of missed) this.#applyToProjects(event);
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

  apply(event: StudioEvent): void {
    switch (event.kind) {
      case 'engine':
        this.engine = event.engine;
        break;
      case 'defaults':
        this.defaults = event.defaults;
        break;
      case 'counts':
        this.counts = event.counts;
        break;
      case 'models':
        this.models = event.models;
        break;
      case 'install':
        this.models = this.models.map((card) => (card.id === event.model ? { ...card, install: event.install } : card));
        break;
      case 'settings':
        this.settings = event.settings;
        break;
      case 'verified':
        this.verifications.set(event.node, event.outcome);
        break;
      case 'project_changed':
      case 'node_added':
      case 'nodes_changed':
      case 'nodes_removed':
      case 'turn_added':
      case 'turns_changed':
        if (this.#wanted !== null) this.#missed.push(event);
        this.#applyToProjects(event);
        break;
      default:
        this.#applyToJobs(event);
    }
  }

  #applyToProjects(event: StudioEvent): void {
    const open = this.#open;
    switch (event.kind) {
      case 'project_changed': {
        const others = this.projects.filter((project) => project.id !== event.project.id);
        this.projects = [event.project, ...others].sort((a, b) => b.changed_ms - a.changed_ms).slice(0, MAX_PROJECTS);
        if (open?.project.id === event.project.id) this.#open = { ...open, project: event.project };
        break;
      }
      case 'node_added':
        if (open?.project.id === event.node.project) {
          if (!this.#openById.has(event.node.id)) this.#open = { ...open, nodes: [...open.nodes, event.node] };
        } else this.#seen.set(event.node.id, event.node);
        break;
      case 'nodes_changed': {
        const changed = new Map(event.nodes.map((node) => [node.id, node]));
        if (open) this.#open = { ...open, nodes: open.nodes.map((node) => changed.get(node.id) ?? node) };
        for (const node of event.nodes) if (this.#seen.has(node.id)) this.#seen.set(node.id, node);
        break;
      }
      case 'nodes_removed': {
        const gone = new Set(event.nodes);
        if (open) {
          // What was made from them hangs on what they were made from, as in the library.
          const parents = new Map(open.nodes.map((node) => [node.id, node.parent]));
          const heir = (id: NodeId | null): NodeId | null => (id !== null && gone.has(id) ? heir(parents.get(id) ?? null) : id);
          const left = open.nodes.filter((node) => !gone.has(node.id));
          this.#open = { ...open, nodes: left.map((node) => ({ ...node, parent: heir(node.parent) })) };
        }
        for (const id of gone) this.#seen.delete(id);
        this.projects = this.projects.filter((project) => !event.projects.includes(project.id));
        break;
      }
      case 'turn_added':
        if (open?.project.id === event.project && !open.turns.some((turn) => turn.id === event.turn.id)) {
          this.#open = { ...open, turns: [...open.turns, event.turn] };
        }
        break;
      case 'turns_changed':
        if (open?.project.id === event.project) {
          const changed = new Map(event.turns.map((turn) => [turn.id, turn]));
          this.#open = { ...open, turns: open.turns.map((turn) => changed.get(turn.id) ?? turn) };
        }
        break;
      default:
        break;
    }
  }

  #applyToJobs(event: StudioEvent): void {
    switch (event.kind) {
      case 'job_queued':
        if (!this.job(event.job.id)) this.jobs.push(event.job);
        break;
      case 'job_changed': {
        const job = this.job(event.job);
        if (!job) break;
        if (event.status.state === 'done' || event.status.state === 'cancelled') this.#removeJob(event.job);
        else job.status = event.status;
        // The program keeps steps only while their job runs.
        if (event.status.state === 'failed' || event.status.state === 'queued') job.preview = null;
        break;
      }
      case 'jobs_ordered': {
        const place = new Map(event.jobs.map((id, index) => [id, index]));
        const waiting = this.jobs
          .filter((job) => place.has(job.id))
          .sort((a, b) => (place.get(a.id) ?? 0) - (place.get(b.id) ?? 0));
        this.jobs = this.jobs.map((job) => (place.has(job.id) ? (waiting.shift() ?? job) : job));
        break;
      }
      case 'job_dismissed':
        this.#removeJob(event.job);
        break;
      case 'queue_paused':
        this.isPaused = event.is_paused;
        break;
      case 'text': {
        const job = this.job(event.job);
        if (!job) break;
        if (event.channel === 'plan') job.plan += event.delta;
        else job.answer += event.delta;
        break;
      }
      case 'plan_changed': {
        const job = this.job(event.job);
        if (job) job.plan = event.plan;
        break;
      }
      case 'preview': {
        const job = this.job(event.job);
        if (job) job.preview = event.preview;
        break;
      }
      default:
        break;
    }
  }

  get #bundled(): ModelCard | undefined {
    return this.models.find((card) => card.origin === 'bundled');
  }

  #card(id: ModelId): ModelCard | undefined {
    return this.models.find((card) => card.id === id);
  }

  #removeJob(id: JobId): void {
    this.jobs = this.jobs.filter((job) => job.id !== id);
  }
}

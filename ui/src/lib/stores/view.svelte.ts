import type { Job, JobId, Node, NodeId, ProjectId, PreviewId } from '$lib/ipc';
import type { LibraryState } from './library.svelte';

export type Place = 'studio' | 'gallery' | 'models' | 'settings';
export type InspectorTab = 'chat' | 'plan' | 'parameters' | 'recipe';
export type CompareMode = 'slider' | 'side' | 'difference';

/** A dialog that stands before everything else. */
export type Dialog =
  | { kind: 'keys' }
  | { kind: 'palette' }
  | { kind: 'close' }
  | { kind: 'tags'; nodes: Node[] }
  | { kind: 'repeat'; node: Node }
  | { kind: 'name'; title: string; value: string; onsave: (name: string) => void }
  | { kind: 'confirm'; title: string; text: string; action: string; onconfirm: () => void };

/** What the artist looks at. */
export class ViewState {
  place = $state<Place>('studio');
  project = $state<ProjectId | null>(null);
  /** The image in the middle, and the one that is edited or asked about. */
  nodeId = $state<NodeId | null>(null);
  /** The job whose steps are shown in place of the image. */
  jobId = $state<JobId | null>(null);
  tab = $state<InspectorTab>('chat');
  dialog = $state.raw<Dialog | null>(null);
  /** While held, the canvas shows what the image was made from. */
  showsOriginal = $state(false);

  isComparing = $state(false);
  compareMode = $state<CompareMode>('slider');
  /** How much of the other image the slider leaves, 0 to 100. */
  divider = $state(50);
  /** The steps of the image, when they are walked through. */
  scrub = $state.raw<{ node: NodeId; previews: PreviewId[]; index: number } | null>(null);

  /** Called when another project is to be shown; fetches it. */
  onEnterProject: (id: ProjectId) => void = () => {};

  #comparison = $state<NodeId | null>(null);
  /** From which image each was gone up to. */
  #childOf = new Map<NodeId, NodeId>();
  #library: LibraryState;

  constructor(library: LibraryState) {
    this.#library = library;
  }

  get node(): Node | undefined {
    return this.#library.node(this.nodeId);
  }

  get job(): Job | undefined {
    return this.jobId === null ? undefined : this.#library.job(this.jobId);
  }

  /** The image that the one in the middle is compared with. */
  get comparison(): Node | undefined {
    const chosen = this.#library.node(this.#comparison);
    if (chosen && chosen.id !== this.nodeId) return chosen;
    const { node } = this;
    if (!node) return undefined;
    const parent = this.#library.node(node.parent);
    return parent ?? this.#library.nodesOf(this.project).findLast((candidate) => candidate.id !== node.id);
  }

  compareWith(id: NodeId): void {
    this.#comparison = id;
    // A job's steps would hide it.
    this.jobId = null;
    this.isComparing = true;
  }

  select(id: NodeId): void {
    const node = this.#library.node(id);
    if (!node) return;
    this.#enter(node.project);
    this.nodeId = id;
    this.jobId = null;
    this.scrub = null;
    this.place = 'studio';
  }

  /** Shows a job's steps; what it is made from stays the image that is edited next. */
  watch(job: Job): void {
    const isElsewhere = this.project !== job.project;
    this.#enter(job.project);
    // An image of the project that was left is not what is edited next.
    if (isElsewhere) this.nodeId = job.image;
    else if (job.image !== null && this.#library.node(job.image)?.project === job.project) this.nodeId = job.image;
    this.jobId = job.id;
    if (job.status.state === 'planned') this.tab = 'plan';
    this.isComparing = false;
    this.scrub = null;
  }

  openProject(id: ProjectId): void {
    this.#enter(id);
    const newest = this.#library.nodesOf(id).at(-1)?.id;
    // Of a project that is not here yet, only some images may have been seen.
    this.nodeId = (this.#library.isOpen(id) ? newest : (this.#library.project(id)?.cover ?? newest)) ?? null;
    this.jobId = this.#library.jobsOf(id).find((job) => job.kind !== 'chat')?.id ?? null;
    this.place = 'studio';
  }

  newProject(): void {
    this.leaveProject();
    this.place = 'studio';
  }

  /** The next image begins a project; what is seen stays where it is. */
  leaveProject(): void {
    this.project = null;
    this.nodeId = null;
    this.jobId = null;
    this.isComparing = false;
    this.scrub = null;
  }

  /** To the image that this one was made from, or what that was made from where it is in the trash. */
  goToParent(): void {
    const ancestor = this.#ancestor;
    if (this.jobId !== null) this.jobId = null;
    else if (ancestor) {
      if (this.nodeId !== null) this.#childOf.set(ancestor.id, this.nodeId);
      this.select(ancestor.id);
    }
  }

  /** To the image that this one was gone up from, or else to the newest made from it. */
  goToChild(): void {
    const nodes = this.#library.nodesOf(this.project);
    const left = this.nodeId === null ? undefined : this.#childOf.get(this.nodeId);
    const child = nodes.find((node) => node.id === left) ?? nodes.findLast((node) => node.parent === this.nodeId);
    if (child) this.select(child.id);
  }

  /** The image in the middle is gone from sight: the nearest that is left takes its place. */
  replaceMissing(): void {
    const nodes = this.#library.nodesOf(this.project);
    if (nodes.some((node) => node.id === this.nodeId)) return;
    const ancestor = nodes.find((node) => node.id === this.#ancestor?.id);
    this.nodeId = (ancestor ?? nodes.at(-1))?.id ?? null;
  }

  /** The nearest of the images that led to the one in the middle which is not in the trash. */
  get #ancestor(): Node | undefined {
    const parentOf = (node: Node | undefined) => this.#library.node(node?.parent ?? null);
    let ancestor = parentOf(this.node);
    while (ancestor && ancestor.trashed_ms !== null) ancestor = parentOf(ancestor);
    return ancestor;
  }

  #enter(project: ProjectId): void {
    if (this.project !== project) {
      this.project = project;
      this.isComparing = false;
      this.#comparison = null;
    }
    this.onEnterProject(project);
  }
}

import type { Job, JobId, Node, NodeId, ProjectId, PreviewId } from '$lib/ipc';
import type { LibraryState } from './library.svelte';

export type Place = 'studio' | 'gallery' | 'models' | 'settings';
export type InspectorTab = 'chat' | 'plan' | 'parameters' | 'recipe';
export type CompareMode = 'slider' | 'side' | 'difference';

export type Dialog =
  | { kind: 'keys' }
  | { kind: 'palette' }
  | { kind: 'close' }
  | { kind: 'tags'; nodes: Node[] }
  | { kind: 'repeat'; node: Node }
  | { kind: 'name'; title: string; value: string; onsave: (name: string) => void }
  | { kind: 'confirm'; title: string; text: string; action: string; onconfirm: () => void };

/** What the window shows. */
export class ViewState {
  place = $state<Place>('studio');
  project = $state<ProjectId | null>(null);
  /** The current image: on the canvas, and the target of edits and chats. */
  nodeId = $state<NodeId | null>(null);
  /** The job whose steps are shown instead of the image. */
  jobId = $state<JobId | null>(null);
  tab = $state<InspectorTab>('chat');
  dialog = $state.raw<Dialog | null>(null);
  /** Whether the canvas shows the parent, while a key is held. */
  showsOriginal = $state(false);

  isComparing = $state(false);
  compareMode = $state<CompareMode>('slider');
  /** Position of the comparison slider, 0 to 100. */
  divider = $state(50);
  /** The image's steps while scrubbing through them. */
  scrub = $state.raw<{ node: NodeId; previews: PreviewId[]; index: number } | null>(null);

  /** Called when another project is opened; fetches it. */
  onEnterProject: (id: ProjectId) => void = () => {};

  #comparison = $state<NodeId | null>(null);
  /** The child that each image was last left from on the way up. */
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

  /** The image to compare the current one with. */
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
    // A job's steps would cover the comparison.
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

  /** Shows a job's steps; the image it is made from stays current. */
  watch(job: Job): void {
    const isElsewhere = this.project !== job.project;
    this.#enter(job.project);
    // Do not keep an image of another project as the target of the next edit.
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
    // Before the project is loaded, only some of its images may be known.
    this.nodeId = (this.#library.isOpen(id) ? newest : (this.#library.project(id)?.cover ?? newest)) ?? null;
    this.jobId = this.#library.jobsOf(id).find((job) => job.kind !== 'chat')?.id ?? null;
    this.place = 'studio';
  }

  newProject(): void {
    this.leaveProject();
    this.place = 'studio';
  }

  /** Starts a new project with the next image; the current one stays in view. */
  leaveProject(): void {
    this.project = null;
    this.nodeId = null;
    this.jobId = null;
    this.isComparing = false;
    this.scrub = null;
  }

  /** Goes to the nearest ancestor that is not in the trash. */
  goToParent(): void {
    const ancestor = this.#ancestor;
    if (this.jobId !== null) this.jobId = null;
    else if (ancestor) {
      if (this.nodeId !== null) this.#childOf.set(ancestor.id, this.nodeId);
      this.select(ancestor.id);
    }
  }

  /** Goes to the child that was last left for this image, or else to the newest child. */
  goToChild(): void {
    const nodes = this.#library.nodesOf(this.project);
    const left = this.nodeId === null ? undefined : this.#childOf.get(this.nodeId);
    const child = nodes.find((node) => node.id === left) ?? nodes.findLast((node) => node.parent === this.nodeId);
    if (child) this.select(child.id);
  }

  /** Replaces a current image that is gone by its nearest remaining relative. */
  replaceMissing(): void {
    const nodes = this.#library.nodesOf(this.project);
    if (nodes.some((node) => node.id === this.nodeId)) return;
    const ancestor = nodes.find((node) => node.id === this.#ancestor?.id);
    this.nodeId = (ancestor ?? nodes.at(-1))?.id ?? null;
  }

  /** The nearest ancestor of the current image that is not in the trash. */
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

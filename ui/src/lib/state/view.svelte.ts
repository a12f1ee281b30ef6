import type { Job, JobId, Node, NodeId, PieceId } from '$lib/ipc';
import type { LibraryState } from './library.svelte';

export type SideTab = 'ask' | 'plan' | 'dials' | 'recipe';

/** What the artist looks at. */
export class ViewState {
  piece = $state<PieceId | null>(null);
  /** The picture in the middle, and the one that is edited or asked about. */
  nodeId = $state<NodeId | null>(null);
  /** The job whose steps are shown in place of the picture. */
  jobId = $state<JobId | null>(null);
  side = $state<SideTab>('ask');
  /** While held, the canvas shows what the picture was made from. */
  showsOriginal = $state(false);

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

  select(id: NodeId): void {
    const node = this.#library.node(id);
    if (!node) return;
    this.piece = node.piece;
    this.nodeId = id;
    this.jobId = null;
  }

  /** Shows a job's steps; what it is made from stays the picture that is edited next. */
  watch(job: Job): void {
    this.piece = job.piece;
    if (job.picture !== null && this.#library.node(job.picture)?.piece === job.piece) this.nodeId = job.picture;
    this.jobId = job.id;
  }

  openPiece(id: PieceId): void {
    this.piece = id;
    this.nodeId = this.#library.nodesOf(id).at(-1)?.id ?? null;
    this.jobId = this.#library.jobsOf(id).find((job) => job.request !== 'ask')?.id ?? null;
  }

  newPiece(): void {
    this.piece = null;
    this.nodeId = null;
    this.jobId = null;
  }

  /** To the picture that this one was made from. */
  goToParent(): void {
    if (this.jobId !== null) this.jobId = null;
    else if (this.node?.parent) this.select(this.node.parent);
  }

  /** To the newest picture made from this one. */
  goToChild(): void {
    const child = this.#library.nodesOf(this.piece).findLast((node) => node.parent === this.nodeId);
    if (child) this.select(child.id);
  }
}

import type { Defaults, EngineState, ImageParameters, Job, JobId, Node, NodeId, Piece, PieceId, Snapshot, StudioEvent } from '$lib/ipc';
import { groupBy } from '$lib/shared/group';

/** Shown for the moment before the program has answered. */
const unknownDefaults: ImageParameters = {
  size: null,
  steps: 50,
  text_guidance: 4,
  image_guidance: 1.5,
  guidance_interval: [0.4, 1],
  renorm: 'global',
  renorm_min: 0,
  shift: 3,
  seed: null,
  sample_posterior: false,
  feature_cache: false,
};

/** What the program holds, as this window knows it. Changes only by events. */
export class LibraryState {
  engine = $state<EngineState>({ state: 'starting' });
  pieces = $state<Piece[]>([]);
  nodes = $state<Node[]>([]);
  jobs = $state<Job[]>([]);
  defaults = $state<Defaults>({ create: unknownDefaults, edit: unknownDefaults });

  #nodesById = $derived(new Map(this.nodes.map((node) => [node.id, node])));
  #nodesByPiece = $derived(groupBy(this.nodes, (node) => node.piece));

  node(id: NodeId | null): Node | undefined {
    return id === null ? undefined : this.#nodesById.get(id);
  }

  piece(id: PieceId | null): Piece | undefined {
    return this.pieces.find((piece) => piece.id === id);
  }

  nodesOf(piece: PieceId | null): Node[] {
    return (piece === null ? undefined : this.#nodesByPiece.get(piece)) ?? [];
  }

  jobsOf(piece: PieceId | null): Job[] {
    return this.jobs.filter((job) => job.piece === piece);
  }

  job(id: JobId): Job | undefined {
    return this.jobs.find((job) => job.id === id);
  }

  get running(): Job | undefined {
    return this.jobs.find((job) => job.status.state === 'running' || job.status.state === 'stopping');
  }

  get nWaiting(): number {
    return this.jobs.filter((job) => job.status.state === 'queued').length;
  }

  /** Longest side that the loaded model paints. */
  get maxSide(): number {
    return this.engine.state === 'ready' ? this.engine.model.max_side : 1024;
  }

  reset(snapshot: Snapshot): void {
    this.engine = snapshot.engine;
    this.pieces = snapshot.pieces;
    this.nodes = snapshot.nodes;
    this.jobs = snapshot.jobs;
    this.defaults = snapshot.defaults;
  }

  apply(event: StudioEvent): void {
    switch (event.kind) {
      case 'engine':
        this.engine = event.engine;
        break;
      case 'job_queued':
        this.jobs.push(event.job);
        break;
      case 'job_changed': {
        const job = this.job(event.job);
        if (!job) break;
        if (event.status.state === 'done' || event.status.state === 'cancelled') this.#removeJob(event.job);
        else job.status = event.status;
        // The program keeps steps only while their job runs.
        if (event.status.state === 'failed') job.preview = null;
        break;
      }
      case 'job_dismissed':
        this.#removeJob(event.job);
        break;
      case 'text': {
        const job = this.job(event.job);
        if (!job) break;
        if (event.channel === 'thought') job.thought += event.delta;
        else job.answer += event.delta;
        break;
      }
      case 'preview': {
        const job = this.job(event.job);
        if (job) job.preview = event.preview;
        break;
      }
      case 'piece_added':
        this.pieces.push(event.piece);
        break;
      case 'node_added':
        this.nodes.push(event.node);
        break;
      case 'turn_added':
        this.piece(event.piece)?.turns.push(event.turn);
        break;
      case 'arrived':
      case 'dragging':
      case 'lagged':
        break;
    }
  }

  #removeJob(id: JobId): void {
    this.jobs = this.jobs.filter((job) => job.id !== id);
  }
}

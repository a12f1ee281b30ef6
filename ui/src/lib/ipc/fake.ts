/**
 * A program that pretends: it paints gradients in a second. The window can be
 * developed against it in any browser, and tests need no engine.
 */
import type { Host } from './host';
import type { ImageParameters, JobId } from './protocol';
import type { Job, JobStatus, NewJob, Node, NodeId, Piece, Snapshot, StudioEvent } from './studio';

const STEPS = 24;
const STEP_MS = 90;
const DEFAULTS: ImageParameters = {
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

export function fakeHost(): Host {
  const urls = new Map<string, string>();
  const jobs = new Map<JobId, Job>();
  const nodes = new Map<NodeId, Node>();
  const pieces = new Map<string, Piece>();
  let listener: (events: StudioEvent[]) => void = () => {};
  let count = 0;

  const name = () => `fake-${String((count += 1)).padStart(4, '0')}`;
  const tell = (...events: StudioEvent[]) => listener(events);
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  function set(job: Job, status: JobStatus) {
    job.status = status;
    tell({ kind: 'job_changed', job: job.id, status });
  }

  function add(node: Node) {
    if (!pieces.has(node.piece)) {
      const piece: Piece = { id: node.piece, title: node.title, turns: [], created_ms: Date.now() };
      pieces.set(piece.id, piece);
      tell({ kind: 'piece_added', piece });
    }
    nodes.set(node.id, node);
    tell({ kind: 'node_added', node });
  }

  async function paint(job: Job, size: { width: number; height: number }) {
    if (job.instruction.startsWith('fail')) {
      const message = '1024 × 1024 needs 14.2 GB, and 9.1 GB are free; try 768 × 768';
      return set(job, { state: 'failed', failure: { code: 'out_of_device_memory', message } });
    }
    for (let step = 1; step <= STEPS; step += 1) {
      await wait(STEP_MS);
      if (job.status.state === 'stopping') return set(job, { state: 'cancelled' });
      set(job, { state: 'running', phase: { name: 'painting', step, steps: STEPS } });
      const preview = name();
      urls.set(preview, gradient(job.instruction, size, 1 - step / STEPS));
      tell({ kind: 'preview', job: job.id, preview });
    }
    const node: Node = {
      id: name(),
      piece: job.piece,
      parent: job.request === 'edit' ? job.picture : null,
      references: job.references,
      origin: job.request === 'edit' ? 'edited' : 'created',
      title: job.instruction,
      size,
      seed: 1834,
      thought: null,
      created_ms: Date.now(),
    };
    urls.set(node.id, gradient(job.instruction, size, 0));
    add(node);
    set(job, { state: 'done', node: node.id });
  }

  async function answer(job: Job) {
    const text = 'A quiet harbour at dusk: one sailing boat, dark hills, and a sky going from rose to violet.';
    set(job, { state: 'running', phase: { name: 'writing' } });
    let said = '';
    for (const delta of text.match(/\S+\s*/g) ?? []) {
      await wait(STEP_MS);
      if (job.status.state === 'stopping') break;
      said += delta;
      tell({ kind: 'text', job: job.id, channel: 'answer', delta });
    }
    const turn = {
      question: job.instruction,
      pictures: job.picture ? [job.picture] : [],
      answer: said,
      stopped: job.status.state === 'stopping',
      created_ms: Date.now(),
    };
    if (!pieces.has(job.piece)) {
      const piece: Piece = { id: job.piece, title: job.instruction, turns: [], created_ms: Date.now() };
      pieces.set(piece.id, piece);
      tell({ kind: 'piece_added', piece });
    }
    tell({ kind: 'turn_added', piece: job.piece, turn });
    set(job, { state: 'done', node: null });
  }

  return {
    subscribe(newListener): Promise<Snapshot> {
      listener = newListener;
      return Promise.resolve({
        engine: {
          state: 'ready',
          model: {
            name: 'pocket',
            hash: '0'.repeat(64),
            quantization: 'q8_0',
            parameters: 12_000_000,
            memory_bytes: 14 << 20,
            device: 'cpu',
            max_side: 1024,
          },
          devices: [
            { id: 'cpu', name: 'Processor', memory_bytes: 16 * 2 ** 30, free_bytes: 9 * 2 ** 30, compute_capability: null },
          ],
        },
        pieces: [...pieces.values()],
        nodes: [...nodes.values()],
        jobs: [...jobs.values()],
        defaults: { create: DEFAULTS, edit: { ...DEFAULTS, image_guidance: 2 } },
      });
    },
    submit(request: NewJob) {
      const id = name();
      const picture = request.picture ? nodes.get(request.picture) : undefined;
      const job: Job = {
        id,
        piece: request.piece ?? picture?.piece ?? name(),
        request: request.request,
        instruction: request.instruction,
        picture: request.picture,
        references: request.references,
        size: request.image.size,
        status: { state: 'queued' },
        thought: '',
        answer: '',
        preview: null,
      };
      jobs.set(id, job);
      tell({ kind: 'job_queued', job: structuredClone(job) });
      const size = job.size ?? picture?.size ?? { width: 1024, height: 768 };
      void (job.request === 'ask' ? answer(job) : paint(job, size)).then(() => {
        if (job.status.state !== 'failed') jobs.delete(id);
      });
      return Promise.resolve(id);
    },
    cancel(id) {
      const job = jobs.get(id);
      if (job) set(job, { state: 'stopping' });
      return Promise.resolve();
    },
    dismiss(job) {
      jobs.delete(job);
      tell({ kind: 'job_dismissed', job });
      return Promise.resolve();
    },
    openPictures() {
      const size = { width: 1024, height: 768 };
      const node: Node = {
        id: name(),
        piece: name(),
        parent: null,
        references: [],
        origin: 'imported',
        title: 'harbour.jpg',
        size,
        seed: null,
        thought: null,
        created_ms: Date.now(),
      };
      urls.set(node.id, gradient('harbour', size, 0));
      add(node);
      tell({ kind: 'arrived', nodes: [node.id], failures: [], position: null });
      return Promise.resolve();
    },
    pastePicture() {
      return this.openPictures();
    },
    exportPicture: () => Promise.resolve('harbour.png'),
    chooseModel: () => Promise.resolve(),
    retryEngine: () => Promise.resolve(),
    pictureUrl: (node) => urls.get(node) ?? '',
    thumbnailUrl: (node) => urls.get(node) ?? '',
    previewUrl: (preview) => urls.get(preview) ?? '',
  };
}

/** A dusk whose colours depend on the words, behind some noise. */
function gradient(words: string, size: { width: number; height: number }, noise: number): string {
  const canvas = document.createElement('canvas');
  canvas.width = size.width / 4;
  canvas.height = size.height / 4;
  const context = canvas.getContext('2d');
  if (!context) return '';
  const hue = [...words].reduce((sum, letter) => sum + letter.charCodeAt(0) * 7, 0) % 360;
  const sky = context.createLinearGradient(0, 0, 0, canvas.height);
  sky.addColorStop(0, `hsl(${String(hue)} 45% 26%)`);
  sky.addColorStop(0.6, `hsl(${String((hue + 60) % 360)} 55% 62%)`);
  sky.addColorStop(0.62, `hsl(${String(hue)} 40% 30%)`);
  sky.addColorStop(1, `hsl(${String(hue)} 45% 16%)`);
  context.fillStyle = sky;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalAlpha = noise;
  for (let spot = 0; spot < 900 * noise; spot += 1) {
    context.fillStyle = `hsl(${String(Math.random() * 360)} 40% 50%)`;
    context.fillRect(Math.random() * canvas.width, Math.random() * canvas.height, 12, 12);
  }
  return canvas.toDataURL();
}

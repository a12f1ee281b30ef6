import { beforeEach, expect, test, vi } from 'vitest';
import type { Host, Job, NewJob, Node, Snapshot, StudioEvent } from '$lib/ipc';
import { Application } from './application.svelte';

const parameters = {
  size: null,
  steps: 50,
  text_guidance: 4,
  image_guidance: 1.5,
  guidance_interval: [0.4, 1] as [number, number],
  renorm: 'global' as const,
  renorm_min: 0,
  shift: 3,
  seed: null,
  sample_posterior: false,
  feature_cache: false,
};

const snapshot: Snapshot = {
  engine: { state: 'starting' },
  pieces: [],
  nodes: [],
  jobs: [],
  defaults: { create: parameters, edit: { ...parameters, image_guidance: 2 } },
};

function node(id: string, parent: string | null = null, piece = 'p1'): Node {
  return {
    id,
    parent,
    piece,
    references: [],
    origin: parent ? 'edited' : 'imported',
    title: id,
    size: { width: 64, height: 64 },
    seed: null,
    thought: null,
    created_ms: 0,
  };
}

function jobOf(id: string, request: NewJob): Job {
  return {
    id,
    piece: request.piece ?? 'p1',
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
}

let sent: NewJob[];
let cancelled: string[];
let studio: Application;

beforeEach(async () => {
  sent = [];
  cancelled = [];
  const host: Host = {
    subscribe: () => Promise.resolve(structuredClone(snapshot)),
    submit: (job) => Promise.resolve(`job-${String(sent.push(job))}`),
    cancel: (job) => Promise.resolve(void cancelled.push(job)),
    dismiss: () => Promise.resolve(),
    openPictures: () => Promise.reject({ code: 'bad_input', message: 'no' }),
    pastePicture: () => Promise.resolve(),
    exportPicture: () => Promise.resolve(null),
    chooseModel: () => Promise.resolve(),
    retryEngine: () => Promise.resolve(),
    pictureUrl: (id) => id,
    thumbnailUrl: (id) => id,
    previewUrl: (id) => id,
  };
  studio = new Application(host);
  await studio.start();
});

function arrive(...nodes: Node[]) {
  const added: StudioEvent[] = nodes.map((n) => ({ kind: 'node_added', node: n }));
  studio.receive([...added, { kind: 'arrived', nodes: nodes.map((n) => n.id), failures: [], position: null }]);
}

async function submit(instruction: string): Promise<Job> {
  studio.composer.instruction = instruction;
  await studio.submit();
  const job = jobOf(`job-${String(sent.length)}`, sent[sent.length - 1] as NewJob);
  studio.receive([{ kind: 'job_queued', job }]);
  return job;
}

test('what to do is chosen by what is there, and can be chosen otherwise', () => {
  expect(studio.composer.mode).toBe('create');
  arrive(node('a'));
  expect(studio.composer.mode).toBe('edit');
  studio.composer.mode = 'ask';
  expect(studio.composer.mode).toBe('ask');
  studio.newPiece();
  expect(studio.composer.mode).toBe('create');
});

test('an edit names the picture in the middle, a creation none', async () => {
  arrive(node('a'));
  await submit('red sails');
  expect(sent[0]).toMatchObject({ request: 'edit', picture: 'a', piece: 'p1', image: { size: null, image_guidance: 2 } });
  studio.composer.mode = 'create';
  await submit('a boat');
  expect(sent[1]).toMatchObject({ request: 'create', picture: null, image: { size: { width: 1024, height: 1024 } } });
});

test('the view follows a job to its picture', async () => {
  arrive(node('a'));
  const job = await submit('red sails');
  expect(studio.view.jobId).toBe(job.id);
  studio.receive([
    { kind: 'node_added', node: node('b', 'a') },
    { kind: 'job_changed', job: job.id, status: { state: 'done', node: 'b' } },
  ]);
  expect(studio.view.jobId).toBeNull();
  expect(studio.view.nodeId).toBe('b');
  studio.view.goToParent();
  expect(studio.view.nodeId).toBe('a');
  studio.view.goToChild();
  expect(studio.view.nodeId).toBe('b');
});

test('a result does not take the view from an artist who looks elsewhere', async () => {
  arrive(node('a'));
  const job = await submit('red sails');
  studio.view.select('a');
  studio.receive([
    { kind: 'node_added', node: node('b', 'a') },
    { kind: 'job_changed', job: job.id, status: { state: 'done', node: 'b' } },
  ]);
  expect(studio.view.nodeId).toBe('a');
});

test('a second request does not take the view from the first', async () => {
  arrive(node('a'));
  const first = await submit('red sails');
  studio.receive([
    { kind: 'job_changed', job: first.id, status: { state: 'running', phase: { name: 'painting', step: 1, steps: 9 } } },
  ]);
  await submit('a lighthouse');
  expect(studio.view.jobId).toBe(first.id);
});

test('stopping stops what is shown, or else what runs', async () => {
  arrive(node('a'));
  const job = await submit('red sails');
  studio.stop();
  expect(cancelled).toEqual([job.id]);
});

test('dropped pictures open, or join as references when dropped on the line', () => {
  arrive(node('a'));
  studio.isTray = ({ y }) => y > 500;
  studio.receive([
    { kind: 'node_added', node: node('c', null, 'p2') },
    { kind: 'arrived', nodes: ['c'], failures: [], position: [10, 600] },
  ]);
  expect(studio.composer.references).toEqual(['c']);
  expect(studio.view.nodeId).toBe('a');
  studio.receive([
    { kind: 'node_added', node: node('d', null, 'p3') },
    { kind: 'arrived', nodes: ['d'], failures: [{ code: 'bad_input', message: 'x' }], position: [10, 10] },
  ]);
  expect(studio.view.nodeId).toBe('d');
  expect(studio.composer.references).toEqual([]);
  expect(studio.notices).toHaveLength(1);
});

test('streamed text gathers in its job, and a failure takes the words back into the line', async () => {
  const job = await submit('a boat');
  studio.receive([
    { kind: 'text', job: job.id, channel: 'thought', delta: 'A red ' },
    { kind: 'text', job: job.id, channel: 'thought', delta: 'circle' },
    { kind: 'job_changed', job: job.id, status: { state: 'failed', failure: { code: 'internal', message: 'x' } } },
  ]);
  expect(studio.library.job(job.id)?.thought).toBe('A red circle');
  expect(studio.view.side).toBe('plan');
  expect(studio.composer.instruction).toBe('');
  studio.revise(job.id);
  expect(studio.composer.instruction).toBe('a boat');
});

test('a refusal of the program is told, and does not go unseen', async () => {
  vi.useFakeTimers();
  studio.openPictures();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(studio.notices.map((notice) => notice.failure?.message)).toEqual(['no']);
  vi.useRealTimers();
});

test('instructions of before come back with the arrows', async () => {
  await submit('one');
  await submit('two');
  studio.composer.recall(-1);
  expect(studio.composer.instruction).toBe('two');
  studio.composer.recall(-1);
  studio.composer.recall(-1);
  expect(studio.composer.instruction).toBe('one');
  studio.composer.recall(1);
  studio.composer.recall(1);
  expect(studio.composer.instruction).toBe('');
});

test('dials stand at the defaults of what is done, until they are turned', () => {
  expect(studio.composer.dial('image_guidance')).toBe(1.5);
  arrive(node('a'));
  expect(studio.composer.dial('image_guidance')).toBe(2);
  studio.composer.setDial('steps', 12);
  studio.composer.seed = 7;
  expect(studio.composer.isDefault).toBe(false);
  studio.composer.resetDials();
  expect(studio.composer.isDefault).toBe(true);
});

import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { EngineState, Install, Job, ModelCard, NewJob, Node, RecipeView, StudioEvent } from '$lib/ipc';
import { Application } from './application.svelte';
import { contents, hostOf, image, jobOf, node, piece, snapshot } from './fixtures';

let sent: NewJob[];
let calls: [name: string, ...values: unknown[]][];
let studio: Application;
/** What the program holds of a piece. */
let held: Map<string, Node[]>;

beforeEach(async () => {
  sent = [];
  held = new Map();
  const made = hostOf({
    subscribe: () => Promise.resolve(structuredClone(snapshot)),
    abilities: () => Promise.resolve([]),
    submit: (job) => Promise.resolve([`job-${String(sent.push(job))}`]),
    openPictures: () => Promise.reject({ code: 'bad_input', message: 'no' }),
    piece: (id) => Promise.resolve(contents(id, held.get(id) ?? [])),
    nodes: (ids) => Promise.resolve([...held.values()].flat().filter((one) => ids.includes(one.id))),
  });
  calls = made.calls;
  studio = new Application(made.host);
  await studio.start();
});

const asked = (name: string) => calls.filter((call) => call[0] === name).map((call) => call.slice(1));

/** Lets the program answer. */
const answered = () => vi.waitFor(() => Promise.resolve());

async function arrive(...nodes: Node[]) {
  for (const one of nodes) held.set(one.piece, [...(held.get(one.piece) ?? []), one]);
  const added: StudioEvent[] = nodes.map((n) => ({ kind: 'node_added', node: n }));
  const arrivals = nodes.map((n) => ({ node: n.id, is_known: false, has_recipe: n.has_recipe }));
  studio.receive([...added, { kind: 'arrived', arrivals, failures: [], position: null }]);
  await answered();
}

async function submit(instruction: string, first = false): Promise<Job> {
  studio.composer.instruction = instruction;
  await studio.jobs.submit(first);
  const job = jobOf(`job-${String(sent.length)}`, sent[sent.length - 1] as NewJob);
  studio.receive([{ kind: 'job_queued', job }]);
  return job;
}

function finish(job: Job, result: Node) {
  held.set(result.piece, [...(held.get(result.piece) ?? []), result]);
  studio.receive([
    { kind: 'node_added', node: result },
    { kind: 'job_changed', job: job.id, status: { state: 'done', node: result.id } },
  ]);
}

test('what to do is chosen by what is there, and can be chosen otherwise', async () => {
  expect(studio.composer.mode).toBe('create');
  await arrive(node('a'));
  expect(studio.composer.mode).toBe('edit');
  studio.composer.mode = 'ask';
  expect(studio.composer.mode).toBe('ask');
  studio.newPiece();
  expect(studio.composer.mode).toBe('create');
});

test('an edit names the picture in the middle, a creation none', async () => {
  await arrive(node('a'));
  await submit('red sails');
  expect(sent[0]).toMatchObject({ request: 'edit', picture: 'a', piece: 'p1', image: { size: null, image_guidance: 2 } });
  studio.composer.mode = 'create';
  studio.composer.variations = 4;
  await submit('a boat', true);
  expect(sent[1]).toMatchObject({ picture: null, image: { size: { width: 1024, height: 1024 } }, variations: 4, first: true });
});

test('the view follows a job to its picture', async () => {
  await arrive(node('a'));
  const job = await submit('red sails');
  expect(studio.view.jobId).toBe(job.id);
  finish(job, node('b', 'a'));
  expect(studio.view.jobId).toBeNull();
  expect(studio.view.nodeId).toBe('b');
  studio.view.goToParent();
  expect(studio.view.nodeId).toBe('a');
  studio.view.goToChild();
  expect(studio.view.nodeId).toBe('b');
});

test('a result does not take the view from an artist who looks elsewhere', async () => {
  await arrive(node('a'));
  const job = await submit('red sails');
  studio.view.select('a');
  finish(job, node('b', 'a'));
  expect(studio.view.nodeId).toBe('a');
});

test('a result is followed where that is wanted, but never under words that are being written', async () => {
  studio.receive([{ kind: 'settings', settings: { ...snapshot.settings, follows: true } }]);
  await arrive(node('a'));
  const first = await submit('red sails');
  studio.view.select('a');
  studio.composer.instruction = 'and';
  finish(first, node('b', 'a'));
  expect(studio.view.nodeId).toBe('a');
  const second = await submit('red sails');
  studio.view.select('a');
  finish(second, node('c', 'a'));
  expect(studio.view.nodeId).toBe('c');
});

test('a second request does not take the view from the first', async () => {
  await arrive(node('a'));
  const first = await submit('red sails');
  studio.receive([
    { kind: 'job_changed', job: first.id, status: { state: 'running', phase: { name: 'painting', step: 1, steps: 9 } } },
  ]);
  await submit('a lighthouse');
  expect(studio.view.jobId).toBe(first.id);
});

test('stopping stops what is shown, or else what runs', async () => {
  await arrive(node('a'));
  const job = await submit('red sails');
  studio.jobs.stop();
  expect(asked('cancel')).toEqual([[job.id]]);
});

test('dropped pictures open, or join as references when dropped on the line', async () => {
  await arrive(node('a'));
  studio.isTray = ({ y }) => y > 500;
  const arrived = (id: string, y: number, failures = 0): StudioEvent => ({
    kind: 'arrived',
    arrivals: [{ node: id, is_known: false, has_recipe: false }],
    failures: Array.from({ length: failures }, () => ({ code: 'bad_input', message: 'x' })),
    position: [10, y],
  });
  studio.receive([{ kind: 'node_added', node: node('c', null, 'p2') }, arrived('c', 600)]);
  expect(studio.composer.references).toEqual(['c']);
  expect(studio.view.nodeId).toBe('a');
  held.set('p3', [node('d', null, 'p3')]);
  studio.receive([{ kind: 'node_added', node: node('d', null, 'p3') }, arrived('d', 10, 1)]);
  expect(studio.view.nodeId).toBe('d');
  expect(studio.composer.references).toEqual([]);
  expect(studio.notices.all).toHaveLength(1);
});

test('a picture that was in the library before is found again', async () => {
  held.set('p9', [node('old', null, 'p9')]);
  studio.receive([
    { kind: 'arrived', arrivals: [{ node: 'old', is_known: true, has_recipe: false }], failures: [], position: null },
  ]);
  await vi.waitFor(() => expect(studio.view.nodeId).toBe('old'));
  expect(studio.view.piece).toBe('p9');
});

test('streamed text gathers in its job, and a failure takes the words back into the line', async () => {
  const job = await submit('a boat');
  studio.receive([
    { kind: 'text', job: job.id, channel: 'thought', delta: 'A red ' },
    { kind: 'text', job: job.id, channel: 'thought', delta: 'circle' },
    { kind: 'job_changed', job: job.id, status: { state: 'failed', failure: { code: 'internal', message: 'x' }, remedies: [] } },
  ]);
  expect(studio.library.job(job.id)?.thought).toBe('A red circle');
  expect(studio.view.side).toBe('plan');
  expect(studio.composer.instruction).toBe('');
  studio.jobs.revise(job.id);
  expect(studio.composer.instruction).toBe('a boat');
});

test('a remedy sends the same request with one thing changed, first in the queue', async () => {
  await arrive(node('a'));
  const job = await submit('wider');
  const size = { width: 512, height: 512 };
  studio.jobs.remedy(studio.library.job(job.id) as Job, { kind: 'smaller_size', size });
  await answered();
  expect(sent[1]).toMatchObject({ instruction: 'wider', picture: 'a', image: { size }, first: true });
  await vi.waitFor(() => expect(asked('dismiss')).toEqual([[job.id]]));
});

test('a plan that was changed is what is painted', async () => {
  const job = await submit('a boat');
  studio.receive([
    { kind: 'text', job: job.id, channel: 'thought', delta: '<think>A boat.</think>' },
    { kind: 'job_changed', job: job.id, status: { state: 'planned' } },
  ]);
  const held = studio.library.job(job.id) as Job;
  studio.plans.change(job.id, 'Two boats.');
  studio.plans.paint(held);
  expect(asked('paintPlan')).toEqual([[job.id, 'Two boats.']]);
  await vi.waitFor(() => expect(studio.plans.text(held)).toBe('A boat.'));
  studio.plans.paint(held);
  expect(asked('paintPlan')[1]).toEqual([job.id, 'A boat.']);
});

test('the thinking control says what happens to the plan', async () => {
  studio.composer.thinking = 'edit';
  await submit('a boat');
  expect(sent[0]).toMatchObject({ thinking: { kind: 'on' }, pauses_after_plan: true });
  studio.composer.plan = 'Two boats.';
  await submit('boats');
  expect(sent[1]).toMatchObject({
    thinking: { kind: 'given', thought: '<think>Two boats.</think>' },
    pauses_after_plan: false,
  });
  expect(studio.composer.plan).toBeNull();
});

test('a refusal of the program is told, and does not go unseen', async () => {
  vi.useFakeTimers();
  studio.openPictures();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(studio.notices.all.map((notice) => notice.failure?.message)).toEqual(['no']);
  vi.useRealTimers();
});

test('what goes to the trash leaves the view to its parent, and can be brought back', async () => {
  const [a, b] = [node('a'), node('b', 'a')];
  await arrive(a);
  held.set('p1', [a, b]);
  studio.receive([{ kind: 'node_added', node: b }]);
  studio.view.select('b');
  studio.pictures.trash([b]);
  await answered();
  studio.receive([{ kind: 'nodes_changed', nodes: [{ ...b, trashed_ms: 1 }] }]);
  expect(studio.view.nodeId).toBe('a');
  await vi.waitFor(() => expect(studio.notices.all).toHaveLength(1));
  studio.notices.all[0]?.action?.run();
  expect(asked('restore')).toEqual([[['b']]]);
});

test('nobody comes to a picture in the trash by going back', async () => {
  const [a, b, c] = [node('a'), node('b', 'a'), node('c', 'b')];
  await arrive(a, b, c);
  studio.view.select('c');
  studio.receive([{ kind: 'nodes_changed', nodes: [{ ...b, trashed_ms: 1 }] }]);
  studio.view.goToParent();
  expect(studio.view.nodeId).toBe('a');
  studio.view.select('c');
  studio.receive([{ kind: 'nodes_changed', nodes: [{ ...a, trashed_ms: 1 }] }]);
  studio.view.goToParent();
  expect(studio.view.nodeId).toBe('c');
});

test('a piece opens at its cover, whatever else of it was seen', async () => {
  held.set('p7', [node('x', null, 'p7'), node('y', 'x', 'p7')]);
  studio.receive([{ kind: 'piece_changed', piece: piece('p7', { cover: 'y' }) }]);
  studio.library.remember([node('x', null, 'p7')]);
  studio.openPiece('p7');
  expect(studio.view.nodeId).toBe('y');
  await vi.waitFor(() => expect(studio.library.isOpen('p7')).toBe(true));
  expect(studio.view.nodeId).toBe('y');
});

test('a picture that is compared is not hidden by a job', async () => {
  await arrive(node('a'), node('b', 'a'));
  const job = await submit('red sails');
  expect(studio.view.jobId).toBe(job.id);
  studio.view.compareWith('b');
  expect([studio.view.jobId, studio.view.other?.id]).toEqual([null, 'b']);
});

test('a piece is fetched when it is opened, and what happens meanwhile is not lost', async () => {
  held.set('p7', [node('x', null, 'p7')]);
  studio.receive([{ kind: 'piece_changed', piece: piece('p7', { cover: 'x' }) }]);
  studio.openPiece('p7');
  studio.receive([{ kind: 'node_added', node: node('y', 'x', 'p7') }]);
  await vi.waitFor(() => expect(studio.library.nodesOf('p7').map((one) => one.id)).toEqual(['x', 'y']));
  expect(studio.view.nodeId).toBe('x');
});

test('after events were lost everything is asked for again, and the view stays', async () => {
  await arrive(node('a'));
  studio.receive([{ kind: 'lagged' }]);
  await vi.waitFor(() => expect(asked('subscribe')).toHaveLength(2));
  await vi.waitFor(() => expect(studio.library.node('a')).toBeDefined());
  expect(studio.view.nodeId).toBe('a');
});

test('the queue stands in the order the program gives it', async () => {
  const jobs = [await submit('one'), await submit('two'), await submit('three')];
  studio.receive([{ kind: 'jobs_ordered', jobs: [jobs[2], jobs[0], jobs[1]].map((job) => job?.id ?? '') }]);
  expect(studio.library.waiting.map((job) => job.instruction)).toEqual(['three', 'one', 'two']);
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

test('words in the line survive a walk through those of before', async () => {
  await submit('one');
  studio.composer.instruction = 'half a thou';
  studio.composer.recall(1);
  expect(studio.composer.instruction).toBe('half a thou');
  studio.composer.recall(-1);
  expect(studio.composer.instruction).toBe('one');
  studio.composer.recall(1);
  expect(studio.composer.instruction).toBe('half a thou');
});

test('the line is free as soon as a request is sent, and gets its words back when it is not taken', async () => {
  let refuse: (error: unknown) => void = () => {};
  const made = hostOf({
    subscribe: () => Promise.resolve(structuredClone(snapshot)),
    abilities: () => Promise.resolve([]),
    submit: () => new Promise((_, reject) => (refuse = reject)),
  });
  const other = new Application(made.host);
  await other.start();
  other.composer.instruction = 'a boat';
  const sending = other.jobs.submit();
  expect(other.composer.instruction).toBe('');
  await other.jobs.submit();
  expect(made.calls.filter(([name]) => name === 'submit')).toHaveLength(1);
  refuse({ code: 'disk_full', message: 'no' });
  await sending;
  expect(other.composer.instruction).toBe('a boat');
  expect(other.notices.all).toHaveLength(1);
});

test('stopping leaves a plan that waits to be read, and stops what runs beside it', async () => {
  const planned = await submit('a plan');
  studio.receive([{ kind: 'job_changed', job: planned.id, status: { state: 'planned' } }]);
  const running = await submit('a boat');
  const phase = { name: 'painting', step: 1, steps: 9 } as const;
  studio.receive([{ kind: 'job_changed', job: running.id, status: { state: 'running', phase } }]);
  studio.view.watch(planned);
  studio.jobs.stop();
  expect(asked('cancel')).toEqual([[running.id]]);
});

test('a job that is tried again stays in view', async () => {
  const job = await submit('a boat');
  const failure = { code: 'internal', message: 'x' } as const;
  studio.receive([{ kind: 'job_changed', job: job.id, status: { state: 'failed', failure, remedies: [] } }]);
  expect(studio.view.jobId).toBe(job.id);
  studio.receive([{ kind: 'job_dismissed', job: job.id }, { kind: 'job_queued', job }]);
  expect(studio.view.jobId).toBe(job.id);
});

test('a job that was put away does not keep another from coming back into view', async () => {
  const [first, second] = [await submit('one'), await submit('two')];
  for (const { id } of [first, second]) studio.receive([{ kind: 'job_changed', job: id, status: { state: 'interrupted' } }]);
  studio.view.watch(first);
  studio.receive([{ kind: 'job_dismissed', job: first.id }]);
  studio.view.watch(second);
  studio.receive([{ kind: 'job_dismissed', job: second.id }, { kind: 'job_queued', job: second }]);
  expect(studio.view.jobId).toBe(second.id);
});

test('a job of another piece brings its own picture along, or none', async () => {
  await arrive(node('a'));
  const edit = { ...jobOf('e', studio.composer.job()), piece: 'p2', picture: 'b' };
  studio.receive([{ kind: 'job_queued', job: edit }]);
  studio.view.watch(edit);
  expect(studio.view.nodeId).toBe('b');
  studio.view.watch({ ...edit, id: 'c', piece: 'p3', picture: null, request: 'create' });
  expect(studio.view.nodeId).toBeNull();
});

test('what hung on a removed picture hangs on what that was made from', async () => {
  await arrive(node('a'));
  await arrive(node('b', 'a'), node('c', 'b'));
  studio.receive([{ kind: 'nodes_removed', nodes: ['b'], pieces: [] }]);
  expect(studio.library.nodesOf('p1').find((one) => one.id === 'c')?.parent).toBe('a');
});

test('a piece that went with its last picture is left, and no longer listed', async () => {
  await arrive(node('a'));
  studio.receive([{ kind: 'piece_changed', piece: piece('p1', { cover: 'a' }) }]);
  studio.view.place = 'gallery';
  studio.receive([{ kind: 'nodes_removed', nodes: ['a'], pieces: ['p1'] }]);
  expect(studio.library.pieces.map(({ id }) => id)).not.toContain('p1');
  expect([studio.view.piece, studio.view.nodeId, studio.view.place]).toEqual([null, null, 'gallery']);
});

test('a size chosen for a creation is not an edit’s', async () => {
  studio.composer.shape = 'custom';
  studio.composer.customSize = { width: 512, height: 256 };
  await arrive(node('a'));
  expect(studio.composer.size).toBeNull();
  studio.composer.mode = 'create';
  expect(studio.composer.size).toEqual({ width: 512, height: 256 });
});

test('files chosen as references join the line, and the next ones open again', async () => {
  for (const one of [node('s', null, 'p3'), node('r', null, 'p2'), node('a')]) await arrive(one);
  const arrived = (id: string): StudioEvent => ({ kind: 'arrived', arrivals: [{ node: id, is_known: true, has_recipe: false }], failures: [], position: null });
  await studio.openReferences();
  studio.receive([arrived('r')]);
  await answered();
  expect(studio.composer.references).toEqual(['r']);
  expect(studio.view.nodeId).toBe('a');
  studio.receive([arrived('s')]);
  await answered();
  expect(studio.view.nodeId).toBe('s');
});

test('a choice of references that was given up does not end the next one', async () => {
  for (const one of [node('r', null, 'p2'), node('a')]) await arrive(one);
  vi.useFakeTimers();
  await studio.openReferences();
  await vi.advanceTimersByTimeAsync(900);
  const choosing = studio.openReferences();
  await vi.advanceTimersByTimeAsync(200);
  await choosing;
  studio.receive([{ kind: 'arrived', arrivals: [{ node: 'r', is_known: true, has_recipe: false }], failures: [], position: null }]);
  await vi.advanceTimersByTimeAsync(0);
  vi.useRealTimers();
  expect([studio.view.nodeId, studio.composer.references]).toEqual(['a', ['r']]);
});

test('a reference dropped on the line of a creation makes it an edit', async () => {
  for (const one of [node('r', null, 'p2'), node('a')]) await arrive(one);
  studio.composer.mode = 'create';
  studio.isTray = () => true;
  studio.receive([{ kind: 'arrived', arrivals: [{ node: 'r', is_known: true, has_recipe: false }], failures: [], position: [1, 1] }]);
  await answered();
  expect(studio.composer.mode).toBe('edit');
  expect(studio.composer.references).toEqual(['r']);
});

test('a picture that is edited is not a reference beside itself', async () => {
  await arrive(node('a'), node('r', 'a'), node('x', 'a'), node('y', 'a'));
  studio.composer.references = [];
  studio.composer.addReferences(['r', 'x', 'a']);
  expect(studio.composer.references).toEqual(['r', 'x']);
  studio.view.select('x');
  expect(studio.composer.beside).toEqual(['r']);
  await submit('red sails');
  expect(sent[0]).toMatchObject({ picture: 'x', references: ['r'] });
  studio.view.select('a');
  expect(studio.composer.beside).toEqual(['r', 'x']);
  studio.view.select('r');
  studio.composer.addReferences(['y', 'a']);
  expect(studio.composer.references).toEqual(['x', 'y', 'a']);
});

test('dials beside a question are those of the next edit', async () => {
  await arrive(node('a'));
  studio.composer.mode = 'ask';
  expect(studio.composer.dial('image_guidance')).toBe(2);
  studio.composer.applyPreset({ name: 'x', image: { ...image, steps: 15 } });
  studio.composer.setDial('image_guidance', 3);
  studio.composer.mode = 'edit';
  expect([studio.composer.dial('steps'), studio.composer.dial('image_guidance')]).toEqual([15, 3]);
  const question = { ...jobOf('q', { ...studio.composer.job(), request: 'ask', image: { ...image, seed: 9, steps: 50 } }) };
  studio.composer.takeJob(question);
  expect([studio.composer.mode, studio.composer.dial('steps'), studio.composer.seed]).toEqual(['ask', 15, null]);
});

test('a proposed question leaves the line and its plan alone', async () => {
  await arrive(node('a'));
  studio.composer.instruction = 'half a thou';
  studio.composer.plan = 'Two boats.';
  studio.jobs.ask('What is in this picture?');
  expect(sent[0]).toMatchObject({ request: 'ask', instruction: 'What is in this picture?', picture: 'a', thinking: { kind: 'off' } });
  expect([studio.composer.instruction, studio.composer.plan]).toEqual(['half a thou', 'Two boats.']);
  await answered();
  expect(studio.composer.instruction).toBe('half a thou');
});

test('dials stand at the defaults of what is done, until they are turned', async () => {
  expect(studio.composer.dial('image_guidance')).toBe(1.5);
  await arrive(node('a'));
  expect(studio.composer.dial('image_guidance')).toBe(2);
  studio.composer.setDial('steps', 12);
  studio.composer.seed = 7;
  expect(studio.composer.isDefault).toBe(false);
  studio.composer.resetDials();
  expect(studio.composer.isDefault).toBe(true);
});

test('a preset turns the dials, and leaves size and seed alone', async () => {
  studio.composer.seed = 5;
  studio.composer.applyPreset({ name: 'x', image: { ...image, steps: 15, seed: 9, size: { width: 16, height: 16 } } });
  await submit('a boat');
  expect(sent[0]?.image).toMatchObject({ steps: 15, seed: 5, size: { width: 1024, height: 1024 } });
});

test('a recipe is taken field by field, or whole with the pictures it read', async () => {
  await arrive(node('a'), node('r', null, 'p2'));
  const recipe: RecipeView = {
    request: 'edit',
    instruction: 'red sails',
    image: { ...image, steps: 21, seed: 77, text_guidance: 6 },
    thought: 'A plan.',
    pictures: ['r', 'a'],
    n_missing: 0,
    model: 'pocket',
    is_present_model: true,
    engine: null,
    unknown: [],
  };
  studio.composer.mode = 'create';
  studio.composer.take(recipe, 'steps');
  expect(studio.composer.dial('steps')).toBe(21);
  expect(studio.composer.instruction).toBe('');
  studio.recipes.takeAll(recipe);
  expect(studio.composer.references).toEqual(['r']);
  expect(studio.composer.job()).toMatchObject({
    request: 'edit',
    instruction: 'red sails',
    picture: 'a',
    references: ['r'],
    thinking: { kind: 'given' },
    image: { seed: 77, steps: 21, text_guidance: 6 },
  });
});

test('references keep the order they are given', () => {
  studio.composer.addReferences(['a', 'b', 'c']);
  studio.composer.moveReference('c', 0);
  expect(studio.composer.references).toEqual(['c', 'a', 'b']);
  studio.composer.moveReference('c', 99);
  expect(studio.composer.references).toEqual(['a', 'b', 'c']);
  studio.refer(['d', 'c', 'e']);
  expect(studio.composer.references).toEqual(['a', 'b', 'c']);
  expect(studio.notices.all.map(({ text }) => text)).toEqual([expect.stringContaining('2 pictures were left out')]);
});

test('of five files the first opens, three join the line, and the last is told of', async () => {
  await arrive(...['a', 'b', 'c', 'd', 'e'].map((id, index) => node(id, null, `p${String(index)}`)));
  expect([studio.view.nodeId, studio.composer.references]).toEqual(['a', ['b', 'c', 'd']]);
  expect(studio.notices.all.map(({ text }) => text)).toEqual([expect.stringContaining('1 picture was left out')]);
});

test('a picture pasted in the line joins the one that is there, and can be opened instead', async () => {
  const paste = async (as: 'picture' | 'reference', id: string) => {
    await studio.paste(new Blob(), as);
    await arrive(node(id, null, id));
  };
  await paste('reference', 'a');
  expect(studio.view.nodeId).toBe('a');
  await paste('reference', 'b');
  expect([studio.view.nodeId, studio.composer.references]).toEqual(['a', ['b']]);
  await paste('picture', 'c');
  expect([studio.view.nodeId, studio.composer.references]).toEqual(['c', []]);
  await paste('reference', 'd');
  studio.notices.all.at(-1)?.action?.run();
  await vi.waitFor(() => expect(studio.view.nodeId).toBe('d'));
  expect(studio.composer.references).toEqual([]);
});

test('what happens before the snapshot is here is not lost with it', async () => {
  const job = jobOf('early', studio.composer.job());
  const early: StudioEvent[] = [
    { kind: 'job_changed', job: 'early', status: { state: 'done', node: null } },
    { kind: 'queue_paused', is_paused: true },
  ];
  const made = hostOf({
    subscribe: async (listener) => {
      listener(early);
      await Promise.resolve();
      return { ...structuredClone(snapshot), jobs: [{ ...job, status: { state: 'running', phase: { name: 'saving' } } }] };
    },
    abilities: () => Promise.resolve([]),
  });
  const other = new Application(made.host);
  await other.start();
  expect(other.library.running).toBeUndefined();
  expect(other.library.isPaused).toBe(true);
});

test('comparing is with what a picture was made from, until another is chosen', async () => {
  const nodes = [node('a'), node('b', 'a'), node('c', 'b')];
  held.set('p1', nodes);
  studio.receive([{ kind: 'piece_changed', piece: piece('p1', { cover: 'c' }) }]);
  studio.openPiece('p1');
  await vi.waitFor(() => expect(studio.library.nodesOf('p1')).toHaveLength(3));
  expect(studio.view.other?.id).toBe('b');
  studio.view.compareWith('a');
  expect(studio.view.other?.id).toBe('a');
  studio.view.select('a');
  expect(studio.view.other?.id).toBe('c');
});

test('a branch is made again from another picture, edit by edit', async () => {
  const recipeOf = (id: string): RecipeView => ({
    request: 'edit',
    instruction: `make ${id}`,
    image: { ...image, seed: 5, size: { width: 32, height: 32 } },
    thought: id === 'd' ? 'a plan' : null,
    pictures: ['reference', 'parent'],
    n_missing: 0,
    model: 'x',
    is_present_model: true,
    engine: null,
    unknown: [],
  });
  const made = hostOf({
    subscribe: () => Promise.resolve(structuredClone(snapshot)),
    abilities: () => Promise.resolve([]),
    submit: (job) => Promise.resolve([`job-${String(sent.push(job))}`]),
    recipe: (id) => Promise.resolve(recipeOf(id)),
    piece: (id) => Promise.resolve(contents(id, held.get(id) ?? [])),
  });
  studio = new Application(made.host);
  await studio.start();
  const [c, d, other] = [node('c', 'b'), node('d', 'c'), node('other', 'a')];
  await arrive(node('a'), node('b', 'a'), c, d, other);
  studio.view.select('other');
  await studio.repeat.start([c, d], other);
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({ instruction: 'make c', picture: 'other', piece: 'p1', references: ['reference'], thinking: { kind: 'off' } });
  expect(sent[0]?.image).toMatchObject({ seed: 5, size: null });
  const first = jobOf('job-1', sent[0] as NewJob);
  studio.receive([{ kind: 'job_queued', job: first }]);
  expect(studio.view.jobId).toBe('job-1');
  expect(sent).toHaveLength(1);
  finish(first, node('c2', 'other'));
  await answered();
  expect(sent[1]).toMatchObject({ instruction: 'make d', picture: 'c2', thinking: { kind: 'given', thought: '<think>a plan</think>' } });
  const second = jobOf('job-2', sent[1] as NewJob);
  studio.receive([{ kind: 'job_queued', job: second }]);
  finish(second, node('d2', 'c2'));
  await answered();
  expect(sent).toHaveLength(2);
  expect(studio.view.nodeId).toBe('d2');
  // One that is stopped on its way goes no further.
  await studio.repeat.start([c, d], other);
  expect(sent).toHaveLength(3);
  studio.receive([{ kind: 'job_changed', job: 'job-3', status: { state: 'cancelled' } }]);
  studio.receive([{ kind: 'job_changed', job: 'job-3', status: { state: 'done', node: 'd2' } }]);
  await answered();
  expect(sent).toHaveLength(3);
  // What was not made is said, and made when that is asked for.
  const news = () => studio.notices.all.at(-1);
  expect(news()?.text).toBe('2 edits of the branch were not made');
  news()?.action?.run();
  await answered();
  expect(sent[3]).toMatchObject({ instruction: 'make c', picture: 'other' });
  const third = jobOf('job-4', sent[3] as NewJob);
  studio.receive([{ kind: 'job_queued', job: third }]);
  finish(third, node('c3', 'other'));
  await answered();
  // One that failed goes on by itself where it is tried again.
  const fourth = jobOf('job-5', sent[4] as NewJob);
  const failure = { code: 'device_lost', message: 'x' } as const;
  studio.receive([{ kind: 'job_queued', job: fourth }, { kind: 'job_changed', job: 'job-5', status: { state: 'failed', failure, remedies: [] } }]);
  expect(news()?.text).toBe('1 edit of the branch was not made');
  news()?.action?.run();
  expect(made.calls.filter(([name]) => name === 'retry')).toEqual([['retry', 'job-5']]);
  studio.receive([{ kind: 'job_dismissed', job: 'job-5' }, { kind: 'job_queued', job: fourth }]);
  finish(fourth, node('d3', 'c3'));
  expect([sent.length, news()?.text]).toEqual([5, 'The branch is repeated']);
});

test('what the model cannot read any more is left out of a question that failed, which is asked again', async () => {
  const job = await submit('What is missing?');
  studio.jobs.remedy(job, { kind: 'leave_out', turns: ['t1', 't2'] });
  await vi.waitFor(() => expect(asked('retry')).toEqual([[job.id]]));
  expect(asked('leaveOut')).toEqual([[['t1', 't2'], true]]);
  expect(sent).toHaveLength(1);
});

test('a model that has come, or that could not, is told of with the next thing to do', () => {
  const install = (stage: Install['stage']): Install => ({ quantization: 'q4_k_m', removes_source: false, stage, bytes: 1, total_bytes: 2, bytes_per_sec: null });
  const card = (isInstalled: boolean, coming: Install | null) =>
    ({ id: 'full', name: { en: 'BAGEL 7B', zh: 'BAGEL 7B' }, forms: [{ quantization: 'q4_k_m', is_installed: isInstalled }], install: coming }) as ModelCard;
  const tell = (coming: Install | null) => studio.receive([{ kind: 'install', model: 'full', install: coming }]);
  const news = () => studio.notices.all.at(-1);
  studio.receive([{ kind: 'models', models: [card(false, null)] }]);
  const failure = { code: 'network', message: 'timed out' } as const;
  tell(install({ stage: 'downloading' }));
  studio.receive([{ kind: 'notice', failure }]);
  tell(install({ stage: 'failed', failure }));
  expect(studio.notices.all).toHaveLength(1);
  expect(news()).toMatchObject({ text: 'Installing BAGEL 7B', failure });
  news()?.action?.run();
  expect(asked('installModel')).toEqual([['full', 'q4_k_m', null]]);
  studio.notices.all = [];
  // It is given up.
  tell(null);
  studio.receive([{ kind: 'models', models: [card(false, null)] }]);
  expect(studio.notices.all).toEqual([]);
  tell(install({ stage: 'converting' }));
  tell(null);
  studio.receive([{ kind: 'models', models: [card(true, null)] }, { kind: 'models', models: [card(true, null)] }]);
  expect(studio.notices.all.map(({ text }) => text)).toEqual(['BAGEL 7B is ready to be used, in Q4_K_M']);
  news()?.action?.run();
  expect(asked('useModel')).toEqual([[{ model: 'full', quantization: 'q4_k_m' }]]);
  // What is wrong is seen where the model stands.
  studio.notices.all = [];
  studio.view.place = 'models';
  tell(install({ stage: 'failed', failure }));
  expect(studio.notices.all).toEqual([]);
});

test('a model is called what is loaded, whatever the settings name', () => {
  const card = { id: 'pocket', name: { en: 'Pocket model', zh: '口袋模型' }, origin: 'bundled', max_side: 128 } as ModelCard;
  const model = { name: 'mini', hash: '', quantization: 'f32', parameters: 1, memory_bytes: 1, device: 'cpu', max_side: 64 };
  const ready = { state: 'ready', model, choice: null, is_pocket: false, devices: [] } as const;
  const told = (engine: EngineState) => {
    studio.receive([{ kind: 'models', models: [card] }, { kind: 'engine', engine }]);
    return [studio.library.modelName('en'), studio.library.isPocket];
  };
  expect(told({ ...ready, devices: [] })).toEqual(['mini', false]);
  expect(told({ ...ready, devices: [], is_pocket: true })).toEqual(['Pocket model', true]);
  expect(told({ ...ready, devices: [], choice: { model: 'pocket', quantization: 'q8_0' }, is_pocket: true })).toEqual(['Pocket model', true]);
  expect(told({ state: 'idle', name: 'mini' })).toEqual(['mini', false]);
  expect(told({ state: 'idle', name: 'Pocket model' })).toEqual(['Pocket model', true]);
  expect(told({ state: 'loading', name: 'mini', bytes: 0, total_bytes: 1 })).toEqual(['mini', false]);
  expect(studio.library.modelName('zh')).toBe('mini');
});

test('whether another model painted a picture is asked again of each that is loaded', async () => {
  let loaded = '';
  const recipe = () => ({ model: 'mini', pictures: [], is_present_model: loaded === 'mini' }) as Partial<RecipeView> as RecipeView;
  const made = hostOf({
    subscribe: () => Promise.resolve({ ...structuredClone(snapshot), engine: { state: 'starting' } }),
    abilities: () => Promise.resolve([]),
    piece: (id) => Promise.resolve(contents(id, [node('a')])),
    recipe: () => Promise.resolve(recipe()),
  });
  studio = new Application(made.host);
  await studio.start();
  await arrive(node('a'));
  const load = (hash: string) => {
    const model = { name: hash, hash, quantization: 'f32', parameters: 1, memory_bytes: 1, device: 'cpu', max_side: 64 };
    loaded = hash;
    studio.receive([{ kind: 'engine', engine: { state: 'ready', model, choice: null, is_pocket: false, devices: [] } }]);
  };
  const told = async () => {
    const before = studio.recipes.otherModel;
    await studio.recipes.read('a');
    return [before, studio.recipes.otherModel];
  };
  expect(await told()).toEqual([null, null]);
  load('mini');
  expect(await told()).toEqual([null, null]);
  load('large');
  expect(await told()).toEqual([null, 'mini']);
  expect(await told()).toEqual(['mini', 'mini']);
  expect(made.calls.filter(([name]) => name === 'recipe')).toHaveLength(3);
});

test('a plan comes into sight with its first word, and what is chosen after that stays', async () => {
  await arrive(node('a'));
  const job = await submit('red sails');
  const word = (delta: string) => {
    studio.receive([{ kind: 'text', job: job.id, channel: 'thought', delta }]);
  };
  studio.view.side = 'ask';
  word('The ');
  expect(studio.view.side).toBe('plan');
  studio.view.side = 'ask';
  word('boat');
  expect(studio.view.side).toBe('ask');
});

test('going down the history goes back to where it was left, past what is in the trash', async () => {
  await arrive(node('a'), node('b', 'a'), node('c', 'a'), node('e', 'c'));
  studio.view.select('b');
  studio.view.goToParent();
  expect(studio.view.nodeId).toBe('a');
  studio.view.goToChild();
  expect(studio.view.nodeId).toBe('b');
  studio.view.select('e');
  studio.receive([{ kind: 'nodes_changed', nodes: [node('c', 'a', 'p1', { trashed_ms: 1 })] }]);
  studio.view.goToParent();
  expect(studio.view.nodeId).toBe('a');
  studio.view.goToChild();
  expect(studio.view.nodeId).toBe('e');
});

test('words that something takes the place of are found again', () => {
  studio.composer.instruction = 'half a thought';
  studio.composer.replaceWords('another');
  expect(studio.composer.instruction).toBe('another');
  studio.composer.recall(-1);
  expect(studio.composer.instruction).toBe('half a thought');
});

test('an instruction that was recalled and changed is not walked away from', async () => {
  await submit('a boat');
  studio.composer.recall(-1);
  studio.composer.instruction = 'a boat with red sails';
  studio.composer.recall(1);
  expect(studio.composer.instruction).toBe('a boat with red sails');
  studio.composer.recall(-1);
  studio.composer.recall(1);
  expect(studio.composer.instruction).toBe('a boat with red sails');
});

test('two pictures pasted in the line one after the other both join it', async () => {
  await arrive(node('a'));
  await Promise.all([studio.paste(new Blob(), 'reference'), studio.paste(new Blob(), 'reference')]);
  await arrive(node('b', null, 'p2'));
  await arrive(node('c', null, 'p3'));
  expect(studio.composer.references).toEqual(['b', 'c']);
  expect(studio.view.nodeId).toBe('a');
});

test('what waits for the model can be stopped', async () => {
  expect(studio.jobs.canStop).toBe(false);
  const job = await submit('a boat');
  expect(studio.jobs.canStop).toBe(true);
  studio.jobs.stop();
  expect(asked('cancel')).toEqual([[job.id]]);
});

test('a result does not change what is to be done with the words that are being written', async () => {
  const job = await submit('a boat');
  studio.composer.instruction = 'a fox in grass';
  finish(job, node('b'));
  expect(studio.view.nodeId).toBe('b');
  expect(studio.composer.mode).toBe('create');
  await submit('a fox in grass');
  expect(sent[1]).toMatchObject({ request: 'create' });
  expect(studio.composer.mode).toBe('edit');
});

test('a question that was proposed leaves the words in the line for what they were written for', async () => {
  await arrive(node('a'));
  studio.composer.instruction = 'make it blue';
  studio.jobs.ask('What is in this picture?');
  expect(sent[0]).toMatchObject({ request: 'ask' });
  expect(studio.composer.instruction).toBe('make it blue');
  expect(studio.composer.mode).toBe('edit');
});

test('a picture that is in the trash, or gone, is not answered with another one', async () => {
  await arrive(node('a'), node('b', 'a'));
  studio.view.select('a');
  held.set('p1', [node('a'), node('b', 'a', 'p1', { trashed_ms: 1 })]);
  studio.receive([{ kind: 'nodes_changed', nodes: [node('b', 'a', 'p1', { trashed_ms: 1 })] }]);
  await studio.openNode('b');
  expect(studio.view.nodeId).toBe('a');
  const [notice] = studio.notices.all;
  expect(notice?.text).toContain('trash');
  notice?.action?.run();
  expect(asked('restore')).toEqual([[['b']]]);
  await studio.openNode('nowhere');
  expect(studio.view.nodeId).toBe('a');
  expect(studio.notices.all).toHaveLength(2);
});

test('a plan that was changed is still changed in the next window, until its request is gone', async () => {
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) });
  onTestFinished(() => void vi.unstubAllGlobals());
  const job = await submit('a boat');
  studio.plans.change(job.id, 'Two boats.');
  const next = async (jobs: Job[]) => {
    const { host } = hostOf({ subscribe: () => Promise.resolve({ ...structuredClone(snapshot), jobs }), abilities: () => Promise.resolve([]) });
    const other = new Application(host);
    await other.start();
    return other.plans.text(job);
  };
  expect(await next([job])).toBe('Two boats.');
  expect(await next([])).toBe('');
});

test('what ended while nothing was heard is not waited for', async () => {
  await arrive(node('a'));
  const job = await submit('red sails');
  expect(studio.view.jobId).toBe(job.id);
  studio.receive([{ kind: 'lagged' }]);
  await vi.waitFor(() => expect(studio.view.jobId).toBeNull());
  expect(studio.view.nodeId).toBe('a');
});

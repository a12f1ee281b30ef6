import { expect, test, vi } from 'vitest';
import type { StudioEvent } from '$lib/ipc';
import { parameters, jobOf, node } from './fixtures';
import { answered, arrive, finish, held, sent, studio, submit } from './harness';

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
  expect(sent[0]).toMatchObject({ request: 'edit', picture: 'a', piece: 'p1', parameters: { size: null, image_guidance: 2 } });
  studio.composer.mode = 'create';
  studio.composer.variations = 4;
  await submit('a boat', true);
  expect(sent[1]).toMatchObject({ picture: null, parameters: { size: { width: 1024, height: 1024 } }, variations: 4, first: true });
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
  studio.composer.applyPreset({ name: 'x', parameters: { ...parameters, steps: 15 } });
  studio.composer.setDial('image_guidance', 3);
  studio.composer.mode = 'edit';
  expect([studio.composer.dial('steps'), studio.composer.dial('image_guidance')]).toEqual([15, 3]);
  const question = { ...jobOf('q', { ...studio.composer.job(), request: 'ask', parameters: { ...parameters, seed: 9, steps: 50 } }) };
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
  studio.composer.applyPreset({ name: 'x', parameters: { ...parameters, steps: 15, seed: 9, size: { width: 16, height: 16 } } });
  await submit('a boat');
  expect(sent[0]?.parameters).toMatchObject({ steps: 15, seed: 5, size: { width: 1024, height: 1024 } });
});

test('references keep the order they are given', () => {
  studio.composer.addReferences(['a', 'b', 'c']);
  studio.composer.moveReference('c', 0);
  expect(studio.composer.references).toEqual(['c', 'a', 'b']);
  studio.composer.moveReference('c', 99);
  expect(studio.composer.references).toEqual(['a', 'b', 'c']);
  studio.refer(['d', 'c', 'e']);
  expect(studio.composer.references).toEqual(['a', 'b', 'c']);
  expect(studio.notices.all.map(({ text }) => text?.())).toEqual([expect.stringContaining('2 pictures were left out')]);
});

test('of five files the first opens, three join the line, and the last is told of', async () => {
  await arrive(...['a', 'b', 'c', 'd', 'e'].map((id, index) => node(id, null, `p${String(index)}`)));
  expect([studio.view.nodeId, studio.composer.references]).toEqual(['a', ['b', 'c', 'd']]);
  expect(studio.notices.all.map(({ text }) => text?.())).toEqual([expect.stringContaining('1 picture was left out')]);
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

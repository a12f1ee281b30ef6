import { expect, test, vi } from 'vitest';
import type { StudioEvent } from '$lib/ipc';
import { parameters, jobOf, node } from '$lib/testing/fixtures';
import { answered, arrive, finish, held, sent, studio, submit } from '$lib/testing/harness';

test('the mode follows what is open until the user chooses one', async () => {
  expect(studio.composer.mode).toBe('generate');
  await arrive(node('a'));
  expect(studio.composer.mode).toBe('edit');
  studio.composer.mode = 'chat';
  expect(studio.composer.mode).toBe('chat');
  studio.newProject();
  expect(studio.composer.mode).toBe('generate');
});

test('an edit names the current image, and a generation names none', async () => {
  await arrive(node('a'));
  await submit('red sails');
  expect(sent[0]).toMatchObject({ kind: 'edit', image: 'a', project: 'p1', parameters: { size: null, image_guidance: 2 } });
  studio.composer.mode = 'generate';
  studio.composer.variations = 4;
  await submit('a boat', true);
  expect(sent[1]).toMatchObject({ image: null, parameters: { size: { width: 1024, height: 1024 } }, variations: 4, first: true });
});

test('dropped images open, or become references when dropped on the composer', async () => {
  await arrive(node('a'));
  studio.isReferenceStripAt = ({ y }) => y > 500;
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
  expect(studio.toasts.all).toHaveLength(1);
});

test('arrow keys bring back earlier prompts', async () => {
  await submit('one');
  await submit('two');
  studio.composer.recall(-1);
  expect(studio.composer.prompt).toBe('two');
  studio.composer.recall(-1);
  studio.composer.recall(-1);
  expect(studio.composer.prompt).toBe('one');
  studio.composer.recall(1);
  studio.composer.recall(1);
  expect(studio.composer.prompt).toBe('');
});

test('an unsent prompt survives a walk through the earlier ones', async () => {
  await submit('one');
  studio.composer.prompt = 'half a thou';
  studio.composer.recall(1);
  expect(studio.composer.prompt).toBe('half a thou');
  studio.composer.recall(-1);
  expect(studio.composer.prompt).toBe('one');
  studio.composer.recall(1);
  expect(studio.composer.prompt).toBe('half a thou');
});

test('a size chosen for generating does not apply to edits', async () => {
  studio.composer.shape = 'custom';
  studio.composer.customSize = { width: 512, height: 256 };
  await arrive(node('a'));
  expect(studio.composer.size).toBeNull();
  studio.composer.mode = 'generate';
  expect(studio.composer.size).toEqual({ width: 512, height: 256 });
});

test('chosen reference files are added, and the next files open again', async () => {
  for (const one of [node('s', null, 'p3'), node('r', null, 'p2'), node('a')]) await arrive(one);
  const arrived = (id: string): StudioEvent => ({
    kind: 'arrived',
    arrivals: [{ node: id, is_known: true, has_recipe: false }],
    failures: [],
    position: null,
  });
  await studio.openReferences();
  studio.receive([arrived('r')]);
  await answered();
  expect(studio.composer.references).toEqual(['r']);
  expect(studio.view.nodeId).toBe('a');
  studio.receive([arrived('s')]);
  await answered();
  expect(studio.view.nodeId).toBe('s');
});

test('canceling one choice of references does not end the next', async () => {
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

test('a reference dropped while generating switches to editing', async () => {
  for (const one of [node('r', null, 'p2'), node('a')]) await arrive(one);
  studio.composer.mode = 'generate';
  studio.isReferenceStripAt = () => true;
  studio.receive([{ kind: 'arrived', arrivals: [{ node: 'r', is_known: true, has_recipe: false }], failures: [], position: [1, 1] }]);
  await answered();
  expect(studio.composer.mode).toBe('edit');
  expect(studio.composer.references).toEqual(['r']);
});

test('the edited image is not its own reference', async () => {
  await arrive(node('a'), node('r', 'a'), node('x', 'a'), node('y', 'a'));
  studio.composer.references = [];
  studio.composer.addReferences(['r', 'x', 'a']);
  expect(studio.composer.references).toEqual(['r', 'x']);
  studio.view.select('x');
  expect(studio.composer.sentReferences).toEqual(['r']);
  await submit('red sails');
  expect(sent[0]).toMatchObject({ image: 'x', references: ['r'] });
  studio.view.select('a');
  expect(studio.composer.sentReferences).toEqual(['r', 'x']);
  studio.view.select('r');
  studio.composer.addReferences(['y', 'a']);
  expect(studio.composer.references).toEqual(['x', 'y', 'a']);
});

test('parameters set while chatting apply to the next edit', async () => {
  await arrive(node('a'));
  studio.composer.mode = 'chat';
  expect(studio.composer.parameter('image_guidance')).toBe(2);
  studio.composer.applyPreset({ name: 'x', parameters: { ...parameters, steps: 15 } });
  studio.composer.setParameter('image_guidance', 3);
  studio.composer.mode = 'edit';
  expect([studio.composer.parameter('steps'), studio.composer.parameter('image_guidance')]).toEqual([15, 3]);
  const question = { ...jobOf('q', { ...studio.composer.buildJob(), kind: 'chat', parameters: { ...parameters, seed: 9, steps: 50 } }) };
  studio.composer.applyJob(question);
  expect([studio.composer.mode, studio.composer.parameter('steps'), studio.composer.seed]).toEqual(['chat', 15, null]);
});

test('a suggested question leaves the prompt and its plan alone', async () => {
  await arrive(node('a'));
  studio.composer.prompt = 'half a thou';
  studio.composer.plan = 'Two boats.';
  studio.jobs.submitChat('What is in this image?');
  expect(sent[0]).toMatchObject({ kind: 'chat', prompt: 'What is in this image?', image: 'a', thinking: { kind: 'off' } });
  expect([studio.composer.prompt, studio.composer.plan]).toEqual(['half a thou', 'Two boats.']);
  await answered();
  expect(studio.composer.prompt).toBe('half a thou');
});

test('parameters have the defaults of their mode until they are changed', async () => {
  expect(studio.composer.parameter('image_guidance')).toBe(1.5);
  await arrive(node('a'));
  expect(studio.composer.parameter('image_guidance')).toBe(2);
  studio.composer.setParameter('steps', 12);
  studio.composer.seed = 7;
  expect(studio.composer.isDefault).toBe(false);
  studio.composer.resetParameters();
  expect(studio.composer.isDefault).toBe(true);
});

test('a preset sets the parameters but not size and seed', async () => {
  studio.composer.seed = 5;
  studio.composer.applyPreset({ name: 'x', parameters: { ...parameters, steps: 15, seed: 9, size: { width: 16, height: 16 } } });
  await submit('a boat');
  expect(sent[0]?.parameters).toMatchObject({ steps: 15, seed: 5, size: { width: 1024, height: 1024 } });
});

test('references keep the given order', () => {
  studio.composer.addReferences(['a', 'b', 'c']);
  studio.composer.moveReference('c', 0);
  expect(studio.composer.references).toEqual(['c', 'a', 'b']);
  studio.composer.moveReference('c', 99);
  expect(studio.composer.references).toEqual(['a', 'b', 'c']);
  studio.addReferences(['d', 'c', 'e']);
  expect(studio.composer.references).toEqual(['a', 'b', 'c']);
  expect(studio.toasts.all.map(({ text }) => text?.())).toEqual([expect.stringContaining('2 images were not added')]);
});

test('the first of five files opens, three become references, and the last is reported', async () => {
  await arrive(...['a', 'b', 'c', 'd', 'e'].map((id, index) => node(id, null, `p${String(index)}`)));
  expect([studio.view.nodeId, studio.composer.references]).toEqual(['a', ['b', 'c', 'd']]);
  expect(studio.toasts.all.map(({ text }) => text?.())).toEqual([expect.stringContaining('1 image was not added')]);
});

test('an image pasted in the prompt becomes a reference and can be opened instead', async () => {
  const paste = async (as: 'image' | 'reference', id: string) => {
    await studio.paste(new Blob(), as);
    await arrive(node(id, null, id));
  };
  await paste('reference', 'a');
  expect(studio.view.nodeId).toBe('a');
  await paste('reference', 'b');
  expect([studio.view.nodeId, studio.composer.references]).toEqual(['a', ['b']]);
  await paste('image', 'c');
  expect([studio.view.nodeId, studio.composer.references]).toEqual(['c', []]);
  await paste('reference', 'd');
  studio.toasts.all.at(-1)?.action?.run();
  await vi.waitFor(() => expect(studio.view.nodeId).toBe('d'));
  expect(studio.composer.references).toEqual([]);
});

test('a replaced prompt is kept in the prompt history', () => {
  studio.composer.prompt = 'half a plan';
  studio.composer.replacePrompt('another');
  expect(studio.composer.prompt).toBe('another');
  studio.composer.recall(-1);
  expect(studio.composer.prompt).toBe('half a plan');
});

test('an earlier prompt that was changed is not replaced by the arrow keys', async () => {
  await submit('a boat');
  studio.composer.recall(-1);
  studio.composer.prompt = 'a boat with red sails';
  studio.composer.recall(1);
  expect(studio.composer.prompt).toBe('a boat with red sails');
  studio.composer.recall(-1);
  studio.composer.recall(1);
  expect(studio.composer.prompt).toBe('a boat with red sails');
});

test('two images pasted one after the other both become references', async () => {
  await arrive(node('a'));
  await Promise.all([studio.paste(new Blob(), 'reference'), studio.paste(new Blob(), 'reference')]);
  await arrive(node('b', null, 'p2'));
  await arrive(node('c', null, 'p3'));
  expect(studio.composer.references).toEqual(['b', 'c']);
  expect(studio.view.nodeId).toBe('a');
});

test('a result does not change the mode while a prompt is being written', async () => {
  const job = await submit('a boat');
  studio.composer.prompt = 'a fox in grass';
  finish(job, node('b'));
  expect(studio.view.nodeId).toBe('b');
  expect(studio.composer.mode).toBe('generate');
  await submit('a fox in grass');
  expect(sent[1]).toMatchObject({ kind: 'generate' });
  expect(studio.composer.mode).toBe('edit');
});

test('reusing a question does not change what the prompt is for', async () => {
  await arrive(node('a'));
  studio.composer.prompt = 'make it blue';
  studio.jobs.submitChat('What is in this image?');
  expect(sent[0]).toMatchObject({ kind: 'chat' });
  expect(studio.composer.prompt).toBe('make it blue');
  expect(studio.composer.mode).toBe('edit');
});

import { expect, test, vi } from 'vitest';
import { node, project } from '$lib/testing/fixtures';
import { arrive, held, studio, submit } from '$lib/testing/harness';

test('going back skips images in the trash', async () => {
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

test('a project opens at its cover, whichever of its images are known', async () => {
  held.set('p7', [node('x', null, 'p7'), node('y', 'x', 'p7')]);
  studio.receive([{ kind: 'project_changed', project: project('p7', { cover: 'y' }) }]);
  studio.library.remember([node('x', null, 'p7')]);
  studio.openProject('p7');
  expect(studio.view.nodeId).toBe('y');
  await vi.waitFor(() => expect(studio.library.isOpen('p7')).toBe(true));
  expect(studio.view.nodeId).toBe('y');
});

test('a comparison is not covered by a job', async () => {
  await arrive(node('a'), node('b', 'a'));
  const job = await submit('red sails');
  expect(studio.view.jobId).toBe(job.id);
  studio.view.compareWith('b');
  expect([studio.view.jobId, studio.view.comparison?.id]).toEqual([null, 'b']);
});

test('children of a removed image move to its parent', async () => {
  await arrive(node('a'));
  await arrive(node('b', 'a'), node('c', 'b'));
  studio.receive([{ kind: 'nodes_removed', nodes: ['b'], projects: [] }]);
  expect(studio.library.nodesOf('p1').find((one) => one.id === 'c')?.parent).toBe('a');
});

test('a project deleted with its last image is left and no longer listed', async () => {
  await arrive(node('a'));
  studio.receive([{ kind: 'project_changed', project: project('p1', { cover: 'a' }) }]);
  studio.view.place = 'gallery';
  studio.receive([{ kind: 'nodes_removed', nodes: ['a'], projects: ['p1'] }]);
  expect(studio.library.projects.map(({ id }) => id)).not.toContain('p1');
  expect([studio.view.project, studio.view.nodeId, studio.view.place]).toEqual([null, null, 'gallery']);
});

test('the comparison is with the parent until another image is chosen', async () => {
  const nodes = [node('a'), node('b', 'a'), node('c', 'b')];
  held.set('p1', nodes);
  studio.receive([{ kind: 'project_changed', project: project('p1', { cover: 'c' }) }]);
  studio.openProject('p1');
  await vi.waitFor(() => expect(studio.library.nodesOf('p1')).toHaveLength(3));
  expect(studio.view.comparison?.id).toBe('b');
  studio.view.compareWith('a');
  expect(studio.view.comparison?.id).toBe('a');
  studio.view.select('a');
  expect(studio.view.comparison?.id).toBe('c');
});

test('going down the history returns to the child that was left, unless it is in the trash', async () => {
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

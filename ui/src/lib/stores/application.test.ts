import { expect, onTestFinished, test, vi } from 'vitest';
import { en } from '$lib/i18n/en';
import { i18n } from '$lib/i18n/index.svelte';
import { zh } from '$lib/i18n/zh';
import type { StudioEvent } from '$lib/ipc';
import { Application } from './application.svelte';
import { hostOf, jobOf, node, project, snapshot } from '$lib/testing/fixtures';
import { answered, arrive, asked, held, studio } from '$lib/testing/harness';

test('an image that was already in the library is opened there', async () => {
  held.set('p9', [node('old', null, 'p9')]);
  studio.receive([{ kind: 'arrived', arrivals: [{ node: 'old', is_known: true, has_recipe: false }], failures: [], position: null }]);
  await vi.waitFor(() => expect(studio.view.nodeId).toBe('old'));
  expect(studio.view.project).toBe('p9');
});

test('a refused request is reported', async () => {
  vi.useFakeTimers();
  studio.openImages();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(studio.toasts.all.map((notice) => notice.failure?.message)).toEqual(['no']);
  vi.useRealTimers();
});

test('trashing an image shows its parent, and can be undone', async () => {
  const [a, b] = [node('a'), node('b', 'a')];
  await arrive(a);
  held.set('p1', [a, b]);
  studio.receive([{ kind: 'node_added', node: b }]);
  studio.view.select('b');
  studio.images.trash([b]);
  await answered();
  studio.receive([{ kind: 'nodes_changed', nodes: [{ ...b, trashed_ms: 1 }] }]);
  expect(studio.view.nodeId).toBe('a');
  await vi.waitFor(() => expect(studio.toasts.all).toHaveLength(1));
  studio.toasts.all[0]?.action?.run();
  expect(asked('restore')).toEqual([[['b']]]);
});

test('opening a project fetches it and keeps the changes made meanwhile', async () => {
  held.set('p7', [node('x', null, 'p7')]);
  studio.receive([{ kind: 'project_changed', project: project('p7', { cover: 'x' }) }]);
  studio.openProject('p7');
  studio.receive([{ kind: 'node_added', node: node('y', 'x', 'p7') }]);
  await vi.waitFor(() => expect(studio.library.nodesOf('p7').map((one) => one.id)).toEqual(['x', 'y']));
  expect(studio.view.nodeId).toBe('x');
});

test('lost events reload everything, and the view stays', async () => {
  await arrive(node('a'));
  studio.receive([{ kind: 'lagged' }]);
  await vi.waitFor(() => expect(asked('subscribe')).toHaveLength(2));
  await vi.waitFor(() => expect(studio.library.node('a')).toBeDefined());
  expect(studio.view.nodeId).toBe('a');
});

test('events before the snapshot are not lost', async () => {
  const job = jobOf('early', studio.composer.buildJob());
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

test('an image that is deleted or in the trash is reported instead of replaced by another', async () => {
  await arrive(node('a'), node('b', 'a'));
  studio.view.select('a');
  held.set('p1', [node('a'), node('b', 'a', 'p1', { trashed_ms: 1 })]);
  studio.receive([{ kind: 'nodes_changed', nodes: [node('b', 'a', 'p1', { trashed_ms: 1 })] }]);
  await studio.openNode('b');
  expect(studio.view.nodeId).toBe('a');
  const [notice] = studio.toasts.all;
  expect(notice?.text?.()).toContain('trash');
  notice?.action?.run();
  expect(asked('restore')).toEqual([[['b']]]);
  await studio.openNode('nowhere');
  expect(studio.view.nodeId).toBe('a');
  expect(studio.toasts.all).toHaveLength(2);
});

test('a toast changes with the language', async () => {
  await arrive(node('a'));
  studio.images.trash([node('a')]);
  await vi.waitFor(() => expect(studio.toasts.all).toHaveLength(1));
  const said = () => studio.toasts.all.map(({ text, action }) => [text?.(), action?.label()]);
  expect(said()).toEqual([[en.images.trashed(1), en.images.undo]]);
  onTestFinished(() => void (i18n.language = 'en'));
  i18n.language = 'zh';
  expect(said()).toEqual([[zh.images.trashed(1), zh.images.undo]]);
});

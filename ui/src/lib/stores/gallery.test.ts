import { expect, test, vi } from 'vitest';
import type { GalleryPage } from '$lib/ipc';
import { hostOf, node, project } from '$lib/testing/fixtures';
import { GalleryState } from './gallery.svelte';

function page(from: number, to: number, total: number): GalleryPage {
  const nodes = Array.from({ length: to - from }, (_, index) => node(`n${String(from + index)}`));
  return { nodes, projects: [project('p1')], next: to < total ? String(to) : null, total };
}

async function opened(total = 5): Promise<GalleryState> {
  const { host } = hostOf({ gallery: () => Promise.resolve(page(0, total, total)) });
  const gallery = new GalleryState(host, () => {});
  gallery.show();
  await vi.waitFor(() => expect(gallery.hasLoaded).toBe(true));
  return gallery;
}

test('pages are loaded until the gallery is complete', async () => {
  const { host, calls } = hostOf({
    gallery: (_, after) => Promise.resolve(after === null ? page(0, 3, 6) : page(3, 6, 6)),
  });
  const gallery = new GalleryState(host, () => {});
  gallery.show();
  await vi.waitFor(() => expect(gallery.nodes).toHaveLength(6));
  expect(calls.map((call) => call[2])).toEqual([null, '3']);
});

test('an answer to an older filter is dropped', async () => {
  const answers: ((page: GalleryPage) => void)[] = [];
  const { host } = hostOf({ gallery: () => new Promise((resolve) => answers.push(resolve)) });
  const gallery = new GalleryState(host, () => {});
  gallery.show();
  gallery.changeFilter({ starred: true });
  await vi.waitFor(() => expect(answers).toHaveLength(2));
  answers[1]?.(page(0, 1, 1));
  answers[0]?.(page(0, 5, 5));
  await vi.waitFor(() => expect(gallery.hasLoaded).toBe(true));
  await new Promise((resolve) => setTimeout(resolve));
  expect(gallery.total).toBe(1);
});

test('an older answer does not end the loading of a newer filter', async () => {
  const answers: ((page: GalleryPage) => void)[] = [];
  const { host } = hostOf({ gallery: () => new Promise((resolve) => answers.push(resolve)) });
  const gallery = new GalleryState(host, () => {});
  gallery.show();
  await vi.waitFor(() => expect(answers).toHaveLength(1));
  gallery.changeFilter({ text: 'lighthouse' });
  answers[0]?.(page(0, 5, 5));
  await new Promise((resolve) => setTimeout(resolve));
  expect(gallery.isLoading).toBe(true);
  expect(gallery.nodes).toEqual([]);
});

test('a filter that failed shows no images and can be loaded again', async () => {
  let isBroken = false;
  const failures: unknown[] = [];
  const { host } = hostOf({ gallery: () => (isBroken ? Promise.reject(new Error('the disk')) : Promise.resolve(page(0, 5, 5))) });
  const gallery = new GalleryState(host, (error) => failures.push(error));
  gallery.show();
  await vi.waitFor(() => expect(gallery.nodes).toHaveLength(5));
  isBroken = true;
  await gallery.load();
  expect([gallery.nodes.length, gallery.hasFailed], 'earlier results stay').toEqual([5, false]);
  gallery.changeFilter({ place: 'trash' });
  await vi.waitFor(() => expect(gallery.hasFailed).toBe(true));
  expect([gallery.nodes.length, gallery.total, gallery.isLoading, failures.length]).toEqual([0, 0, false, 2]);
  isBroken = false;
  await gallery.load();
  expect([gallery.nodes.length, gallery.hasFailed]).toEqual([5, false]);
});

test('one image, several or a range can be selected', async () => {
  const gallery = await opened();
  const chosen = () => gallery.selectedNodes.map((one) => one.id);
  gallery.select(1, 'only');
  gallery.select(3, 'range');
  expect(chosen()).toEqual(['n1', 'n2', 'n3']);
  gallery.select(0, 'range');
  expect(chosen()).toEqual(['n0', 'n1']);
  gallery.select(4, 'toggle');
  gallery.select(0, 'toggle');
  expect(chosen()).toEqual(['n1', 'n4']);
  gallery.clearSelection();
  expect(chosen()).toEqual([]);
});

test('trashed images leave the gallery and the selection', async () => {
  const gallery = await opened();
  gallery.selectAll();
  gallery.updateNodes([node('n4', null, 'p1', { trashed_ms: 1 })]);
  expect(gallery.nodes).toHaveLength(4);
  expect(gallery.total).toBe(4);
  expect(gallery.selected.has('n4')).toBe(false);
});

test('a new image does not change the scroll position', async () => {
  const pages: [string | null, number][] = [];
  const { host } = hostOf({
    gallery: (_, after, limit) => {
      pages.push([after, limit]);
      const from = Number(after ?? 0);
      return Promise.resolve(page(from, Math.min(from + limit, 1500), 1500));
    },
  });
  const gallery = new GalleryState(host, () => {});
  gallery.show();
  await vi.waitFor(() => expect(gallery.nodes).toHaveLength(1500));
  gallery.moveFocus(1400);
  const lengths: number[] = [];
  pages.length = 0;
  gallery.refresh();
  await vi.waitFor(() => {
    lengths.push(gallery.nodes.length);
    expect(pages).toHaveLength(2);
  });
  await vi.waitFor(() => expect(gallery.isLoading).toBe(false));
  expect(Math.min(...lengths)).toBe(1500);
  expect(gallery.nodes[gallery.focus]?.id).toBe('n1400');
});

test('a star shows at once', async () => {
  const gallery = await opened();
  gallery.updateNodes([node('n2', null, 'p1', { starred: true })]);
  expect(gallery.nodes[2]?.starred).toBe(true);
});

test('a new filter starts at the top', async () => {
  const gallery = await opened();
  gallery.moveFocus(4);
  gallery.scrollTop = 500;
  gallery.changeFilter({ origin: 'edit' });
  expect([gallery.focus, gallery.scrollTop]).toEqual([0, 0]);
});

test('an image that no longer matches the filter leaves', async () => {
  const { host } = hostOf({ gallery: () => Promise.resolve(page(0, 5, 5)) });
  const gallery = new GalleryState(host, () => {});
  gallery.show();
  gallery.changeFilter({ starred: true });
  await vi.waitFor(() => expect(gallery.nodes).toHaveLength(5));
  gallery.updateNodes([node('n2'), node('n3', null, 'p1', { starred: true })]);
  expect(gallery.nodes.map(({ id }) => id)).toEqual(['n0', 'n1', 'n3', 'n4']);
  expect(gallery.total).toBe(4);
});

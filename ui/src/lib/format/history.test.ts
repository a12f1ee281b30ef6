import { expect, test } from 'vitest';
import type { Node } from '$lib/ipc';
import { node } from '$lib/testing/fixtures';
import { findSiblingBranches, findPathColumns, collectAncestors, buildRows } from './history';

function drawn(nodes: Node[]): string[] {
  return buildRows(nodes, []).map((row) => `${'.'.repeat(row.depth)}${row.key} ${row.link} ${row.through.join(',')}`.trim());
}

test('a chain stays in one column', () => {
  expect(drawn([node('a', null), node('b', 'a'), node('c', 'b')])).toEqual(['a root', 'b straight', 'c straight']);
});

test('a branch is indented, and its line passes the rows of earlier branches', () => {
  const nodes = [node('a', null), node('b', 'a'), node('c', 'b'), node('d', 'b'), node('e', 'c'), node('f', null)];
  expect(drawn(nodes)).toEqual(['a root', 'b straight', '.c branch 0', '.e straight 0', '.d branch', 'f root']);
});

test('a parent in another project starts a tree', () => {
  expect(drawn([node('b', 'elsewhere')])).toEqual(['b root']);
});

test('a chain of ten thousand images is laid out', () => {
  const nodes = Array.from({ length: 10_000 }, (_, index) => node(String(index), index ? String(index - 1) : null));
  expect(buildRows(nodes, [])).toHaveLength(10_000);
  expect(collectAncestors(nodes, '9999').size).toBe(10_000);
});

test('the path to an image passes the branches before it', () => {
  const made = buildRows([node('a'), node('b', 'a'), node('c', 'b'), node('d', 'a'), node('e', 'd')], []);
  const lines = findPathColumns(made, collectAncestors([node('a'), node('d', 'a'), node('e', 'd')], 'e'));
  expect([...lines]).toEqual([
    ['c', [0]],
    ['b', [0]],
  ]);
  expect(findPathColumns(made, collectAncestors([node('a'), node('b', 'a')], 'b')).size).toBe(0);
});

const offered = (parents: [string, string | null][], id: string) =>
  findSiblingBranches(
    parents.map(([name, parent]) => node(name, parent)),
    id,
  ).map(({ base, edits }) => `${base.id}: ${edits.map((edit) => edit.id).join(' ')}`);

test('branches of siblings are offered, newest first', () => {
  const history: [string, string | null][] = [
    ['a', null],
    ['b', 'a'],
    ['c', 'b'],
    ['d', 'c'],
    ['e', 'b'],
    ['new', 'a'],
  ];
  expect(offered(history, 'new')).toEqual(['b: e', 'b: c d']);
  expect(offered(history, 'b')).toEqual([]);
  expect(offered(history, 'd')).toEqual([]);
  expect(offered(history, 'gone')).toEqual([]);
});

test('a project with two roots offers the branches of each for the other', () => {
  expect(
    offered(
      [
        ['a', null],
        ['b', 'a'],
        ['other', null],
      ],
      'other',
    ),
  ).toEqual(['a: b']);
});

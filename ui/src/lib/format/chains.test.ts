import { expect, test } from 'vitest';
import { chainsBeside } from './chains';
import { node } from '$lib/testing/fixtures';

const told = (parents: [string, string | null][], id: string) =>
  chainsBeside(
    parents.map(([name, parent]) => node(name, parent)),
    id,
  ).map(({ after, edits }) => `${after.id}: ${edits.map((edit) => edit.id).join(' ')}`);

test('branches beside an image are offered, the newest first', () => {
  const history: [string, string | null][] = [['a', null], ['b', 'a'], ['c', 'b'], ['d', 'c'], ['e', 'b'], ['new', 'a']];
  expect(told(history, 'new')).toEqual(['b: e', 'b: c d']);
  expect(told(history, 'b')).toEqual([]);
  expect(told(history, 'd')).toEqual([]);
  expect(told(history, 'gone')).toEqual([]);
});

test('a project with two beginnings has branches beside each', () => {
  expect(told([['a', null], ['b', 'a'], ['other', null]], 'other')).toEqual(['a: b']);
});

import { expect, test } from 'vitest';
import { node } from '$lib/testing/fixtures';
import { groupByTags, cleanTag } from './images';

test('tags are added and removed, and what an image has besides stays', () => {
  const nodes = [node('a', null, 'p', { tags: ['x', 'y'] }), node('b', null, 'p', { tags: ['y'] }), node('c', null, 'p', { tags: ['x'] })];
  const groups = groupByTags(nodes, ['z'], ['x']).map(([tags, group]) => [tags, group.map((one) => one.id)]);
  expect(groups).toEqual([
    [
      ['y', 'z'],
      ['a', 'b'],
    ],
    [['z'], ['c']],
  ]);
});

test('images that would stay as they are are left alone', () => {
  expect(groupByTags([node('a', null, 'p', { tags: ['x'] })], ['x'], [])).toEqual([]);
});

test('a tag is trimmed, and nothing is no tag', () => {
  expect(cleanTag('  night \n sky ')).toBe('night sky');
  expect(cleanTag('  ')).toBeNull();
});

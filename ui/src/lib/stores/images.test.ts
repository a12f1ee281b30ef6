import { expect, test } from 'vitest';
import { cleanTag } from './images';

test('a tag is trimmed, and an empty one is rejected', () => {
  expect(cleanTag('  night \n sky ')).toBe('night sky');
  expect(cleanTag('  ')).toBeNull();
});

import { expect, test } from 'vitest';
import { findPastedImage } from './window';

const image = new File([], 'image.png', { type: 'image/png' });
const other = new File([], 'notes.txt', { type: 'text/plain' });

test('an image is pasted unless a text field has the focus and the clipboard has text for it', () => {
  const check = (files: File[], words: string, isTyping: boolean, expected: File | undefined) =>
    expect(findPastedImage({ files, types: ['of some kind'], getData: () => words }, isTyping)).toBe(expected);
  check([image], '', true, image);
  check([image], '', false, image);
  check([image], 'Total\t12', true, undefined);
  check([image], 'Total\t12', false, image);
  check([image], 'file:///home/mira/image.png\n', true, image);
  check([other, image], '', false, image);
  check([other], '', false, undefined);
  check([], 'words', true, undefined);
});

test('a clipboard without readable items is left to the host', () => {
  for (const isTyping of [true, false]) {
    expect(findPastedImage({ files: [], types: [], getData: () => '' }, isTyping)?.size).toBe(0);
  }
});

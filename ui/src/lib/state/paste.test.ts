import { expect, test } from 'vitest';
import { pictureIn } from './paste';

const picture = new File([], 'image.png', { type: 'image/png' });
const other = new File([], 'notes.txt', { type: 'text/plain' });

test('a picture is pasted unless words are written and the clipboard has words for them', () => {
  const check = (files: File[], words: string, isTyping: boolean, expected: File | undefined) =>
    expect(pictureIn({ files, types: ['of some kind'], getData: () => words }, isTyping)).toBe(expected);
  check([picture], '', true, picture);
  check([picture], '', false, picture);
  check([picture], 'Total\t12', true, undefined);
  check([picture], 'Total\t12', false, picture);
  check([picture], 'file:///home/mira/image.png\n', true, picture);
  check([other, picture], '', false, picture);
  check([other], '', false, undefined);
  check([], 'words', true, undefined);
});

test('a clipboard of which nothing is told is left to the program', () => {
  for (const isTyping of [true, false]) {
    expect(pictureIn({ files: [], types: [], getData: () => '' }, isTyping)?.size).toBe(0);
  }
});

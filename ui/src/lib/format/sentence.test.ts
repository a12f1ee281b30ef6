import { expect, test } from 'vitest';
import { sentence } from './sentence';

test('a line becomes a sentence, and names of files stay', () => {
  for (const [line, expected] of [
    ['the disk is full; free 3 GB', 'The disk is full; free 3 GB.'],
    ['model.gguf: this file ends too early', 'model.gguf: this file ends too early.'],
    ['/home/a/b.png: no such file', '/home/a/b.png: no such file.'],
    ['文件已损坏。', '文件已损坏。'],
    ['1024 × 1024 does not fit', '1024 × 1024 does not fit.'],
    ['', ''],
  ] as const) {
    expect(sentence(line)).toBe(expected);
  }
});

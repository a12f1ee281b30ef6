import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { i18n } from '$lib/i18n/index.svelte';
import type { ErrorCode, CostEstimate } from '$lib/ipc';
import { explainFailure, explainRefusal, toSentence } from './failures';

const LANGUAGES = ['en', 'zh'] as const;

/** All failure codes, read from the generated types. */
function codes(): ErrorCode[] {
  const source = readFileSync(new URL('../ipc/protocol.ts', import.meta.url), 'utf8');
  const [, union = ''] = /export type ErrorCode = ([^;]+);/.exec(source) ?? [];
  return [...union.matchAll(/"(\w+)"/g)].map(([, code]) => code as ErrorCode);
}

/** Names of file formats are the same in every language. */
const withoutFormats = (text: string) => text.replace(/PNG|JPEG|WebP/g, '');

afterEach(() => (i18n.language = 'en'));

test('every failure code has its own text in both languages', () => {
  expect(codes().length).toBeGreaterThan(5);
  for (const language of LANGUAGES) {
    i18n.language = language;
    const texts = codes().map((code) => explainFailure({ code, message: '' }));
    for (const { title, meaning } of texts) {
      for (const text of [title, meaning].map(withoutFormats)) {
        expect(text.length).toBeGreaterThan(0);
        expect(text.length).toBeLessThanOrEqual(160);
        expect(text, 'names no code').not.toMatch(/_|\d|[A-Z]{4}/);
        expect(text, 'does not blame the user').not.toMatch(/\b(you|invalid|illegal|wrong input)\b|你/i);
      }
      expect(meaning).toMatch(/[.。]$/);
      if (language === 'zh') expect(withoutFormats(title + meaning)).not.toMatch(/[a-z]/i);
    }
    for (const of of ['title', 'meaning'] as const) expect(new Set(texts.map((text) => text[of])).size).toBe(texts.length);
  }
});

test('the English message of the host is kept as details', () => {
  i18n.language = 'zh';
  const { meaning, details, copy } = explainFailure({ code: 'disk_full', message: 'the disk of /home is full; free 3 GB' });
  expect(copy.text).toBe('磁盘已满: The disk of /home is full; free 3 GB.');
  expect(meaning).toContain('空间');
  expect(details).toEqual({ label: '详细信息（英文）', text: 'The disk of /home is full; free 3 GB.', isOpen: false });
});

test('details start open only where they are needed', () => {
  expect(explainFailure({ code: 'bad_input', message: 'the name is too long' }).details.isOpen).toBe(true);
  expect(explainFailure({ code: 'not_an_image', message: 'notes.txt: is a text' }).details.isOpen).toBe(true);
  expect(explainFailure({ code: 'network', message: 'timed out' }).details.isOpen).toBe(false);
});

test('a refused request shows its figures in the language of the window', () => {
  const memory = { weights_bytes: 0, context_bytes: 0, working_bytes: 0, vae_bytes: 0, peak_bytes: 15.2e9 };
  const price: CostEstimate = { memory, available_bytes: 9e9, context_tokens: 100, size: null, secs: null, refusal: null, remedies: [] };
  const check = (language: 'en' | 'zh', code: ErrorCode, changed: Partial<CostEstimate>, expected: string) => {
    i18n.language = language;
    const line = explainRefusal({ code, message: 'why not' }, { ...price, ...changed });
    expect(line.replaceAll('\u00A0', ' ')).toContain(expected);
  };
  check('en', 'out_of_device_memory', {}, 'Not enough graphics memory: needs 15.2 GB, 9 GB available.');
  check('zh', 'out_of_host_memory', {}, '内存不足：需要 15.2 GB，可用 9 GB。');
  check('zh', 'out_of_device_memory', { available_bytes: null }, '更小的尺寸');
  check('zh', 'context_too_long', { context_tokens: 40_000 }, '40,000 个词元');
  check('en', 'bad_input', {}, 'Why not.');
  check('zh', 'size_unusable', { available_bytes: null }, '不支持此尺寸。');
});

test('a line becomes a sentence, and file names keep their case', () => {
  for (const [line, expected] of [
    ['the disk is full; free 3 GB', 'The disk is full; free 3 GB.'],
    ['model.gguf: this file ends too early', 'model.gguf: this file ends too early.'],
    ['/home/a/b.png: no such file', '/home/a/b.png: no such file.'],
    ['文件已损坏。', '文件已损坏。'],
    ['1024 × 1024 does not fit', '1024 × 1024 does not fit.'],
    ['', ''],
  ] as const) {
    expect(toSentence(line)).toBe(expected);
  }
});

import { expect, test } from 'vitest';
import { en } from './en';
import { zh } from './zh';

function texts(messages: unknown, path = ''): Map<string, string> {
  if (typeof messages === 'string') return new Map([[path, messages]]);
  if (typeof messages === 'function') return new Map([[path, String(messages(...[1, 2, 3].slice(0, messages.length)))]]);
  return new Map(Object.entries(messages as object).flatMap(([key, value]) => [...texts(value, `${path}.${key}`)]));
}

test('every text exists in both languages', () => {
  expect([...texts(zh).keys()]).toEqual([...texts(en).keys()]);
  for (const [path, text] of [...texts(en), ...texts(zh)]) expect(text.trim(), path).not.toBe('');
});

test('Chinese texts are in Chinese', () => {
  const english = texts(en);
  const same = [...texts(zh)].filter(([path, text]) => english.get(path) === text).map(([path]) => path);
  expect(same).toEqual(['.app.name']);
});

test('a speed below one token per second is not shown as zero', () => {
  expect(en.models.benchmark_result('9 min', 0.44, 'Q4_K_M')).toContain('write 0.4 words per second');
  expect(zh.models.benchmark_result('9 分钟', 0.44, 'Q4_K_M')).toContain('每秒写 0.4 个词');
  expect(en.models.benchmark_result('35 sec', 38.2, 'Q4_K_M')).toContain('write 38 words per second');
});

import { expect, test } from 'vitest';
import { formatBytes, formatCount, formatSeconds, formatTime } from './quantities';

test('bytes are given in the largest unit that keeps a digit before the point', () => {
  expect(formatBytes(0, 'en')).toBe('0\u00A0B');
  expect(formatBytes(14 * 2 ** 20, 'en')).toBe('14\u00A0MB');
  expect(formatBytes(10.94 * 2 ** 30, 'en')).toBe('10.9\u00A0GB');
  expect(formatBytes(1023, 'en')).toBe('1,023\u00A0B');
});

test('parameters are counted as in the field', () => {
  expect(formatCount(14_690_000_000, 'en')).toBe('14.7B');
});

test('a wait is as coarse as it is long', () => {
  expect(formatSeconds(0.2, 'en')).toBe('1 sec');
  expect(formatSeconds(89, 'en')).toBe('89 sec');
  expect(formatSeconds(600, 'en')).toBe('10 min');
  expect(formatSeconds(9000, 'en')).toBe('2.5 hr');
});

test('a moment of another day has its day with it', () => {
  const now = new Date(2026, 10, 22, 18, 30).getTime();
  expect(formatTime(new Date(2026, 10, 22, 9, 5).getTime(), 'en', now)).toBe('9:05 AM');
  expect(formatTime(new Date(2026, 9, 1, 9, 5).getTime(), 'en', now)).toBe('Oct 1, 9:05 AM');
});

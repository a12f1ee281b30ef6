import { expect, test } from 'vitest';
import { Eta, formatBytes, formatCount, formatSeconds, formatTime } from './quantities';

test('bytes use the largest decimal unit with a digit before the point', () => {
  const check = (bytes: number, expected: string) => expect(formatBytes(bytes, 'en')).toBe(expected.replace(' ', '\u00A0'));
  check(0, '0 B');
  check(999, '999 B');
  check(1000, '1 kB');
  check(14 * 2 ** 20, '15 MB');
  check(999_400_000, '999 MB');
  check(999_600_000, '1 GB');
  check(29_210_000_000, '29.2 GB');
  check(312_400_000_000, '312 GB');
  check(999_900_000_000, '1 TB');
  check(4.1e16, '41,000 TB');
});

test('16 GiB are shown as 17 GB', () => {
  expect(formatBytes(16 * 2 ** 30, 'de')).toBe('17,2\u00A0GB');
});

test('parameters are counted in millions and billions', () => {
  expect(formatCount(14_690_000_000, 'en')).toBe('14.7B');
});

test('a longer duration is rounded more coarsely', () => {
  expect(formatSeconds(0.2, 'en')).toBe('1 sec');
  expect(formatSeconds(89, 'en')).toBe('89 sec');
  expect(formatSeconds(600, 'en')).toBe('10 min');
  expect(formatSeconds(9000, 'en')).toBe('2.5 hr');
  expect(formatSeconds(600, 'zh-CN')).toBe('10\u00A0分钟');
});

test('a time on another day includes the date', () => {
  const now = new Date(2026, 10, 22, 18, 30).getTime();
  expect(formatTime(new Date(2026, 10, 22, 9, 5).getTime(), 'en', now)).toBe('9:05 AM');
  expect(formatTime(new Date(2026, 9, 1, 9, 5).getTime(), 'en', now)).toBe('Oct 1, 9:05 AM');
});

test('no remaining time is shown before two steps are timed', () => {
  const eta = new Eta();
  expect(eta.secondsLeft('a', 1, 10, 0)).toBeNull();
  expect(eta.secondsLeft('a', 2, 10, 1000)).toBeNull();
  expect(eta.secondsLeft('a', 3, 10, 2000)).toBe(7);
});

test('time passes within a step, and starts over with another job', () => {
  const eta = new Eta();
  for (const step of [1, 2, 3]) eta.secondsLeft('a', step, 10, step * 1000);
  expect(eta.secondsLeft('a', 3, 10, 5000)).toBe(5);
  expect(eta.secondsLeft('a', 3, 10, 60_000)).toBe(0);
  expect(eta.secondsLeft('b', 5, 10, 61_000)).toBeNull();
});

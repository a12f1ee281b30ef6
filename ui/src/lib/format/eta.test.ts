import { expect, test } from 'vitest';
import { Eta } from './eta';

test('nothing is promised before two steps were timed', () => {
  const eta = new Eta();
  expect(eta.secondsLeft('a', 1, 10, 0)).toBeNull();
  expect(eta.secondsLeft('a', 2, 10, 1000)).toBeNull();
  expect(eta.secondsLeft('a', 3, 10, 2000)).toBe(7);
});

test('time runs within a step, and another job starts anew', () => {
  const eta = new Eta();
  for (const step of [1, 2, 3]) eta.secondsLeft('a', step, 10, step * 1000);
  expect(eta.secondsLeft('a', 3, 10, 5000)).toBe(5);
  expect(eta.secondsLeft('a', 3, 10, 60_000)).toBe(0);
  expect(eta.secondsLeft('b', 5, 10, 61_000)).toBeNull();
});

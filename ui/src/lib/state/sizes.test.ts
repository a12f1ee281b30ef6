import { expect, test } from 'vitest';
import { rounded, shapes, sizeOf } from './sizes';

test('sizes are whole patches within the longest side, whatever the model', () => {
  for (const maxSide of [64, 96, 100, 128, 512, 1000, 1024]) {
    for (const { id } of shapes) {
      const { width, height } = sizeOf(id, maxSide);
      expect(width % 16, `${id} ${String(maxSide)}`).toBe(0);
      expect(height % 16).toBe(0);
      expect(Math.max(width, height)).toBeLessThanOrEqual(maxSide);
      expect(Math.min(width, height)).toBeGreaterThanOrEqual(16);
    }
  }
});

test('a landscape of the full model is 1024 by 768', () => {
  expect(sizeOf('landscape', 1024)).toEqual({ width: 1024, height: 768 });
  expect(sizeOf('portrait', 1024)).toEqual({ width: 768, height: 1024 });
  expect(sizeOf('wide', 1024)).toEqual({ width: 1024, height: 576 });
});

test('a size of the artist becomes one that can be painted', () => {
  expect(rounded({ width: 1000, height: 3 }, 1024)).toEqual({ width: 1008, height: 16 });
  expect(rounded({ width: 5000, height: NaN }, 1000)).toEqual({ width: 992, height: 992 });
});

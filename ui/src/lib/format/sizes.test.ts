import { expect, test } from 'vitest';
import type { Size } from '$lib/ipc';
import { chooseFit, fitSize, roundSize, shapes, sizeForShape } from './sizes';

test('sizes are whole patches within the longest side of any model', () => {
  for (const maxSide of [64, 96, 100, 128, 512, 1000, 1024]) {
    for (const { id } of shapes) {
      const { width, height } = sizeForShape(id, maxSide);
      expect(width % 16, `${id} ${String(maxSide)}`).toBe(0);
      expect(height % 16).toBe(0);
      expect(Math.max(width, height)).toBeLessThanOrEqual(maxSide);
      expect(Math.min(width, height)).toBeGreaterThanOrEqual(16);
    }
  }
});

test('a landscape image of the full model is 1024 by 768', () => {
  expect(sizeForShape('landscape', 1024)).toEqual({ width: 1024, height: 768 });
  expect(sizeForShape('portrait', 1024)).toEqual({ width: 768, height: 1024 });
  expect(sizeForShape('wide', 1024)).toEqual({ width: 1024, height: 576 });
});

test('a custom size is rounded to one that can be generated', () => {
  expect(roundSize({ width: 1000, height: 3 }, 1024)).toEqual({ width: 1008, height: 16 });
  expect(roundSize({ width: 5000, height: NaN }, 1000)).toEqual({ width: 992, height: 992 });
});

test('a parent fills the frame if only rounding differs, and is never cropped otherwise', () => {
  const check = (image: [number, number], frame: [number, number], expected: string) => {
    const [a, b] = [image, frame].map(([width, height]) => ({ width, height }));
    expect(chooseFit(a as Size, b as Size), `${image.join(' × ')} in ${frame.join(' × ')}`).toBe(expected);
  };
  check([64, 64], [64, 64], 'fill');
  check([6000, 4000], [1024, 688], 'fill');
  check([4000, 6000], [688, 1024], 'fill');
  check([1023, 767], [1024, 768], 'fill');
  check([6000, 4000], [1024, 1024], 'contain');
  check([64, 64], [80, 64], 'contain');
  check([1024, 1024], [1024, 768], 'contain');
});

test('an image larger than the model supports keeps its shape', () => {
  expect(fitSize({ width: 3000, height: 2000 }, 1024)).toEqual({ width: 1024, height: 688 });
  expect(fitSize({ width: 500, height: 300 }, 1024)).toEqual({ width: 496, height: 304 });
});

import { describe, expect, test } from 'vitest';
import { centerView, fitView, MAX_SCALE, panView, toImagePoint, zoomView } from './viewport.svelte';

const stage = { width: 800, height: 600 };

describe('fit', () => {
  test('a large image fits completely in the view', () => {
    const view = fitView({ width: 4000, height: 1000 }, stage, 1);
    expect(4000 * view.scale).toBeLessThanOrEqual(800);
    expect(view.x).toBeGreaterThanOrEqual(0);
    expect(view.y).toBeGreaterThan(0);
  });

  test('a small image is enlarged by a whole factor', () => {
    expect(fitView({ width: 128, height: 128 }, stage, 1).scale).toBe(3);
    expect(fitView({ width: 16, height: 16 }, stage, 1).scale).toBe(8);
  });

  test('on a dense screen the factor is whole in device pixels', () => {
    const scaleOf = (side: number, density: number) => fitView({ width: side, height: side }, stage, density).scale;
    expect(scaleOf(128, 2)).toBe(3.5);
    expect(scaleOf(400, 1)).toBe(1);
    expect(scaleOf(300, 1.5)).toBeCloseTo(2 / 1.5, 6);
    expect(scaleOf(700, 2)).toBe(0.5);
    expect(scaleOf(4000, 2)).toBeLessThan(0.2);
  });

  test('a view without space still gets a scale', () => {
    expect(fitView({ width: 100, height: 100 }, { width: 0, height: 0 }, 1).scale).toBeGreaterThan(0);
  });
});

test('an image starts on a device pixel', () => {
  for (const density of [1, 1.25, 1.5, 2, 3]) {
    const { x, y, scale } = centerView({ width: 333, height: 77 }, stage, 1 / density, density);
    expect(scale * density).toBeCloseTo(1, 9);
    for (const at of [x, y]) expect(at * density).toBeCloseTo(Math.round(at * density), 9);
  }
});

test('zooming keeps the point under the cursor in place', () => {
  let view = fitView({ width: 1024, height: 768 }, stage, 1);
  const at = { x: 321, y: 123 };
  const before = toImagePoint(view, at);
  for (const factor of [1.3, 2, 0.4, 7]) {
    view = zoomView(view, at, factor);
    const after = toImagePoint(view, at);
    expect(after.x).toBeCloseTo(before.x, 6);
    expect(after.y).toBeCloseTo(before.y, 6);
  }
});

test('zooming stops at its limits without moving the image', () => {
  const view = { scale: MAX_SCALE, x: 5, y: 7 };
  expect(zoomView(view, { x: 100, y: 100 }, 3)).toEqual(view);
});

test('an image cannot be panned out of view', () => {
  const image = { width: 100, height: 100 };
  const view = panView({ scale: 1, x: 0, y: 0 }, image, stage, { x: 1e9, y: -1e9 });
  expect(view.x).toBeLessThan(stage.width);
  expect(view.y).toBeGreaterThan(-image.height);
});

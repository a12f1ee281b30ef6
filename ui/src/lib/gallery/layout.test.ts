import { expect, test } from 'vitest';
import { layout, rowOf, stepped, visible } from './layout';

const groups = [
  { id: 'a', count: 7 },
  { id: 'b', count: 1 },
  { id: 'c', count: 3 },
];

test('every picture lies in one row, and a row never holds two groups', () => {
  const { rows, columns } = layout(groups, 480);
  expect(columns).toBe(3);
  expect(rows.flatMap((row) => (row.kind === 'pictures' ? [[row.from, row.to]] : []))).toEqual([
    [0, 3],
    [3, 6],
    [6, 7],
    [7, 8],
    [8, 11],
  ]);
});

test('a window narrower than a picture still shows one a row', () => {
  for (const width of [0, 10, 100, 320]) {
    const { columns, cell } = layout(groups, width);
    expect(columns).toBeGreaterThanOrEqual(1);
    expect(cell).toBeGreaterThanOrEqual(24);
  }
});

test('what can be seen is found, and little more', () => {
  const many = layout(
    Array.from({ length: 1400 }, (_, index) => ({ id: String(index), count: 7 })),
    1200,
  );
  for (const top of [0, 5000, many.height - 900]) {
    const [from, to] = visible(many.rows, top, top + 900);
    expect(to - from).toBeLessThan(16);
    expect(many.rows[from]?.y).toBeLessThanOrEqual(top);
    expect(many.rows[to]?.y ?? Infinity).toBeGreaterThan(top + 900);
  }
});

test('the row of a picture is found', () => {
  const { rows } = layout(groups, 480);
  for (let picture = 0; picture < 11; picture += 1) {
    const row = rows[rowOf(rows, picture)];
    expect(row?.kind === 'pictures' && row.from <= picture && picture < row.to, String(picture)).toBe(true);
  }
});

test('keys walk over groups as they stand', () => {
  const grid = layout(groups, 480);
  const walk = (from: number, step: Parameters<typeof stepped>[2]) => stepped(grid, from, step, 2);
  expect(walk(0, 'left')).toBe(0);
  expect(walk(5, 'down')).toBe(6);
  expect(walk(6, 'down')).toBe(7);
  expect(walk(8, 'up')).toBe(7);
  expect(walk(9, 'up')).toBe(7);
  expect(walk(10, 'right')).toBe(10);
  expect(walk(3, 'end')).toBe(10);
  expect(walk(10, 'start')).toBe(0);
  expect(walk(1, 'page_down')).toBe(6);
});

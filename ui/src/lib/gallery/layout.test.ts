import { expect, test } from 'vitest';
import { APART, GAP, layout, rowOf, stepped, visible, type Group } from './layout';

const groups = [
  { id: 'a', count: 7 },
  { id: 'b', count: 1 },
  { id: 'c', count: 3 },
];

const spans = (groups: Group[], width: number) =>
  layout(groups, width).rows.flatMap((row) => (row.kind === 'images' ? [[row.from, row.to]] : []));

test('every image is in one row, and a large group has its own rows', () => {
  expect(layout(groups, 480).columns).toBe(3);
  expect(spans(groups, 480)).toEqual([
    [0, 3],
    [3, 6],
    [6, 7],
    [7, 8],
    [8, 11],
  ]);
});

test('small groups share a shelf where the gap fits', () => {
  const { columns, cell, rows } = layout(groups, 1000);
  expect(columns).toBe(6);
  expect(spans(groups, 1000)).toEqual([
    [0, 6],
    [6, 7],
    [7, 11],
  ]);
  const shelf = rows.findLast((row) => row.kind === 'heading');
  expect(shelf?.kind === 'heading' && shelf.headings).toEqual([
    { group: 1, columns: 1 },
    { group: 2, columns: 3 },
  ]);
  const last = rows.at(-1);
  expect(last?.kind === 'images' && last.begins).toEqual([8]);
  expect(4 * (cell + GAP) - GAP + APART).toBeLessThanOrEqual(1000);
  // Three and three fill the six columns; two and two leave no space for another group.
  const two = { id: 'b', count: 2 };
  expect(
    spans(
      [
        { id: 'a', count: 3 },
        { id: 'b', count: 3 },
      ],
      1000,
    ),
  ).toEqual([[0, 6]]);
  expect(spans([two, two, two], 1000)).toEqual([
    [0, 4],
    [4, 6],
  ]);
});

test('for any groups, each image is in one row and no row is too wide', () => {
  let seed = 7;
  const random = (most: number) => (seed = (seed * 16807) % 2147483647) % most;
  for (let turn = 0; turn < 60; turn += 1) {
    const own = Array.from({ length: 1 + random(30) }, (_, id) => ({ id: String(id), count: 1 + random(14) }));
    const width = 160 + random(1800);
    const { rows, columns, cell } = layout(own, width);
    let next = 0;
    for (const row of rows) {
      if (row.kind === 'heading') continue;
      expect(row.from).toBe(next);
      next = row.to;
      const apart = row.begins.filter((at) => at >= row.from && at < row.to).length * APART;
      expect(row.to - row.from).toBeLessThanOrEqual(columns);
      expect((row.to - row.from) * (cell + GAP) - GAP + apart).toBeLessThanOrEqual(Math.max(width, 24));
    }
    expect(next).toBe(own.reduce((sum, { count }) => sum + count, 0));
  }
});

test('a window narrower than an image shows one per row', () => {
  for (const width of [0, 10, 100, 320]) {
    const { columns, cell } = layout(groups, width);
    expect(columns).toBeGreaterThanOrEqual(1);
    expect(cell).toBeGreaterThanOrEqual(24);
  }
});

test('the rows in view are found, and few others', () => {
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

test('the row of an image is found', () => {
  const { rows } = layout(groups, 480);
  for (let image = 0; image < 11; image += 1) {
    const row = rows[rowOf(rows, image)];
    expect(row?.kind === 'images' && row.from <= image && image < row.to, String(image)).toBe(true);
  }
});

test('arrow keys move across groups as they are laid out', () => {
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

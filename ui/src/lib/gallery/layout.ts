/** Layout of ten thousand images and the range in view, as pure functions. */

/** Images under one heading. */
export interface Group {
  id: string;
  count: number;
}

/** The heading of one group on a shelf. */
export interface Heading {
  group: number;
  /** Columns of its images. */
  columns: number;
}

export interface HeadingRow {
  kind: 'heading';
  y: number;
  /** In the order of the images under them. */
  headings: Heading[];
}

export interface ImageRow {
  kind: 'images';
  y: number;
  /** Positions in the whole list, `from <= x < to`. */
  from: number;
  to: number;
  /** Positions where another group starts beside the previous one. */
  begins: number[];
}

export type Row = HeadingRow | ImageRow;

export interface Layout {
  columns: number;
  /** Side of a cell in pixels, without its gap. */
  cell: number;
  rows: Row[];
  height: number;
}

export const GAP = 10;
export const HEADING = 50;
/** Gap between two groups on one shelf; wider than between images. */
export const APART = 18;
const MIN_CELL = 148;
const MAX_COLUMNS = 10;
/** Gap between a group and the next heading. */
const REST = 12;

/** Places groups on shelves, in order; small ones share a shelf. */
export function layout(groups: Group[], width: number): Layout {
  const columns = Math.max(1, Math.min(MAX_COLUMNS, Math.floor((width + GAP) / (MIN_CELL + GAP))));
  // Leaves space for the wider gap between two groups that fill a shelf.
  const cell = Math.max(24, Math.floor((width - GAP * (columns - 1) - (columns > 1 ? APART : 0)) / columns));
  const widthOf = (n: number) => n * (cell + GAP) - GAP;
  const rows: Row[] = [];
  let y = 0;
  let position = 0;
  for (let index = 0; index < groups.length;) {
    const from = position;
    const headings: Heading[] = [];
    const begins: number[] = [];
    let used = 0;
    for (let group = groups[index]; group; group = groups[(index += 1)]) {
      const end = used + widthOf(Math.min(group.count, columns));
      if (headings.length > 0 && end > width) break;
      if (headings.length > 0) begins.push(position);
      headings.push({ group: index, columns: Math.min(group.count, columns) });
      position += group.count;
      used = group.count > columns ? Infinity : end + GAP + APART;
    }
    rows.push({ kind: 'heading', y, headings });
    y += HEADING;
    for (let at = from; at < position; at += columns) {
      rows.push({ kind: 'images', y, from: at, to: Math.min(at + columns, position), begins });
      y += cell + GAP;
    }
    y += REST;
  }
  return { columns, cell, rows, height: y };
}

/** The rows within a scroll range, by position: `from <= x < to`. */
export function visible(rows: Row[], top: number, bottom: number): [from: number, to: number] {
  const from = Math.max(0, firstAfter(rows, top) - 1);
  return [from, firstAfter(rows, bottom)];
}

export function rowOf(rows: Row[], image: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (firstImage(rows, middle) <= image) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export type Step = 'left' | 'right' | 'up' | 'down' | 'start' | 'end' | 'page_up' | 'page_down';

/** The image that an arrow key moves to. */
export function stepped({ rows }: Layout, image: number, step: Step, rowsOfPage: number): number {
  const imageRows = rows.filter((row): row is ImageRow => row.kind === 'images');
  const last = imageRows.at(-1);
  if (!last) return image;
  const index = imageRows.findIndex((row) => image >= row.from && image < row.to);
  const row = imageRows[index];
  if (!row) return 0;
  const inRow = (target: ImageRow | undefined) => (target ? Math.min(target.from + (image - row.from), target.to - 1) : image);
  switch (step) {
    case 'left':
      return Math.max(0, image - 1);
    case 'right':
      return Math.min(last.to - 1, image + 1);
    case 'up':
      return inRow(imageRows[index - 1]);
    case 'down':
      return inRow(imageRows[index + 1]);
    case 'page_up':
      return inRow(imageRows[Math.max(0, index - rowsOfPage)]);
    case 'page_down':
      return inRow(imageRows[Math.min(imageRows.length - 1, index + rowsOfPage)]);
    case 'start':
      return 0;
    case 'end':
      return last.to - 1;
  }
}

function firstAfter(rows: Row[], y: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.y ?? 0) <= y) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first image at or after a row; a heading counts as the row under it. */
function firstImage(rows: Row[], index: number): number {
  const row = rows[index];
  if (!row) return Infinity;
  if (row.kind === 'images') return row.from;
  const next = rows[index + 1];
  return next?.kind === 'images' ? next.from : Infinity;
}

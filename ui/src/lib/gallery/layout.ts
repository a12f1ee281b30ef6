/** Where ten thousand pictures lie, and which of them can be seen: plain arithmetic. */

/** Pictures that stand together under one heading. */
export interface Group {
  id: string;
  count: number;
}

/** What stands over one group of a shelf. */
export interface Heading {
  group: number;
  /** Columns that its pictures take under it. */
  columns: number;
}

export interface HeadingRow {
  kind: 'heading';
  y: number;
  /** One after the other, as their pictures stand under them. */
  headings: Heading[];
}

export interface PictureRow {
  kind: 'pictures';
  y: number;
  /** Positions in the whole list, `from <= x < to`. */
  from: number;
  to: number;
  /** Positions at which another group begins beside the first. */
  begins: number[];
}

export type Row = HeadingRow | PictureRow;

export interface Layout {
  columns: number;
  /** Side of a cell, without its gap. */
  cell: number;
  rows: Row[];
  height: number;
}

export const GAP = 10;
export const HEADING = 50;
/** Between two groups that stand beside each other, more than between pictures. */
export const APART = 18;
const SMALLEST_CELL = 148;
const MOST_COLUMNS = 10;
/** Room under a group before the next heading. */
const REST = 12;

/** Groups on shelves: small ones stand beside each other, in the order they come. */
export function layout(groups: Group[], width: number): Layout {
  const columns = Math.max(1, Math.min(MOST_COLUMNS, Math.floor((width + GAP) / (SMALLEST_CELL + GAP))));
  // Two groups that fill a shelf have room for what parts them.
  const cell = Math.max(24, Math.floor((width - GAP * (columns - 1) - (columns > 1 ? APART : 0)) / columns));
  const widthOf = (n: number) => n * (cell + GAP) - GAP;
  const rows: Row[] = [];
  let y = 0;
  let position = 0;
  for (let index = 0; index < groups.length; ) {
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
      rows.push({ kind: 'pictures', y, from: at, to: Math.min(at + columns, position), begins });
      y += cell + GAP;
    }
    y += REST;
  }
  return { columns, cell, rows, height: y };
}

/** The rows that lie within a stretch of the scroll, by position: `from <= x < to`. */
export function visible(rows: Row[], top: number, bottom: number): [from: number, to: number] {
  const from = Math.max(0, firstAfter(rows, top) - 1);
  return [from, firstAfter(rows, bottom)];
}

/** The row that holds a picture. */
export function rowOf(rows: Row[], picture: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (firstPicture(rows, middle) <= picture) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export type Step = 'left' | 'right' | 'up' | 'down' | 'start' | 'end' | 'page_up' | 'page_down';

/** The picture that a key leads to. */
export function stepped({ rows }: Layout, picture: number, step: Step, rowsOfPage: number): number {
  const pictureRows = rows.filter((row): row is PictureRow => row.kind === 'pictures');
  const last = pictureRows.at(-1);
  if (!last) return picture;
  const index = pictureRows.findIndex((row) => picture >= row.from && picture < row.to);
  const row = pictureRows[index];
  if (!row) return 0;
  const inRow = (target: PictureRow | undefined) =>
    target ? Math.min(target.from + (picture - row.from), target.to - 1) : picture;
  switch (step) {
    case 'left':
      return Math.max(0, picture - 1);
    case 'right':
      return Math.min(last.to - 1, picture + 1);
    case 'up':
      return inRow(pictureRows[index - 1]);
    case 'down':
      return inRow(pictureRows[index + 1]);
    case 'page_up':
      return inRow(pictureRows[Math.max(0, index - rowsOfPage)]);
    case 'page_down':
      return inRow(pictureRows[Math.min(pictureRows.length - 1, index + rowsOfPage)]);
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

/** The first picture at or after a row; a heading counts as the row under it. */
function firstPicture(rows: Row[], index: number): number {
  const row = rows[index];
  if (!row) return Infinity;
  if (row.kind === 'pictures') return row.from;
  const next = rows[index + 1];
  return next?.kind === 'pictures' ? next.from : Infinity;
}

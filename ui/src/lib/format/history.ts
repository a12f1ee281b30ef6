/** A project's history as rows: depth first, indented only where it branches. */
import type { Job, Node, NodeId } from '$lib/ipc';

export interface Row {
  key: string;
  node: Node | null;
  job: Job | null;
  depth: number;
  /** How the row connects to its parent. */
  link: 'root' | 'straight' | 'branch';
  /** Columns where the line of an ancestor passes this row on its way to a later branch. */
  through: number[];
}

interface Item {
  key: string;
  parent: string | null;
  node: Node | null;
  job: Job | null;
}

export function buildRows(nodes: Node[], jobs: Job[]): Row[] {
  const items: Item[] = [
    ...nodes.map((node) => ({ key: node.id, parent: node.parent, node, job: null })),
    ...jobs
      .filter((job) => job.kind !== 'chat')
      .map((job) => ({ key: job.id, parent: job.kind === 'edit' ? job.image : null, node: null, job })),
  ];
  const keys = new Set(items.map((item) => item.key));
  // A parent in another project is not drawn; the row starts a tree.
  const children = groupBy(items, (item) => (item.parent !== null && keys.has(item.parent) ? item.parent : null));
  const result: Row[] = [];
  // An explicit stack, because a history can be a chain of thousands.
  const stack: { item: Item; depth: number; link: Row['link']; through: number[] }[] = (children.get(null) ?? [])
    .map((item) => ({ item, depth: 0, link: 'root' as const, through: [] }))
    .reverse();
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { item, depth, link, through } = next;
    result.push({ key: item.key, node: item.node, job: item.job, depth, link, through });
    const own = children.get(item.key) ?? [];
    const inherited = through.filter((column) => column < depth);
    if (own.length === 1 && own[0]) {
      stack.push({ item: own[0], depth, link: 'straight', through: inherited });
      continue;
    }
    for (const [index, child] of [...own.entries()].reverse()) {
      const goesOn = index < own.length - 1;
      stack.push({ item: child, depth: depth + 1, link: 'branch', through: goesOn ? [...inherited, depth] : inherited });
    }
  }
  return result;
}

/** The keys of an image and its ancestors. */
export function collectAncestors(nodes: Node[], id: string | null): Set<string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const found = new Set<string>();
  for (let node = id === null ? undefined : byId.get(id); node && !found.has(node.id);) {
    found.add(node.id);
    node = node.parent === null ? undefined : byId.get(node.parent);
  }
  return found;
}

/** The lines from the current image to the root that pass rows of other branches: columns by row. */
export function findPathColumns(rows: Row[], way: Set<string>): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const [index, row] of rows.entries()) {
    if (row.link !== 'branch' || !way.has(row.key)) continue;
    const column = row.depth - 1;
    for (let n = index - 1; rows[n]?.through.includes(column); n -= 1) {
      const { key = '' } = rows[n] ?? {};
      found.set(key, [...(found.get(key) ?? []), column]);
    }
  }
  return found;
}

/** A chain of edits. */
export interface Branch {
  /** The image that the first edit was made from. */
  base: Node;
  /** At least one. */
  edits: Node[];
}

/** Branches that start at the image's siblings, and so can be repeated from the image itself: newest first. */
export function findSiblingBranches(nodes: Node[], id: NodeId): Branch[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const image = byId.get(id);
  if (!image) return [];
  const parents = new Set(nodes.map((node) => node.parent));
  const isBeside = (node: Node) => node.id !== id && node.parent === image.parent;
  return nodes
    .filter((node) => !parents.has(node.id))
    .reverse()
    .flatMap((leaf) => {
      const edits: Node[] = [];
      let node: Node | undefined = leaf;
      for (; node && !isBeside(node); node = node.parent === null ? undefined : byId.get(node.parent)) edits.push(node);
      return node && edits.length > 0 ? [{ base: node, edits: edits.reverse() }] : [];
    });
}

function groupBy<T, K>(items: T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

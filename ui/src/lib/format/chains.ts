import type { Node, NodeId } from '$lib/ipc';

/** Edits that were made one after the other. */
export interface Chain {
  /** What the first of them was made from. */
  after: Node;
  /** At least one. */
  edits: Node[];
}

/** Branches that begin beside an image, and so could be made from it as well: the newest first. */
export function chainsBeside(nodes: Node[], id: NodeId): Chain[] {
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
      return node && edits.length > 0 ? [{ after: node, edits: edits.reverse() }] : [];
    });
}

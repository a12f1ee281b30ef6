import type { Node } from '$lib/ipc';

/** Images by the tags they shall have: those that end up alike are set together. */
export function byTags(nodes: Node[], added: string[], removed: string[]): [tags: string[], nodes: Node[]][] {
  const groups = new Map<string, [string[], Node[]]>();
  for (const node of nodes) {
    const tags = [...new Set([...node.tags, ...added])].filter((tag) => !removed.includes(tag)).sort();
    if (tags.join('\n') === node.tags.join('\n')) continue;
    const group = groups.get(tags.join('\n'));
    if (group) group[1].push(node);
    else groups.set(tags.join('\n'), [tags, [node]]);
  }
  return [...groups.values()];
}

/** A tag as it is kept, or null when nothing is left of it. */
export function cleaned(tag: string): string | null {
  const text = tag.replaceAll(/\s+/g, ' ').trim().slice(0, 60);
  return text === '' ? null : text;
}

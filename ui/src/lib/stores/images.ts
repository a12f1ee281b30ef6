import { i18n } from '$lib/i18n/index.svelte';
import type { ExportFormat, Host, Node, NodeId, ProjectId, TurnId } from '$lib/ipc';
import type { Toasts } from './toasts.svelte';
import type { ViewState } from './view.svelte';

/** Actions on images and projects. */
export class Images {
  #host: Host;
  #toasts: Toasts;
  #view: ViewState;

  constructor(host: Host, toasts: Toasts, view: ViewState) {
    this.#host = host;
    this.#toasts = toasts;
    this.#view = view;
  }

  copy(id: NodeId): void {
    void this.#toasts.try(async () => {
      await this.#host.copyImage(id);
      this.#toasts.show({ text: () => i18n.m.images.copied });
    });
  }

  export(ids: NodeId[], format: ExportFormat = 'png'): void {
    void this.#toasts.try(async () => {
      const name = await this.#host.exportImages(ids, format);
      if (name !== null) this.#toasts.show({ text: () => i18n.m.images.exported(name) });
    });
  }

  exportProject(id: ProjectId): void {
    void this.#toasts.try(async () => {
      const name = await this.#host.exportProject(id);
      if (name !== null) this.#toasts.show({ text: () => i18n.m.images.exported(name) });
    });
  }

  reveal(id: NodeId): void {
    void this.#toasts.try(() => this.#host.revealImage(id));
  }

  /** Starts a native drag of image files. */
  dragOut(ids: NodeId[]): void {
    if (ids.length > 0) void this.#toasts.try(() => this.#host.dragOut(ids));
  }

  star(nodes: Node[]): void {
    const starred = nodes.some((node) => !node.starred);
    void this.#toasts.try(() => this.#host.setStarred(ids(nodes), starred));
  }

  /** Leaves turns out of what the model reads, or includes them again. */
  leaveOut(turns: TurnId[], leftOut: boolean): void {
    void this.#toasts.try(() => this.#host.leaveOut(turns, leftOut));
  }

  /** Adds and removes tags; other tags of each image stay. */
  tag(nodes: Node[], added: string[], removed: string[]): void {
    void this.#toasts.try(() => this.#host.changeTags(ids(nodes), added, removed));
  }

  trash(nodes: Node[]): void {
    if (nodes.length === 0) return;
    void this.#toasts.try(async () => {
      await this.#host.trash(ids(nodes));
      const action = { label: () => i18n.m.images.undo, run: () => this.restore(nodes) };
      this.#toasts.show({ text: () => i18n.m.images.trashed(nodes.length), action });
    });
  }

  restore(nodes: Node[]): void {
    void this.#toasts.try(() => this.#host.restore(ids(nodes)));
  }

  emptyTrash(): void {
    void this.#toasts.try(() => this.#host.emptyTrash());
  }

  renameProject(id: ProjectId, name: string): void {
    void this.#toasts.try(() => this.#host.renameProject(id, name));
  }

  /** Lets the user rename an image; entering its prompt again removes the name. */
  askForName(node: Node): void {
    this.#view.dialog = {
      kind: 'name',
      title: i18n.m.images.rename,
      value: node.name ?? node.prompt,
      onsave: (name) => void this.#toasts.try(() => this.#host.renameNode(node.id, name === node.prompt ? '' : name)),
    };
  }
}

const ids = (nodes: Node[]) => nodes.map((node) => node.id);

/** Normalizes a tag; null if nothing is left. */
export function cleanTag(tag: string): string | null {
  const text = tag.replaceAll(/\s+/g, ' ').trim().slice(0, 60);
  return text === '' ? null : text;
}

import { i18n } from '$lib/i18n/index.svelte';
import type { ExportFormat, Host, Node, NodeId, ProjectId, TurnId } from '$lib/ipc';
import type { Toasts } from './toasts.svelte';
import type { ViewState } from './view.svelte';

/** What can be done with images and projects that are there. */
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

  /** Hands images over to the system, whose pointer carries them from here on. */
  dragOut(ids: NodeId[]): void {
    if (ids.length > 0) void this.#toasts.try(() => this.#host.dragOut(ids));
  }

  star(nodes: Node[]): void {
    const starred = nodes.some((node) => !node.starred);
    void this.#toasts.try(() => this.#host.setStarred(ids(nodes), starred));
  }

  /** Leaves questions out of what the model reads next, or takes them in again. */
  leaveOut(turns: TurnId[], leftOut: boolean): void {
    void this.#toasts.try(() => this.#host.leaveOut(turns, leftOut));
  }

  /** Gives tags to images and takes others from them; what else they have stays. */
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

  /** Lets the artist name an image; its own words again take the name away. */
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

/** A tag as it is kept, or null when nothing is left of it. */
export function cleanTag(tag: string): string | null {
  const text = tag.replaceAll(/\s+/g, ' ').trim().slice(0, 60);
  return text === '' ? null : text;
}

import { SvelteSet } from 'svelte/reactivity';
import type { GalleryFilter, GalleryPage, Host, Node, NodeId, Project, ProjectId } from '$lib/ipc';

const FIRST_PAGE = 120;
const PAGE = 1000;
/** Pause between pages fetched in the background, which keeps the window responsive. */
const PAUSE_MS = 120;
/** Delay after typing before a search is sent. */
const TYPING_MS = 160;

const NO_FILTER: GalleryFilter = { text: '', tags: [], starred: false, origin: null, place: 'library' };

/** The gallery's filter, the images found so far, and the selection. */
export class GalleryState {
  filter = $state.raw<GalleryFilter>(NO_FILTER);
  nodes = $state.raw<Node[]>([]);
  total = $state(0);
  isLoading = $state(false);
  hasLoaded = $state(false);
  /** Whether loading failed, so that the images do not match the filter. */
  hasFailed = $state(false);
  readonly selected = new SvelteSet<NodeId>();
  /** Position of the focused image. */
  focus = $state(0);
  /** In pixels; kept while another page is shown. */
  scrollTop = $state(0);

  #projects = new Map<ProjectId, Project>();
  #anchor = 0;
  #loadId = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isShown = false;
  #isStale = false;
  /** The filter that the shown images match. */
  #loadedFilter: GalleryFilter | null = null;
  /** Changes to images since loading began; null for those removed. */
  #changedSinceLoad = new Map<NodeId, Node | null>();
  #host: Host;
  #fail: (error: unknown) => void;

  constructor(host: Host, fail: (error: unknown) => void) {
    this.#host = host;
    this.#fail = fail;
  }

  project(id: ProjectId): Project | undefined {
    return this.#projects.get(id);
  }

  get isFiltered(): boolean {
    const { text, tags, starred, origin } = this.filter;
    return text !== '' || tags.length > 0 || starred || origin !== null;
  }

  /** Selected images in gallery order. */
  get selectedNodes(): Node[] {
    return this.nodes.filter((node) => this.selected.has(node.id));
  }

  show(): void {
    this.#isShown = true;
    if (!this.hasLoaded || this.#isStale) void this.load();
  }

  hide(): void {
    this.#isShown = false;
  }

  changeFilter(change: Partial<GalleryFilter>): void {
    this.filter = { ...this.filter, ...change };
    // An answer to the previous filter must not end the loading state.
    this.#loadId += 1;
    this.isLoading = true;
    this.hasFailed = false;
    [this.focus, this.scrollTop] = [0, 0];
    this.clearSelection();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(), 'text' in change ? TYPING_MS : 0);
  }

  resetFilter(): void {
    this.changeFilter({ ...NO_FILTER, place: this.filter.place });
  }

  /** Fetches the first page, then the others one by one. */
  async load(): Promise<void> {
    const loadId = (this.#loadId += 1);
    // Reloading the same filter keeps the shown images until as many have arrived, so that the scroll position is not lost.
    const isAgain = this.#loadedFilter === this.filter;
    const most = isAgain ? this.nodes.length : 0;
    this.#isStale = false;
    this.isLoading = !isAgain;
    this.hasFailed = false;
    this.#changedSinceLoad = new Map();
    try {
      let page = await this.#host.gallery(this.filter, null, isAgain ? PAGE : FIRST_PAGE);
      if (loadId !== this.#loadId) return;
      if (!isAgain) this.#projects = new Map();
      let nodes = page.nodes;
      this.#show(page, nodes, most);
      this.#loadedFilter = this.filter;
      this.hasLoaded = true;
      while (page.next !== null) {
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        if (loadId !== this.#loadId) return;
        page = await this.#host.gallery(this.filter, page.next, PAGE);
        if (loadId !== this.#loadId) return;
        nodes = [...nodes, ...page.nodes];
        this.#show(page, nodes, most);
      }
      const here = new Set(this.nodes.map((node) => node.id));
      for (const id of [...this.selected]) if (!here.has(id)) this.selected.delete(id);
    } catch (error) {
      if (loadId === this.#loadId) this.#onLoadFailed(error);
    } finally {
      if (loadId === this.#loadId) this.isLoading = false;
    }
  }

  setProject(project: Project): void {
    this.#projects.set(project.id, project);
  }

  /** Selects an image, as by a click or key. */
  select(position: number, how: 'only' | 'toggle' | 'range'): void {
    const node = this.nodes[position];
    if (!node) return;
    this.focus = position;
    if (how === 'range') {
      this.selected.clear();
      const [from, to] = [Math.min(this.#anchor, position), Math.max(this.#anchor, position)];
      for (const one of this.nodes.slice(from, to + 1)) this.selected.add(one.id);
      return;
    }
    this.#anchor = position;
    if (how === 'toggle' && this.selected.has(node.id)) this.selected.delete(node.id);
    else {
      if (how === 'only') this.selected.clear();
      this.selected.add(node.id);
    }
  }

  /** Moves the focus without changing the selection. */
  moveFocus(position: number): void {
    this.focus = position;
    this.#anchor = position;
  }

  selectAll(): void {
    for (const node of this.nodes) this.selected.add(node.id);
  }

  clearSelection(): void {
    this.selected.clear();
    this.#anchor = this.focus;
  }

  #onLoadFailed(error: unknown): void {
    this.#fail(error);
    // An earlier answer to the same filter is better than nothing.
    if (this.#loadedFilter === this.filter) return;
    this.hasFailed = true;
    this.#loadedFilter = null;
    [this.nodes, this.total] = [[], 0];
  }

  /** The position of an image, or else the nearest to where it was. */
  #findPosition(id: NodeId | undefined, before: number): number {
    const found = id === undefined ? -1 : this.nodes.findIndex((node) => node.id === id);
    return found >= 0 ? found : Math.min(before, Math.max(0, this.nodes.length - 1));
  }

  /** Shows the images once all, or at least as many as before, have arrived. */
  #show(page: GalleryPage, nodes: Node[], most: number): void {
    for (const project of page.projects) this.#projects.set(project.id, project);
    if (page.next !== null && nodes.length < most) return;
    const [focused, anchored] = [this.nodes[this.focus]?.id, this.nodes[this.#anchor]?.id];
    const newest = nodes.map((node) => (this.#changedSinceLoad.has(node.id) ? this.#changedSinceLoad.get(node.id) : node));
    this.nodes = newest.filter((node) => node != null);
    this.total = page.total;
    const isAgain = most > 0;
    this.focus = this.#findPosition(isAgain ? focused : undefined, this.focus);
    this.#anchor = this.#findPosition(isAgain ? anchored : undefined, this.#anchor);
  }

  updateNodes(nodes: Node[]): void {
    const changed = new Map(nodes.map((node) => [node.id, node]));
    const here = new Set(this.nodes.map((node) => node.id));
    const gone = new Set(nodes.filter((node) => !this.#canMatch(node)).map((node) => node.id));
    for (const node of nodes) this.#changedSinceLoad.set(node.id, gone.has(node.id) ? null : node);
    this.nodes = this.nodes.map((node) => changed.get(node.id) ?? node);
    if (this.nodes.some((node) => gone.has(node.id))) this.removeNodes(gone);
    if (nodes.some((node) => !gone.has(node.id) && !here.has(node.id))) this.refresh();
  }

  /** Whether an image can match the filter. Only the host can match text and origin. */
  #canMatch(node: Node): boolean {
    const { place, starred, tags } = this.filter;
    return (node.trashed_ms !== null) === (place === 'trash') && (!starred || node.starred) && tags.every((tag) => node.tags.includes(tag));
  }

  removeNodes(gone: Set<NodeId>): void {
    const before = this.nodes.length;
    this.nodes = this.nodes.filter((node) => !gone.has(node.id));
    this.total -= before - this.nodes.length;
    for (const id of gone) {
      this.selected.delete(id);
      this.#changedSinceLoad.set(id, null);
    }
    this.focus = Math.min(this.focus, Math.max(0, this.nodes.length - 1));
  }

  /** Reloads, either now or when the gallery is next shown. */
  refresh(): void {
    this.#isStale = true;
    if (!this.#isShown) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(), TYPING_MS);
  }
}

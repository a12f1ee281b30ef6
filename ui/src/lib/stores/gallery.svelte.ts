import { SvelteSet } from 'svelte/reactivity';
import type { GalleryFilter, GalleryPage, Host, Node, NodeId, Project, ProjectId } from '$lib/ipc';

const FIRST_PAGE = 120;
const PAGE = 1000;
/** Between pages that are fetched ahead, so that the window stays quick. */
const PAUSE_MS = 120;
/** Letters come faster than answers are wanted. */
const TYPING_MS = 160;

const NO_FILTER: GalleryFilter = { text: '', tags: [], starred: false, origin: null, place: 'library' };

/** Which images are wanted, those found so far, and those chosen among them. */
export class GalleryState {
  filter = $state.raw<GalleryFilter>(NO_FILTER);
  nodes = $state.raw<Node[]>([]);
  total = $state(0);
  isLoading = $state(false);
  /** Whether a first answer has come. */
  hasLoaded = $state(false);
  /** Whether the question could not be answered: nothing that is shown would be its answer. */
  hasFailed = $state(false);
  readonly selected = new SvelteSet<NodeId>();
  /** The image that has the keyboard, by position. */
  focus = $state(0);
  /** How far it is scrolled, in pixels; kept while another place is shown. */
  scrollTop = $state(0);

  #projects = new Map<ProjectId, Project>();
  #anchor = 0;
  #loadId = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isShown = false;
  #isStale = false;
  /** The question that what is shown answers. */
  #loadedFilter: GalleryFilter | null = null;
  /** What became of images since it was last asked; null where they are gone. */
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

  /** Images that were chosen, in the order they lie. */
  get selectedNodes(): Node[] {
    return this.nodes.filter((node) => this.selected.has(node.id));
  }

  /** The gallery is in sight: what it holds must be true. */
  show(): void {
    this.#isShown = true;
    if (!this.hasLoaded || this.#isStale) void this.load();
  }

  hide(): void {
    this.#isShown = false;
  }

  changeFilter(change: Partial<GalleryFilter>): void {
    this.filter = { ...this.filter, ...change };
    // What is on its way answers another question, and must not say that all is there.
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

  /** Fetches the first page at once, and the others one after the other. */
  async load(): Promise<void> {
    const loadId = (this.#loadId += 1);
    // The same question asked again is answered aside: nobody's place in 10,000 images is lost over one more.
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

  /** A click, or a key, on an image. */
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

  /** The keyboard goes to an image without choosing it. */
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
    // What answered this question before is still the best there is.
    if (this.#loadedFilter === this.filter) return;
    this.hasFailed = true;
    this.#loadedFilter = null;
    [this.nodes, this.total] = [[], 0];
  }

  /** Where an image lies now, or else the place nearest to where it was. */
  #findPosition(id: NodeId | undefined, before: number): number {
    const found = id === undefined ? -1 : this.nodes.findIndex((node) => node.id === id);
    return found >= 0 ? found : Math.min(before, Math.max(0, this.nodes.length - 1));
  }

  /** Shows what has come, once it is all or at least as much as stands there. */
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

  /** Whether an image can be among those that are looked for; of words and origin only the program knows. */
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

  /** What is shown may no longer be true: it is asked for again, at once where it is in sight. */
  refresh(): void {
    this.#isStale = true;
    if (!this.#isShown) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(), TYPING_MS);
  }
}

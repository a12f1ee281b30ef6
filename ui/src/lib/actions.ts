/** All actions with their shortcuts, for the keyboard and the command palette. */
import { tick } from 'svelte';
import type { Messages } from '$lib/i18n/index.svelte';
import { studio } from '$lib/stores';
import type { Kind, Node } from '$lib/ipc';
import { isUnmodified, isMac, keysOf, formatKeys } from '$lib/shared/keys';
import { findSiblingBranches } from '$lib/format/history';
import type { Place, InspectorTab } from '$lib/stores/view.svelte';
import { viewport } from '$lib/stores/viewport.svelte';

export type ActionId = keyof Messages['actions'];
export type ActionGroup = keyof Messages['keys']['groups'];

export interface Action {
  id: ActionId;
  group: ActionGroup;
  /** Keys as `mod+enter`; `mod` is Ctrl, or Command on a Mac. Without keys, it is only in the palette. */
  keys: string[];
  /** Whether it also works while typing. */
  whileTyping?: boolean;
  /** Pages where it works; everywhere when absent. */
  places?: Place[];
  isPossible?: () => boolean;
  /** Whether it lasts only while its key is held, and so is not in the palette. */
  isHeld?: boolean;
  /** Whether key repeat is ignored, because each repeat would act on another image. */
  isOnce?: boolean;
  run: () => void;
}

const { view, library, gallery } = studio;
const hasImage = () => view.nodeId !== null;
/** Whether the current image is on the canvas, not the steps or failure of a job. */
const showsImage = () => hasImage() && view.jobId === null;
const go = (place: Place) => () => {
  view.place = place;
};

/** Opens a page and focuses one of its fields. */
function goToField(place: Place, field: string): void {
  const focus = () => document.querySelector<HTMLElement>(field)?.focus();
  const isThere = view.place === place;
  view.place = place;
  if (isThere) focus();
  else void tick().then(focus);
}

const search = () => goToField('gallery', 'input[type="search"]');
const write = () => goToField('studio', '.composer textarea');

/** Opens the queue and focuses its first button, or closes it, which restores the focus. */
function toggleQueue(): void {
  const queue = document.getElementById('queue');
  if (queue?.togglePopover()) void tick().then(() => queue.querySelector<HTMLElement>('button:not(:disabled)')?.focus());
}

const show = (tab: InspectorTab) => () => {
  view.tab = tab;
};

const ask = (mode: Kind) => () => {
  studio.composer.mode = mode;
  write();
};

const hasRecipe = () => view.node?.has_recipe === true;
const withNode = (action: (node: Node) => void) => () => {
  if (view.node) action(view.node);
};

/** The images that an action applies to: the gallery's selection, or the image on the canvas. */
function chosen() {
  // With a popover open, the user's attention is elsewhere.
  if (document.querySelector(':popover-open') !== null) return [];
  if (view.place === 'gallery') return gallery.selectedNodes;
  return view.node && showsImage() ? [view.node] : [];
}

const studioOnly: Place[] = ['studio'];
const images: Place[] = ['studio', 'gallery'];

export const actions: Action[] = [
  { id: 'run', group: 'request', keys: ['mod+enter'], whileTyping: true, places: studioOnly, run: () => void studio.jobs.submit() },
  {
    id: 'run_next',
    group: 'request',
    keys: ['mod+shift+enter'],
    whileTyping: true,
    places: studioOnly,
    run: () => void studio.jobs.submit(true),
  },
  {
    id: 'stop',
    group: 'request',
    keys: ['escape'],
    whileTyping: true,
    places: studioOnly,
    // The web view itself closes an open popover or dialog.
    isPossible: () =>
      (studio.jobs.canStop || view.isComparing || view.scrub !== null) && document.querySelector(':popover-open, dialog[open]') === null,
    run: () => {
      if (view.scrub) view.scrub = null;
      else if (view.isComparing) view.isComparing = false;
      else studio.jobs.stop();
    },
  },
  { id: 'write', group: 'request', keys: ['/'], run: write },
  { id: 'generate', group: 'request', keys: [], run: ask('generate') },
  { id: 'edit', group: 'request', keys: [], isPossible: hasImage, run: ask('edit') },
  { id: 'chat', group: 'request', keys: [], run: ask('chat') },
  { id: 'pause_queue', group: 'request', keys: [], run: () => studio.jobs.pauseQueue(!library.isPaused) },
  {
    id: 'reset_parameters',
    group: 'request',
    keys: [],
    places: studioOnly,
    isPossible: () => !studio.composer.isDefault,
    run: () => studio.composer.resetParameters(),
  },
  {
    id: 'reuse_seed',
    group: 'request',
    keys: ['s'],
    places: studioOnly,
    isPossible: hasRecipe,
    run: () => void studio.recipes.reuse('seed'),
  },
  {
    id: 'reuse_prompt',
    group: 'request',
    keys: ['p'],
    places: studioOnly,
    isPossible: hasRecipe,
    run: () => void studio.recipes.reuse('prompt'),
  },
  {
    id: 'reuse_all',
    group: 'request',
    keys: ['r'],
    places: studioOnly,
    isPossible: hasRecipe,
    run: () => void studio.recipes.reuse('all'),
  },

  { id: 'open', group: 'images', keys: ['mod+o'], whileTyping: true, run: () => studio.openImages() },
  { id: 'new', group: 'images', keys: ['mod+n'], whileTyping: true, run: () => studio.newProject() },
  {
    id: 'export',
    group: 'images',
    keys: ['mod+e'],
    whileTyping: true,
    places: images,
    isPossible: () => chosen().length > 0,
    run: () => studio.images.export(chosen().map((node) => node.id)),
  },
  {
    id: 'copy',
    group: 'images',
    keys: ['mod+c'],
    places: studioOnly,
    isPossible: () => showsImage() && (getSelection()?.isCollapsed ?? true),
    run: withNode((node) => studio.images.copy(node.id)),
  },
  {
    id: 'star',
    group: 'images',
    keys: ['f'],
    places: images,
    isPossible: () => chosen().length > 0,
    run: () => studio.images.star(chosen()),
  },
  {
    id: 'tags',
    group: 'images',
    keys: ['t'],
    places: images,
    isPossible: () => chosen().length > 0,
    run: () => {
      view.dialog = { kind: 'tags', nodes: chosen() };
    },
  },
  {
    id: 'rename',
    group: 'images',
    keys: ['f2'],
    places: studioOnly,
    isPossible: showsImage,
    run: withNode((node) => studio.images.askForName(node)),
  },
  {
    id: 'trash',
    group: 'images',
    keys: ['delete', 'backspace'],
    isOnce: true,
    places: images,
    isPossible: () => chosen().length > 0 && (view.place !== 'gallery' || gallery.filter.place === 'library'),
    run: () => studio.images.trash(chosen()),
  },

  {
    id: 'reveal',
    group: 'images',
    keys: [],
    places: studioOnly,
    isPossible: showsImage,
    run: withNode((node) => studio.images.reveal(node.id)),
  },
  {
    id: 'export_project',
    group: 'images',
    keys: [],
    places: studioOnly,
    isPossible: hasImage,
    run: withNode((node) => studio.images.exportProject(node.project)),
  },
  { id: 'import_project', group: 'images', keys: [], run: () => studio.importProject() },

  { id: 'parent', group: 'history', keys: ['mod+z', 'arrowleft'], places: studioOnly, run: () => view.goToParent() },
  { id: 'child', group: 'history', keys: ['mod+shift+z', 'mod+y', 'arrowright'], places: studioOnly, run: () => view.goToChild() },
  { id: 'previous', group: 'history', keys: ['arrowup'], places: studioOnly, run: () => walk(-1) },
  { id: 'next', group: 'history', keys: ['arrowdown'], places: studioOnly, run: () => walk(1) },
  {
    id: 'original',
    group: 'history',
    keys: ['\\'],
    isHeld: true,
    places: studioOnly,
    isPossible: () => view.node?.parent != null,
    run: () => {
      view.showsOriginal = true;
    },
  },
  {
    id: 'compare',
    group: 'history',
    keys: ['c'],
    places: studioOnly,
    isPossible: () => view.comparison !== undefined && view.jobId === null,
    run: () => {
      view.isComparing = !view.isComparing;
    },
  },
  { id: 'steps', group: 'history', keys: ['w'], places: studioOnly, isPossible: showsImage, run: () => void studio.recipes.toggleScrub() },
  { id: 'recipe', group: 'history', keys: ['i'], places: studioOnly, run: show('recipe') },
  {
    id: 'replay',
    group: 'history',
    keys: [],
    places: studioOnly,
    isPossible: hasRecipe,
    run: withNode((node) => studio.recipes.replay(node.id)),
  },
  {
    id: 'verify',
    group: 'history',
    keys: [],
    places: studioOnly,
    isPossible: hasRecipe,
    run: withNode((node) => studio.recipes.verify(node.id)),
  },
  {
    id: 'repeat',
    group: 'history',
    keys: [],
    places: studioOnly,
    isPossible: () => view.node !== undefined && findSiblingBranches(library.nodesOf(view.project), view.node.id).length > 0,
    run: withNode((node) => {
      view.dialog = { kind: 'repeat', node };
    }),
  },

  { id: 'fit', group: 'zoom', keys: ['0'], places: studioOnly, run: () => viewport.fit() },
  { id: 'zoom_1', group: 'zoom', keys: ['1'], places: studioOnly, run: () => viewport.zoomTo(100) },
  { id: 'zoom_2', group: 'zoom', keys: ['2'], places: studioOnly, run: () => viewport.zoomTo(200) },
  { id: 'zoom_4', group: 'zoom', keys: ['4'], places: studioOnly, run: () => viewport.zoomTo(400) },
  { id: 'zoom_in', group: 'zoom', keys: ['+', '='], places: studioOnly, run: () => viewport.zoomBy(1.25) },
  { id: 'zoom_out', group: 'zoom', keys: ['-'], places: studioOnly, run: () => viewport.zoomBy(0.8) },

  { id: 'studio', group: 'places', keys: ['e'], run: go('studio') },
  { id: 'gallery', group: 'places', keys: ['g'], run: go('gallery') },
  { id: 'models', group: 'places', keys: ['m'], run: go('models') },
  { id: 'show_chat', group: 'places', keys: [], places: studioOnly, run: show('chat') },
  { id: 'plan', group: 'places', keys: [], places: studioOnly, run: show('plan') },
  { id: 'parameters', group: 'places', keys: [], places: studioOnly, run: show('parameters') },
  { id: 'benchmark', group: 'places', keys: [], run: () => (go('models')(), void studio.models.benchmark()) },
  { id: 'diagnostics', group: 'places', keys: [], run: () => studio.copyDiagnostics() },
  { id: 'settings', group: 'places', keys: ['mod+,'], whileTyping: true, run: go('settings') },
  { id: 'queue', group: 'places', keys: ['q'], run: toggleQueue },
  { id: 'search', group: 'places', keys: ['mod+f'], whileTyping: true, run: search },
  {
    id: 'palette',
    group: 'places',
    keys: ['mod+k'],
    whileTyping: true,
    run: () => {
      view.dialog = { kind: 'palette' };
    },
  },
  {
    id: 'keys',
    group: 'places',
    keys: ['?'],
    run: () => {
      view.dialog = { kind: 'keys' };
    },
  },
];

/** Opens the previous or next row of the history as rendered. */
function walk(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
  const index = rows.findIndex((row) => row.getAttribute('aria-current') === 'true');
  rows[index + step]?.click();
}

export function actionFor(event: KeyboardEvent): Action | undefined {
  if (event.isComposing || event.defaultPrevented) return undefined;
  // A dialog has no shortcuts.
  if (document.querySelector('dialog[open]') !== null) return undefined;
  const pressed = keysOf(event);
  const typing = isTyping(event.target);
  if (isUnmodified(event) && event.key.length === 1 && !library.settings.single_letter_keys) return undefined;
  // Controls that use arrow keys themselves keep them.
  if (event.key.startsWith('Arrow') && !isFree(event.target)) return undefined;
  if (event.key === 'Backspace' && !isMac) return undefined;
  return actions.find(
    (action) =>
      action.keys.includes(pressed) &&
      !(action.isOnce === true && event.repeat) &&
      (action.whileTyping === true || !typing) &&
      (action.places === undefined || action.places.includes(view.place)) &&
      (action.isPossible?.() ?? true),
  );
}

export function keysFor(id: ActionId): string {
  return formatKeys(actions.find((action) => action.id === id)?.keys[0] ?? '');
}

/** Whether the element accepts text. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && !['range', 'checkbox', 'radio'].includes(target.type))
  );
}

function isFree(target: EventTarget | null): boolean {
  return (
    target === document.body ||
    (target instanceof HTMLElement && target.closest('[role="toolbar"], .canvas') !== null && !(target instanceof HTMLInputElement))
  );
}

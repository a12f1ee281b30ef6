/** Everything that can be done by key, in one place: the keys, and what they do. */
import { studio } from '$lib/state/studio.svelte';
import { viewport } from '$lib/state/viewport.svelte';

export interface Action {
  id: string;
  /** Keys as `mod+enter`; `mod` is Ctrl, or Command on a Mac. */
  keys: string[];
  /** Whether it also works while text is being typed. */
  whileTyping: boolean;
  isPossible?: () => boolean;
  run: () => void;
}

export const isMac = navigator.userAgent.includes('Mac OS');

export const actions: Action[] = [
  { id: 'run', keys: ['mod+enter'], whileTyping: true, run: () => void studio.submit() },
  {
    id: 'stop',
    keys: ['escape'],
    whileTyping: true,
    // An open popover is closed by the web view itself.
    isPossible: () => studio.library.running !== undefined && document.querySelector(':popover-open') === null,
    run: () => studio.stop(),
  },
  { id: 'open', keys: ['mod+o'], whileTyping: true, run: () => studio.openPictures() },
  { id: 'new', keys: ['mod+n'], whileTyping: true, run: () => studio.newPiece() },
  { id: 'parent', keys: ['mod+z'], whileTyping: false, run: () => studio.view.goToParent() },
  { id: 'child', keys: ['mod+shift+z', 'mod+y'], whileTyping: false, run: () => studio.view.goToChild() },
  { id: 'fit', keys: ['0'], whileTyping: false, run: () => viewport.fit() },
  { id: 'zoom_1', keys: ['1'], whileTyping: false, run: () => viewport.zoomTo(1) },
  { id: 'zoom_2', keys: ['2'], whileTyping: false, run: () => viewport.zoomTo(2) },
  { id: 'zoom_4', keys: ['4'], whileTyping: false, run: () => viewport.zoomTo(4) },
  { id: 'zoom_in', keys: ['+', '='], whileTyping: false, run: () => viewport.zoomBy(1.25) },
  { id: 'zoom_out', keys: ['-'], whileTyping: false, run: () => viewport.zoomBy(0.8) },
  {
    id: 'original',
    keys: ['\\'],
    whileTyping: false,
    isPossible: () => studio.view.node?.parent != null,
    run: () => (studio.view.showsOriginal = true),
  },
];

/** The action of a key press, if it has one now. */
export function actionFor(event: KeyboardEvent): Action | undefined {
  if (event.isComposing) return undefined;
  const pressed = keysOf(event);
  const typing = isTyping(event.target);
  return actions.find(
    (action) => action.keys.includes(pressed) && (action.whileTyping || !typing) && (action.isPossible?.() ?? true),
  );
}

/** A key press as actions write it. */
export function keysOf(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>): string {
  const mod = isMac ? event.metaKey : event.ctrlKey;
  const key = event.key.toLowerCase();
  // Shift is part of a printed character already.
  const shift = event.shiftKey && (mod || key.length > 1);
  return [mod && 'mod', event.altKey && 'alt', shift && 'shift', key].filter(Boolean).join('+');
}

/** Keys as the artist reads them. */
export function printed(keys: string): string {
  const names: Record<string, string> = isMac
    ? { mod: '⌘', shift: '⇧', alt: '⌥', enter: '↵', escape: 'Esc' }
    : { mod: 'Ctrl', shift: 'Shift', alt: 'Alt', enter: '↵', escape: 'Esc' };
  return keys
    .split('+')
    .map((key) => names[key] ?? key.toUpperCase())
    .join(isMac ? '' : ' ');
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && target.type !== 'range');
}

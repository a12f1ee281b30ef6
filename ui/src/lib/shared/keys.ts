/** Key presses as actions write them: `mod+enter`; `mod` is Ctrl, or Command on a Mac. */

export const isMac = navigator.userAgent.includes('Mac OS');

export type KeyPress = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey' | 'getModifierState'>;

/**
 * Whether Ctrl and Alt did no more than print the character: on many keyboards `\` lies under AltGr,
 * which Windows reports as both of them, and on a Mac under Option.
 */
function isPrinted(event: KeyPress): boolean {
  const isSign = event.key.length === 1 && !/[\p{L}\p{N}]/u.test(event.key);
  return isSign && (event.getModifierState('AltGraph') || (isMac && event.altKey));
}

/** Whether nothing is held that makes another key of it. */
export function isUnmodified(event: KeyPress): boolean {
  return !event.metaKey && (isPrinted(event) || (!event.ctrlKey && !event.altKey));
}

export function keysOf(event: KeyPress): string {
  const key = event.key.toLowerCase();
  const isPlain = isPrinted(event);
  const mod = isMac ? event.metaKey : event.ctrlKey && !isPlain;
  // Shift is part of a formatKeys character already.
  const shift = event.shiftKey && (mod || key.length > 1);
  return [mod && 'mod', event.altKey && !isPlain && 'alt', shift && 'shift', key].filter(Boolean).join('+');
}

/** Keys as the artist reads them. */
export function formatKeys(keys: string): string {
  const names: Record<string, string> = {
    ...(isMac ? { mod: '⌘', shift: '⇧', alt: '⌥' } : { mod: 'Ctrl', shift: 'Shift', alt: 'Alt' }),
    enter: '↵',
    escape: 'Esc',
    delete: 'Del',
    backspace: '⌫',
    arrowleft: '←',
    arrowright: '→',
    arrowup: '↑',
    arrowdown: '↓',
  };
  if (keys === '+') return keys;
  return keys
    .split('+')
    .map((key) => names[key] ?? key.toUpperCase())
    .join(isMac ? '' : ' ');
}

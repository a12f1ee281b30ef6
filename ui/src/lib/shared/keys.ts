/** Key presses as actions name them: `mod+enter`, where `mod` is Ctrl, or Command on a Mac. */

export const isMac = navigator.userAgent.includes('Mac OS');

export type KeyPress = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey' | 'getModifierState'>;

/**
 * Whether Ctrl and Alt only selected the printed character. On many keyboards `\` needs AltGr,
 * which Windows reports as Ctrl+Alt, or Option on a Mac.
 */
function isPrinted(event: KeyPress): boolean {
  const isSign = event.key.length === 1 && !/[\p{L}\p{N}]/u.test(event.key);
  return isSign && (event.getModifierState('AltGraph') || (isMac && event.altKey));
}

export function isUnmodified(event: KeyPress): boolean {
  return !event.metaKey && (isPrinted(event) || (!event.ctrlKey && !event.altKey));
}

export function keysOf(event: KeyPress): string {
  const key = event.key.toLowerCase();
  const isPlain = isPrinted(event);
  const mod = isMac ? event.metaKey : event.ctrlKey && !isPlain;
  // A printed sign such as `?` already includes Shift.
  const shift = event.shiftKey && (mod || key.length > 1);
  return [mod && 'mod', event.altKey && !isPlain && 'alt', shift && 'shift', key].filter(Boolean).join('+');
}

/** Keys as they are shown to the user. */
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

import type { Attachment } from 'svelte/attachments';

/** A hand that only presses trembles less than this. */
const FAR_PX = 6;

/**
 * Calls when the pointer moves away while it is held down on an element.
 *
 * What it is given should stay the same while the pointer is down: with another one it begins anew.
 */
export function onDragOut(onaway: () => void): Attachment<HTMLElement> {
  return (element) => {
    let start: { x: number; y: number } | null = null;
    const down = (event: PointerEvent) => {
      start = event.button === 0 && event.pointerType === 'mouse' ? { x: event.clientX, y: event.clientY } : null;
    };
    const move = (event: PointerEvent) => {
      if (start === null) return;
      const isHeld = (event.buttons & 1) === 1;
      if (isHeld && Math.hypot(event.clientX - start.x, event.clientY - start.y) < FAR_PX) return;
      start = null;
      if (isHeld) onaway();
    };
    element.addEventListener('pointerdown', down);
    // A quick hand is beyond the element with its first movement.
    window.addEventListener('pointermove', move);
    return () => {
      element.removeEventListener('pointerdown', down);
      window.removeEventListener('pointermove', move);
    };
  };
}

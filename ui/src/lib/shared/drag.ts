import type { Attachment } from 'svelte/attachments';

/** Movement in pixels that still counts as a click. */
const FAR_PX = 6;

/**
 * Calls `ondrag` once the pointer moves away from where it was pressed on the element.
 *
 * Keep the argument stable while the pointer is down: a new one starts over.
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
    // Captures the pointer, because a fast movement leaves the element at once.
    window.addEventListener('pointermove', move);
    return () => {
      element.removeEventListener('pointerdown', down);
      window.removeEventListener('pointermove', move);
    };
  };
}

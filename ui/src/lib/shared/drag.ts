import type { Attachment } from 'svelte/attachments';

/** A hand that only presses trembles less than this. */
const FAR_PX = 6;

/** Calls when the pointer moves away while it is held down on an element. */
export function dragAway(onaway: () => void): Attachment<HTMLElement> {
  return (element) => {
    let start: { x: number; y: number } | null = null;
    const down = (event: PointerEvent) => {
      start = event.button === 0 && event.pointerType === 'mouse' ? { x: event.clientX, y: event.clientY } : null;
    };
    const move = (event: PointerEvent) => {
      if (start === null || Math.hypot(event.clientX - start.x, event.clientY - start.y) < FAR_PX) return;
      start = null;
      if ((event.buttons & 1) === 1) onaway();
    };
    element.addEventListener('pointerdown', down);
    element.addEventListener('pointermove', move);
    return () => {
      element.removeEventListener('pointerdown', down);
      element.removeEventListener('pointermove', move);
    };
  };
}

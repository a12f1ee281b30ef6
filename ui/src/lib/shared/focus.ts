import { tick } from 'svelte';
import type { Attachment } from 'svelte/attachments';

const stops = 'button:not(:disabled), input:not(:disabled), select, textarea, [href], [tabindex="0"]';

/** Moves the caret to the end of the prompt, after any pending change of its text is rendered. */
export function focusPrompt(): void {
  void tick().then(() => {
    const line = document.querySelector<HTMLTextAreaElement>('.composer textarea');
    line?.focus();
    line?.setSelectionRange(line.value.length, line.value.length);
  });
}

/** Moves the focus to the element that takes the place of a removed one, so that a list can be worked through by keyboard. */
export const keepFocus: Attachment<HTMLElement> = (list) => {
  let index = -1;
  const all = () => [...list.querySelectorAll<HTMLElement>(stops)];
  const enter = (event: FocusEvent) => (index = all().indexOf(event.target as HTMLElement));
  // `focusout` also fires when the element is removed; only a moment later is it known whether it was.
  const leave = (event: FocusEvent) => {
    queueMicrotask(() => {
      if ((event.target as HTMLElement).isConnected) index = -1;
    });
  };
  const observer = new MutationObserver(() => {
    if (index < 0 || document.activeElement !== document.body) return;
    const left = all();
    left[Math.min(index, left.length - 1)]?.focus();
  });
  list.addEventListener('focusin', enter);
  list.addEventListener('focusout', leave);
  observer.observe(list, { childList: true, subtree: true });
  return () => {
    list.removeEventListener('focusin', enter);
    list.removeEventListener('focusout', leave);
    observer.disconnect();
  };
};

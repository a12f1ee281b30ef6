import { tick } from 'svelte';
import type { Attachment } from 'svelte/attachments';

const stops = 'button:not(:disabled), input:not(:disabled), select, textarea, [href], [tabindex="0"]';

/** Puts the caret behind the words of the prompt, those that are about to be written too. */
export function focusPrompt(): void {
  void tick().then(() => {
    const line = document.querySelector<HTMLTextAreaElement>('.composer textarea');
    line?.focus();
    line?.setSelectionRange(line.value.length, line.value.length);
  });
}

/** Where what has the keyboard is taken away, what comes into its place gets it, so that a list is gone through without a mouse. */
export const keepFocus: Attachment<HTMLElement> = (list) => {
  let index = -1;
  const all = () => [...list.querySelectorAll<HTMLElement>(stops)];
  const enter = (event: FocusEvent) => (index = all().indexOf(event.target as HTMLElement));
  // Whoever leaves takes the keyboard along; what is taken away leaves too, and is not there any more a moment later.
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

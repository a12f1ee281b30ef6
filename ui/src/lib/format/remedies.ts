import { i18n } from '$lib/i18n/index.svelte';
import type { Remedy } from '$lib/ipc';
import { formatSize } from './sizes';

/** What a remedy's button says. */
export function remedyLabel(remedy: Remedy): string {
  const m = i18n.m.remedies;
  if (remedy.kind === 'smaller_size') return m.smaller_size(formatSize(remedy.size));
  return remedy.kind === 'leave_out' ? m.leave_out(remedy.turns.length) : m[remedy.kind];
}

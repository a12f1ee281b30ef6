import { i18n } from '$lib/i18n/index.svelte';
import type { Remedy } from '$lib/ipc';
import { formatSize } from './sizes';

/** What a remedy's button says. */
export function remedyLabel(remedy: Remedy): string {
  const m = i18n.m.remedies;
  return remedy.kind === 'smaller_size' ? m.smaller_size(formatSize(remedy.size)) : m[remedy.kind];
}

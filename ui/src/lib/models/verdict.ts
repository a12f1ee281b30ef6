import { i18n } from '$lib/i18n/index.svelte';
import type { Verdict } from '$lib/ipc';
import { formatBytes } from '$lib/format/quantities';

/** Whether a model fits, in words. */
export function verdictText(verdict: Verdict): string {
  const m = i18n.m.models.verdicts;
  const on = m.on[verdict.on];
  const bytes = (value: number) => formatBytes(value, i18n.tag);
  switch (verdict.kind) {
    case 'fits':
      return m.fits(on);
    case 'fits_tightly':
      return m.fits_tightly(on, bytes(verdict.spare_bytes));
    case 'does_not_fit':
      return m.does_not_fit(on, bytes(verdict.missing_bytes));
  }
}

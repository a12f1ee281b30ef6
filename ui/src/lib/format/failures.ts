import { i18n } from '$lib/i18n/index.svelte';
import type { ErrorCode, Failure, CostEstimate, Remedy } from '$lib/ipc';
import { formatBytes } from './quantities';
import { formatSize } from './sizes';

/** Codes whose translated text does not name the file, value or number concerned. */
const SPECIFIC_CODES = new Set<ErrorCode>([
  'bad_input',
  'not_an_image',
  'image_too_large',
  'size_unusable',
  'out_of_range',
  'not_a_project',
  'file_unusable',
  'text_too_long',
  'too_many',
  'busy',
  'bad_address',
  'not_repeatable',
  'catalog_unusable',
  'repaired',
  'settings_unusable',
]);

/** The action that helps, for a failure that is not shown next to a button that does. */
export const FAILURE_ACTIONS: Partial<Record<ErrorCode, 'open' | 'import_project' | 'models' | 'settings' | 'diagnostics'>> = {
  not_an_image: 'open',
  image_too_large: 'open',
  image_missing: 'open',
  model_invalid: 'models',
  model_missing: 'models',
  network: 'models',
  hash_mismatch: 'models',
  disk_full: 'settings',
  keyring: 'settings',
  bad_address: 'settings',
  settings_unusable: 'settings',
  not_a_project: 'import_project',
  internal: 'diagnostics',
};

/** Whether choosing another model would help. */
export function needsModel({ code }: Failure): boolean {
  return code === 'model_missing' || code === 'model_invalid';
}

/** A failure in the window's language; the host's English message becomes its details. */
export interface Explanation {
  title: string;
  meaning: string;
  details: {
    label: string;
    text: string;
    /** Whether the details start open: where the translated text alone does not say what to change. */
    isOpen: boolean;
  };
  /** Copied to the clipboard for a report. */
  copy: { text: string; label: string; done: string };
}

export function explainFailure({ code, message }: Failure): Explanation {
  const m = i18n.m.failure;
  const [title, text] = [m.titles[code], toSentence(message)];
  return {
    title,
    meaning: m.meanings[code],
    details: { label: m.details, text, isOpen: SPECIFIC_CODES.has(code) },
    copy: { text: `${title}: ${text}`, label: i18n.m.chat.copy, done: i18n.m.chat.copied },
  };
}

/** Why a request cannot run, in one line; with the figures of its estimate where they are the reason. */
export function explainRefusal(failure: Failure, estimate: CostEstimate): string {
  const m = i18n.m.estimate;
  const { title, meaning, details } = explainFailure(failure);
  if (failure.code === 'context_too_long') return m.too_long(new Intl.NumberFormat(i18n.tag).format(estimate.context_tokens));
  if (failure.code === 'bad_input') return details.text;
  if (failure.code === 'size_unusable' || failure.code === 'out_of_range') return m.because(title, meaning);
  const [needed, there] = [estimate.memory.peak_bytes, estimate.available_bytes];
  if (there === null || needed <= there) return meaning;
  return m.refused(title, formatBytes(needed, i18n.tag), formatBytes(there, i18n.tag));
}

/** Label of a remedy's button. */
export function formatRemedy(remedy: Remedy): string {
  const m = i18n.m.remedies;
  if (remedy.kind === 'smaller_size') return m.smaller_size(formatSize(remedy.size));
  return remedy.kind === 'leave_out' ? m.leave_out(remedy.turns.length) : m[remedy.kind];
}

/** Formats a log line as a sentence: capitalized, ending in a full stop. */
export function toSentence(line: string): string {
  const trimmed = line.trim();
  if (trimmed === '') return '';
  const [first = ''] = trimmed;
  // Keeps the case of a path or file name at the start.
  const [word = ''] = trimmed.split(/\s/);
  const start = /[/\\.:]/.test(word) ? first : first.toLocaleUpperCase();
  return start + trimmed.slice(first.length) + (/[.!?。！？…]$/.test(trimmed) ? '' : '.');
}

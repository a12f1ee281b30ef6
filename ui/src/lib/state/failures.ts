import { i18n } from '$lib/i18n/index.svelte';
import type { Failure, Price } from '$lib/ipc';
import { sentence } from '$lib/shared/sentence';
import { formatBytes } from './quantities';

/** Tokens of context that the model was made for. */
const MOST_CONTEXT_TOKENS = 32_768;

/** A failure in the window's language, with the program's own line, which is English, under it. */
export interface Explanation {
  title: string;
  meaning: string;
  details: {
    label: string;
    text: string;
    /** Whether they are seen at once: where the kind of failure alone does not say what to change. */
    isOpen: boolean;
  };
}

export function explain({ code, message }: Failure): Explanation {
  const m = i18n.m.failure;
  return {
    title: m.titles[code],
    meaning: m.meanings[code],
    details: { label: m.details, text: sentence(message), isOpen: code === 'bad_input' || code === 'repaired' },
  };
}

/** Why a request cannot run, in one line: with the figures of its price where they are the reason. */
export function refusalOf(failure: Failure, price: Price): string {
  const m = i18n.m.price;
  const { title, meaning, details } = explain(failure);
  if (failure.code === 'bad_input') {
    const tokens = new Intl.NumberFormat(i18n.tag).format(price.context_tokens);
    return price.context_tokens > MOST_CONTEXT_TOKENS ? m.too_long(tokens) : details.text;
  }
  const [needed, there] = [price.memory.peak_bytes, price.available_bytes];
  if (there === null || needed <= there) return meaning;
  return m.refused(title, formatBytes(needed, i18n.tag), formatBytes(there, i18n.tag));
}

import { i18n, type Language as Tongue } from '$lib/i18n/index.svelte';
import type { Language, Theme } from '$lib/ipc';

/** Applies the theme, language and text size of the settings to the page. */
export function applyAppearance(theme: Theme, language: Language): void {
  const root = document.documentElement;
  if (theme === 'system') delete root.dataset.theme;
  else root.dataset.theme = theme;
  i18n.language = language === 'system' ? systemLanguage() : language;
  root.lang = i18n.tag;
}

function systemLanguage(): Tongue {
  return navigator.languages[0]?.startsWith('zh') ? 'zh' : 'en';
}

/** The parts of `DataTransfer` that decide what is pasted. */
interface Clipboard {
  files: Iterable<File>;
  types: readonly string[];
  getData: (format: string) => string;
}

/**
 * The pasted image, if there is one. In a text field the clipboard's text wins if it has any, as when
 * table cells are copied; but not the path of a copied file, which file managers add.
 * An empty blob stands for an image that only the host can read: WebKit on Linux does not expose it.
 */
export function findPastedImage(clipboard: Clipboard, isTyping: boolean): Blob | undefined {
  if (clipboard.types.length === 0) return new Blob();
  const image = [...clipboard.files].find((file) => file.type.startsWith('image/'));
  const words = clipboard.getData('text/plain').trim();
  const isPath = image !== undefined && words.endsWith(`/${image.name}`);
  return isTyping && words !== '' && !isPath ? undefined : image;
}

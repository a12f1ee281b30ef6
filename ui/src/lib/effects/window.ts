import { i18n, type Language as Tongue } from '$lib/i18n/index.svelte';
import type { Language, Theme } from '$lib/ipc';

/** Shows the window as the settings say. */
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

/** The parts of a clipboard that decide what is pasted. */
interface Clipboard {
  files: Iterable<File>;
  types: readonly string[];
  getData: (format: string) => string;
}

/**
 * The image that is pasted, if it is one. Where words are written and the clipboard has words as well,
 * as of a table's cells, they are meant; the path of a copied file, which file managers send along, is not.
 * An empty one stands for what only the program can see: WebKit on Linux does not tell of an image.
 */
export function findPastedImage(clipboard: Clipboard, isTyping: boolean): Blob | undefined {
  if (clipboard.types.length === 0) return new Blob();
  const image = [...clipboard.files].find((file) => file.type.startsWith('image/'));
  const words = clipboard.getData('text/plain').trim();
  const isPath = image !== undefined && words.endsWith(`/${image.name}`);
  return isTyping && words !== '' && !isPath ? undefined : image;
}

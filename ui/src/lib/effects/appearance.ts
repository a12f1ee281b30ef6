import { i18n, type Language as Tongue } from '$lib/i18n/index.svelte';
import type { Language, Theme } from '$lib/ipc';

/** Shows the window as the settings say. */
export function appear(theme: Theme, language: Language): void {
  const root = document.documentElement;
  if (theme === 'system') delete root.dataset.theme;
  else root.dataset.theme = theme;
  i18n.language = language === 'system' ? systemLanguage() : language;
  root.lang = i18n.tag;
}

function systemLanguage(): Tongue {
  return navigator.languages[0]?.startsWith('zh') ? 'zh' : 'en';
}

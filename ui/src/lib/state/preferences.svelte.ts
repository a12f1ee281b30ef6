import { i18n, type Language } from '$lib/i18n/index.svelte';

export type Theme = 'system' | 'dark' | 'light';
export type LanguageChoice = 'system' | Language;

const KEY = 'preferences';

/** What the artist chose for the window itself; kept by the web view. */
class Preferences {
  theme = $state<Theme>('system');
  language = $state<LanguageChoice>('system');

  /** Reads what was chosen last; what cannot be read is not an error. */
  load(): void {
    try {
      const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
      if (typeof stored === 'object' && stored !== null) {
        if ('theme' in stored && isTheme(stored.theme)) this.theme = stored.theme;
        if ('language' in stored && isLanguage(stored.language)) this.language = stored.language;
      }
    } catch {
      // Defaults serve as well.
    }
    this.#apply();
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.#apply();
  }

  setLanguage(language: LanguageChoice): void {
    this.language = language;
    this.#apply();
  }

  #apply(): void {
    const root = document.documentElement;
    if (this.theme === 'system') delete root.dataset.theme;
    else root.dataset.theme = this.theme;
    i18n.language = this.language === 'system' ? systemLanguage() : this.language;
    root.lang = i18n.tag;
    try {
      localStorage.setItem(KEY, JSON.stringify({ theme: this.theme, language: this.language }));
    } catch {
      // A full or forbidden storage forgets the choice, nothing more.
    }
  }
}

function systemLanguage(): Language {
  return navigator.languages.some((tag) => tag.startsWith('zh')) && !navigator.languages[0]?.startsWith('en') ? 'zh' : 'en';
}

function isTheme(value: unknown): value is Theme {
  return value === 'system' || value === 'dark' || value === 'light';
}

function isLanguage(value: unknown): value is LanguageChoice {
  return value === 'system' || value === 'en' || value === 'zh';
}

export const preferences = new Preferences();

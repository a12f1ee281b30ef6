import { en, type Messages } from './en';
import { zh } from './zh';

export type { Messages } from './en';
export type Language = 'en' | 'zh';

const languages: Record<Language, Messages> = { en, zh };

/** The window's language; reactive, so that a change updates every text. */
class I18n {
  language = $state<Language>('en');

  get m(): Messages {
    return languages[this.language];
  }

  get tag(): string {
    return this.language === 'zh' ? 'zh-CN' : 'en';
  }
}

export const i18n = new I18n();

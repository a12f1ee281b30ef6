import * as gallery from './en/gallery';
import * as models from './en/models';
import * as settings from './en/settings';
import * as shell from './en/shell';
import * as inspector from './en/inspector';
import * as studio from './en/studio';

/** Every text of the window, by area. Other languages have the same type, so the compiler reports missing texts. */
export const en = { language: 'English', ...shell, ...studio, ...inspector, ...gallery, ...models, ...settings };

export type Messages = typeof en;

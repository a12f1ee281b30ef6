import * as gallery from './en/gallery';
import * as models from './en/models';
import * as settings from './en/settings';
import * as shell from './en/shell';
import * as inspector from './en/inspector';
import * as studio from './en/studio';

/** Every text of the window, by place. The other languages have the same shape, and the compiler says what they lack. */
export const en = { language: 'English', ...shell, ...studio, ...inspector, ...gallery, ...models, ...settings };

export type Messages = typeof en;

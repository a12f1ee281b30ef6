import type { Messages } from './en';
import * as gallery from './zh/gallery';
import * as models from './zh/models';
import * as settings from './zh/settings';
import * as shell from './zh/shell';
import * as inspector from './zh/inspector';
import * as studio from './zh/studio';

export const zh: Messages = { language: '中文', ...shell, ...studio, ...inspector, ...gallery, ...models, ...settings };

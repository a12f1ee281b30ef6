import type { Host } from './host';
import { tauriHost } from './tauri';

export type * from './protocol';
export type { Ability, Host } from './host';

/** The app behind this window, or a fake host in a plain browser. */
export const host: Host = '__TAURI_INTERNALS__' in window ? tauriHost() : (await import('./fake/index')).fakeHost();

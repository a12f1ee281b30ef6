import type { Host } from './host';
import { tauriHost } from './tauri';

export type * from './protocol';
export type { Ability, Host } from './host';

/** The program behind this window; a pretended one where there is none, as in a browser. */
export const host: Host = '__TAURI_INTERNALS__' in window ? tauriHost() : (await import('./fake/index')).fakeHost();

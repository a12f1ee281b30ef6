import { host } from '$lib/ipc';
import { Application } from './application.svelte';

/** The one application of this window. */
export const studio = new Application(host);

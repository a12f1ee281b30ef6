import { host } from '$lib/ipc';
import { Application } from './application.svelte';

export const studio = new Application(host);

// A studio over an in-memory host, created anew for each test.

import { beforeEach, vi } from 'vitest';
import type { Job, NewJob, Node, StudioEvent } from '$lib/ipc';
import { Application } from '$lib/stores/application.svelte';
import { contents, hostOf, jobOf, snapshot } from './fixtures';

/** Requests that were queued. */
export let sent: NewJob[];
/** Projects that were fetched. */
export let calls: [name: string, ...values: unknown[]][];
export let studio: Application;
/** Contents of each project. */
export let held: Map<string, Node[]>;

beforeEach(async () => {
  sent = [];
  held = new Map();
  const made = hostOf({
    subscribe: () => Promise.resolve(structuredClone(snapshot)),
    abilities: () => Promise.resolve([]),
    submit: (job) => Promise.resolve([`job-${String(sent.push(job))}`]),
    openImages: () => Promise.reject({ code: 'bad_input', message: 'no' }),
    project: (id) => Promise.resolve(contents(id, held.get(id) ?? [])),
    nodes: (ids) => Promise.resolve([...held.values()].flat().filter((one) => ids.includes(one.id))),
  });
  await begin(made);
});

/** Starts over with another host. */
export async function begin(made: ReturnType<typeof hostOf>): Promise<void> {
  calls = made.calls;
  studio = new Application(made.host);
  await studio.start();
}

export const asked = (name: string) => calls.filter((call) => call[0] === name).map((call) => call.slice(1));

/** Lets pending promises of the host resolve. */
export const answered = () => vi.waitFor(() => Promise.resolve());

export async function arrive(...nodes: Node[]) {
  for (const one of nodes) held.set(one.project, [...(held.get(one.project) ?? []), one]);
  const added: StudioEvent[] = nodes.map((n) => ({ kind: 'node_added', node: n }));
  const arrivals = nodes.map((n) => ({ node: n.id, is_known: false, has_recipe: n.has_recipe }));
  studio.receive([...added, { kind: 'arrived', arrivals, failures: [], position: null }]);
  await answered();
}

export async function submit(prompt: string, first = false): Promise<Job> {
  studio.composer.prompt = prompt;
  await studio.jobs.submit(first);
  const job = jobOf(`job-${String(sent.length)}`, sent[sent.length - 1] as NewJob);
  studio.receive([{ kind: 'job_queued', job }]);
  return job;
}

export function finish(job: Job, result: Node) {
  held.set(result.project, [...(held.get(result.project) ?? []), result]);
  studio.receive([
    { kind: 'node_added', node: result },
    { kind: 'job_changed', job: job.id, status: { state: 'done', node: result.id } },
  ]);
}

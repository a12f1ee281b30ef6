/** Builders for test data. */
import { parameters, snapshot as blank } from '$lib/ipc/blank';
import type { Host, Job, NewJob, Node, Project, ProjectContents, Snapshot } from '$lib/ipc';

export { parameters };

export const snapshot: Snapshot = { ...blank, settings: { ...blank.settings, language: 'en', follows: false } };

export function node(id: string, parent: string | null = null, project = 'p1', more: Partial<Node> = {}): Node {
  return {
    id,
    parent,
    project,
    references: [],
    origin: parent ? 'edit' : 'imported',
    prompt: id,
    name: null,
    size: { width: 64, height: 64 },
    seed: null,
    plan: null,
    has_recipe: false,
    model: null,
    starred: false,
    tags: [],
    trashed_ms: null,
    took_ms: null,
    created_ms: 0,
    ...more,
  };
}

export function project(id: string, more: Partial<Project> = {}): Project {
  return { id, name: id, cover: null, n_nodes: 0, created_ms: 0, changed_ms: 0, ...more };
}

export function jobOf(id: string, request: NewJob): Job {
  return {
    id,
    project: request.project ?? 'p1',
    kind: request.kind,
    prompt: request.prompt,
    image: request.image,
    references: request.references,
    thinking: request.thinking,
    pauses_after_plan: request.pauses_after_plan,
    parameters: request.parameters,
    verifies: null,
    status: { state: 'queued' },
    plan: '',
    answer: '',
    preview: null,
    expected_secs: null,
    created_ms: 0,
  };
}

/** A host that records its calls and answers as the test says. */
export function hostOf(answers: Partial<Host> = {}): { host: Host; calls: [name: string, ...values: unknown[]][] } {
  const calls: [string, ...unknown[]][] = [];
  const host = new Proxy({} as Host, {
    get:
      (_, name: keyof Host) =>
      (...values: unknown[]) => {
        calls.push([name, ...values]);
        const answer = answers[name] as ((...values: unknown[]) => unknown) | undefined;
        return answer ? answer(...values) : Promise.resolve(undefined);
      },
  });
  return { host, calls };
}

export function contents(id: string, nodes: Node[]): ProjectContents {
  return { project: project(id, { n_nodes: nodes.length }), nodes, turns: [] };
}

import { expect, test } from 'vitest';
import type { NewJob, RecipeView } from '$lib/ipc';
import { contents, hostOf, parameters, jobOf, node, snapshot } from '$lib/testing/fixtures';
import { answered, arrive, begin, finish, held, sent, studio } from '$lib/testing/harness';

test('a branch is repeated on another image, edit by edit', async () => {
  const recipeOf = (id: string): RecipeView => ({
    kind: 'edit',
    prompt: `make ${id}`,
    parameters: { ...parameters, seed: 5, size: { width: 32, height: 32 } },
    plan: id === 'd' ? 'a plan' : null,
    images: ['reference', 'parent'],
    n_missing: 0,
    model: 'x',
    is_present_model: true,
    engine: null,
    unknown: [],
  });
  const made = hostOf({
    subscribe: () => Promise.resolve(structuredClone(snapshot)),
    abilities: () => Promise.resolve([]),
    submit: (job) => Promise.resolve([`job-${String(sent.push(job))}`]),
    recipe: (id) => Promise.resolve(recipeOf(id)),
    project: (id) => Promise.resolve(contents(id, held.get(id) ?? [])),
  });
  await begin(made);
  const [c, d, other] = [node('c', 'b'), node('d', 'c'), node('other', 'a')];
  await arrive(node('a'), node('b', 'a'), c, d, other);
  studio.view.select('other');
  await studio.repeat.start([c, d], other);
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({ prompt: 'make c', image: 'other', project: 'p1', references: ['reference'], thinking: { kind: 'off' } });
  expect(sent[0]?.parameters).toMatchObject({ seed: 5, size: null });
  const first = jobOf('job-1', sent[0] as NewJob);
  studio.receive([{ kind: 'job_queued', job: first }]);
  expect(studio.view.jobId).toBe('job-1');
  expect(sent).toHaveLength(1);
  finish(first, node('c2', 'other'));
  await answered();
  expect(sent[1]).toMatchObject({ prompt: 'make d', image: 'c2', thinking: { kind: 'given', plan: '<think>a plan</think>' } });
  const second = jobOf('job-2', sent[1] as NewJob);
  studio.receive([{ kind: 'job_queued', job: second }]);
  finish(second, node('d2', 'c2'));
  await answered();
  expect(sent).toHaveLength(2);
  expect(studio.view.nodeId).toBe('d2');
  // A cancelled edit ends the repetition.
  await studio.repeat.start([c, d], other);
  expect(sent).toHaveLength(3);
  studio.receive([{ kind: 'job_changed', job: 'job-3', status: { state: 'cancelled' } }]);
  studio.receive([{ kind: 'job_changed', job: 'job-3', status: { state: 'done', node: 'd2' } }]);
  await answered();
  expect(sent).toHaveLength(3);
  // The toast offers to make the remaining edits.
  const news = () => studio.toasts.all.at(-1);
  expect(news()?.text?.()).toBe('2 edits of the branch were not made');
  news()?.action?.run();
  await answered();
  expect(sent[3]).toMatchObject({ prompt: 'make c', image: 'other' });
  const third = jobOf('job-4', sent[3] as NewJob);
  studio.receive([{ kind: 'job_queued', job: third }]);
  finish(third, node('c3', 'other'));
  await answered();
  // A failed edit goes on by itself when it is retried.
  const fourth = jobOf('job-5', sent[4] as NewJob);
  const failure = { code: 'device_lost', message: 'x' } as const;
  studio.receive([
    { kind: 'job_queued', job: fourth },
    { kind: 'job_changed', job: 'job-5', status: { state: 'failed', failure, remedies: [] } },
  ]);
  expect(news()?.text?.()).toBe('1 edit of the branch was not made');
  news()?.action?.run();
  expect(made.calls.filter(([name]) => name === 'retry')).toEqual([['retry', 'job-5']]);
  studio.receive([
    { kind: 'job_dismissed', job: 'job-5' },
    { kind: 'job_queued', job: fourth },
  ]);
  finish(fourth, node('d3', 'c3'));
  expect([sent.length, news()?.text?.()]).toEqual([5, 'The branch has been repeated']);
});

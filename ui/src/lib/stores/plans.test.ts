import { expect, onTestFinished, test, vi } from 'vitest';
import type { Job } from '$lib/ipc';
import { Application } from './application.svelte';
import { hostOf, node, snapshot } from '$lib/testing/fixtures';
import { arrive, asked, sent, studio, submit } from '$lib/testing/harness';

test('an edited plan is the one that is used', async () => {
  const job = await submit('a boat');
  studio.receive([
    { kind: 'text', job: job.id, channel: 'plan', delta: '<think>A boat.</think>' },
    { kind: 'job_changed', job: job.id, status: { state: 'planned' } },
  ]);
  const held = studio.library.job(job.id) as Job;
  studio.plans.setDraft(job.id, 'Two boats.');
  studio.plans.generate(held);
  expect(asked('paintPlan')).toEqual([[job.id, 'Two boats.']]);
  await vi.waitFor(() => expect(studio.plans.draftOf(held)).toBe('A boat.'));
  studio.plans.generate(held);
  expect(asked('paintPlan')[1]).toEqual([job.id, 'A boat.']);
});

test('the thinking mode decides whether the plan is reviewed', async () => {
  studio.composer.thinking = 'edit';
  await submit('a boat');
  expect(sent[0]).toMatchObject({ thinking: { kind: 'on' }, pauses_after_plan: true });
  studio.composer.plan = 'Two boats.';
  await submit('boats');
  expect(sent[1]).toMatchObject({
    thinking: { kind: 'given', plan: '<think>Two boats.</think>' },
    pauses_after_plan: false,
  });
  expect(studio.composer.plan).toBeNull();
});

test('the plan tab opens at the first word, and another tab chosen later stays', async () => {
  await arrive(node('a'));
  const job = await submit('red sails');
  const word = (delta: string) => {
    studio.receive([{ kind: 'text', job: job.id, channel: 'plan', delta }]);
  };
  studio.view.tab = 'chat';
  word('The ');
  expect(studio.view.tab).toBe('plan');
  studio.view.tab = 'chat';
  word('boat');
  expect(studio.view.tab).toBe('chat');
});

test('an edited plan survives a reload until its job is gone', async () => {
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  const job = await submit('a boat');
  studio.plans.setDraft(job.id, 'Two boats.');
  const next = async (jobs: Job[]) => {
    const { host } = hostOf({
      subscribe: () => Promise.resolve({ ...structuredClone(snapshot), jobs }),
      abilities: () => Promise.resolve([]),
    });
    const other = new Application(host);
    await other.start();
    return other.plans.draftOf(job);
  };
  expect(await next([job])).toBe('Two boats.');
  expect(await next([])).toBe('');
});

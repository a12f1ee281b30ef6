import { expect, test, vi } from 'vitest';
import type { Job } from '$lib/ipc';
import { Application } from './application.svelte';
import { hostOf, jobOf, node, snapshot } from '$lib/testing/fixtures';
import { answered, arrive, asked, finish, sent, studio, submit } from '$lib/testing/harness';

test('the view follows a job to its image', async () => {
  await arrive(node('a'));
  const job = await submit('red sails');
  expect(studio.view.jobId).toBe(job.id);
  finish(job, node('b', 'a'));
  expect(studio.view.jobId).toBeNull();
  expect(studio.view.nodeId).toBe('b');
  studio.view.goToParent();
  expect(studio.view.nodeId).toBe('a');
  studio.view.goToChild();
  expect(studio.view.nodeId).toBe('b');
});

test('a result does not take over the view from another page or project', async () => {
  await arrive(node('a'));
  const job = await submit('red sails');
  studio.view.select('a');
  finish(job, node('b', 'a'));
  expect(studio.view.nodeId).toBe('a');
});

test('a result takes over the view if the settings allow it, but never while a prompt is being written', async () => {
  studio.receive([{ kind: 'settings', settings: { ...snapshot.settings, follows: true } }]);
  await arrive(node('a'));
  const first = await submit('red sails');
  studio.view.select('a');
  studio.composer.prompt = 'and';
  finish(first, node('b', 'a'));
  expect(studio.view.nodeId).toBe('a');
  const second = await submit('red sails');
  studio.view.select('a');
  finish(second, node('c', 'a'));
  expect(studio.view.nodeId).toBe('c');
});

test('a second request does not take the view from the first', async () => {
  await arrive(node('a'));
  const first = await submit('red sails');
  studio.receive([{ kind: 'job_changed', job: first.id, status: { state: 'running', phase: { name: 'painting', step: 1, steps: 9 } } }]);
  await submit('a lighthouse');
  expect(studio.view.jobId).toBe(first.id);
});

test('stopping applies to the job in view, or else to the running one', async () => {
  await arrive(node('a'));
  const job = await submit('red sails');
  studio.jobs.stop();
  expect(asked('cancel')).toEqual([[job.id]]);
});

test('streamed text is added to its job, and a failed job can be loaded into the composer', async () => {
  const job = await submit('a boat');
  studio.receive([
    { kind: 'text', job: job.id, channel: 'plan', delta: 'A red ' },
    { kind: 'text', job: job.id, channel: 'plan', delta: 'circle' },
    { kind: 'job_changed', job: job.id, status: { state: 'failed', failure: { code: 'internal', message: 'x' }, remedies: [] } },
  ]);
  expect(studio.library.job(job.id)?.plan).toBe('A red circle');
  expect(studio.view.tab).toBe('plan');
  expect(studio.composer.prompt).toBe('');
  studio.jobs.editAgain(job.id);
  expect(studio.composer.prompt).toBe('a boat');
});

test('a remedy sends the changed request again, first in the queue', async () => {
  await arrive(node('a'));
  const job = await submit('wider');
  const size = { width: 512, height: 512 };
  studio.jobs.remedy(studio.library.job(job.id) as Job, { kind: 'smaller_size', size });
  await answered();
  expect(sent[1]).toMatchObject({ prompt: 'wider', image: 'a', parameters: { size }, first: true });
  await vi.waitFor(() => expect(asked('dismiss')).toEqual([[job.id]]));
});

test('the queue has the order that the host gives it', async () => {
  const jobs = [await submit('one'), await submit('two'), await submit('three')];
  studio.receive([{ kind: 'jobs_ordered', jobs: [jobs[2], jobs[0], jobs[1]].map((job) => job?.id ?? '') }]);
  expect(studio.library.waiting.map((job) => job.prompt)).toEqual(['three', 'one', 'two']);
});

test('the composer is cleared when a request is sent, and restored if it is refused', async () => {
  let refuse: (error: unknown) => void = () => {};
  const made = hostOf({
    subscribe: () => Promise.resolve(structuredClone(snapshot)),
    abilities: () => Promise.resolve([]),
    submit: () => new Promise((_, reject) => (refuse = reject)),
  });
  const other = new Application(made.host);
  await other.start();
  other.composer.prompt = 'a boat';
  const sending = other.jobs.submit();
  expect(other.composer.prompt).toBe('');
  await other.jobs.submit();
  expect(made.calls.filter(([name]) => name === 'submit')).toHaveLength(1);
  refuse({ code: 'disk_full', message: 'no' });
  await sending;
  expect(other.composer.prompt).toBe('a boat');
  expect(other.toasts.all).toHaveLength(1);
});

test('stopping leaves a plan in review and stops the running job', async () => {
  const planned = await submit('a plan');
  studio.receive([{ kind: 'job_changed', job: planned.id, status: { state: 'planned' } }]);
  const running = await submit('a boat');
  const phase = { name: 'painting', step: 1, steps: 9 } as const;
  studio.receive([{ kind: 'job_changed', job: running.id, status: { state: 'running', phase } }]);
  studio.view.watch(planned);
  studio.jobs.stop();
  expect(asked('cancel')).toEqual([[running.id]]);
});

test('a retried job stays in view', async () => {
  const job = await submit('a boat');
  const failure = { code: 'internal', message: 'x' } as const;
  studio.receive([{ kind: 'job_changed', job: job.id, status: { state: 'failed', failure, remedies: [] } }]);
  expect(studio.view.jobId).toBe(job.id);
  studio.receive([
    { kind: 'job_dismissed', job: job.id },
    { kind: 'job_queued', job },
  ]);
  expect(studio.view.jobId).toBe(job.id);
});

test('a dismissed job does not keep a retried one from coming back into view', async () => {
  const [first, second] = [await submit('one'), await submit('two')];
  for (const { id } of [first, second]) studio.receive([{ kind: 'job_changed', job: id, status: { state: 'interrupted' } }]);
  studio.view.watch(first);
  studio.receive([{ kind: 'job_dismissed', job: first.id }]);
  studio.view.watch(second);
  studio.receive([
    { kind: 'job_dismissed', job: second.id },
    { kind: 'job_queued', job: second },
  ]);
  expect(studio.view.jobId).toBe(second.id);
});

test('a job of another project shows its own image, or none', async () => {
  await arrive(node('a'));
  const edit = { ...jobOf('e', studio.composer.buildJob()), project: 'p2', image: 'b' };
  studio.receive([{ kind: 'job_queued', job: edit }]);
  studio.view.watch(edit);
  expect(studio.view.nodeId).toBe('b');
  studio.view.watch({ ...edit, id: 'c', project: 'p3', image: null, kind: 'generate' });
  expect(studio.view.nodeId).toBeNull();
});

test('the remedy for a full context leaves out the earlier turns and asks the question again', async () => {
  const job = await submit('What is missing?');
  studio.jobs.remedy(job, { kind: 'leave_out', turns: ['t1', 't2'] });
  await vi.waitFor(() => expect(asked('retry')).toEqual([[job.id]]));
  expect(asked('leaveOut')).toEqual([[['t1', 't2'], true]]);
  expect(sent).toHaveLength(1);
});

test('a job that is waiting for the model can be stopped', async () => {
  expect(studio.jobs.canStop).toBe(false);
  const job = await submit('a boat');
  expect(studio.jobs.canStop).toBe(true);
  studio.jobs.stop();
  expect(asked('cancel')).toEqual([[job.id]]);
});

test('a job that ended while disconnected leaves the view', async () => {
  await arrive(node('a'));
  const job = await submit('red sails');
  expect(studio.view.jobId).toBe(job.id);
  studio.receive([{ kind: 'lagged' }]);
  await vi.waitFor(() => expect(studio.view.jobId).toBeNull());
  expect(studio.view.nodeId).toBe('a');
});

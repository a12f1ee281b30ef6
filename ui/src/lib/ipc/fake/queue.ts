/** The fake queue: one job at a time, with plans, previews and failures. */
import type { ImageParameters, Job, JobId, JobPlace, JobStatus, NewJob, Node, ProjectId, Remedy, StudioEvent } from '../protocol';
import { painted } from './paint';
import { ANSWER, PLAN, type World } from './world';

const STEPS = 24;

export class Queue {
  jobs: Job[] = [];
  isPaused = false;
  readonly previews = new Map<string, string>();
  /** Steps of the newest images. */
  readonly steps = new Map<string, string[]>();
  #world: World;
  #send: (...events: StudioEvent[]) => void;
  #words: (text: string) => string;
  #stepMs: number;
  #isBusy = false;
  /** While set, running jobs pause, so that a test can check a passing state. */
  isSuspended = false;

  constructor(world: World, send: (...events: StudioEvent[]) => void, words: (text: string) => string, stepMs: number) {
    this.#world = world;
    this.#send = send;
    this.#words = words;
    this.#stepMs = stepMs;
  }

  find(id: JobId): Job | undefined {
    return this.jobs.find((job) => job.id === id);
  }

  submit(request: NewJob): JobId[] {
    const image = request.image ? this.#world.nodes.get(request.image) : undefined;
    const project = request.project ?? image?.project ?? this.#world.name('project');
    const seed = request.parameters.seed ?? Math.floor(Math.random() * 100_000);
    const made = Array.from({ length: request.variations }, (_, index) =>
      this.add({
        project,
        kind: request.kind,
        prompt: request.prompt,
        image: request.image,
        references: request.references,
        thinking: request.thinking,
        pauses_after_plan: request.pauses_after_plan,
        parameters: { ...request.parameters, seed: seed + index },
        plan: request.thinking.kind === 'given' ? request.thinking.plan : '',
      }),
    );
    if (request.first) for (const job of [...made].reverse()) this.move(job.id, { kind: 'first' });
    return made.map((job) => job.id);
  }

  add(parts: Partial<Job> & { project: ProjectId; parameters: ImageParameters; prompt: string }): Job {
    const job: Job = {
      id: this.#world.name('job'),
      kind: 'edit',
      image: null,
      references: [],
      thinking: { kind: 'off' },
      pauses_after_plan: false,
      verifies: null,
      status: { state: 'queued' },
      plan: '',
      answer: '',
      preview: null,
      expected_secs: 21,
      created_ms: Date.now(),
      ...parts,
    };
    this.jobs.push(job);
    this.#send({ kind: 'job_queued', job: structuredClone(job) });
    this.run();
    return job;
  }

  set(job: Job, status: JobStatus): void {
    job.status = status;
    this.#send({ kind: 'job_changed', job: job.id, status });
    if (status.state === 'done' || status.state === 'cancelled') this.jobs = this.jobs.filter((other) => other !== job);
  }

  dismiss(id: JobId): void {
    this.jobs = this.jobs.filter((job) => job.id !== id);
    this.#send({ kind: 'job_dismissed', job: id });
  }

  cancel(id: JobId): void {
    const job = this.find(id);
    if (!job) return;
    if (job.status.state === 'running') this.set(job, { state: 'stopping' });
    else if (job.status.state === 'queued' || job.status.state === 'planned') this.set(job, { state: 'cancelled' });
  }

  move(id: JobId, place: JobPlace): void {
    const job = this.find(id);
    if (!job) return;
    const others = this.jobs.filter((other) => other !== job);
    const waiting = others.findIndex((other) => other.status.state === 'queued');
    const index =
      place.kind === 'first'
        ? waiting
        : place.kind === 'last'
          ? others.findLastIndex((other) => other.status.state === 'queued') + 1
          : others.findIndex((other) => other.id === place.job);
    this.jobs = index < 0 ? [...others, job] : [...others.slice(0, index), job, ...others.slice(index)];
    this.#order();
  }

  pause(isPaused: boolean): void {
    this.isPaused = isPaused;
    this.#send({ kind: 'queue_paused', is_paused: isPaused });
    this.run();
  }

  retry(id: JobId): void {
    const job = this.find(id);
    if (!job) return;
    job.status = { state: 'queued' };
    this.#send({ kind: 'job_dismissed', job: id });
    this.#send({ kind: 'job_queued', job: structuredClone(job) });
    this.run();
  }

  hold(id: JobId): void {
    const job = this.find(id);
    if (job) job.pauses_after_plan = true;
    if (job?.status.state === 'running' && job.status.phase.name === 'writing') this.set(job, { state: 'planned' });
  }

  paint(id: JobId, plan: string): void {
    const job = this.find(id);
    if (!job) return;
    job.plan = plan;
    job.thinking = { kind: 'given', plan };
    job.pauses_after_plan = false;
    this.#send({ kind: 'plan_changed', job: id, plan });
    this.set(job, { state: 'queued' });
    this.move(id, { kind: 'first' });
    this.run();
  }

  /** Saves the newest step as an image. */
  keep(id: JobId): void {
    const job = this.find(id);
    if (job?.status.state !== 'running') return;
    // The recipe gives the image of the last step, not this one.
    this.set(job, { state: 'done', node: this.#finish(job, false).id });
  }

  run(): void {
    if (this.#isBusy || this.isPaused) return;
    const job = this.jobs.find((candidate) => candidate.status.state === 'queued');
    if (!job) return;
    this.#isBusy = true;
    void (job.kind === 'chat' ? this.#answer(job) : this.#paint(job)).finally(() => {
      this.#isBusy = false;
      this.run();
    });
  }

  #order(): void {
    const jobs = this.jobs.filter((job) => job.status.state === 'queued').map((job) => job.id);
    this.#send({ kind: 'jobs_ordered', jobs });
  }

  async #wait(ms: number): Promise<void> {
    do await new Promise((resolve) => setTimeout(resolve, ms));
    while (this.isSuspended);
  }

  /** Whether the job goes on; settles a job that the user has stopped. */
  async #pause(job: Job, ms: number): Promise<boolean> {
    await this.#wait(ms);
    if (job.status.state === 'stopping') this.set(job, { state: 'cancelled' });
    return job.status.state === 'running';
  }

  async #write(job: Job, text: string, channel: 'plan' | 'answer'): Promise<boolean> {
    this.set(job, { state: 'running', phase: { name: 'writing' } });
    for (const delta of text.match(/\S+\s*/g) ?? []) {
      await this.#wait(this.#stepMs / 2);
      if (job.status.state !== 'running') break;
      job[channel] += delta;
      this.#send({ kind: 'text', job: job.id, channel, delta });
    }
    return job.status.state === 'running';
  }

  async #paint(job: Job): Promise<void> {
    this.set(job, { state: 'running', phase: { name: 'reading' } });
    if (!(await this.#pause(job, this.#stepMs * 2))) return;
    if (job.prompt.startsWith('fail')) return this.#fail(job);
    if (job.thinking.kind === 'on') {
      job.plan = '';
      if (!(await this.#write(job, this.#words(PLAN), 'plan'))) {
        if (job.status.state === 'stopping') this.set(job, { state: 'cancelled' });
        return;
      }
      if (job.pauses_after_plan) return this.set(job, { state: 'planned' });
    }
    const size = this.#size(job);
    const seen: string[] = [];
    for (let step = 1; step <= STEPS; step += 1) {
      if (!(await this.#pause(job, this.#stepMs))) return;
      this.set(job, { state: 'running', phase: { name: 'painting', step, steps: STEPS } });
      const preview = this.#world.name('preview');
      this.previews.set(preview, painted(job.prompt, quarter(size), 1 - step / STEPS));
      seen.push(preview);
      job.preview = preview;
      this.#send({ kind: 'preview', job: job.id, preview });
    }
    if (job.verifies !== null) {
      const verified = this.#world.nodes.get(job.verifies);
      const isSame = verified !== undefined && this.#world.recipe(verified)?.is_present_model === true;
      this.#send({
        kind: 'verified',
        node: job.verifies,
        outcome: isSame ? { kind: 'same' } : { kind: 'differs', mean: 1.4, largest: 38 },
      });
      return this.set(job, { state: 'done', node: null });
    }
    const node = this.#finish(job);
    this.steps.set(node.id, seen);
    this.set(job, { state: 'done', node: node.id });
  }

  #finish(job: Job, has_recipe = true): Node {
    const node: Node = {
      id: this.#world.name('node'),
      project: job.project,
      parent: job.kind === 'edit' ? job.image : null,
      references: job.references,
      origin: job.kind === 'edit' ? 'edit' : 'generate',
      prompt: job.prompt,
      name: null,
      size: this.#size(job),
      seed: job.parameters.seed,
      plan: job.plan === '' ? null : job.plan,
      has_recipe,
      model: has_recipe ? 'pocket' : null,
      starred: false,
      tags: [],
      trashed_ms: null,
      took_ms: Date.now() - job.created_ms,
      created_ms: Date.now(),
    };
    this.#world.images.set(node.id, job.parameters);
    const project = this.#world.add(node);
    this.#send({ kind: 'node_added', node }, { kind: 'project_changed', project }, { kind: 'counts', counts: this.#world.counts() });
    return node;
  }

  async #answer(job: Job): Promise<void> {
    if (job.thinking.kind === 'on') await this.#write(job, 'The question is about what can be seen. ', 'plan');
    await this.#write(job, this.#words(ANSWER), 'answer');
    const turn = {
      id: this.#world.name('turn'),
      prompt: job.prompt,
      images: job.image ? [job.image] : [],
      plan: job.plan === '' ? null : job.plan,
      answer: job.answer,
      stopped: job.status.state === 'stopping',
      left_out: false,
      created_ms: Date.now(),
    };
    this.#world.turns.set(job.project, [...(this.#world.turns.get(job.project) ?? []), turn]);
    const project = this.#world.refresh(job.project, job.prompt, Date.now());
    this.#send({ kind: 'project_changed', project }, { kind: 'turn_added', project: job.project, turn });
    this.set(job, { state: 'done', node: null });
  }

  #fail(job: Job): void {
    const remedies: Remedy[] = [{ kind: 'smaller_size', size: { width: 768, height: 768 } }, { kind: 'smaller_model' }];
    const message = this.#words('1024 × 1024 needs 14.2 GB, and 9.1 GB are free; try 768 × 768');
    this.set(job, { state: 'failed', failure: { code: 'out_of_device_memory', message }, remedies });
  }

  #size(job: Job): { width: number; height: number } {
    const image = job.image ? this.#world.nodes.get(job.image) : undefined;
    return job.parameters.size ?? image?.size ?? { width: 1024, height: 768 };
  }
}

/** Previews have about the size of the latents. */
function quarter({ width, height }: { width: number; height: number }): { width: number; height: number } {
  return { width: width / 4, height: height / 4 };
}

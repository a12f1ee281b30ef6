/**
 * A fake host: it generates harbors in a second or two, so that the window can be
 * developed in any browser and tested without an engine.
 *
 * Query parameters set its contents: `?images=10000`, `?pace=0.2` (a factor of the
 * usual time), `?language=zh`, `?theme=light`, `?engine=pocket|full|named|idle|loading|failed|no_model`,
 * `?welcome` for the first start, `?jobs` for a queue with a job in every state.
 */
import type { Ability, Host } from '../host';
import type {
  EngineState,
  GalleryFilter,
  ModelCard,
  ModelChoice,
  Node,
  NodeId,
  CostEstimate,
  Settings,
  SettingsChange,
  Snapshot,
  StudioEvent,
} from '../protocol';
import { parameters, settings as blank } from '../blank';
import { defaults, hardware, imported, installing, models } from './models';
import { painted } from './paint';
import { Queue } from './queue';
import { PLAN, populated } from './world';

/** Lets tests control the host. */
export interface FakeHostDriver {
  send: (...events: StudioEvent[]) => void;
  calls: { name: string; values: unknown[] }[];
  /** Names of all methods, except those that build addresses. */
  methods: () => string[];
  /** Id of the running job. */
  running: () => string | undefined;
  suspend: (isSuspended: boolean) => void;
  /** A new preview. */
  step: (seed: number) => string;
}

declare global {
  var hostDriver: FakeHostDriver | undefined;
  /** Texts that replace the host's own. */
  var fakeWords: string[] | undefined;
}

const pocket: ModelChoice = { model: 'pocket', quantization: 'q8_0' };

export function fakeHost(): Host {
  const options = new URLSearchParams(location.search);
  const given = globalThis.fakeWords ?? [];
  let nWords = 0;
  const words = (text: string) => (given.length === 0 ? text : (given[nWords++ % given.length] ?? text));
  const world = populated(Number(options.get('images') ?? 14), words);
  let listener: (events: StudioEvent[]) => void = () => {};
  const calls: FakeHostDriver['calls'] = [];
  const send = (...events: StudioEvent[]) => listener(structuredClone(events));
  const queue = new Queue(world, send, words, 90 * Number(options.get('pace') ?? 1));
  let cards = models(words);
  let settings: Settings = {
    ...blank,
    language: option(options, 'language', ['system', 'en', 'zh']) ?? 'system',
    theme: option(options, 'theme', ['system', 'dark', 'light', 'contrast']) ?? 'system',
    model: pocket,
    library_folder: words('/home/mira/Images/Bagel Studio'),
    presets: [{ name: words('Bold and quick'), parameters: { ...parameters, steps: 15, text_guidance: 6 } }],
    plans: [{ name: words('Night over the harbor'), plan: words(PLAN) }],
    welcomed: !options.has('welcome'),
  };
  globalThis.hostDriver = {
    send,
    calls,
    methods: () => Object.keys(host).filter((name) => !name.endsWith('Url')),
    running: () => queue.jobs.find((job) => job.status.state === 'running')?.id,
    suspend: (isSuspended) => (queue.isSuspended = isSuspended),
    step(seed) {
      const id = world.name('preview');
      queue.previews.set(id, painted(`step ${String(seed)}`, { width: 256, height: 192 }, 0.4));
      return id;
    },
  };

  if (options.has('jobs')) fill();

  /** Adds a job in every state, in a paused queue. */
  function fill(): void {
    const project = world.newest[0];
    const node = project && world.nodesOf(project.id)[0];
    if (!project || !node) return;
    queue.isPaused = true;
    const add = (prompt: string) =>
      queue.add({ project: project.id, image: node.id, parameters: { ...parameters, seed: 7 }, prompt: words(prompt) });
    const running = add('Add warm light in the windows');
    running.status = { state: 'running', phase: { name: 'painting', step: 9, steps: 24 } };
    running.preview = world.name('preview');
    queue.previews.set(running.preview, painted('windows', node.size, 0.5));
    for (const text of ['Add gulls over the water', 'Make it look like an etching', '把船帆改成白色']) add(text);
    const planned = add('Turn it into a clear night');
    planned.status = { state: 'planned' };
    planned.plan = words(PLAN);
    add('Wider, with the whole bay').status = {
      state: 'failed',
      failure: {
        code: 'out_of_device_memory',
        message: words('1024 × 1024 needs 14.2 GB, and 9.1 GB are free; try 768 × 768'),
      },
      remedies: [{ kind: 'smaller_size', size: { width: 768, height: 768 } }, { kind: 'smaller_model' }],
    };
    add('Snow on the hills').status = { state: 'interrupted' };
    const question = add('What would make the light warmer?');
    question.kind = 'chat';
    queue.isPaused = true;
  }

  function changed(nodes: NodeId[], change: (node: Node) => Partial<Node>): Promise<void> {
    const after = nodes.flatMap((id) => {
      const node = world.nodes.get(id);
      return node ? [Object.assign(node, change(node))] : [];
    });
    send({ kind: 'nodes_changed', nodes: after });
    for (const project of new Set(after.map((node) => node.project))) {
      send({ kind: 'project_changed', project: world.refresh(project, '', 0) });
    }
    send({ kind: 'counts', counts: world.counts() });
    return done();
  }

  /** An imported image, the first of its project. */
  function fromFile(has_recipe: boolean, name: string): Node {
    return {
      id: world.name('node'),
      project: world.name('project'),
      parent: null,
      references: [],
      origin: 'imported',
      prompt: words(name),
      name: null,
      size: { width: 1024, height: 768 },
      seed: null,
      plan: null,
      has_recipe,
      model: null,
      starred: false,
      tags: [],
      trashed_ms: null,
      took_ms: null,
      created_ms: Date.now(),
    };
  }

  function arrive(has_recipe: boolean, name: string): Promise<void> {
    const known = [...world.nodes.values()].find((node) => node.origin === 'imported' && node.prompt === name && node.trashed_ms === null);
    if (known) {
      send({ kind: 'arrived', arrivals: [{ node: known.id, is_known: true, has_recipe: known.has_recipe }], failures: [], position: null });
      return done();
    }
    const node = fromFile(has_recipe, name);
    const project = world.add(node);
    send(
      { kind: 'project_changed', project },
      { kind: 'node_added', node },
      { kind: 'counts', counts: world.counts() },
      { kind: 'arrived', arrivals: [{ node: node.id, is_known: false, has_recipe }], failures: [], position: null },
    );
    return done();
  }

  function change(wanted: Partial<Settings>): Promise<void> {
    settings = { ...settings, ...wanted };
    send({ kind: 'settings', settings });
    return done();
  }

  function changeCards(wanted: ModelCard[]): void {
    cards = wanted;
    send({ kind: 'models', models: cards });
  }

  function changeCard(id: string, change: Partial<ModelCard>): Promise<void> {
    changeCards(cards.map((card) => (card.id === id ? { ...card, ...change } : card)));
    return done();
  }

  /** Restarts the engine with a model. */
  function start(choice: ModelChoice): void {
    send({ kind: 'engine', engine: { state: 'starting' } });
    const ready = engine(choice.model === 'pocket' ? 'pocket' : 'full', words);
    if (ready.state !== 'ready') return;
    const model = { ...ready.model, quantization: choice.quantization };
    setTimeout(() => send({ kind: 'engine', engine: { ...ready, model, choice } }), 40);
  }

  /** Queues an image's recipe again. */
  function again(id: NodeId, verifies: NodeId | null): string[] {
    const node = world.nodes.get(id);
    const recipe = node && world.recipe(node);
    if (!recipe) return [];
    const { kind, prompt } = recipe;
    const [image = null, ...references] = [...recipe.images].reverse();
    const thinking = recipe.plan === null ? ({ kind: 'off' } as const) : ({ kind: 'given', plan: recipe.plan } as const);
    const job = {
      project: node.project,
      kind,
      prompt,
      image,
      references,
      thinking,
      plan: recipe.plan ?? '',
      parameters: recipe.parameters,
      verifies,
    };
    return [queue.add(job).id];
  }

  const host: Host = {
    subscribe(newListener) {
      listener = newListener;
      const snapshot: Snapshot = {
        engine: engine(options.get('engine') ?? 'pocket', words),
        jobs: queue.jobs,
        is_paused: queue.isPaused,
        defaults,
        projects: world.newest.slice(0, 24),
        counts: world.counts(),
        models: cards,
        settings,
        notices: given.length > 0 ? [{ code: 'internal', message: words('') }] : [],
      };
      return answer(structuredClone(snapshot));
    },
    abilities: () => answer<Ability[]>(options.has('limited') ? [] : ['drag_out', 'reset_places']),

    submit: (job) => answer(queue.submit(job)),
    estimate(job) {
      const steps = job.parameters.steps * job.variations;
      const pixels = (job.parameters.size?.width ?? 1024) * (job.parameters.size?.height ?? 768);
      const isLarge = job.prompt.startsWith('huge');
      const estimate: CostEstimate = {
        memory: {
          weights_bytes: 14 << 20,
          context_bytes: 6 << 20,
          working_bytes: 30 << 20,
          vae_bytes: 18 << 20,
          peak_bytes: isLarge ? 15.2e9 : 48 << 20,
        },
        available_bytes: 9e9,
        context_tokens: 1240 + 800 * job.references.length,
        size: job.kind === 'chat' ? null : (job.parameters.size ?? { width: 1024, height: 768 }),
        secs: job.kind === 'chat' ? 6 : (0.42 * steps * pixels) / 786_432,
        refusal: isLarge
          ? {
              code: 'out_of_device_memory',
              message: words('not enough graphics memory for 1024 × 768: 15.2 GB are needed and 9.0 GB are there'),
            }
          : null,
        remedies: isLarge
          ? [{ kind: 'smaller_size', size: { width: 768, height: 576 } }, { kind: 'no_thinking' }, { kind: 'smaller_model' }]
          : [],
      };
      return answer(estimate);
    },
    cancel: (job) => (queue.cancel(job), done()),
    cancelAll() {
      const jobs = queue.jobs.filter(({ status }) => status.state === 'queued' || status.state === 'running');
      for (const job of jobs.reverse()) queue.cancel(job.id);
      return done();
    },
    dismiss: (job) => (queue.dismiss(job), done()),
    retry: (job) => (queue.retry(job), done()),
    keep: (job) => (queue.keep(job), done()),
    moveJob: (job, place) => (queue.move(job, place), done()),
    pauseQueue: (isPaused) => (queue.pause(isPaused), done()),
    pausePlan: (job) => (queue.hold(job), done()),
    paintPlan: (job, plan) => (queue.paint(job, plan), done()),

    project(id) {
      const project = world.projects.get(id);
      if (!project) return Promise.reject({ code: 'bad_input', message: `there is no project ${id}` });
      return answer(structuredClone({ project, nodes: world.nodesOf(id), turns: world.turns.get(id) ?? [] }));
    },
    nodes: (ids) => answer(structuredClone(ids.flatMap((id) => world.nodes.get(id) ?? []))),
    gallery: (filter: GalleryFilter, after, limit) =>
      filter.text.startsWith('unreadable')
        ? Promise.reject({ code: 'internal', message: 'cannot read library.db: input/output error' })
        : answer(structuredClone(world.page(filter, after, limit))),
    recipe(id) {
      const node = world.nodes.get(id);
      return answer(node ? world.recipe(node) : null);
    },
    steps: (node) => answer(queue.steps.get(node) ?? []),
    renameProject(id, name) {
      const project = world.projects.get(id);
      if (project) project.name = name || (world.nodesOf(id)[0]?.prompt ?? '');
      if (project) send({ kind: 'project_changed', project });
      return done();
    },
    renameNode: (id, name) => changed([id], () => ({ name: name === '' ? null : name })),
    changeTags: (nodes, added, removed) =>
      changed(nodes, (node) => ({ tags: [...new Set([...node.tags, ...added])].filter((tag) => !removed.includes(tag)).sort() })),
    setStarred: (nodes, starred) => changed(nodes, () => ({ starred })),
    leaveOut(ids, leftOut) {
      for (const [project, all] of world.turns) {
        const turns = all.map((turn) => (ids.includes(turn.id) ? { ...turn, left_out: leftOut } : turn));
        const affected = turns.filter((turn) => ids.includes(turn.id));
        if (affected.length === 0) continue;
        world.turns.set(project, turns);
        send({ kind: 'turns_changed', project, turns: affected });
      }
      return done();
    },
    trash: (nodes) => changed(nodes, () => ({ trashed_ms: Date.now() })),
    restore: (nodes) => changed(nodes, () => ({ trashed_ms: null })),
    emptyTrash() {
      send({ kind: 'nodes_removed', ...world.emptyTrash() }, { kind: 'counts', counts: world.counts() });
      return done();
    },
    replay: (id) => answer(again(id, null)),
    verify: (id) => (again(id, id), done()),

    openImages: () => arrive(false, 'harbor.jpg'),
    pasteImage: () => arrive(true, 'clipboard.png'),
    copyImage: () => done(),
    exportImages: (nodes) => answer(words(nodes.length === 1 ? 'harbor.png' : 'Exports')),
    exportProject: () => answer(words('harbor.bagel')),
    openProject() {
      const project = world.add(fromFile(false, 'Islands at noon'));
      send({ kind: 'project_changed', project }, { kind: 'counts', counts: world.counts() });
      return answer(project.id);
    },
    revealImage: () => done(),
    dragOut: () => done(),

    hardware: () => answer(hardware),
    async benchmark() {
      await new Promise((resolve) => setTimeout(resolve, 600));
      return { quantization: 'q5_k_m', device: hardware.devices[0]?.name ?? '', secs_per_step: 0.71, tokens_per_sec: 38 };
    },
    installModel: (id, quantization) => changeCard(id, { install: installing(quantization, { stage: 'downloading' }, 0.4, 29.2) }),
    pauseInstall(id) {
      const install = cards.find((card) => card.id === id)?.install;
      return install ? changeCard(id, { install: { ...install, stage: { stage: 'paused' }, bytes_per_sec: null } }) : done();
    },
    cancelInstall: (id) => changeCard(id, { install: null }),
    async removeModel(id, quantization) {
      const card = cards.find((candidate) => candidate.id === id);
      if (card === undefined) return 0;
      if (quantization !== null) {
        const forms = card.forms.map((form) => (form.quantization === quantization ? { ...form, is_installed: false } : form));
        await changeCard(id, { forms });
        return card.forms.find((form) => form.quantization === quantization)?.disk_bytes ?? 0;
      }
      // Imported files stay on disk; only their record is removed.
      if (card.origin === 'imported') changeCards(cards.filter((other) => other !== card));
      else await changeCard(id, { files: { state: 'absent' } });
      return 'bytes' in card.files && card.origin !== 'imported' ? card.files.bytes : 612;
    },
    importModel(kind) {
      const id = world.name('import');
      const name = kind === 'folder' ? 'islands-finetune' : 'islands-finetune.gguf';
      changeCards([...cards, imported(id, name, words, { state: 'complete', bytes: 29.2e9 })]);
      return answer(id);
    },
    useModel: (model) => (start(model), change({ model })),
    restartEngine: () => (start(settings.model ?? pocket), done()),

    changeSettings: (wanted) => change(settingOf(wanted)),
    chooseFolder: async (folder) => (await change({ [`${folder}_folder`]: `/media/large/${folder}` }), true),
    chooseEngine: async () => (await change({ engine: '/opt/bagel/bagel-engine' }), true),
    resetFolder: (folder) => change({ [`${folder}_folder`]: null }),
    resetEngine: () => change({ engine: null }),
    setToken: (token) => (token?.startsWith('locked') ? Promise.reject({ code: 'keyring', message: 'the keyring is locked' }) : done()),
    diagnostics: () => answer('Bagel Studio 0.1.0\nLinux x86_64\nengine 0.1.0, cuda:0'),
    about: () =>
      answer({
        version: '0.1.0',
        engine: '0.1.0',
        licenses: `${words('Apache-2.0')}\n\ncandle-core 0.11.1\nMIT OR Apache-2.0\n`.repeat(40),
      }),
    close: () => done(),

    imageUrl: (id) => imageOf(id),
    thumbnailUrl: (id) => imageOf(id, 0.25),
    previewUrl: (id) => queue.previews.get(id) ?? '',
  };

  function imageOf(id: NodeId, scale = 1): string {
    const node = world.nodes.get(id);
    // An empty image, as for a missing file.
    if (!node) return 'data:image/png,';
    const size = { width: node.size.width * scale, height: node.size.height * scale };
    return painted(`${node.project} ${node.prompt}`, size);
  }

  // Records the calls for tests.
  return new Proxy(host, {
    get(target, key: keyof Host) {
      const method = target[key] as (...values: unknown[]) => unknown;
      return (...values: unknown[]) => {
        if (!key.endsWith('Url')) calls.push({ name: key, values });
        return method.apply(target, values);
      };
    },
  });
}

/** Answers with a delay, as over IPC. */
function answer<T>(value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(value), 4));
}

const done = () => answer(undefined);

function option<T extends string>(options: URLSearchParams, name: string, values: T[]): T | undefined {
  return values.find((value) => value === options.get(name));
}

function settingOf(change: SettingsChange): Partial<Settings> {
  return change.kind === 'welcomed' ? { welcomed: true } : { [change.kind]: change.value };
}

function engine(state: string, words: (text: string) => string): EngineState {
  switch (state) {
    case 'idle':
      return { state, name: words('Pocket model') };
    case 'loading':
      return { state, name: words('BAGEL 7B'), bytes: 4e9, total_bytes: 11e9 };
    case 'failed':
      return {
        state,
        failure: {
          code: 'internal',
          message: words('the engine ended three times in ten minutes; start it again, or choose another device'),
        },
      };
    case 'no_model':
    case 'starting':
      return { state };
    default:
      return {
        state: 'ready',
        model: {
          name: words({ full: 'BAGEL 7B', named: 'mini' }[state] ?? 'pocket'),
          hash: '0'.repeat(64),
          quantization: state === 'full' ? 'q5_k_m' : state === 'named' ? 'f32' : 'q8_0',
          parameters: state === 'full' ? 14_690_000_000 : 12_000_000,
          memory_bytes: state === 'full' ? 10.9e9 : 14 << 20,
          device: state === 'full' ? 'cuda:0' : 'cpu',
          max_side: 1024,
        },
        choice:
          state === 'named'
            ? null
            : { model: state === 'full' ? 'bagel-7b-mot' : 'pocket', quantization: state === 'full' ? 'q5_k_m' : 'q8_0' },
        is_pocket: state !== 'full' && state !== 'named',
        devices: hardware.devices,
      };
  }
}

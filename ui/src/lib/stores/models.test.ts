import { expect, test } from 'vitest';
import type { EngineState, Install, ModelCard } from '$lib/ipc';
import { asked, studio } from '$lib/testing/harness';

test('an installed or failed model is announced with the next action', () => {
  const install = (stage: Install['stage']): Install => ({
    quantization: 'q4_k_m',
    removes_source: false,
    stage,
    bytes: 1,
    total_bytes: 2,
    bytes_per_sec: null,
  });
  const card = (isInstalled: boolean, coming: Install | null) =>
    ({
      id: 'full',
      name: { en: 'BAGEL 7B', zh: 'BAGEL 7B' },
      forms: [{ quantization: 'q4_k_m', is_installed: isInstalled }],
      install: coming,
    }) as ModelCard;
  const send = (coming: Install | null) => studio.receive([{ kind: 'install', model: 'full', install: coming }]);
  const news = () => studio.toasts.all.at(-1);
  studio.receive([{ kind: 'models', models: [card(false, null)] }]);
  const failure = { code: 'network', message: 'timed out' } as const;
  send(install({ stage: 'downloading' }));
  studio.receive([{ kind: 'notice', failure }]);
  send(install({ stage: 'failed', failure }));
  expect(studio.toasts.all).toHaveLength(1);
  expect(news()).toMatchObject({ failure });
  expect(news()?.text?.()).toBe('Installing BAGEL 7B');
  news()?.action?.run();
  expect(asked('installModel')).toEqual([['full', 'q4_k_m', null]]);
  studio.toasts.all = [];
  // The user cancels it.
  send(null);
  studio.receive([{ kind: 'models', models: [card(false, null)] }]);
  expect(studio.toasts.all).toEqual([]);
  send(install({ stage: 'converting' }));
  send(null);
  studio.receive([
    { kind: 'models', models: [card(true, null)] },
    { kind: 'models', models: [card(true, null)] },
  ]);
  expect(studio.toasts.all.map(({ text }) => text?.())).toEqual(['BAGEL 7B is ready to use in Q4_K_M']);
  news()?.action?.run();
  expect(asked('useModel')).toEqual([[{ model: 'full', quantization: 'q4_k_m' }]]);
  // The models page already shows the failure.
  studio.toasts.all = [];
  studio.view.place = 'models';
  send(install({ stage: 'failed', failure }));
  expect(studio.toasts.all).toEqual([]);
});

test('the shown model is the loaded one, whatever the settings name', () => {
  const card = { id: 'pocket', name: { en: 'Pocket model', zh: '口袋模型' }, origin: 'bundled', max_side: 128 } as ModelCard;
  const model = { name: 'mini', hash: '', quantization: 'f32', parameters: 1, memory_bytes: 1, device: 'cpu', max_side: 64 };
  const ready = { state: 'ready', model, choice: null, is_pocket: false, devices: [] } as const;
  const changed = (engine: EngineState) => {
    studio.receive([
      { kind: 'models', models: [card] },
      { kind: 'engine', engine },
    ]);
    return [studio.library.modelName('en'), studio.library.isPocket];
  };
  expect(changed({ ...ready, devices: [] })).toEqual(['mini', false]);
  expect(changed({ ...ready, devices: [], is_pocket: true })).toEqual(['Pocket model', true]);
  expect(changed({ ...ready, devices: [], choice: { model: 'pocket', quantization: 'q8_0' }, is_pocket: true })).toEqual([
    'Pocket model',
    true,
  ]);
  expect(changed({ state: 'idle', name: 'mini' })).toEqual(['mini', false]);
  expect(changed({ state: 'idle', name: 'Pocket model' })).toEqual(['Pocket model', true]);
  expect(changed({ state: 'loading', name: 'mini', bytes: 0, total_bytes: 1 })).toEqual(['mini', false]);
  expect(studio.library.modelName('zh')).toBe('mini');
});

import { expect, test } from 'vitest';
import type { RecipeView } from '$lib/ipc';
import { contents, hostOf, parameters, node, snapshot } from '$lib/testing/fixtures';
import { arrive, begin, studio } from '$lib/testing/harness';

test('a recipe is reused field by field, or completely with its input images', async () => {
  await arrive(node('a'), node('r', null, 'p2'));
  const recipe: RecipeView = {
    kind: 'edit',
    prompt: 'red sails',
    parameters: { ...parameters, steps: 21, seed: 77, text_guidance: 6 },
    plan: 'A plan.',
    images: ['r', 'a'],
    n_missing: 0,
    model: 'pocket',
    is_present_model: true,
    engine: null,
    unknown: [],
  };
  studio.composer.mode = 'generate';
  studio.composer.applyRecipe(recipe, 'steps');
  expect(studio.composer.parameter('steps')).toBe(21);
  expect(studio.composer.prompt).toBe('');
  studio.recipes.applyAll(recipe);
  expect(studio.composer.references).toEqual(['r']);
  expect(studio.composer.buildJob()).toMatchObject({
    kind: 'edit',
    prompt: 'red sails',
    image: 'a',
    references: ['r'],
    thinking: { kind: 'given' },
    parameters: { seed: 77, steps: 21, text_guidance: 6 },
  });
});

test('whether another model generated an image is checked again after each load', async () => {
  let loaded = '';
  const recipe = () => ({ model: 'mini', images: [], is_present_model: loaded === 'mini' }) as Partial<RecipeView> as RecipeView;
  const made = hostOf({
    subscribe: () => Promise.resolve({ ...structuredClone(snapshot), engine: { state: 'starting' } }),
    abilities: () => Promise.resolve([]),
    project: (id) => Promise.resolve(contents(id, [node('a')])),
    recipe: () => Promise.resolve(recipe()),
  });
  await begin(made);
  await arrive(node('a'));
  const load = (hash: string) => {
    const model = { name: hash, hash, quantization: 'f32', parameters: 1, memory_bytes: 1, device: 'cpu', max_side: 64 };
    loaded = hash;
    studio.receive([{ kind: 'engine', engine: { state: 'ready', model, choice: null, is_pocket: false, devices: [] } }]);
  };
  const readModels = async () => {
    const before = studio.recipes.otherModel;
    await studio.recipes.read('a');
    return [before, studio.recipes.otherModel];
  };
  expect(await readModels()).toEqual([null, null]);
  load('mini');
  expect(await readModels()).toEqual([null, null]);
  load('large');
  expect(await readModels()).toEqual([null, 'mini']);
  expect(await readModels()).toEqual(['mini', 'mini']);
  expect(made.calls.filter(([name]) => name === 'recipe')).toHaveLength(3);
});

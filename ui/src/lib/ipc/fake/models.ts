/** Models of the fake host: one in each state that the window can show. */
import { parameters, snapshot } from '../blank';
import type { Hardware, Install, ModelCard, ModelDefaults, ModelForm } from '../protocol';

const GB = 1e9;

export const defaults: ModelDefaults = {
  generate: parameters,
  edit: { ...parameters, image_guidance: 2, guidance_interval: [0, 1], renorm: 'text_channel' },
  chat: { ...snapshot.defaults.chat, limit: 1000, temperature: 0.3 },
};

export const hardware: Hardware = {
  processor: 'AMD Ryzen 9 7900X',
  n_cores: 12,
  processor_features: ['avx2', 'avx512f'],
  memory_bytes: 64 * GB,
  free_memory_bytes: 41 * GB,
  free_disk_bytes: 312 * GB,
  card_without_engine: null,
  devices: [
    { id: 'cuda:0', name: 'NVIDIA GeForce RTX 4080', memory_bytes: 16 * 2 ** 30, free_bytes: 14.6 * GB, compute_capability: '8.9' },
    { id: 'cpu', name: 'Processor', memory_bytes: 64 * GB, free_bytes: 41 * GB, compute_capability: null },
  ],
};

function form(quantization: string, disk: number, memory: number, installed = false, recommended = false): ModelForm {
  const spare = 14.6 - memory;
  return {
    quantization,
    disk_bytes: Math.round(disk * GB),
    memory_bytes: Math.round(memory * GB),
    verdict:
      spare > 1.5
        ? { kind: 'fits', on: 'gpu' }
        : spare > 0
          ? { kind: 'fits_tightly', on: 'gpu', spare_bytes: Math.round(spare * GB) }
          : { kind: 'does_not_fit', on: 'gpu', missing_bytes: Math.round(-spare * GB) },
    is_installed: installed,
    is_recommended: recommended,
  };
}

const fullForms = (installed: string | null) => [
  form('bf16', 29.2, 31.1, installed === 'bf16'),
  form('q8_0', 15.5, 17.6, installed === 'q8_0'),
  form('q6_k', 12.1, 13.9, installed === 'q6_k'),
  form('q5_k_m', 10.4, 12.2, installed === 'q5_k_m', true),
  form('q4_k_m', 8.9, 10.6, installed === 'q4_k_m'),
];

const published = { license: 'Apache-2.0', max_side: 1024, defaults, install: null } as const;

/** An install with `done` of `all` gigabytes. */
export function installing(quantization: string, stage: Install['stage'], done: number, all: number): Install {
  const bytes_per_sec = stage.stage === 'downloading' ? 46e6 : null;
  return {
    quantization,
    removes_source: false,
    stage,
    bytes: Math.round(done * GB),
    total_bytes: Math.round(all * GB),
    bytes_per_sec,
  } as Install;
}

export function models(words: (text: string) => string): ModelCard[] {
  return [
    {
      id: 'pocket',
      name: { en: words('Pocket model'), zh: words('口袋模型') },
      summary: {
        en: words('A small model that comes with Bagel Studio, for trying every tool. It knows only colored shapes.'),
        zh: words('随 Bagel Studio 附带的小模型，用于试用各项功能，只认识彩色图形。'),
      },
      origin: 'bundled',
      license: 'Apache-2.0',
      repository: null,
      download_bytes: 0,
      max_side: 128,
      defaults,
      forms: [{ ...form('q8_0', 0.014, 0.06, true, true), verdict: { kind: 'fits', on: 'cpu' } }],
      files: { state: 'complete', bytes: 14 << 20 },
      install: null,
    },
    {
      ...published,
      id: 'bagel-7b-mot',
      name: { en: words('BAGEL 7B'), zh: words('BAGEL 7B') },
      summary: {
        en: words(
          'The full model as published: generates and edits images, answers questions about them, and can plan before it generates.',
        ),
        zh: words('官方发布的完整模型：生成和编辑图像，回答有关图像的问题，并可先写方案再生成。'),
      },
      origin: 'catalog',
      repository: words('ByteDance-Seed/BAGEL-7B-MoT'),
      download_bytes: Math.round(29.2 * GB),
      forms: fullForms(null),
      files: { state: 'absent' },
    },
    {
      ...published,
      id: 'bagel-nhr',
      name: { en: words('BAGEL NHR Edit'), zh: words('BAGEL NHR 编辑版') },
      summary: {
        en: words('A fine-tune for edits that leave the rest of the image unchanged.'),
        zh: words('为局部编辑微调的模型，不改动图像的其余部分。'),
      },
      origin: 'catalog',
      repository: words('iitolstykh/Bagel-NHR-Edit'),
      download_bytes: Math.round(29.3 * GB),
      forms: fullForms(null),
      files: { state: 'partial', bytes: Math.round(11.4 * GB) },
      install: installing('q5_k_m', { stage: 'downloading' }, 11.4, 29.3),
    },
    {
      ...published,
      id: 'bagel-rl',
      name: { en: words('BAGEL RecA'), zh: words('BAGEL RecA') },
      summary: {
        en: words('Fine-tuned to follow longer prompts.'),
        zh: words('经微调的版本，更贴近较长的提示词。'),
      },
      origin: 'catalog',
      repository: words('sanaka87/BAGEL-RecA'),
      download_bytes: Math.round(29.2 * GB),
      forms: fullForms('q4_k_m'),
      files: { state: 'complete', bytes: Math.round(29.2 * GB) },
      install: installing(
        'q6_k',
        {
          stage: 'failed',
          failure: { code: 'disk_full', message: words('there is no room for 12.1 GB in the models folder; free 3 GB and resume') },
        },
        8.2,
        12.1,
      ),
    },
    imported('import-1', 'harbor-finetune', words, {
      state: 'damaged',
      failure: { code: 'hash_mismatch', message: words('ema.safetensors: this file ends too early; import it again') },
    }),
  ];
}

/** An imported model. */
export function imported(id: string, name: string, words: (text: string) => string, files: ModelCard['files']): ModelCard {
  return {
    ...published,
    id,
    name: { en: words(name), zh: words(name) },
    summary: { en: words('Imported from a folder on this computer.'), zh: words('从本机文件夹导入。') },
    origin: 'imported',
    license: null,
    repository: null,
    download_bytes: 0,
    forms: [form('bf16', 29.2, 31.1, files.state === 'complete')],
    files,
  };
}

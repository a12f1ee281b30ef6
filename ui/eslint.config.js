import svelte from 'eslint-plugin-svelte';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** `shared` knows nothing of ours, and features do not know each other. */
const features = ['canvas', 'composer', 'gallery', 'history', 'inspector', 'models', 'settings', 'shell'];

export default ts.config(
  { ignores: ['dist', 'node_modules', 'src/lib/ipc/protocol.ts', 'tests/window'] },
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  // Arguments of calls have as many shapes as there are methods. A test that meets the wrong one fails.
  { files: ['tests/**'], rules: { '@typescript-eslint/no-explicit-any': 'off' } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
  },
  {
    files: ['src/**'],
    rules: {
      'no-undef': 'off',
      'svelte/no-at-html-tags': 'error',
      // Maps here are derived afresh, never changed.
      'svelte/prefer-svelte-reactivity': 'off',
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: 'Text becomes text nodes.' },
        { property: 'outerHTML', message: 'Text becomes text nodes.' },
        { property: 'insertAdjacentHTML', message: 'Text becomes text nodes.' },
      ],
    },
  },
  {
    files: ['src/lib/shared/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: ['$lib/*', '!$lib/shared/*'] }] },
  },
  ...features.map((feature) => ({
    files: [`src/lib/${feature}/**`],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [...features.filter((f) => f !== feature).map((f) => `$lib/${f}/*`), '@tauri-apps/*'] },
      ],
    },
  })),
);

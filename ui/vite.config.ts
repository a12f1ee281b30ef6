import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** The content security policy of the program, under which the browser tests run too. */
const { csp } = JSON.parse(readFileSync(new URL('../src-tauri/tauri.conf.json', import.meta.url), 'utf8')).app.security;
const policy = Object.entries(csp)
  .map(([name, value]) => `${name} ${String(value)}`)
  .join('; ');

export default defineConfig({
  plugins: [svelte()],
  resolve: { alias: { $lib: fileURLToPath(new URL('./src/lib', import.meta.url)) } },
  build: {
    // The oldest web views that the studio runs in: WebKitGTK 2.44, WebView2 and Safari of the same year.
    target: ['safari17.5', 'chrome124'],
    // A font as a data: URL would not pass the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  preview: { headers: { 'content-security-policy': policy, 'x-content-type-options': 'nosniff' } },
  server: { port: 1420, strictPort: true },
  test: { include: ['src/**/*.test.ts'] },
});

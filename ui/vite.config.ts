import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

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
  server: { port: 1420, strictPort: true },
  test: { include: ['src/**/*.test.ts'] },
});

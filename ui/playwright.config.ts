import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

/** The system's browser: Playwright's own would be a download. */
const browsers = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = browsers.find((path) => path !== undefined && existsSync(path));
if (executablePath === undefined) throw new Error('Chromium is missing: install the package chromium, or set CHROMIUM to its path');

export default defineConfig({
  testDir: 'tests/browser',
  outputDir: '../artefacts/browser/results',
  fullyParallel: true,
  forbidOnly: process.env.CI !== undefined,
  // A test that fails now and then has a fault of its own, which another try would hide.
  retries: 0,
  workers: 2,
  reporter: 'list',
  // Ceilings for a test that hangs. They are far above what a busy computer needs, so that no result depends on its speed.
  timeout: 300_000,
  expect: { timeout: 30_000 },
  use: {
    actionTimeout: 60_000,
    screenshot: 'only-on-failure',
    viewport: { width: 1280, height: 800 },
    locale: 'en-US',
    permissions: ['clipboard-read', 'clipboard-write'],
    contextOptions: { reducedMotion: 'reduce' },
    launchOptions: { executablePath, args: ['--no-sandbox', '--disable-gpu', '--enable-precise-memory-info'] },
  },
  projects: [
    { name: 'views', testIgnore: ['methods.spec.ts', 'screenshots.spec.ts'] },
    // Reads which methods the tests of the views called, so it runs after all of them.
    { name: 'methods', testMatch: 'methods.spec.ts', dependencies: ['views'] },
    ...(process.env.SCREENSHOTS === undefined ? [] : [{ name: 'screenshots', testMatch: 'screenshots.spec.ts' }]),
  ],
  webServer: {
    command: 'npx vite preview --host 127.0.0.1 --port 0',
    // The system chooses a free port. Other parts of the configuration read it as BAGEL_PREVIEW.
    wait: { stdout: /(?<BAGEL_PREVIEW>http:\/\/127\.0\.0\.1:\d+)/ },
    env: { NO_COLOR: '1', FORCE_COLOR: '0' },
  },
});

/** Opens the built window on the fake host, and fails a test for anything that goes wrong in its pages. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as base, expect, type BrowserContextOptions, type Page, type TestInfo } from '@playwright/test';

export { expect, type Page };

interface OpenOptions {
  context?: BrowserContextOptions;
  /** Runs in the page before its own scripts. */
  init?: () => void;
  /** Texts that the fake host shows in place of its own. */
  words?: string[];
}

/** Opens a page with options of the fake host, as a query: `images=40&language=zh`. */
export type Open = (query?: string, options?: OpenOptions) => Promise<Page>;

interface Fixtures {
  open: Open;
  /** Errors in a page, violations of its policy and requests to another server. A test that expects some empties it. */
  problems: string[];
  /** Whether the calls of this test count as uses of the host's methods. */
  recordsCalls: boolean;
}

/** Where tests leave the names of the methods that they called, for methods.spec.ts. */
export const callsFolder = (info: TestInfo) => join(info.project.outputDir, 'calls');

export const test = base.extend<Fixtures>({
  recordsCalls: [false, { option: true }],

  problems: async ({}, use) => {
    const problems: string[] = [];
    await use(problems);
    expect(problems.slice(0, 8)).toEqual([]);
  },

  open: async ({ browser, problems, recordsCalls }, use, info) => {
    const address = process.env.BAGEL_PREVIEW;
    if (address === undefined) throw new Error('the preview server has no address');
    const pages: Page[] = [];

    await use(async (query = '', { context = {}, init, words } = {}) => {
      const page = await (await browser.newContext(context)).newPage();
      pages.push(page);
      page.on('pageerror', (error) => problems.push(`error in the page: ${error.message}`));
      page.on('request', (request) => {
        const url = request.url();
        if (![address, 'data:', 'blob:'].some((start) => url.startsWith(start))) problems.push(`requested ${url.slice(0, 120)}`);
      });
      await page.exposeFunction('reportViolation', (text: string) => problems.push(text));
      await page.addInitScript(() => {
        document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile }) => {
          window.reportViolation(`policy violation: ${violatedDirective} ${blockedURI} ${sourceFile}`);
        });
      });
      if (words) await page.addInitScript((texts) => (globalThis.fakeWords = texts), words);
      if (init) await page.addInitScript(init);
      const options = { pace: '0.02', language: 'en', ...Object.fromEntries(new URLSearchParams(query)) };
      await page.goto(`${address}/?${String(new URLSearchParams(options))}`);
      await expect(page.locator('header .dot:not(.starting)')).toBeVisible();
      return page;
    });

    if (recordsCalls) await recordCalls(pages, info);
    for (const page of pages) await page.context().close();
  },
});

/** Notes the methods that the host has and those that were called, for methods.spec.ts. */
async function recordCalls(pages: Page[], info: TestInfo) {
  const open = pages.filter((page) => !page.isClosed());
  const records = await Promise.all(
    open.map((page) => page.evaluate(() => ({ called: window.puppet.calls.map(({ name }) => name), methods: window.puppet.methods() }))),
  );
  mkdirSync(callsFolder(info), { recursive: true });
  writeFileSync(join(callsFolder(info), `${info.testId}.json`), JSON.stringify(records));
}

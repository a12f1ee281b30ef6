/** Opens the built window on the fake host, and fails a test for any error in its pages. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as base, expect, type BrowserContextOptions, type Page, type TestInfo } from '@playwright/test';

export { expect, type Page };

interface OpenOptions {
  context?: BrowserContextOptions;
  /** Runs in the page before its scripts. */
  init?: () => void;
  /** Texts that replace those of the fake host. */
  words?: string[];
}

/** Opens a page with a query of fake host options: `images=40&language=zh`. */
export type Open = (query?: string, options?: OpenOptions) => Promise<Page>;

interface Fixtures {
  open: Open;
  /** Page errors, policy violations and requests to other servers. A test that expects some clears the list. */
  problems: string[];
  /** Whether calls in this test count for methods.spec.ts. */
  recordsCalls: boolean;
}

/** Where tests record the host methods that they called, for methods.spec.ts. */
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

/** Records the host's methods and those called, for methods.spec.ts. */
async function recordCalls(pages: Page[], info: TestInfo) {
  const open = pages.filter((page) => !page.isClosed());
  const records = await Promise.all(
    open.map((page) => page.evaluate(() => ({ called: window.hostDriver.calls.map(({ name }) => name), methods: window.hostDriver.methods() }))),
  );
  mkdirSync(callsFolder(info), { recursive: true });
  writeFileSync(join(callsFolder(info), `${info.testId}.json`), JSON.stringify(records));
}

/**
 * Screenshots of every view for review: `npm run screenshots [-- -g NAME]`. They go to artefacts/browser/screenshots.
 *
 * Each view is captured in both languages, in the dark and light themes, and at two window sizes.
 */
import { join } from 'node:path';
import { test, type Page } from './fixtures';
import { expectText, sendEvents } from './page';

type Theme = 'dark' | 'light' | 'contrast';

const folder = join(import.meta.dirname, '../../../artefacts/browser/screenshots');
const sizes = [
  { width: 1440, height: 900 },
  { width: 900, height: 600 },
];

const clickRow = (title: string) => (page: Page) => page.click(`[data-row]:has-text("${title}")`);

interface View {
  /** Options of the fake host. */
  query: string;
  key?: string;
  act?: (page: Page) => Promise<unknown>;
  themes?: Theme[];
  forcedColors?: 'active';
}

const views: Record<string, View> = {
  empty: { query: 'images=0' },
  welcome: { query: 'images=0&welcome' },
  studio: { query: 'engine=full&images=120' },
  painting: { query: 'jobs&engine=full', act: clickRow('warm light') },
  plan: {
    query: 'jobs&engine=full',
    act: async (page) => {
      await clickRow('clear night')(page);
      const plan = page.locator('.plan textarea');
      await plan.fill((await plan.inputValue()).replace('a thin moon', 'two pale moons'));
    },
  },
  sheet: {
    query: 'images=3&pace=1',
    act: async (page) => {
      await page.keyboard.press('Control+n');
      await page.click('.think button');
      await page.locator(':popover-open button').nth(2).click();
      await page.fill('.composer textarea', 'A lighthouse on a cliff in a storm, seen from the sea, with one lit window');
      await page.keyboard.press('Control+Enter');
      await expectText(page, '.plan .text', 'The scene');
    },
  },
  failure: { query: 'jobs&engine=full', act: clickRow('whole bay') },
  queue: { query: 'jobs&engine=full', key: 'q' },
  gallery: { query: 'images=10000', key: 'g' },
  selected: {
    query: 'images=400',
    key: 'g',
    act: async (page) => {
      await page.click('[role=gridcell][data-position="1"]');
      await page.click('[role=gridcell][data-position="7"]', { modifiers: ['Shift'] });
    },
  },
  models: { query: '', key: 'm' },
  installs: { query: '', key: 'm', act: (page) => page.locator('article').nth(3).scrollIntoViewIfNeeded() },
  trial: { query: 'engine=named', key: 'm', act: (page) => page.click('.trial button') },
  named: { query: 'engine=named', act: (page) => page.click('header .chip >> nth=0') },
  repeat: {
    query: 'engine=full',
    act: async (page) => {
      await clickRow('Turn it into night')(page);
      await page.keyboard.press('Control+k');
      await page.keyboard.type('branch');
      await page.keyboard.press('Enter');
    },
  },
  trash: { query: 'images=400', key: 'g', act: (page) => page.click('.filters .chip:has(svg) >> nth=1') },
  nothing: { query: 'images=20', key: 'g', act: (page) => page.fill('input[type=search]', 'zebra') },
  bare: { query: 'images=0', key: 'g' },
  notices: {
    query: 'engine=full',
    act: (page) =>
      sendEvents(page, { kind: 'notice', failure: { code: 'disk_full', message: 'the disk of /home is full; free 3 GB and try again' } }),
  },
  undo: {
    query: 'images=400',
    key: 'g',
    act: async (page) => {
      await page.click('[role=gridcell][data-position="1"]');
      await page.keyboard.press('Delete');
    },
  },
  settings: { query: '', key: 'Control+,' },
  about: {
    query: '',
    key: 'Control+,',
    act: async (page) => {
      await page.click('.settings summary');
      await page.locator('.licenses').scrollIntoViewIfNeeded();
    },
  },
  keys: { query: '', key: '?' },
  palette: { query: '', key: 'Control+k' },
  compare: { query: 'engine=full', key: 'c' },
  side: {
    query: 'engine=full',
    key: 'c',
    act: (page) => page.locator('.toolbar button').nth(4).click(),
  },
  recipe: { query: 'engine=full', key: 'i' },
  parameters: {
    query: 'engine=full',
    act: async (page) => {
      await page.click('[role=tab][data-tab=parameters]');
      await page.click('.parameters summary');
    },
  },
  tags: { query: 'engine=full', key: 't' },
  size: { query: 'engine=full&images=0', act: (page) => page.locator('.composer .filled').nth(2).click() },
  thinking: { query: 'engine=full', act: (page) => page.locator('.composer .filled').nth(0).click() },
  refusal: { query: 'engine=full', act: (page) => page.fill('.composer textarea', 'huge change of everything in sight') },
  contrast: { query: 'engine=full&jobs', themes: ['contrast'], act: clickRow('gulls') },
  contrast2: { query: '', themes: ['contrast'], key: 'Control+,' },
  forced: { query: 'engine=full&jobs', themes: ['dark'], forcedColors: 'active', act: clickRow('gulls') },
};

for (const [name, { query, key, act, themes = ['dark', 'light'], forcedColors }] of Object.entries(views)) {
  for (const language of ['en', 'zh']) {
    test(`${name}, ${language}`, async ({ open }) => {
      for (const theme of themes) {
        for (const viewport of sizes) {
          const page = await open(`pace=1&${query}&theme=${theme}&language=${language}`, { context: { viewport, forcedColors: forcedColors ?? null } });
          if (key) await page.keyboard.press(key);
          if (act) await act(page);
          await page.evaluate(() => document.fonts.ready);
          await page.waitForLoadState('networkidle');
          await page.screenshot({ path: join(folder, `${name}-${language}-${theme}-${String(viewport.width)}.png`), animations: 'disabled' });
          await page.context().close();
        }
      }
    });
  }
}

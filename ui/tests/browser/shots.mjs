/** Images of every view, to be looked at: `node tests/browser/shots.mjs [NAME…]`. They go to artefacts/browser. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { launch } from './browser.mjs';
import { serve } from './server.mjs';

const folder = resolve(import.meta.dirname, '../../../artefacts/browser');
mkdirSync(folder, { recursive: true });

const row = (words) => (page) => page.click(`[data-row]:has-text("${words}")`);

const views = {
  empty: { query: 'images=0' },
  welcome: { query: 'images=0&welcome' },
  studio: { query: 'engine=full&images=120' },
  painting: { query: 'jobs&engine=full', act: row('warm light') },
  plan: {
    query: 'jobs&engine=full',
    act: async (page) => {
      await row('clear night')(page);
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
      await page.waitForSelector('.plan .text');
      await page.waitForTimeout(900);
    },
  },
  failure: { query: 'jobs&engine=full', act: row('whole bay') },
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
  trial: { query: 'engine=named', key: 'm', act: (page) => page.click('.trial button').then(() => page.waitForTimeout(700)) },
  named: { query: 'engine=named', act: (page) => page.click('header .chip >> nth=0') },
  repeat: {
    query: 'engine=full',
    act: async (page) => {
      await row('Turn it into night')(page);
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
      page.evaluate(() =>
        globalThis.puppet.tell({ kind: 'notice', failure: { code: 'disk_full', message: 'the disk of /home is full; free 3 GB and try again' } }),
      ),
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
  size: { query: 'engine=full&images=0', act: (page) => page.locator('.composer .pill').nth(2).click() },
  thinking: { query: 'engine=full', act: (page) => page.locator('.composer .pill').nth(0).click() },
  refusal: { query: 'engine=full', act: (page) => page.fill('.composer textarea', 'huge change of everything in sight') },
  contrast: { query: 'engine=full&jobs', themes: ['contrast'], act: row('gulls') },
  contrast2: { query: '', themes: ['contrast'], key: 'Control+,' },
  forced: { query: 'engine=full&jobs', themes: ['dark'], media: { forcedColors: 'active' }, act: row('gulls') },
  small: { query: 'engine=full&images=60', width: 1000, height: 700 },
  narrow: { query: 'engine=full', width: 420, height: 900 },
};

const wanted = process.argv.slice(2);
const server = await serve();
const browser = await launch();
for (const [name, { query, key, act, themes, media, width = 1440, height = 900 }] of Object.entries(views)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const [theme, language] of [
    ['dark', 'en'],
    ['light', 'zh'],
    ['contrast', 'en'],
  ].filter(([theme]) => (themes ?? ['dark', 'light']).includes(theme))) {
    const page = await browser.newPage({ viewport: { width, height } });
    if (media) await page.emulateMedia(media);
    page.on('pageerror', (error) => console.error(name, error.message));
    page.on('console', (message) => message.type() === 'error' && !message.text().includes('404') && console.error(name, message.text()));
    await page.goto(`${server.address}/?${query}&theme=${theme}&language=${language}`);
    await page.waitForSelector('header h1');
    await page.waitForTimeout(250);
    if (key) await page.keyboard.press(key);
    await page.waitForTimeout(250);
    if (act) await act(page);
    await page.waitForTimeout(450);
    await page.screenshot({ path: join(folder, `${name}-${theme}.png`) });
    await page.close();
  }
}
await browser.close();
server.close();

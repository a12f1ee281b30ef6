/** Pictures of every view, to be looked at: `node tests/browser/shots.mjs [NAME…]`. They go to artefacts/browser. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { launch } from './browser.mjs';
import { serve } from './server.mjs';

const folder = resolve(import.meta.dirname, '../../../artefacts/browser');
mkdirSync(folder, { recursive: true });

const views = {
  empty: { query: 'pictures=0' },
  welcome: { query: 'pictures=0&welcome' },
  studio: { query: 'engine=full' },
  jobs: { query: 'jobs&engine=full', act: (page) => page.click('[data-row] >> nth=-6') },
  plan: {
    query: 'jobs&engine=full',
    act: async (page) => {
      await page.click('button:has-text("Queue"), button:has-text("队列")');
      await page.waitForTimeout(200);
    },
  },
  gallery: { query: 'pictures=10000', key: 'g' },
  selected: {
    query: 'pictures=400',
    key: 'g',
    act: async (page) => {
      await page.click('[role=gridcell][data-position="1"]');
      await page.click('[role=gridcell][data-position="7"]', { modifiers: ['Shift'] });
    },
  },
  models: { query: '', key: 'm' },
  settings: { query: '', key: 'Control+,' },
  keys: { query: '', key: '?' },
  palette: { query: '', key: 'Control+k' },
  compare: { query: 'engine=full', key: 'c' },
  recipe: { query: 'engine=full', key: 'i' },
  dials: { query: 'engine=full', act: (page) => page.click('[role=tab][data-tab=dials]') },
};

const wanted = process.argv.slice(2);
const server = await serve();
const browser = await launch();
for (const [name, { query, key, act }] of Object.entries(views)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const [theme, language] of [
    ['dark', 'en'],
    ['light', 'zh'],
  ]) {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.on('pageerror', (error) => console.error(name, error.message));
    page.on('console', (message) => message.type() === 'error' && console.error(name, message.text()));
    await page.goto(`${server.address}/?${query}&theme=${theme}&language=${language}`);
    await page.waitForSelector('header h1');
    await page.waitForTimeout(250);
    if (key) await page.keyboard.press(key);
    await page.waitForTimeout(250);
    if (act) await act(page);
    await page.waitForTimeout(350);
    await page.screenshot({ path: join(folder, `${name}-${theme}.png`) });
    await page.close();
  }
}
await browser.close();
server.close();

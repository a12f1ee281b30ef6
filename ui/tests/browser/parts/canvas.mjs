/** The image in the middle: how it lies there, what is shown in its place, and the keys and hands that move it. */
import assert from 'node:assert/strict';
import { asked, gone, holds, see, tell, text, until } from '../page.mjs';

const row = (page, title) => page.click(`[data-row]:has-text("${title}")`);
const fitOf = (page, selector = '.frame img') => page.locator(selector).evaluate((image) => image.style.objectFit);

/** An image of the first project that the program has no file of. */
function lost(id, size, parent = 'node-00006') {
  return { id, project: 'project-00001', parent, references: [], origin: 'edit', title: id, name: null, size, seed: null, plan: null, has_recipe: false, model: null, starred: false, tags: [], trashed_ms: null, took_ms: null, created_ms: 0 };
}

/** A key press as a keyboard sends it whose `\` needs another key. */
const press = (page, type, init) =>
  page.evaluate(
    ([name, values]) => document.body.dispatchEvent(new KeyboardEvent(name, { code: 'Minus', bubbles: true, cancelable: true, ...values })),
    [type, init],
  );

export const parts = {
  async 'an image whose file is gone says so, and the one before does not stand in for it'({ open }) {
    const page = await open('');
    await page.waitForSelector('.frame img');
    await tell(page, { kind: 'node_added', node: lost('Square', { width: 512, height: 512 }) });
    await row(page, 'Square');
    await see(page, '.frame .lost', 'This image cannot be loaded');
    await holds(() => page.locator('.frame img').count(), 0);
    const broken = () => page.locator('img').evaluateAll((all) => all.filter((image) => image.complete && image.naturalWidth === 0 && getComputedStyle(image).visibility !== 'hidden').length);
    await page.waitForSelector('.composer img[data-lost]', { state: 'attached' });
    await holds(() => broken(), 0, 'nowhere a broken image is drawn');
    await page.click('.lost button:has-text("Show in the file manager")');
    await holds(() => asked(page, 'revealImage'), [['Square']]);
    await row(page, 'Less blue');
    await page.waitForSelector('.frame img');
    await holds(() => page.locator('.lost').count(), 0);
  },

  async 'what an image was made from is never cropped to its shape'({ open }) {
    const page = await open('');
    const nodes = [lost('Square', { width: 512, height: 512 }), lost('Rounded', { width: 688, height: 512 })];
    await tell(page, ...nodes.map((node) => ({ kind: 'node_added', node })));
    for (const [title, fit] of [['Square', 'contain'], ['Rounded', 'fill']]) {
      await row(page, title);
      await page.waitForSelector('.lost');
      await page.keyboard.down('\\');
      await page.waitForSelector('.frame img');
      await holds(() => fitOf(page), fit, title);
      await page.keyboard.up('\\');
      await page.waitForSelector('.lost');
      await page.keyboard.press('c');
      await page.waitForSelector('.over img');
      await holds(() => fitOf(page, '.over img'), fit, `${title}, compared`);
      await page.keyboard.press('c');
      await gone(page, '.over');
    }
  },

  async 'the original is shown by the key that prints \\, wherever that lies'({ open }) {
    const page = await open('');
    await page.waitForSelector('.frame img');
    await press(page, 'keydown', { key: '\\', ctrlKey: true, altKey: true, modifierAltGraph: true });
    await page.waitForSelector('.frame .tag');
    // AltGr came up first.
    await press(page, 'keyup', { key: 'ß' });
    await gone(page, '.frame .tag');
    await press(page, 'keydown', { key: '\\', ctrlKey: true, altKey: true });
    await holds(() => page.locator('.frame .tag').count(), 0, 'without AltGr it is another key');
    const mac = await open('', { context: { userAgent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)' } });
    await mac.waitForSelector('.frame img');
    await press(mac, 'keydown', { key: '\\', altKey: true });
    await mac.waitForSelector('.frame .tag');
    await press(mac, 'keyup', { key: '\\', altKey: true });
    await gone(mac, '.frame .tag');
  },

  async 'the middle button moves the image, and what is close shows its pixels'({ open }) {
    const page = await open('');
    await page.waitForSelector('.frame img');
    const place = () => page.locator('.frame').getAttribute('style');
    const before = await place();
    const box = await page.locator('.frame').boundingBox();
    await page.mouse.move(box.x + 60, box.y + 60);
    await page.mouse.down({ button: 'middle' });
    await page.mouse.move(box.x + 90, box.y + 80);
    await page.mouse.up({ button: 'middle' });
    await until('another place', async () => (await place()) !== before);
    await holds(() => asked(page, 'dragOut'), []);
    await page.keyboard.press('4');
    for (let n = 0; n < 4; n += 1) await page.keyboard.press('+');
    await holds(() => page.locator('.pixels').count(), 0);
    await page.keyboard.press('+');
    await page.waitForSelector('.pixels');
    await page.mouse.dblclick(box.x + 60, box.y + 60);
    await gone(page, '.pixels');
    await holds(() => place(), before, 'a double click fits it again');
  },

  async 'a row with Ctrl is compared, and both halves look at the same place'({ open }) {
    const page = await open('');
    await page.waitForSelector('.frame img');
    const chosen = await text(page, '[aria-current=true] .title');
    await page.click('[data-row]:has-text("Add a lighthouse on the left")', { modifiers: ['Control'] });
    await page.waitForSelector('.over img');
    await holds(() => text(page, '[aria-current=true] .title'), chosen);
    await see(page, '.over .tag', 'Add a lighthouse on the left');
    await page.click('[aria-label="Side by side"]');
    const frames = () => page.locator('.half .frame').evaluateAll((all) => all.map((frame) => frame.getAttribute('style')));
    await until('two halves', async () => (await frames()).length === 2);
    const before = await frames();
    const right = await page.locator('.half >> nth=1').boundingBox();
    await page.mouse.move(right.x + right.width / 2, right.y + right.height / 2);
    await page.mouse.wheel(0, -400);
    await until('a closer look', async () => (await frames())[0] !== before[0]);
    const [one, other] = await frames();
    assert.equal(one, other);
  },

  async 'at 100 % a pixel of the image is one of the screen'({ open }) {
    const page = await open('', { context: { deviceScaleFactor: 2 } });
    await page.waitForSelector('.frame img');
    for (const [key, percent, width] of [['1', '100 %', 512], ['2', '200 %', 1024]]) {
      await page.keyboard.press(key);
      await see(page, '.percent', percent);
      assert.equal((await page.locator('.frame').boundingBox()).width, width);
    }
  },
};

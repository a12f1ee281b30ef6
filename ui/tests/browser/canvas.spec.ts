/** The canvas: layout, missing images, zoom and pan. */
import { expect, test, type Page } from './fixtures';
import { expectText, readCalls, sendEvents } from './page';

const clickRow = (page: Page, title: string) => page.click(`[data-row]:has-text("${title}")`);
const fitOf = (page, selector = '.frame img') => page.locator(selector).evaluate((image) => image.style.objectFit);

/** An image of the first project whose file is missing. */
function lost(id, size, parent = 'node-00006') {
  return { id, project: 'project-00001', parent, references: [], origin: 'edit', prompt: id, name: null, size, seed: null, plan: null, has_recipe: false, model: null, starred: false, tags: [], trashed_ms: null, took_ms: null, created_ms: 0 };
}

/** A key press on a keyboard where `\` needs AltGr. */
const press = (page, type, init) =>
  page.evaluate(
    ([name, values]) => document.body.dispatchEvent(new KeyboardEvent(name, { code: 'Minus', bubbles: true, cancelable: true, ...values })),
    [type, init],
  );

test.describe('canvas', () => {
  test('an image whose file is missing says so instead of showing the previous image', async ({ open }) => {
    const page = await open('');
    await expect(page.locator('.frame img')).toBeVisible();
    await sendEvents(page, { kind: 'node_added', node: lost('Square', { width: 512, height: 512 }) });
    await clickRow(page, 'Square');
    await expectText(page, '.frame .missing-image', 'This image cannot be shown');
    await expect(page.locator('.frame img')).toHaveCount(0);
    const broken = () => page.locator('img').evaluateAll((all: HTMLImageElement[]) => all.filter((image) => image.complete && image.naturalWidth === 0 && getComputedStyle(image).visibility !== 'hidden').length);
    await expect(page.locator('.composer img[data-missing]')).toBeAttached();
    await expect.poll(broken, 'no broken image is drawn').toBe(0);
    await page.click('.missing-image button:has-text("Show in File Manager")');
    await expect.poll(() => readCalls(page, 'revealImage')).toEqual([['Square']]);
    await clickRow(page, 'Less blue');
    await expect(page.locator('.frame img')).toBeVisible();
    await expect(page.locator('.missing-image')).toHaveCount(0);
  });

  test('a parent is never cropped to the shape of its child', async ({ open }) => {
    const page = await open('');
    const nodes = [lost('Square', { width: 512, height: 512 }), lost('Rounded', { width: 688, height: 512 })];
    await sendEvents(page, ...nodes.map((node) => ({ kind: 'node_added', node })));
    for (const [title, fit] of [['Square', 'contain'], ['Rounded', 'fill']]) {
      await clickRow(page, title);
      await expect(page.locator('.missing-image')).toBeVisible();
      await page.keyboard.down('\\');
      await expect(page.locator('.frame img')).toBeVisible();
      await expect.poll(() => fitOf(page), title).toBe(fit);
      await page.keyboard.up('\\');
      await expect(page.locator('.missing-image')).toBeVisible();
      await page.keyboard.press('c');
      await expect(page.locator('.over img')).toBeVisible();
      await expect.poll(() => fitOf(page, '.over img'), `${title}, compared`).toBe(fit);
      await page.keyboard.press('c');
      await expect(page.locator('.over')).toHaveCount(0);
    }
  });

  test('the key that prints \\ shows the original on every keyboard layout', async ({ open }) => {
    const page = await open('');
    await expect(page.locator('.frame img')).toBeVisible();
    await press(page, 'keydown', { key: '\\', ctrlKey: true, altKey: true, modifierAltGraph: true });
    await expect(page.locator('.frame .tag')).toBeVisible();
    // AltGr is released first.
    await press(page, 'keyup', { key: 'ß' });
    await expect(page.locator('.frame .tag')).toHaveCount(0);
    await press(page, 'keydown', { key: '\\', ctrlKey: true, altKey: true });
    await expect(page.locator('.frame .tag'), 'without AltGr it is a different key').toHaveCount(0);
    const mac = await open('', { context: { userAgent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)' } });
    await expect(mac.locator('.frame img')).toBeVisible();
    await press(mac, 'keydown', { key: '\\', altKey: true });
    await expect(mac.locator('.frame .tag')).toBeVisible();
    await press(mac, 'keyup', { key: '\\', altKey: true });
    await expect(mac.locator('.frame .tag')).toHaveCount(0);
  });

  test('the middle button pans the image, and a high zoom shows its pixels', async ({ open }) => {
    const page = await open('');
    await expect(page.locator('.frame img')).toBeVisible();
    const place = () => page.locator('.frame').getAttribute('style');
    const before = await place();
    const box = await page.locator('.frame').boundingBox();
    await page.mouse.move(box.x + 60, box.y + 60);
    await page.mouse.down({ button: 'middle' });
    await page.mouse.move(box.x + 90, box.y + 80);
    await page.mouse.up({ button: 'middle' });
    await expect.poll(place, 'the image has moved').not.toBe(before);
    await expect.poll(() => readCalls(page, 'dragOut')).toEqual([]);
    await page.keyboard.press('4');
    for (let n = 0; n < 4; n += 1) await page.keyboard.press('+');
    await expect(page.locator('.pixels')).toHaveCount(0);
    await page.keyboard.press('+');
    await expect(page.locator('.pixels')).toBeVisible();
    await page.mouse.dblclick(box.x + 60, box.y + 60);
    await expect(page.locator('.pixels')).toHaveCount(0);
    await expect.poll(place, 'a double click fits the image again').toBe(before);
  });

  test('a Ctrl-click on a row compares, and both halves share the position', async ({ open }) => {
    const page = await open('');
    await expect(page.locator('.frame img')).toBeVisible();
    const chosen = await page.innerText('[aria-current=true] .title');
    await page.click('[data-row]:has-text("Add a lighthouse on the left")', { modifiers: ['Control'] });
    await expect(page.locator('.over img')).toBeVisible();
    await expect(page.locator('[aria-current=true] .title').first()).toHaveText(chosen);
    await expectText(page, '.over .tag', 'Add a lighthouse on the left');
    await page.click('[aria-label="Side by Side"]');
    const frames = () => page.locator('.half .frame').evaluateAll((all) => all.map((frame) => frame.getAttribute('style')));
    await expect.poll(async () => (await frames()).length, 'both halves are shown').toBe(2);
    const before = await frames();
    const right = await page.locator('.half >> nth=1').boundingBox();
    await page.mouse.move(right.x + right.width / 2, right.y + right.height / 2);
    await page.mouse.wheel(0, -400);
    await expect.poll(async () => (await frames())[0], 'the zoom has changed').not.toBe(before[0]);
    const [one, other] = await frames();
    expect(one).toBe(other);
  });

  test('at 100 % an image pixel is one device pixel', async ({ open }) => {
    const page = await open('', { context: { deviceScaleFactor: 2 } });
    await expect(page.locator('.frame img')).toBeVisible();
    for (const [key, percent, width] of [['1', '100%', 512], ['2', '200%', 1024]] as const) {
      await page.keyboard.press(key);
      await expectText(page, '.percent', percent);
      expect((await page.locator('.frame').boundingBox()).width).toBe(width);
    }
  });
});

/** The gallery: finding, starring, the trash; comparing; languages and colors. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { waitFor } from '../driver.mjs';
import { pressKey, screenshots } from '../studio.mjs';

const countCells = (b) => b.count('[role=gridcell][data-position]');

/** How many images there are, when as many are drawn. */
async function countAll(b) {
  const drawn = () =>
    b.execute(
      `const said = Number.parseInt(document.querySelector('.gallery .count')?.textContent, 10);
       return document.querySelectorAll('[role=gridcell][data-position]').length === said ? said : 0;`,
    );
  let all = 0;
  await waitFor('all of them to be drawn', async () => (all = await drawn()) > 0);
  return all;
}

async function search(b, words) {
  await b.execute(
    `const field = document.querySelector('input[type=search]');
     field.value = arguments[0]; field.dispatchEvent(new Event('input', { bubbles: true }));`,
    words,
  );
}

export default {
  async 'an image is found by a word of its prompt'(b) {
    await pressKey(b, 'f', { ctrlKey: true });
    await b.waitForText('[role=gridcell][data-position]');
    const all = await countAll(b);
    await b.screenshot(join(screenshots, '10-gallery.png'));
    await search(b, 'yellow');
    await waitFor('two images', async () => (await countCells(b)) === 2);
    await search(b, '');
    await waitFor('all of them', async () => (await countCells(b)) === all);
  },

  async 'the trash takes an image and gives it back'(b) {
    const all = await countAll(b);
    await search(b, 'top left');
    // All of them are there until the search answers.
    await waitFor('found', async () => (await countCells(b)) === 1);
    await b.click('[role=gridcell][data-position]');
    await pressKey(b, 'Delete');
    await b.waitForText('.toast', 'trash');
    await search(b, '');
    await waitFor('one less', async () => (await countCells(b)) === all - 1);
    await b.clickText('.filters button', 'Trash');
    await waitFor('it is in the trash', async () => (await countCells(b)) === 1);
    await b.click('[role=gridcell][data-position]');
    await b.clickText('[role=toolbar] button', 'Restore');
    await waitFor('the trash is empty', async () => (await countCells(b)) === 0);
    await b.clickText('.filters button', 'Trash');
    await waitFor('all are back', async () => (await countCells(b)) === all);
  },

  async 'two images are compared in three ways'(b) {
    await search(b, 'yellow');
    await waitFor('found', async () => (await countCells(b)) === 2);
    await b.execute(`document.querySelector('[role=gridcell][data-position]').dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))`);
    await b.waitForText('[data-row] .title', 'on a yellow background');
    await pressKey(b, 'c');
    for (const [index, mode] of ['Slider', 'Side by Side', 'Difference'].entries()) {
      await b.click(`.toolbar button[aria-label="${mode}"]`);
      await b.screenshot(join(screenshots, `11-compare-${String(index + 1)}.png`));
    }
    await b.clickText('.toolbar button', 'Done');
    await pressKey(b, 'z', { ctrlKey: true });
    await waitFor('the parent', () => b.execute(`return document.querySelector('[data-row][aria-current=true] .title')?.textContent.includes('A large red')`));
  },

  async 'models say what fits, and settings change language and colors at once'(b) {
    await pressKey(b, 'm');
    await b.waitForText('main', 'BAGEL');
    await b.screenshot(join(screenshots, '12-models.png'));
    await pressKey(b, ',', { ctrlKey: true });
    await b.waitForText('.settings h2', 'About');
    await b.clickText('.settings label', '中文');
    await b.clickText('.settings label', '浅色');
    await b.waitForText('nav', '图库');
    await b.screenshot(join(screenshots, '13-chinese-light.png'));
    await b.clickText('.settings label', 'English');
    await b.waitForText('nav', 'Gallery');
    assert.equal(await b.execute(`return document.documentElement.dataset.theme ?? ''`), 'light');
    await pressKey(b, 'e');
  },
};

/** The gallery: finding, starring, the trash; comparing; languages and colors. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { sleep, until } from '../driver.mjs';
import { key, shots } from '../studio.mjs';

const cells = (b) => b.count('[role=gridcell][data-position]');

/** How many images there are, when as many are drawn. */
async function allOf(b) {
  const drawn = () =>
    b.run(
      `const said = Number.parseInt(document.querySelector('.gallery .count')?.textContent, 10);
       return document.querySelectorAll('[role=gridcell][data-position]').length === said ? said : 0;`,
    );
  let all = 0;
  await until('all of them to be drawn', async () => (all = await drawn()) > 0);
  return all;
}

async function search(b, words) {
  await b.run(
    `const field = document.querySelector('input[type=search]');
     field.value = arguments[0]; field.dispatchEvent(new Event('input', { bubbles: true }));`,
    words,
  );
}

export default {
  async 'an image is found by a word of its prompt'(b) {
    await key(b, 'f', { ctrlKey: true });
    await b.see('[role=gridcell][data-position]');
    const all = await allOf(b);
    await b.screenshot(join(shots, '10-gallery.png'));
    await search(b, 'yellow');
    await until('two images', async () => (await cells(b)) === 2);
    await search(b, '');
    await until('all of them', async () => (await cells(b)) === all);
  },

  async 'the trash takes an image and gives it back'(b) {
    const all = await allOf(b);
    await search(b, 'top left');
    // All of them are there until the search answers.
    await until('found', async () => (await cells(b)) === 1);
    await b.click('[role=gridcell][data-position]');
    await key(b, 'Delete');
    await b.see('.notice', 'trash');
    await search(b, '');
    await until('one less', async () => (await cells(b)) === all - 1);
    await b.clickText('.filters button', 'Trash');
    await until('it is in the trash', async () => (await cells(b)) === 1);
    await b.click('[role=gridcell][data-position]');
    await b.clickText('[role=toolbar] button', 'Restore');
    await until('the trash is empty', async () => (await cells(b)) === 0);
    await b.clickText('.filters button', 'Trash');
    await until('all are back', async () => (await cells(b)) === all);
  },

  async 'two images are compared in three ways'(b) {
    await search(b, 'yellow');
    await until('found', async () => (await cells(b)) === 2);
    await b.run(`document.querySelector('[role=gridcell][data-position]').dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))`);
    await b.see('[data-row] .title', 'on a yellow background');
    await key(b, 'c');
    for (const [index, mode] of ['Slider', 'Side by Side', 'Difference'].entries()) {
      await b.click(`.toolbar button[aria-label="${mode}"]`);
      await sleep(300);
      await b.screenshot(join(shots, `11-compare-${String(index + 1)}.png`));
    }
    await b.clickText('.toolbar button', 'Done');
    await key(b, 'z', { ctrlKey: true });
    await until('the parent', () => b.run(`return document.querySelector('[data-row][aria-current=true] .title')?.textContent.includes('A large red')`));
  },

  async 'models say what fits, and settings change language and colors at once'(b) {
    await key(b, 'm');
    await b.see('main', 'BAGEL');
    await b.screenshot(join(shots, '12-models.png'));
    await key(b, ',', { ctrlKey: true });
    await b.see('.settings h2', 'About');
    await b.clickText('.settings label', '中文');
    await b.clickText('.settings label', '浅色');
    await b.see('nav', '图库');
    await b.screenshot(join(shots, '13-chinese-light.png'));
    await b.clickText('.settings label', 'English');
    await b.see('nav', 'Gallery');
    assert.equal(await b.run(`return document.documentElement.dataset.theme ?? ''`), 'light');
    await key(b, 'e');
  },
};

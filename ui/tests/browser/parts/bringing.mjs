/** Images that are pasted, chosen and thrown away, where more than one thing could be meant. */
import assert from 'node:assert/strict';
import { asked, holds, next, see, text, until } from '../page.mjs';

const line = '.composer textarea';
const current = '[aria-current=true] .title';

/** Pastes a rendered image with words beside it, as a table's cells come; gives whether the window took it. */
const paste = (page, selector, words) =>
  page.evaluate(
    ([target, text]) => {
      const clipboardData = new DataTransfer();
      if (text) clipboardData.setData('text/plain', text);
      clipboardData.items.add(new File([new Uint8Array(8)], 'image.png', { type: 'image/png' }));
      const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
      document.querySelector(target).dispatchEvent(event);
      return event.defaultPrevented;
    },
    [selector, words],
  );

export const parts = {
  async 'words are pasted where they are written, an image where the caret says'({ open }) {
    const page = await open('');
    await page.waitForSelector('.frame img');
    assert.equal(await paste(page, line, 'Total\t12'), false, 'the words of a table go into the line');
    await holds(() => asked(page, 'pasteImage'), []);
    const before = await text(page, current);
    assert.ok(await paste(page, line));
    await next(page, 'pasteImage');
    await see(page, '.notice', 'Added as a reference');
    await holds(() => page.locator('.reference').count(), 1);
    await holds(() => text(page, current), before);
    await page.click('.notice button:has-text("Open it instead")');
    await see(page, current, 'clipboard.png');
    await holds(() => page.locator('.reference').count(), 0);
    await page.click(`[aria-label="Other projects"], aside .grid button`);
    assert.ok(await paste(page, 'body', 'Total\t12'), 'where nothing is written, the image is meant');
    await next(page, 'pasteImage', 2);
    await see(page, current, 'clipboard.png');
  },

  async 'of more references than there is room for it is said which were left out'({ open }) {
    const page = await open('images=40');
    await page.keyboard.press('g');
    await page.click('[role=gridcell][data-position="1"]');
    await page.click('[role=gridcell][data-position="5"]', { modifiers: ['Shift'] });
    await page.click('.bar button:has-text("Use as references")');
    await see(page, '.notice', 'Three references at most: 2 images were left out.');
    await holds(() => page.locator('.reference').count(), 3);
  },

  async 'every image that can be a reference has a name, opened or not'({ open }) {
    const page = await open('images=80');
    await page.click('button[title="Add a reference"]');
    const labels = await page.locator('[popover]:popover-open li button').evaluateAll((all) => all.map((button) => button.getAttribute('aria-label')));
    assert.ok(labels.length > 8);
    assert.deepEqual(labels.filter((label) => !/^Use as a reference: ./.test(label)), []);
  },

  async 'on a Mac backspace throws the image with the focus away'({ open }) {
    const page = await open('images=40', { context: { userAgent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)' } });
    await page.keyboard.press('g');
    await page.focus('[role=gridcell][tabindex="0"]');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Backspace');
    await until('the trash', async () => (await asked(page, 'trash')).length === 1);
    assert.equal((await asked(page, 'trash'))[0][0].length, 1);
  },

  async 'several images are saved at once'({ open }) {
    const page = await open('images=40');
    await page.keyboard.press('g');
    await page.click('[role=gridcell][data-position="1"]');
    await page.click('[role=gridcell][data-position="2"]', { modifiers: ['Control'] });
    await page.click('.bar button:has-text("Save a copy")');
    await page.click(':popover-open button:has-text("WebP")');
    const [ids, format] = await next(page, 'exportImages');
    assert.deepEqual([ids.length, format], [2, 'webp']);
    await see(page, '.notice', 'Saved as Exports');
  },
};

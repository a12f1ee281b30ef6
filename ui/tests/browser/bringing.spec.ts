/** Pasting, adding references and deleting, where an action is ambiguous. */
import { expect, test, type Page } from './fixtures';
import { expectText, readCalls, waitForCall } from './page';

const line = '.composer textarea';
const current = '[aria-current=true] .title';

/** Pastes an image with text beside it, as table cells are copied; returns whether the window handled it. */
const paste = (page: Page, selector: string, words = '') =>
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

test.describe('bringing', () => {
  test('text is pasted into text fields, and an image depending on the focus', async ({ open }) => {
    const page = await open('');
    await expect(page.locator('.frame img')).toBeVisible();
    expect(await paste(page, line, 'Total\t12'), 'the text of a table goes into the prompt').toBe(false);
    await expect.poll(() => readCalls(page, 'pasteImage')).toEqual([]);
    const before = await page.innerText(current);
    expect(await paste(page, line)).toBe(true);
    await waitForCall(page, 'pasteImage');
    await expectText(page, '.toast', 'Added as reference image');
    await expect(page.locator('.reference')).toHaveCount(1);
    await expect(page.locator(current).first()).toHaveText(before);
    await page.click('.toast button:has-text("Open Instead")');
    await expectText(page, current, 'clipboard.png');
    await expect(page.locator('.reference')).toHaveCount(0);
    await page.click(`[aria-label="Other projects"], aside .grid button`);
    expect(await paste(page, 'body', 'Total\t12'), 'without a focused text field the image is pasted').toBe(true);
    await waitForCall(page, 'pasteImage', 2);
    await expectText(page, current, 'clipboard.png');
  });

  test('references beyond the maximum are reported', async ({ open }) => {
    const page = await open('images=40');
    await page.keyboard.press('g');
    await page.click('[role=gridcell][data-position="1"]');
    await page.click('[role=gridcell][data-position="5"]', { modifiers: ['Shift'] });
    await page.click('.bar button:has-text("Use as Reference")');
    await expectText(page, '.toast', 'Three reference images are the maximum. 2 images were not added');
    await expect(page.locator('.reference')).toHaveCount(3);
  });

  test('every candidate for a reference has a name, whether its project was opened or not', async ({ open }) => {
    const page = await open('images=80');
    await page.click('button[title="Add Reference Image"]');
    const labels = await page.locator('[popover]:popover-open li button').evaluateAll((all) => all.map((button) => button.getAttribute('aria-label')));
    expect(labels.length).toBeGreaterThan(8);
    expect(labels.filter((label) => !/^Use as reference image: ./.test(label))).toEqual([]);
  });

  test('on a Mac, Backspace trashes the focused image', async ({ open }) => {
    const page = await open('images=40', { context: { userAgent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)' } });
    await page.keyboard.press('g');
    await page.focus('[role=gridcell][tabindex="0"]');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Backspace');
    await waitForCall(page, 'trash');
    expect((await readCalls(page, 'trash'))[0][0].length).toBe(1);
  });

  test('several images are exported at once', async ({ open }) => {
    const page = await open('images=40');
    await page.keyboard.press('g');
    await page.click('[role=gridcell][data-position="1"]');
    await page.click('[role=gridcell][data-position="2"]', { modifiers: ['Control'] });
    await page.click('.bar button:has-text("Export")');
    await page.click(':popover-open button:has-text("WebP")');
    const [ids, format] = await waitForCall(page, 'exportImages');
    expect([ids.length, format]).toEqual([2, 'webp']);
    await expectText(page, '.toast', 'Exported as Exports');
  });
});

/** Every feature by keyboard alone. */
import { expect, test } from './fixtures';
import { expectText, readCalls, readClipboard, removeFocus, suspendJobs, tabTo, waitForCall, waitForIdle } from './page';

test.use({ recordsCalls: true });

test.describe('keyboard', () => {
  test('an image is generated, edited, compared and undone', async ({ open }) => {
    const page = await open('images=0');
    const { keyboard } = page;
    await keyboard.press('/');
    await expect(page.locator('.composer textarea')).toBeFocused();
    await keyboard.type('A red circle');
    await keyboard.press('Control+Enter');
    await expect(page.locator('[data-row]')).toHaveCount(1);
    await waitForIdle(page);
    await keyboard.type('Make it blue');
    await keyboard.press('Control+Enter');
    await expect(page.locator('[aria-current=true] .title').first()).toHaveText('Make it blue');
    await waitForIdle(page);
    const [first, second] = (await readCalls(page, 'submit')).map(([job]) => job);
    expect(first.kind).toBe('generate');
    expect(second.kind).toBe('edit');
    await keyboard.press('Escape');
    await removeFocus(page);
    await keyboard.press('c');
    await expect(page.locator('.over')).toBeVisible();
    await tabTo(page, '.frame input[type=range]');
    await keyboard.press('ArrowRight');
    await expect(page.locator('.frame input[type=range]')).toHaveValue('51');
    await keyboard.press('Escape');
    await expect(page.locator('.over')).toHaveCount(0);
    await removeFocus(page);
    await keyboard.press('Control+z');
    await expect(page.locator('[aria-current=true] .title').first()).toHaveText('A red circle');
    await keyboard.press('Control+Shift+Z');
    await expect(page.locator('[aria-current=true] .title').first()).toHaveText('Make it blue');
    await keyboard.down('\\');
    await expect(page.locator('.frame .tag')).toBeVisible();
    await keyboard.up('\\');
    await expect(page.locator('.frame .tag')).toHaveCount(0);
    await keyboard.press('w');
    await expect(page.locator('.scrub')).toBeVisible();
    await keyboard.press('ArrowLeft');
    await expect(page.locator('.scrub .label').first()).toHaveText(/Step 23 of 24/);
    await keyboard.press('Escape');
    for (const [key, percent] of [['1', '100%'], ['2', '200%'], ['4', '400%']]) {
      await removeFocus(page);
      await keyboard.press(key);
      await expect(page.locator('.percent').first()).toHaveText(percent);
    }
    await keyboard.press('f');
    await waitForCall(page, 'setStarred');
    await keyboard.press('Control+e');
    await waitForCall(page, 'exportImages');
    await keyboard.down('Delete');
    await keyboard.down('Delete');
    await keyboard.up('Delete');
    await expect(page.locator('.toast button:has-text("Undo")')).toHaveCount(1);
    expect((await readCalls(page, 'trash')).length, 'holding the key trashes only one image').toBe(1);
    await tabTo(page, '.toast button.plain');
    await keyboard.press('Enter');
    await waitForCall(page, 'restore');
  });

  test('a plan is paused, changed and used', async ({ open }) => {
    const page = await open('images=0&pace=0.3');
    const { keyboard } = page;
    await tabTo(page, 'button[title="Thinking"]');
    await keyboard.press('Enter');
    await tabTo(page, '[popover] button:nth-of-type(3)');
    await keyboard.press('Enter');
    await keyboard.press('/');
    await expect(page.locator('.composer textarea')).toBeFocused();
    await keyboard.type('A quiet harbor');
    await keyboard.press('Control+Enter');
    await expect(page.locator('.plan textarea')).toBeVisible();
    const plan = await page.inputValue('.plan textarea');
    expect(plan).toMatch(/dusk/);
    await removeFocus(page);
    await tabTo(page, '.plan textarea');
    await keyboard.press('Control+End');
    await keyboard.type(' Two moons.');
    await tabTo(page, '.plan .primary');
    await keyboard.press('Enter');
    await waitForCall(page, 'paintPlan');
    expect((await readCalls(page, 'paintPlan'))[0][1]).toBe(`${plan} Two moons.`);
    await waitForIdle(page);
    await expect(page.locator('.plan .text').first()).toHaveText(/Two moons\.$/);
  });

  test('a plan is saved, used again and deleted', async ({ open }) => {
    const page = await open('images=0&pace=1');
    const { keyboard } = page;
    await tabTo(page, 'button[title="Thinking"]');
    await keyboard.press('Enter');
    await tabTo(page, '[popover] button', 'Thinking on');
    await keyboard.press('Enter');
    await keyboard.press('/');
    await expect(page.locator('.composer textarea')).toBeFocused();
    await keyboard.type('A quiet harbor');
    await keyboard.press('Control+Enter');
    await expectText(page, '.plan .text', 'The scene');
    await suspendJobs(page);
    await tabTo(page, '.plan button', 'Pause');
    await keyboard.press('Enter');
    const [job] = await waitForCall(page, 'pausePlan');
    await suspendJobs(page, false);
    await expect(page.locator('.plan textarea')).toBeVisible();
    await tabTo(page, '.plan button', 'Save Plan');
    await keyboard.press('Enter');
    expect((await waitForCall(page, 'changeSettings'))[0].value.map(({ name }) => name)).toEqual(['A quiet harbor', 'Night over the harbor']);
    await tabTo(page, '.plan-review button', 'Dismiss');
    await keyboard.press('Enter');
    expect(await waitForCall(page, 'dismiss')).toEqual([job]);
    await tabTo(page, '.plan .use', 'A quiet harbor');
    await keyboard.press('Enter');
    await expectText(page, '.parameter-chips', 'Saved plan');
    await tabTo(page, '[aria-label="Delete Plan “A quiet harbor”"]');
    await keyboard.press('Enter');
    expect((await waitForCall(page, 'changeSettings', 2))[0].value.map(({ name }) => name)).toEqual(['Night over the harbor']);
    await expect(page.locator('[aria-label^="Delete Plan"]:focus, .plan .use:focus')).toHaveCount(1);
  });

  test('a paused plan is used from its editor', async ({ open }) => {
    const page = await open('jobs');
    const { keyboard } = page;
    await page.click('[data-row]:has-text("clear night")');
    await expect(page.locator('.plan textarea')).toBeVisible();
    await page.fill('.composer textarea', 'something else');
    await page.focus('.plan textarea');
    await keyboard.press('Control+End');
    await keyboard.type(' Two moons.');
    await keyboard.press('Control+Enter');
    expect((await waitForCall(page, 'paintPlan'))[1]).toMatch(/Two moons\.$/);
    await expect.poll(() => readCalls(page, 'submit')).toEqual([]);
    await expect(page.locator('.composer textarea')).toHaveValue('something else');
  });

  test('shortcuts ignore images that are not in view', async ({ open }) => {
    const page = await open('jobs');
    const { keyboard } = page;
    await page.click('[data-row]:has-text("whole bay")');
    await removeFocus(page);
    for (const key of ['Delete', 'Control+e', 'f', 't', 'F2']) await keyboard.press(key);
    await expect(page.locator('dialog')).toHaveCount(0);
    for (const call of ['trash', 'exportImages', 'setStarred']) await expect.poll(() => readCalls(page, call)).toEqual([]);
    await page.click('[data-row] >> nth=0');
    await keyboard.press('q');
    await expect(page.locator('.queue button.grip').first()).toBeVisible();
    await tabTo(page, '.queue button.grip');
    await keyboard.press('Delete');
    await expect.poll(() => readCalls(page, 'trash')).toEqual([]);
    await keyboard.press('Escape');
    await expect(page.locator(':popover-open')).toHaveCount(0);
    await keyboard.press('Delete');
    expect((await waitForCall(page, 'trash'))[0].length).toBe(1);
  });

  test('an answer is copied, left out, included again and made an edit', async ({ open }) => {
    const page = await open('');
    const { keyboard } = page;
    await tabTo(page, '.composer label.on input, .composer input:checked');
    await keyboard.press('ArrowRight');
    await expect(page.locator('.composer label.on').first()).toHaveText('Chat');
    await tabTo(page, '.composer textarea');
    await keyboard.type('What is missing?');
    await keyboard.press('Control+Enter');
    await waitForCall(page, 'submit');
    const answer = 'aside article:has-text("What is missing?")';
    await expectText(page, `${answer} .answer:not(.growing)`, 'A quiet harbor at dusk');
    const tool = async (words) => {
      // The newest answer is last, so Shift+Tab from the composer reaches it first.
      await tabTo(page, `aside article:last-of-type .tools button`, words);
      await keyboard.press('Enter');
    };
    await tool('Copy');
    await expect.poll(() => readClipboard(page)).toMatch(/^A quiet harbor at dusk/);
    await tool('Exclude');
    const [[turn], isLeftOut] = await waitForCall(page, 'leaveOut');
    expect(isLeftOut).toBe(true);
    await tool('Include');
    expect(await waitForCall(page, 'leaveOut', 2)).toEqual([[turn], false]);
    await tool('Use as Prompt');
    await expect(page.locator('.composer textarea')).toBeFocused();
    await expect(page.locator('.composer label.on').first()).toHaveText('Edit');
  });

  test('another image is chosen for comparison, and a model is imported', async ({ open }) => {
    const page = await open('');
    const { keyboard } = page;
    await keyboard.press('c');
    await expect(page.locator('.over img')).toBeVisible();
    const shown = () => page.locator('.over img').getAttribute('src');
    const before = await shown();
    await tabTo(page, 'button[title="Compare with"]');
    await keyboard.press('Enter');
    await tabTo(page, '.others button[aria-pressed=false]');
    await keyboard.press('Enter');
    await expect.poll(shown, 'another image is compared').not.toBe(before);
    await expect(page.locator(':popover-open')).toHaveCount(0);
    await expect(page.locator('button[title="Compare with"]')).toBeFocused();
    await keyboard.press('Escape');
    await expect(page.locator('.over')).toHaveCount(0);
    await keyboard.press('m');
    for (const [kind, name] of [['folder', 'islands-finetune'], ['file', 'islands-finetune.gguf']]) {
      await tabTo(page, '.own button', `Choose ${kind === 'folder' ? 'Folder' : 'File'}`);
      await keyboard.press('Enter');
      await expect(page.locator(`article[aria-label="${name}"]`)).toBeVisible();
    }
    await expect.poll(() => readCalls(page, 'importModel')).toEqual([['folder'], ['file']]);
    await tabTo(page, 'article[aria-label="islands-finetune"] button', 'Remove from Bagel Studio');
    await keyboard.press('Enter');
    await expect(page.locator('dialog')).toBeVisible();
    await tabTo(page, 'dialog button.primary');
    await keyboard.press('Enter');
    await waitForCall(page, 'removeModel');
    await expect(page.locator('article[aria-label="islands-finetune"]')).toHaveCount(0);
  });

  test('the queue is reordered, paused and emptied', async ({ open }) => {
    const page = await open('jobs');
    const { keyboard } = page;
    await keyboard.press('q');
    await tabTo(page, '.queue button.grip');
    await keyboard.press('ArrowDown');
    await waitForCall(page, 'moveJob');
    expect((await readCalls(page, 'moveJob'))[0][1].kind).toBe('before');
    expect(await page.evaluate(() => document.activeElement.matches('button.grip')), 'the focus stays on the handle').toBe(true);
    const first = '[aria-label="Move to Front of Queue"]:not(:disabled)';
    await tabTo(page, first);
    await page.evaluate(() => {
      const phase = { name: 'painting', step: 10, steps: 24 } as const;
      globalThis.hostDriver.send({ kind: 'job_changed', job: globalThis.hostDriver.running(), status: { state: 'running', phase } });
    });
    await expect(page.locator('.queue .detail').first()).toHaveText(/Step 10/);
    expect(await page.evaluate((wanted) => document.activeElement.matches(wanted), first), 'a new step does not take the focus back').toBe(true);
    await keyboard.press('Enter');
    await expect.poll(async () => (await readCalls(page, 'moveJob')).some(([, place]) => place.kind === 'first'), 'first').toBe(true);
    await tabTo(page, '[aria-label="Retry"]');
    await keyboard.press('Enter');
    await waitForCall(page, 'retry');
    await keyboard.press('Escape');
    await keyboard.press('/');
    await expect(page.locator('.composer textarea')).toBeFocused();
    await keyboard.type('Before all others');
    await keyboard.press('Control+Shift+Enter');
    await waitForCall(page, 'submit');
    expect((await readCalls(page, 'submit'))[0][0].first).toBe(true);
  });

  test('images are searched, selected, tagged, trashed and restored', async ({ open }) => {
    const page = await open('images=300');
    const { keyboard } = page;
    await keyboard.press('Control+f');
    await expect(page.locator('input[type=search]')).toBeFocused();
    await keyboard.type('lighthouse taller');
    await expect(page.locator('.gallery[aria-busy=false]')).toBeVisible();
    await expect(page.locator('.gallery .count').first()).toHaveText(/^\d{1,2} images/);
    await keyboard.press('ArrowDown');
    await keyboard.press('ArrowRight');
    await keyboard.press('Shift+ArrowRight');
    await expect(page.locator('.bar .n').first()).toHaveText(/2 selected/);
    await keyboard.press('t');
    await expect(page.locator('dialog')).toBeVisible();
    await keyboard.type('bay');
    await keyboard.press('Enter');
    await keyboard.press('Enter');
    await expect.poll(async () => (await readCalls(page, 'changeTags')).length >= 1, 'the tag is set').toBe(true);
    expect((await readCalls(page, 'changeTags'))[0][1].includes('bay')).toBe(true);
    await expect(page.locator('[role=gridcell]:focus')).toHaveCount(1);
    await keyboard.press('Delete');
    await waitForCall(page, 'trash');
    expect((await readCalls(page, 'trash'))[0][0].length).toBe(2);
    await expect(page.locator('[aria-selected=true]')).toHaveCount(0);
    await keyboard.press('End');
    await keyboard.press('Home');
    await keyboard.press('Enter');
    await expect(page.locator('.composer')).toBeVisible();
    await expect.poll(async () => (await page.locator('[data-row]').count()) > 1, 'the project is open').toBe(true);
  });

  test('models and settings need no mouse', async ({ open }) => {
    const page = await open('');
    const { keyboard } = page;
    await keyboard.press('m');
    await tabTo(page, 'article:nth-of-type(2) .free input');
    await keyboard.press(' ');
    await keyboard.press('Shift+Tab');
    await keyboard.press('Enter');
    await waitForCall(page, 'installModel');
    expect((await readCalls(page, 'installModel'))[0]).toEqual(['bagel-7b-mot', 'q5_k_m', true]);
    await tabTo(page, 'article:nth-of-type(2) .install button');
    await keyboard.press('Enter');
    await waitForCall(page, 'pauseInstall');
    await keyboard.press('Control+,');
    await removeFocus(page);
    await tabTo(page, '.settings [role=switch]');
    await keyboard.press(' ');
    await tabTo(page, '.settings select');
    await keyboard.press('ArrowDown');
    await expect.poll(async () => (await readCalls(page, 'changeSettings')).length >= 2, 'the changes are sent').toBe(true);
    await tabTo(page, '[aria-label="Use Default: Images"]');
    await keyboard.press('Enter');
    await waitForCall(page, 'resetFolder');
    expect((await readCalls(page, 'resetFolder'))[0]).toEqual(['library']);
    await expect(page.locator('[aria-label^="Use Default"]')).toHaveCount(0);
    await removeFocus(page);
    const before = (await readCalls(page, 'changeSettings')).length;
    await tabTo(page, 'input[type=url]');
    await keyboard.type('http://example.org');
    await keyboard.press('Enter');
    await expect(page.locator('.bad').first()).toHaveText(/https/);
    expect((await readCalls(page, 'changeSettings')).length).toBe(before);
  });

  test('the palette runs its actions, and single-letter shortcuts can be turned off', async ({ open }) => {
    const page = await open('');
    const { keyboard } = page;
    await keyboard.press('Control+k');
    await keyboard.type('gallery');
    await keyboard.press('Enter');
    await expect(page.locator('.gallery')).toBeVisible();
    await page.evaluate(() => {
      const { send } = globalThis.hostDriver;
      send({ kind: 'settings', settings: { version: 1, language: 'en', theme: 'dark', follows: true, single_letter_keys: false, notifies: true, model: null, device: null, engine: null, idle_minutes: 30, library_folder: null, models_folder: null, mirror: null, presets: [], plans: [], welcomed: true } });
    });
    await keyboard.press('e');
    await expect(page.locator('.gallery'), 'a single letter does nothing').toHaveCount(1);
    await keyboard.press('Control+,');
    await expect(page.locator('.settings')).toBeVisible();
  });

  test('a dialog opened from the palette stays open', async ({ open }) => {
    const page = await open('');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('gallery');
    await page.evaluate(async () => {
      const press = (target, options) => target.dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...options }));
      // The first palette's `close` event comes after it was removed and another one opened.
      const dialog = document.querySelector('dialog');
      const closed = new Promise((resolve) => dialog.addEventListener('close', resolve));
      press(document.activeElement, { key: 'Enter' });
      while (document.querySelector('dialog')) await Promise.resolve();
      press(document.body, { key: 'k', code: 'KeyK', ctrlKey: true });
      await closed;
    });
    await expect(page.locator('.gallery')).toBeVisible();
    await expect(page.locator('dialog [role=option] >> nth=0')).toHaveCount(1);
  });

  test('parameters, presets, sizes and references are set', async ({ open }) => {
    const page = await open('');
    const { keyboard } = page;
    const addTwo = async () => {
      for (let n = 0; n < 2; n += 1) {
        await tabTo(page, 'button[title="Add Reference Image"]');
        await keyboard.press('Enter');
        await tabTo(page, '[popover] li button');
        await keyboard.press('Enter');
      }
      await removeFocus(page);
    };
    await addTwo();
    await tabTo(page, '.reference .handle');
    for (const next of ['.reference .handle', '.composer textarea']) {
      await keyboard.press('Delete');
      await expect(page.locator(next).first()).toBeFocused();
    }
    await expect.poll(() => readCalls(page, 'trash'), 'the edited image stays').toEqual([]);
    await keyboard.type('Four of them');
    await addTwo();
    const order = () => page.locator('.reference .handle img').evaluateAll((images: HTMLImageElement[]) => images.map((image) => image.src));
    const before = await order();
    expect(before.length).toBe(2);
    await tabTo(page, '.reference .handle');
    await keyboard.press('ArrowRight');
    await expect.poll(order).toEqual([...before].reverse());
    await tabTo(page, 'button[title="Variations"]');
    await keyboard.press('Enter');
    await tabTo(page, '.numbers button:nth-child(4)');
    await keyboard.press('Enter');
    await tabTo(page, 'button[title="Size"]');
    await keyboard.press('Enter');
    await tabTo(page, '.own input');
    await keyboard.press('Control+a');
    await keyboard.type('500');
    await keyboard.press('Enter');
    await expect(page.locator('.own input >> nth=0')).toHaveValue('496');
    await expect.poll(() => readCalls(page, 'submit'), 'choosing a size does not send the request').toEqual([]);
    await keyboard.press('Escape');
    await tabTo(page, '[data-tab=chat]');
    await keyboard.press('ArrowRight');
    await keyboard.press('ArrowRight');
    await tabTo(page, '.parameters input[type=range]');
    await keyboard.press('ArrowRight');
    await tabTo(page, '.presets > .ghost');
    await keyboard.press('Enter');
    await expect(page.locator('dialog')).toBeVisible();
    await keyboard.type('Mine');
    await keyboard.press('Enter');
    await waitForCall(page, 'changeSettings');
    expect((await readCalls(page, 'changeSettings'))[0][0].value.at(-1).name).toBe('Mine');
    await keyboard.press('/');
    await expect(page.locator('.composer textarea')).toBeFocused();
    await keyboard.press('Control+Enter');
    await waitForCall(page, 'submit');
    const [job] = (await readCalls(page, 'submit'))[0];
    expect(job.variations).toBe(4);
    expect(job.references.length).toBe(2);
    expect(job.parameters.size.width).toBe(496);
    expect(Math.abs(job.parameters.text_guidance - 4.1)).toBeLessThan(1e-9);
  });

  test('a drag ends where it is dropped', async ({ open }) => {
    const page = await open('jobs');
    const middle = async (selector, n) => {
      const box = await page.locator(selector).nth(n).boundingBox();
      return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    };
    const drag = async (from, to) => {
      await page.mouse.move(from.x, from.y);
      await page.mouse.down();
      for (let step = 1; step <= 5; step += 1) {
        await page.mouse.move(from.x + ((to.x - from.x) * step) / 5, from.y + ((to.y - from.y) * step) / 5);
      }
      await page.mouse.up();
    };
    await page.keyboard.press('q');
    await expect(page.locator('.queue button.grip').first()).toBeVisible();
    const titles = () => page.locator('.queue li:has(button.grip) .title').allInnerTexts();
    const before = await titles();
    const to = await middle('.queue button.grip', 2);
    await drag(await middle('.queue button.grip', 0), { x: to.x, y: to.y + 12 });
    await expect.poll(async () => (await titles())[2], 'the queue is reordered').toBe(before[0]);
    await expect.poll(titles).toEqual([before[1], before[2], before[0], ...before.slice(3)]);
    await page.keyboard.press('Escape');
    for (let n = 0; n < 3; n += 1) {
      await page.click('button[title="Add Reference Image"]');
      await page.locator('[popover]:popover-open li button').first().click();
      if (n === 2) break;
    }
    const order = () => page.locator('.reference .handle img').evaluateAll((images: HTMLImageElement[]) => images.map((image) => image.src));
    const images = await order();
    expect(images.length).toBe(3);
    await drag(await middle('.reference .handle', 0), await middle('.reference .handle', 2).then(({ x, y }) => ({ x: x + 14, y })));
    await expect.poll(order).toEqual([images[1], images[2], images[0]]);
    await page.click('[data-row] >> nth=1');
    await page.keyboard.press('c');
    await expect(page.locator('.line')).toBeVisible();
    const frame = await page.locator('.frame').boundingBox();
    await drag({ x: frame.x + frame.width / 2, y: frame.y + 200 }, { x: frame.x + frame.width * 0.25, y: frame.y + 200 });
    await expect.poll(async () => Math.abs(Number(await page.inputValue('.frame input[type=range]')) - 25) <= 2, 'the divider has moved').toBe(true);
    const scale = () => page.locator('.percent').innerText();
    const fitted = await scale();
    await page.mouse.wheel(0, -400);
    await expect.poll(scale, 'the image has a new scale').not.toBe(fitted);
  });

  test('a branch is repeated from another image', async ({ open }) => {
    const page = await open('');
    await page.click('[data-row]:has-text("Turn it into night")');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('repeat branch');
    await page.keyboard.press('Enter');
    await expect(page.locator('dialog li button').first()).toBeVisible();
    await page.keyboard.press('Enter');
    await expect(page.locator('.toast:has-text("repeated")')).toHaveCount(1);
    const [job] = (await readCalls(page, 'submit'))[0];
    expect(job.prompt).toBe('Less blue, more gray');
    expect(job.image).toBe('node-00003');
    expect(job.parameters.seed).toBe(1838);
  });

  test('images are dragged out only where the host supports it', async ({ open }) => {
    const pull = async (page, selector) => {
      const box = await page.locator(selector).first().boundingBox();
      await page.mouse.move(box.x + 40, box.y + 40);
      await page.mouse.down();
      await page.mouse.move(box.x + 44, box.y + 41);
      const early = (await readCalls(page, 'dragOut')).length;
      await page.mouse.move(box.x + 80, box.y + 60);
      await page.mouse.move(box.x + 120, box.y + 70);
      await page.mouse.up();
      return early;
    };
    const page = await open('images=40');
    const place = () => page.locator('.frame').getAttribute('style');
    const fitted = await place();
    await page.keyboard.down(' ');
    await pull(page, '.frame');
    await expect.poll(place, 'the space bar pans the image').not.toBe(fitted);
    await expect.poll(() => readCalls(page, 'dragOut')).toEqual([]);
    // The key is released while another window has the focus.
    await page.evaluate(() => window.dispatchEvent(new Event('blur')));
    await expect(page.locator('.canvas.grab')).toHaveCount(0);
    await page.keyboard.up(' ');
    await page.keyboard.press('0');
    expect(await pull(page, '.frame'), 'a small movement does not start a drag').toBe(0);
    await waitForCall(page, 'dragOut');
    await page.keyboard.press('g');
    await page.click('[role=gridcell][data-position="1"]');
    await page.click('[role=gridcell][data-position="3"]', { modifiers: ['Shift'] });
    await pull(page, '[role=gridcell][data-position="2"]');
    await waitForCall(page, 'dragOut', 2);
    expect((await readCalls(page, 'dragOut'))[1][0].length).toBe(3);
    await pull(page, '[role=gridcell][data-position="0"]');
    await waitForCall(page, 'dragOut', 3);
    expect((await readCalls(page, 'dragOut'))[2][0].length).toBe(1);
    const box = await page.locator('[role=gridcell][data-position="0"]').boundingBox();
    await page.mouse.move(box.x + 40, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 500, box.y + 300);
    await page.mouse.up();
    await waitForCall(page, 'dragOut', 4);
    const limited = await open('limited&images=40');
    await pull(limited, '.frame');
    expect((await readCalls(limited, 'dragOut')).length).toBe(0);
    await limited.keyboard.press('Control+,');
    await expect(limited.locator('.settings details')).toBeVisible();
    await expect(limited.locator('[aria-label^="Use Default"]')).toHaveCount(0);
  });
});

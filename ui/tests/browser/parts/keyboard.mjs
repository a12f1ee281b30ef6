/** Every ability by keyboard alone. */
import assert from 'node:assert/strict';
import { asked, copied, gone, holds, next, nothingRuns, see, tabTo, text, until } from '../page.mjs';

export const parts = {
  async 'an image is made, edited, compared, undone, all by keys'({ open }) {
    const page = await open('images=0');
    const { keyboard } = page;
    await keyboard.press('/');
    await page.waitForFunction(() => document.activeElement?.matches('.composer textarea'));
    await keyboard.type('A red circle');
    await keyboard.press('Control+Enter');
    await until('the image', async () => (await page.locator('[data-row]').count()) === 1);
    await nothingRuns(page);
    await keyboard.type('Make it blue');
    await keyboard.press('Control+Enter');
    await until('the edit', async () => (await text(page, '[aria-current=true] .title')) === 'Make it blue');
    await nothingRuns(page);
    const [first, second] = (await asked(page, 'submit')).map(([job]) => job);
    assert.equal(first.kind, 'generate');
    assert.equal(second.kind, 'edit');
    await keyboard.press('Escape');
    await page.evaluate(() => document.activeElement.blur());
    await keyboard.press('c');
    await page.waitForSelector('.over');
    await tabTo(page, '.frame input[type=range]');
    await keyboard.press('ArrowRight');
    await holds(() => page.inputValue('.frame input[type=range]'), '51');
    await keyboard.press('Escape');
    await holds(() => page.locator('.over').count(), 0);
    await page.evaluate(() => document.activeElement.blur());
    await keyboard.press('Control+z');
    await holds(() => text(page, '[aria-current=true] .title'), 'A red circle');
    await keyboard.press('Control+Shift+Z');
    await holds(() => text(page, '[aria-current=true] .title'), 'Make it blue');
    await keyboard.down('\\');
    await page.waitForSelector('.frame .tag');
    await keyboard.up('\\');
    await until('the image again', async () => (await page.locator('.frame .tag').count()) === 0);
    await keyboard.press('w');
    await page.waitForSelector('.scrub');
    await keyboard.press('ArrowLeft');
    await holds(() => text(page, '.scrub .label'), /Step 23 of 24/);
    await keyboard.press('Escape');
    for (const [key, percent] of [['1', '100 %'], ['2', '200 %'], ['4', '400 %']]) {
      await page.evaluate(() => document.activeElement.blur());
      await keyboard.press(key);
      await holds(() => text(page, '.percent'), percent);
    }
    await keyboard.press('f');
    await until('the star', async () => (await asked(page, 'setStarred')).length === 1);
    await keyboard.press('Control+e');
    await until('the copy', async () => (await asked(page, 'exportImages')).length === 1);
    await keyboard.down('Delete');
    await keyboard.down('Delete');
    await keyboard.up('Delete');
    await until('the notice', async () => (await page.locator('.notice button:has-text("Undo")').count()) === 1);
    assert.equal((await asked(page, 'trash')).length, 1, 'a key that is held throws one image away');
    await tabTo(page, '.notice button.plain');
    await keyboard.press('Enter');
    await until('the image back', async () => (await asked(page, 'restore')).length === 1);
  },

  async 'a plan is paused, changed and painted'({ open }) {
    const page = await open('images=0&pace=0.3');
    const { keyboard } = page;
    await tabTo(page, 'button[title="Thinking"]');
    await keyboard.press('Enter');
    await tabTo(page, '[popover] button:nth-of-type(3)');
    await keyboard.press('Enter');
    await keyboard.press('/');
    await page.waitForFunction(() => document.activeElement?.matches('.composer textarea'));
    await keyboard.type('A quiet harbour');
    await keyboard.press('Control+Enter');
    await page.waitForSelector('.plan textarea');
    const plan = await page.inputValue('.plan textarea');
    assert.match(plan, /dusk/);
    await page.evaluate(() => document.activeElement.blur());
    await tabTo(page, '.plan textarea');
    await keyboard.press('Control+End');
    await keyboard.type(' Two moons.');
    await tabTo(page, '.plan .primary');
    await keyboard.press('Enter');
    await until('the plan to be painted', async () => (await asked(page, 'paintPlan')).length === 1);
    assert.equal((await asked(page, 'paintPlan'))[0][1], `${plan} Two moons.`);
    await nothingRuns(page);
    await holds(() => text(page, '.plan .text'), /Two moons\.$/);
  },

  async 'a plan is saved, used again and forgotten'({ open }) {
    const page = await open('images=0&pace=1');
    const { keyboard } = page;
    await tabTo(page, 'button[title="Thinking"]');
    await keyboard.press('Enter');
    await tabTo(page, '[popover] button', 'Think first');
    await keyboard.press('Enter');
    await keyboard.press('/');
    await page.waitForFunction(() => document.activeElement?.matches('.composer textarea'));
    await keyboard.type('A quiet harbour');
    await keyboard.press('Control+Enter');
    await see(page, '.plan .text', 'The scene');
    await tabTo(page, '.plan button', 'Pause');
    await keyboard.press('Enter');
    const [job] = await next(page, 'pausePlan');
    await page.waitForSelector('.plan textarea');
    await tabTo(page, '.plan button', 'Save plan');
    await keyboard.press('Enter');
    assert.deepEqual((await next(page, 'changeSettings'))[0].value.map(({ name }) => name), ['A quiet harbour', 'Night over the harbour']);
    await tabTo(page, '.held button', 'Dismiss');
    await keyboard.press('Enter');
    assert.deepEqual(await next(page, 'dismiss'), [job]);
    await tabTo(page, '.plan .use', 'A quiet harbour');
    await keyboard.press('Enter');
    await see(page, '.pills', 'With a saved plan');
    await tabTo(page, '[aria-label="Forget the plan “A quiet harbour”"]');
    await keyboard.press('Enter');
    assert.deepEqual((await next(page, 'changeSettings', 2))[0].value.map(({ name }) => name), ['Night over the harbour']);
    await page.waitForFunction(() => document.activeElement?.matches('[aria-label^="Forget the plan"], .plan .use'));
  },

  async 'a plan that is held is painted from where it is changed'({ open }) {
    const page = await open('jobs');
    const { keyboard } = page;
    await page.click('[data-row]:has-text("clear night")');
    await page.waitForSelector('.plan textarea');
    await page.fill('.composer textarea', 'something else');
    await page.focus('.plan textarea');
    await keyboard.press('Control+End');
    await keyboard.type(' Two moons.');
    await keyboard.press('Control+Enter');
    assert.match((await next(page, 'paintPlan'))[1], /Two moons\.$/);
    await holds(() => asked(page, 'submit'), []);
    await holds(() => page.inputValue('.composer textarea'), 'something else');
  },

  async 'keys leave alone what is not in sight'({ open }) {
    const page = await open('jobs');
    const { keyboard } = page;
    await page.click('[data-row]:has-text("whole bay")');
    await page.evaluate(() => document.activeElement.blur());
    for (const key of ['Delete', 'Control+e', 'f', 't', 'F2']) await keyboard.press(key);
    await holds(() => page.locator('dialog').count(), 0);
    for (const call of ['trash', 'exportImages', 'setStarred']) await holds(() => asked(page, call), []);
    await page.click('[data-row] >> nth=0');
    await keyboard.press('q');
    await page.waitForSelector('.queue button.grip');
    await tabTo(page, '.queue button.grip');
    await keyboard.press('Delete');
    await holds(() => asked(page, 'trash'), []);
    await keyboard.press('Escape');
    await gone(page, ':popover-open');
    await keyboard.press('Delete');
    assert.equal((await next(page, 'trash'))[0].length, 1);
  },

  async 'an answer is copied, left out, taken in again and made an edit'({ open }) {
    const page = await open('');
    const { keyboard } = page;
    await tabTo(page, '.composer label.on input, .composer input:checked');
    await keyboard.press('ArrowRight');
    await holds(() => text(page, '.composer label.on'), 'Ask');
    await tabTo(page, '.composer textarea');
    await keyboard.type('What is missing?');
    await keyboard.press('Control+Enter');
    await next(page, 'submit');
    const answer = 'aside article:has-text("What is missing?")';
    await see(page, `${answer} .answer:not(.growing)`, 'A quiet harbour at dusk');
    const tool = async (words) => {
      // The newest answer is the last: from the line, Shift and Tab come to it first.
      await tabTo(page, `aside article:last-of-type .tools button`, words);
      await keyboard.press('Enter');
    };
    await tool('Copy');
    await holds(() => copied(page), /^A quiet harbour at dusk/);
    await tool('Leave out');
    const [[turn], isLeftOut] = await next(page, 'leaveOut');
    assert.ok(isLeftOut);
    await tool('Take in again');
    assert.deepEqual(await next(page, 'leaveOut', 2), [[turn], false]);
    await tool('Make this an edit');
    await page.waitForFunction(() => document.activeElement?.matches('.composer textarea'));
    await holds(() => text(page, '.composer label.on'), 'Edit');
  },

  async 'another image is chosen to compare with, and a model of one’s own is brought in'({ open }) {
    const page = await open('');
    const { keyboard } = page;
    await keyboard.press('c');
    await page.waitForSelector('.over img');
    const shown = () => page.locator('.over img').getAttribute('src');
    const before = await shown();
    await tabTo(page, 'button[title="Compare with"]');
    await keyboard.press('Enter');
    await tabTo(page, '.others button[aria-pressed=false]');
    await keyboard.press('Enter');
    await until('another image', async () => (await shown()) !== before);
    await gone(page, ':popover-open');
    await page.waitForFunction(() => document.activeElement?.matches('button[title="Compare with"]'));
    await keyboard.press('Escape');
    await gone(page, '.over');
    await keyboard.press('m');
    for (const [kind, name] of [['folder', 'islands-finetune'], ['file', 'islands-finetune.gguf']]) {
      await tabTo(page, '.own button', `Choose a ${kind}`);
      await keyboard.press('Enter');
      await page.waitForSelector(`article[aria-label="${name}"]`);
    }
    await holds(() => asked(page, 'importModel'), [['folder'], ['file']]);
    await tabTo(page, 'article[aria-label="islands-finetune"] button', 'Remove from the studio');
    await keyboard.press('Enter');
    await page.waitForSelector('dialog');
    await tabTo(page, 'dialog button.primary');
    await keyboard.press('Enter');
    await next(page, 'removeModel');
    await gone(page, 'article[aria-label="islands-finetune"]');
  },

  async 'the queue is ordered, paused and emptied'({ open }) {
    const page = await open('jobs');
    const { keyboard } = page;
    await keyboard.press('q');
    await tabTo(page, '.queue button.grip');
    await keyboard.press('ArrowDown');
    await until('the order', async () => (await asked(page, 'moveJob')).length === 1);
    assert.equal((await asked(page, 'moveJob'))[0][1].kind, 'before');
    assert.ok(await page.evaluate(() => document.activeElement.matches('button.grip')), 'the focus stays on the handle');
    const first = '[aria-label="Put first"]:not(:disabled)';
    await tabTo(page, first);
    await page.evaluate(() => {
      const phase = { name: 'painting', step: 10, steps: 24 };
      globalThis.puppet.tell({ kind: 'job_changed', job: globalThis.puppet.running(), status: { state: 'running', phase } });
    });
    await until('a step', async () => /Step 10/.test(await text(page, '.queue .detail')));
    assert.ok(await page.evaluate((wanted) => document.activeElement.matches(wanted), first), 'a step does not call the focus back');
    await keyboard.press('Enter');
    await until('first', async () => (await asked(page, 'moveJob')).some(([, place]) => place.kind === 'first'));
    await tabTo(page, '[aria-label="Try again"]');
    await keyboard.press('Enter');
    await until('another try', async () => (await asked(page, 'retry')).length === 1);
    await keyboard.press('Escape');
    await keyboard.press('/');
    await page.waitForFunction(() => document.activeElement?.matches('.composer textarea'));
    await keyboard.type('Before all others');
    await keyboard.press('Control+Shift+Enter');
    await until('the request', async () => (await asked(page, 'submit')).length === 1);
    assert.equal((await asked(page, 'submit'))[0][0].first, true);
  },

  async 'images are found, chosen, tagged, thrown away and brought back'({ open }) {
    const page = await open('images=300');
    const { keyboard } = page;
    await keyboard.press('Control+f');
    await page.waitForFunction(() => document.activeElement?.matches('input[type=search]'));
    await keyboard.type('lighthouse taller');
    await page.waitForSelector('.gallery[aria-busy=false]');
    await until('fewer images', async () => /^\d{1,2} images/.test(await text(page, '.gallery .count')));
    await keyboard.press('ArrowDown');
    await keyboard.press('ArrowRight');
    await keyboard.press('Shift+ArrowRight');
    await holds(() => text(page, '.bar .n'), /2 chosen/);
    await keyboard.press('t');
    await page.waitForSelector('dialog');
    await keyboard.type('bay');
    await keyboard.press('Enter');
    await keyboard.press('Enter');
    await until('the tag', async () => (await asked(page, 'setTags')).length >= 1);
    assert.ok((await asked(page, 'setTags'))[0][1].includes('bay'));
    await page.waitForFunction(() => document.activeElement?.matches('[role=gridcell]'));
    await keyboard.press('Delete');
    await until('the trash', async () => (await asked(page, 'trash')).length === 1);
    assert.equal((await asked(page, 'trash'))[0][0].length, 2);
    await gone(page, '[aria-selected=true]');
    await keyboard.press('End');
    await keyboard.press('Home');
    await keyboard.press('Enter');
    await page.waitForSelector('.composer');
    await until('the project', async () => (await page.locator('[data-row]').count()) > 1);
  },

  async 'models and settings need no mouse'({ open }) {
    const page = await open('');
    const { keyboard } = page;
    await keyboard.press('m');
    await tabTo(page, 'article:nth-of-type(2) .free input');
    await keyboard.press(' ');
    await keyboard.press('Shift+Tab');
    await keyboard.press('Enter');
    await until('the download', async () => (await asked(page, 'installModel')).length === 1);
    assert.deepEqual((await asked(page, 'installModel'))[0], ['bagel-7b-mot', 'q5_k_m', true]);
    await tabTo(page, 'article:nth-of-type(2) .install button');
    await keyboard.press('Enter');
    await until('the pause', async () => (await asked(page, 'pauseInstall')).length === 1);
    await keyboard.press('Control+,');
    await page.evaluate(() => document.activeElement.blur());
    await tabTo(page, '.settings [role=switch]');
    await keyboard.press(' ');
    await tabTo(page, '.settings select');
    await keyboard.press('ArrowDown');
    await until('the changes', async () => (await asked(page, 'changeSettings')).length >= 2);
    await tabTo(page, '[aria-label="Use default: Images"]');
    await keyboard.press('Enter');
    await until('the usual place', async () => (await asked(page, 'resetFolder')).length === 1);
    assert.deepEqual((await asked(page, 'resetFolder'))[0], ['library']);
    await until('nothing left to set back', async () => (await page.locator('[aria-label^="Use default"]').count()) === 0);
    await page.evaluate(() => document.activeElement.blur());
    const before = (await asked(page, 'changeSettings')).length;
    await tabTo(page, 'input[type=url]');
    await keyboard.type('http://example.org');
    await keyboard.press('Enter');
    await holds(() => text(page, '.bad'), /https/);
    assert.equal((await asked(page, 'changeSettings')).length, before);
  },

  async 'the palette does what it says, and single letters can be switched off'({ open }) {
    const page = await open('');
    const { keyboard } = page;
    await keyboard.press('Control+k');
    await keyboard.type('gallery');
    await keyboard.press('Enter');
    await page.waitForSelector('.gallery');
    await page.evaluate(() => {
      const { calls, tell } = globalThis.puppet;
      void calls;
      tell({ kind: 'settings', settings: { version: 1, language: 'en', theme: 'dark', follows: true, single_letter_keys: false, notifies: true, model: null, device: null, engine: null, idle_minutes: 30, library_folder: null, models_folder: null, mirror: null, presets: [], plans: [], welcomed: true } });
    });
    await keyboard.press('e');
    await holds(() => page.locator('.gallery').count(), 1, 'a letter alone does nothing');
    await keyboard.press('Control+,');
    await page.waitForSelector('.settings');
  },

  async 'what opens at once after the palette stays open'({ open }) {
    const page = await open('');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('gallery');
    await page.evaluate(async () => {
      const press = (target, options) => target.dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...options }));
      press(document.activeElement, { key: 'Enter' });
      while (document.querySelector('dialog')) await Promise.resolve();
      press(document.body, { key: 'k', code: 'KeyK', ctrlKey: true });
    });
    await page.waitForSelector('.gallery');
    await page.waitForTimeout(300);
    await holds(() => page.locator('dialog [role=option] >> nth=0').count(), 1);
  },

  async 'parameters, presets, sizes and references are set by keys'({ open }) {
    const page = await open('');
    const { keyboard } = page;
    const addTwo = async () => {
      for (let n = 0; n < 2; n += 1) {
        await tabTo(page, 'button[title="Add a reference"]');
        await keyboard.press('Enter');
        await tabTo(page, '[popover] li button');
        await keyboard.press('Enter');
      }
      await page.evaluate(() => document.activeElement.blur());
    };
    await addTwo();
    await tabTo(page, '.reference .handle');
    for (const next of ['.reference .handle', '.composer textarea']) {
      await keyboard.press('Delete');
      await page.waitForFunction((wanted) => document.activeElement.matches(wanted), next);
    }
    await holds(() => asked(page, 'trash'), [], 'the image that is edited stays');
    await keyboard.type('Four of them');
    await addTwo();
    const order = () => page.locator('.reference .handle img').evaluateAll((images) => images.map((image) => image.src));
    const before = await order();
    assert.equal(before.length, 2);
    await tabTo(page, '.reference .handle');
    await keyboard.press('ArrowRight');
    await holds(() => order(), [...before].reverse());
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
    await holds(() => page.inputValue('.own input >> nth=0'), '496');
    await holds(() => asked(page, 'submit'), [], 'a size is not the word to begin');
    await keyboard.press('Escape');
    await tabTo(page, '[data-tab=ask]');
    await keyboard.press('ArrowRight');
    await keyboard.press('ArrowRight');
    await tabTo(page, '.parameters input[type=range]');
    await keyboard.press('ArrowRight');
    await tabTo(page, '.presets > .ghost');
    await keyboard.press('Enter');
    await page.waitForSelector('dialog');
    await keyboard.type('Mine');
    await keyboard.press('Enter');
    await until('the preset', async () => (await asked(page, 'changeSettings')).length === 1);
    assert.equal((await asked(page, 'changeSettings'))[0][0].value.at(-1).name, 'Mine');
    await keyboard.press('/');
    await page.waitForFunction(() => document.activeElement?.matches('.composer textarea'));
    await keyboard.press('Control+Enter');
    await until('the request', async () => (await asked(page, 'submit')).length === 1);
    const [job] = (await asked(page, 'submit'))[0];
    assert.equal(job.variations, 4);
    assert.equal(job.references.length, 2);
    assert.equal(job.parameters.size.width, 496);
    assert.ok(Math.abs(job.parameters.text_guidance - 4.1) < 1e-9);
  },

  async 'what is dragged goes where it is dropped'({ open }) {
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
    await page.waitForSelector('.queue button.grip');
    const titles = () => page.locator('.queue li:has(button.grip) .title').allInnerTexts();
    const before = await titles();
    const to = await middle('.queue button.grip', 2);
    await drag(await middle('.queue button.grip', 0), { x: to.x, y: to.y + 12 });
    await until('the order', async () => (await titles())[2] === before[0]);
    await holds(() => titles(), [before[1], before[2], before[0], ...before.slice(3)]);
    await page.keyboard.press('Escape');
    for (let n = 0; n < 3; n += 1) {
      await page.click('button[title="Add a reference"]');
      await page.locator('[popover]:popover-open li button').first().click();
      if (n === 2) break;
    }
    const order = () => page.locator('.reference .handle img').evaluateAll((images) => images.map((image) => image.src));
    const images = await order();
    assert.equal(images.length, 3);
    await drag(await middle('.reference .handle', 0), await middle('.reference .handle', 2).then(({ x, y }) => ({ x: x + 14, y })));
    await holds(() => order(), [images[1], images[2], images[0]]);
    await page.click('[data-row] >> nth=1');
    await page.keyboard.press('c');
    await page.waitForSelector('.line');
    const frame = await page.locator('.frame').boundingBox();
    await drag({ x: frame.x + frame.width / 2, y: frame.y + 200 }, { x: frame.x + frame.width * 0.25, y: frame.y + 200 });
    await until('the line', async () => Math.abs(Number(await page.inputValue('.frame input[type=range]')) - 25) <= 2);
    const scale = () => page.locator('.percent').innerText();
    const fitted = await scale();
    await page.mouse.wheel(0, -400);
    await until('another size', async () => (await scale()) !== fitted);
  },

  async 'a branch is repeated from another image'({ open }) {
    const page = await open('');
    await page.click('[data-row]:has-text("Turn it into night")');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('repeat a branch');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog li button');
    await page.keyboard.press('Enter');
    await until('the branch', async () => (await page.locator('.notice:has-text("repeated")').count()) === 1);
    const [job] = (await asked(page, 'submit'))[0];
    assert.equal(job.prompt, 'Less blue, more gray');
    assert.equal(job.image, 'node-00003');
    assert.equal(job.parameters.seed, 1838);
  },

  async 'images are dragged out where the program can carry them, and nowhere else'({ open }) {
    const pull = async (page, selector) => {
      const box = await page.locator(selector).first().boundingBox();
      await page.mouse.move(box.x + 40, box.y + 40);
      await page.mouse.down();
      await page.mouse.move(box.x + 44, box.y + 41);
      const early = (await asked(page, 'dragOut')).length;
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
    await until('the image to move with the space bar', async () => (await place()) !== fitted);
    await holds(() => asked(page, 'dragOut'), []);
    // The key comes up where another window has the keyboard.
    await page.evaluate(() => window.dispatchEvent(new Event('blur')));
    await gone(page, '.stage.grab');
    await page.keyboard.up(' ');
    await page.keyboard.press('0');
    assert.equal(await pull(page, '.frame'), 0, 'a hand that trembles drags nothing');
    await until('the image', async () => (await asked(page, 'dragOut')).length === 1);
    await page.keyboard.press('g');
    await page.click('[role=gridcell][data-position="1"]');
    await page.click('[role=gridcell][data-position="3"]', { modifiers: ['Shift'] });
    await pull(page, '[role=gridcell][data-position="2"]');
    await until('those chosen', async () => (await asked(page, 'dragOut')).length === 2);
    assert.equal((await asked(page, 'dragOut'))[1][0].length, 3);
    await pull(page, '[role=gridcell][data-position="0"]');
    await until('one alone', async () => (await asked(page, 'dragOut')).length === 3);
    assert.equal((await asked(page, 'dragOut'))[2][0].length, 1);
    const box = await page.locator('[role=gridcell][data-position="0"]').boundingBox();
    await page.mouse.move(box.x + 40, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 500, box.y + 300);
    await page.mouse.up();
    await until('a quick hand', async () => (await asked(page, 'dragOut')).length === 4);
    const limited = await open('limited&images=40');
    await pull(limited, '.frame');
    assert.equal((await asked(limited, 'dragOut')).length, 0);
    await limited.keyboard.press('Control+,');
    await limited.waitForSelector('.settings details');
    await holds(() => limited.locator('[aria-label^="Use default"]').count(), 0);
  },
};

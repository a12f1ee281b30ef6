/** A plan that is held, changed and painted; the queue, and a restart in the middle of it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { sleep, waitFor } from '../driver.mjs';
import { submitPrompt, chooseFromMenu, findEngine, pressKey, listImages, describeImage, waitForIdle, screenshots, setSteps, waitForProgress } from '../studio.mjs';

export default {
  async 'a plan waits to be read, is changed, and the changed plan is painted'(b) {
    await pressKey(b, 'n', { ctrlKey: true });
    await setSteps(b, 12, 'Generate');
    const before = listImages();
    await chooseFromMenu(b, '.think button', 'Review plan');
    await submitPrompt(b, 'Generate', 'I would like an image with a large red circle in the centre');
    await b.waitForText('.plan-review', 'The plan is ready');
    await b.waitForText('.plan h3', 'Review the plan');
    await b.execute(
      `const plan = document.querySelector('.plan textarea');
       plan.value = 'The picture needs a green background. In the centre a large red circle.'; plan.dispatchEvent(new Event('input', { bubbles: true }));`,
    );
    await b.screenshot(join(screenshots, '08-plan.png'));
    await b.clickText('.plan .actions button', 'Generate');
    await waitFor('the image in place', () => b.execute(`return document.querySelector('.frame img')?.src.includes('/image/')`));
    await waitForIdle(b);
    await b.waitForText('[data-row] .title', 'I would like an image');
    await b.click('[role=tab][data-tab=plan]');
    await b.waitForText('.plan .text', 'The picture needs a green background.');
    const painted = listImages().filter((path) => !before.includes(path));
    assert.deepEqual(painted.map(describeImage), ['large red circle at place 4 on green'], 'what was painted is the plan as it was changed');
    await chooseFromMenu(b, '.think button', 'Thinking off');
  },

  async 'a plan is paused while it is written, and nothing is painted until it is let go'(b) {
    await chooseFromMenu(b, '.think button', 'Thinking on');
    const before = listImages().length;
    const engine = findEngine();
    process.kill(engine, 'SIGSTOP');
    await submitPrompt(b, 'Generate', 'I would like an image with a small blue square in the centre');
    await waitForProgress(b, 'Reading');
    // A few milliseconds at a time, or the plan is whole before a hand could pause it.
    const isWriting = () => b.execute(`return document.querySelector('.progress .label')?.textContent === 'Thinking'`);
    await waitFor('the first words', async () => {
      process.kill(engine, 'SIGCONT');
      await sleep(4);
      process.kill(engine, 'SIGSTOP');
      await sleep(100);
      return isWriting();
    });
    await b.clickText('.progress button', 'Pause');
    await sleep(500);
    process.kill(engine, 'SIGCONT');
    await b.waitForText('.plan-review', 'The plan is ready');
    await sleep(1000);
    assert.equal(listImages().length, before, 'it waits to be read');
    await b.waitForText('.plan h3', 'Review the plan');
    await b.execute(
      `const plan = document.querySelector('.plan textarea');
       plan.value = 'The picture needs a white background. In the centre a small blue square.'; plan.dispatchEvent(new Event('input', { bubbles: true }));`,
    );
    await b.clickText('.plan .actions button', 'Generate');
    await waitFor('the image', () => listImages().length === before + 1);
    await waitForIdle(b);
    await chooseFromMenu(b, '.think button', 'Thinking off');
  },

  async 'three wait, are put in another order, and outlive the program'(b, studio) {
    await setSteps(b, 60);
    const names = ['The first', 'The second', 'The third'];
    const before = listImages().length;
    await submitPrompt(b, 'Edit', 'Something slow');
    await waitForProgress(b, 'Step');
    // The pocket model would be done before three more are typed.
    const engine = findEngine();
    process.kill(engine, 'SIGSTOP');
    await setSteps(b, 6);
    for (const name of names) await submitPrompt(b, 'Edit', name);
    await pressKey(b, 'q');
    await waitFor('three that wait', async () => (await b.count('.queue .grip[aria-label]')) === 3);
    await b.execute(
      `const grip = [...document.querySelectorAll('.queue .grip[aria-label]')].at(-1);
       grip.focus(); grip.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home', bubbles: true, cancelable: true }));`,
    );
    const order = () => b.execute(`return [...document.querySelectorAll('.queue li:has(.grip[aria-label]) .title')].map((e) => e.textContent)`);
    await waitFor('the new order', async () => (await order()).join() === 'The third,The first,The second');
    await b.screenshot(join(screenshots, '09-queue.png'));
    await b.execute(`document.getElementById('queue')?.hidePopover?.(); document.querySelector(':popover-open')?.hidePopover()`);
    b = await studio.killAndOpen(engine);
    await b.waitForText('.dot.ready');
    // The queued job was generated; the interrupted one can be retried.
    await waitFor('what waited to be saved', () => listImages().length === before + names.length);
    await pressKey(b, 'q');
    await b.waitForText('.queue h3', 'Needs attention');
    await b.waitForText('.queue .title', 'Something slow');
    await b.execute(`document.querySelector(':popover-open')?.hidePopover()`);
  },

  async 'the page can be loaded again in the middle of work'(b) {
    await setSteps(b, 12);
    const before = listImages().length;
    for (const name of ['Slow work', 'Last work']) await submitPrompt(b, 'Edit', name);
    await b.execute('window.isOldPage = true; location.reload()');
    await waitFor('the page to load again', () => b.execute('return window.isOldPage === undefined'));
    await b.waitForText('.dot.ready');
    await waitFor('the queued work to be saved', () => listImages().length === before + 2);
    await waitForIdle(b);
    assert.ok(await b.count('[data-row]'));
  },
};

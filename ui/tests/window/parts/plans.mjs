/** A plan that is held, changed and painted; the queue, and a restart in the middle of it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { sleep, until } from '../driver.mjs';
import { ask, choose, enginePid, key, images, sees, settled, shots, steps, working } from '../studio.mjs';

export default {
  async 'a plan waits to be read, is changed, and the changed plan is painted'(b) {
    await key(b, 'n', { ctrlKey: true });
    await steps(b, 12, 'Generate');
    const before = images();
    await choose(b, '.think button', 'Review plan');
    await ask(b, 'Generate', 'I would like an image with a large red circle in the center');
    await b.see('.held', 'The plan is ready', 120);
    await b.see('.plan h3', 'Review the plan');
    await b.run(
      `const plan = document.querySelector('.plan textarea');
       plan.value = 'The picture needs a green background. In the centre a large red circle.'; plan.dispatchEvent(new Event('input', { bubbles: true }));`,
    );
    await b.screenshot(join(shots, '08-plan.png'));
    await b.clickText('.plan .ways button', 'Generate');
    await until('the image in place', () => b.run(`return document.querySelector('.frame img')?.src.includes('/image/')`), 120);
    await settled(b);
    await b.see('[data-row] .title', 'I would like an image');
    await b.click('[role=tab][data-tab=plan]');
    await b.see('.plan .text', 'The picture needs a green background.');
    const painted = images().filter((path) => !before.includes(path));
    assert.deepEqual(painted.map(sees), ['large red circle at place 4 on green'], 'what was painted is the plan as it was changed');
    await choose(b, '.think button', 'Thinking off');
  },

  async 'a plan is paused while it is written, and nothing is painted until it is let go'(b) {
    await choose(b, '.think button', 'Thinking on');
    const before = images().length;
    const engine = enginePid();
    process.kill(engine, 'SIGSTOP');
    await ask(b, 'Generate', 'I would like an image with a small blue square in the center');
    await working(b, 'Reading');
    // A few milliseconds at a time, or the plan is whole before a hand could pause it.
    const isWriting = () => b.run(`return document.querySelector('.progress .label')?.textContent === 'Thinking'`);
    await until('the first words', async () => {
      process.kill(engine, 'SIGCONT');
      await sleep(4);
      process.kill(engine, 'SIGSTOP');
      await sleep(100);
      return isWriting();
    }, 120);
    await b.clickText('.progress button', 'Pause');
    await sleep(500);
    process.kill(engine, 'SIGCONT');
    await b.see('.held', 'The plan is ready', 60);
    await sleep(1000);
    assert.equal(images().length, before, 'it waits to be read');
    await b.see('.plan h3', 'Review the plan');
    await b.run(
      `const plan = document.querySelector('.plan textarea');
       plan.value = 'The picture needs a white background. In the centre a small blue square.'; plan.dispatchEvent(new Event('input', { bubbles: true }));`,
    );
    await b.clickText('.plan .ways button', 'Generate');
    await until('the image', () => images().length === before + 1, 120);
    await settled(b);
    await choose(b, '.think button', 'Thinking off');
  },

  async 'three wait, are put in another order, and outlive the program'(b, studio) {
    await steps(b, 60);
    const names = ['The first', 'The second', 'The third'];
    const before = images().length;
    await ask(b, 'Edit', 'Something slow');
    await working(b, 'Step');
    // The pocket model would be done before three more are typed.
    const engine = enginePid();
    process.kill(engine, 'SIGSTOP');
    await steps(b, 6);
    for (const name of names) await ask(b, 'Edit', name);
    await key(b, 'q');
    await until('three that wait', async () => (await b.count('.queue .grip[aria-label]')) === 3);
    await b.run(
      `const grip = [...document.querySelectorAll('.queue .grip[aria-label]')].at(-1);
       grip.focus(); grip.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home', bubbles: true, cancelable: true }));`,
    );
    const order = () => b.run(`return [...document.querySelectorAll('.queue li:has(.grip[aria-label]) .title')].map((e) => e.textContent)`);
    await until('the new order', async () => (await order()).join() === 'The third,The first,The second');
    await b.screenshot(join(shots, '09-queue.png'));
    await b.run(`document.getElementById('queue')?.hidePopover?.(); document.querySelector(':popover-open')?.hidePopover()`);
    b = await studio.killAndOpen(engine);
    await b.see('.dot.ready', '', 120);
    // What waited is painted; what ran is there to be tried again.
    await until('what waited to be saved', () => images().length === before + names.length, 120);
    await key(b, 'q');
    await b.see('.queue h3', 'Needs attention');
    await b.see('.queue .title', 'Something slow');
    await b.run(`document.querySelector(':popover-open')?.hidePopover()`);
  },

  async 'the page can be loaded again in the middle of work'(b) {
    await steps(b, 12);
    const before = images().length;
    for (const name of ['Slow work', 'Last work']) await ask(b, 'Edit', name);
    await b.run('location.reload()');
    await sleep(500);
    await b.see('.dot.ready', '', 60);
    await until('the queued work to be saved', () => images().length === before + 2, 120);
    await settled(b);
    assert.ok(await b.count('[data-row]'));
  },
};

/** What failed or was stopped: what is said of it, and the one thing to do. */
import assert from 'node:assert/strict';
import { asked, command, copied, gone, holds, next, see, tell, until } from '../page.mjs';

export const parts = {
  async 'a question is stopped while it is answered'({ open }) {
    const page = await open('pace=4');
    await command(page, 'ask about the image');
    await page.waitForSelector('.composer textarea:focus');
    await page.keyboard.type('What is missing?');
    await page.keyboard.press('Control+Enter');
    const question = 'aside article:has-text("What is missing?")';
    await page.waitForSelector(`${question} .growing`);
    await page.click(`${question} button:has-text("Stop")`);
    assert.match((await next(page, 'cancel'))[0], /^job-/);
    await see(page, `${question} .stopped`, 'stopped');
  },

  async 'a question that failed says what would help, and is asked again'({ open }) {
    const page = await open('jobs');
    const question = 'aside article:has-text("the light warmer")';
    await page.keyboard.press('q');
    await page.focus('.queue button.grip[aria-label*="the light warmer"]');
    await page.keyboard.press('Home');
    const [job] = await next(page, 'moveJob');
    await page.keyboard.press('Escape');
    const fail = (code, remedies) => tell(page, { kind: 'job_changed', job, status: { state: 'failed', failure: { code, message: 'why not' }, remedies } });
    await fail('context_too_long', [{ kind: 'leave_out', turns: ['turn-1', 'turn-2'] }]);
    await page.click(`${question} button:has-text("Copy")`);
    await holds(() => copied(page), 'This is more than the model can read: Why not.');
    await page.click(`${question} button:has-text("Leave the 2 oldest questions out")`);
    assert.deepEqual(await next(page, 'leaveOut'), [['turn-1', 'turn-2'], true]);
    assert.deepEqual(await next(page, 'retry'), [job]);
    await see(page, question, 'Waiting for its turn');
    await fail('internal', []);
    await page.click(`${question} button:has-text("Try again")`);
    await next(page, 'retry', 2);
  },

  async 'a gallery that cannot be read says so, and is read again'({ open }) {
    const page = await open('');
    await page.keyboard.press('g');
    await page.waitForSelector('[role=gridcell][data-position]');
    await page.fill('input[type=search]', 'unreadable');
    await see(page, '.gallery .title', 'The images could not be read');
    await see(page, '.notice', 'input/output error');
    await holds(() => page.locator('[role=gridcell][data-position]').count(), 0, 'nothing stands for its answer');
    await page.click('.gallery button:has-text("Try again")');
    await next(page, 'gallery', 3);
    await page.fill('input[type=search]', '');
    await page.waitForSelector('[role=gridcell][data-position]');
    await gone(page, '.gallery .title');
  },

  async 'a download that fails is told of everywhere, and goes on from there'({ open }) {
    const page = await open('');
    const install = (stage) => ({ kind: 'install', model: 'bagel-nhr', install: stage && { quantization: 'q5_k_m', removes_source: false, stage, bytes: 1e9, total_bytes: 2e9, bytes_per_sec: null } });
    await tell(page, install({ stage: 'failed', failure: { code: 'network', message: 'timed out' } }));
    await see(page, '.notice', 'Installing BAGEL NHR Edit');
    await page.click('.notice button:has-text("Resume")');
    assert.deepEqual(await next(page, 'installModel'), ['bagel-nhr', 'q5_k_m', null]);
    await gone(page, '.notice');
    await page.keyboard.press('m');
    const failed = 'article[aria-label="BAGEL RecA"] .install';
    await page.click(`${failed} button:has-text("Copy")`);
    await holds(() => copied(page), /^The disk is full: There is no room/);
    await page.click(`${failed} button:has-text("Resume")`);
    assert.deepEqual(await next(page, 'installModel', 2), ['bagel-rl', 'q6_k', null]);
  },

  async 'an engine that stopped can be reported, and so can what nobody expected'({ open }) {
    const page = await open('engine=failed');
    await page.click('.notice .close');
    await page.click('header .chip >> nth=0');
    await page.click(':popover-open button:has-text("Copy")');
    await until('the words', async () => /^Something went wrong: The engine ended/.test(await copied(page)));
    await page.keyboard.press('Escape');
    const lead = async (code, button, method) => {
      await tell(page, { kind: 'notice', failure: { code, message: 'why' } });
      await page.click(`.notice button:has-text("${button}")`);
      if (method) await until(method, async () => (await asked(page, method)).length > 0);
      await gone(page, `.notice:has-text("${button}")`);
    };
    await lead('internal', 'Copy diagnostics', 'diagnostics');
    await lead('not_a_project', 'Open a saved project', 'openProject');
    await lead('keyring', 'Settings');
    await page.waitForSelector('.settings');
  },
};

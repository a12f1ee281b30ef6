/** Failed and stopped jobs: the message and the action offered. */
import { expect, test } from './fixtures';
import { expectText, readClipboard, runCommand, sendEvents, waitForCall } from './page';

test.describe('failures', () => {
  test('a question is stopped while it is being answered', async ({ open }) => {
    const page = await open('pace=4');
    await runCommand(page, 'chat about image');
    await expect(page.locator('.composer textarea:focus')).toBeVisible();
    await page.keyboard.type('What is missing?');
    await page.keyboard.press('Control+Enter');
    const question = 'aside article:has-text("What is missing?")';
    await expect(page.locator(`${question} .growing`)).toBeVisible();
    await page.click(`${question} button:has-text("Stop")`);
    expect((await waitForCall(page, 'cancel'))[0]).toMatch(/^job-/);
    await expectText(page, `${question} .stopped`, 'Stopped');
  });

  test('a failed question offers a remedy and is asked again', async ({ open }) => {
    const page = await open('jobs');
    const question = 'aside article:has-text("the light warmer")';
    await page.keyboard.press('q');
    await page.focus('.queue button.grip[aria-label*="the light warmer"]');
    await page.keyboard.press('Home');
    const [job] = await waitForCall(page, 'moveJob');
    await page.keyboard.press('Escape');
    const fail = (code, remedies) => sendEvents(page, { kind: 'job_changed', job, status: { state: 'failed', failure: { code, message: 'why not' }, remedies } });
    await fail('context_too_long', [{ kind: 'leave_out', turns: ['turn-1', 'turn-2'] }]);
    await page.click(`${question} button:has-text("Copy")`);
    await expect.poll(() => readClipboard(page)).toBe('The prompt is too long for the model: Why not.');
    await page.click(`${question} button:has-text("Exclude 2 Oldest Questions")`);
    expect(await waitForCall(page, 'leaveOut')).toEqual([['turn-1', 'turn-2'], true]);
    expect(await waitForCall(page, 'retry')).toEqual([job]);
    await expectText(page, question, 'Queued');
    await fail('internal', []);
    await page.click(`${question} button:has-text("Retry")`);
    await waitForCall(page, 'retry', 2);
  });

  test('a gallery that cannot be read says so and is reloaded', async ({ open }) => {
    const page = await open('');
    await page.keyboard.press('g');
    await expect(page.locator('[role=gridcell][data-position]').first()).toBeVisible();
    await page.fill('input[type=search]', 'unreadable');
    await expectText(page, '.gallery .title', 'The images could not be loaded');
    await expectText(page, '.toast', 'input/output error');
    await expect(page.locator('[role=gridcell][data-position]'), 'no images are shown for the failed filter').toHaveCount(0);
    await page.click('.gallery button:has-text("Retry")');
    await waitForCall(page, 'gallery', 3);
    await page.fill('input[type=search]', '');
    await expect(page.locator('[role=gridcell][data-position]').first()).toBeVisible();
    await expect(page.locator('.gallery .title')).toHaveCount(0);
  });

  test('a failed download is announced on every page and resumed from there', async ({ open }) => {
    const page = await open('');
    const install = (stage) => ({ kind: 'install', model: 'bagel-nhr', install: stage && { quantization: 'q5_k_m', removes_source: false, stage, bytes: 1e9, total_bytes: 2e9, bytes_per_sec: null } });
    await sendEvents(page, install({ stage: 'failed', failure: { code: 'network', message: 'timed out' } }));
    await expectText(page, '.toast', 'Installing BAGEL NHR Edit');
    await page.click('.toast button:has-text("Resume")');
    expect(await waitForCall(page, 'installModel')).toEqual(['bagel-nhr', 'q5_k_m', null]);
    await expect(page.locator('.toast')).toHaveCount(0);
    await page.keyboard.press('m');
    const failed = 'article[aria-label="BAGEL RecA"] .install';
    await page.click(`${failed} button:has-text("Copy")`);
    await expect.poll(() => readClipboard(page)).toMatch(/^The disk is full: There is no room/);
    await page.click(`${failed} button:has-text("Resume")`);
    expect(await waitForCall(page, 'installModel', 2)).toEqual(['bagel-rl', 'q6_k', null]);
  });

  test('an engine that stopped and an unexpected failure can be reported', async ({ open }) => {
    const page = await open('engine=failed');
    await page.click('.toast .close');
    await page.click('header .chip >> nth=0');
    await page.click(':popover-open button:has-text("Copy")');
    await expect.poll(() => readClipboard(page), 'the report is on the clipboard').toMatch(/^Something went wrong: The engine ended/);
    await page.keyboard.press('Escape');
    const lead = async (code: string, button: string, method?: string) => {
      await sendEvents(page, { kind: 'notice', failure: { code, message: 'why' } });
      await page.click(`.toast button:has-text("${button}")`);
      if (method) await waitForCall(page, method);
      await expect(page.locator(`.toast:has-text("${button}")`)).toHaveCount(0);
    };
    await lead('internal', 'Copy Diagnostics', 'diagnostics');
    await lead('not_a_project', 'Import Project', 'openProject');
    await lead('keyring', 'Settings');
    await expect(page.locator('.settings')).toBeVisible();
  });
});

/** Every feature of the app, used by mouse and keyboard, with its visible result. */
import { expect, test, type Page } from './fixtures';
import { chooseFromMenu, expectText, readCalls, readClipboard, removeFocus, runCommand, sendEvents, suspendJobs, waitForCall, waitForIdle } from './page';

const line = '.composer textarea';
const current = '[aria-current=true] .title';
const rows = (page: Page) => page.locator('[data-row]');
const clickRow = (page: Page, title: string) => page.click(`[data-row]:has-text("${title}")`);
const article = (name) => `article[aria-label="${name}"]`;
const setting = (label) => `.settings .row:has([aria-label$=": ${label}"]) .words`;

/** Sends a request and waits for its first preview. */
async function startGenerating(page: Page, words: string) {
  await page.fill(line, words);
  await page.keyboard.press('Control+Enter');
  await expectText(page, '.progress .label', 'Step');
}

test.use({ recordsCalls: true });

test.describe('abilities', () => {
  test('S, P and R reuse the seed, the prompt and the whole recipe of an image', async ({ open }) => {
    const page = await open('');
    const { keyboard } = page;
    const title = 'Add a lighthouse on the left';
    const seed = page.locator('.seed input');
    await clickRow(page, title);
    await runCommand(page, 'show parameters');
    await keyboard.press('s');
    await expect(seed).toHaveValue('1836');
    await expect(page.locator(line)).toHaveValue('');
    await runCommand(page, 'reset parameters');
    await expect(seed).toHaveValue('');
    await keyboard.press('p');
    await expect(page.locator(line)).toHaveValue(title);
    await expect(seed).toHaveValue('');
    await keyboard.press('r');
    await expectText(page, '.parameter-chips', 'Saved plan');
    await expect(seed).toHaveValue('1836');
    await expect(page.locator(current).first(), "the recipe's input image is current").toHaveText('Turn it into night, keep the boat');
    await keyboard.press('Control+Enter');
    const [job] = await waitForCall(page, 'submit');
    expect([job.kind, job.prompt, job.image, job.parameters.seed]).toEqual(['edit', title, 'node-00003', 1836]);
    expect(job.thinking.plan).toMatch(/clear night/);
    await expect(rows(page)).toHaveCount(6);
  });

  test('an image is verified and generated again', async ({ open }) => {
    const page = await open('pace=0.2');
    await page.keyboard.press('i');
    await suspendJobs(page);
    await page.click('.recipe button:has-text("Verify")');
    await expectText(page, '.recipe button:disabled', 'Verifying…');
    await suspendJobs(page, false);
    expect(await waitForCall(page, 'verify')).toEqual(['node-00006']);
    await expectText(page, '.outcome.good', 'every pixel is identical');
    await clickRow(page, 'Lighthouse taller');
    await expectText(page, '.recipe p.quiet', 'another model');
    const setEngine = (engine) => sendEvents(page, { kind: 'engine', engine });
    const model = { name: 'pocket', hash: '0', quantization: 'q8_0', parameters: 1, memory_bytes: 1, device: 'cpu', max_side: 1024 };
    await setEngine({ state: 'idle', name: 'Pocket model' });
    await expect(page.locator('.recipe p.quiet')).toHaveCount(0);
    await setEngine({ state: 'ready', model, choice: { model: 'pocket', quantization: 'q8_0' }, is_pocket: true, devices: [] });
    await expectText(page, '.recipe p.quiet', 'another model');
    await page.click('.recipe button:has-text("Verify")');
    await expectText(page, '.outcome:not(.good)', 'Colors differ by 1.4 of 255 on average, 38 at most');
    expect(await waitForCall(page, 'verify', 2)).toEqual(['node-00005']);
    await page.click('[data-tab=chat]');
    await runCommand(page, 'verify recipe');
    await expectText(page, '.toast', 'similar, not identical');
    await expect(rows(page), 'the image made to verify is not kept').toHaveCount(5);
    await page.click('[data-tab=recipe]');
    await page.click('.recipe button:has-text("Regenerate")');
    expect(await waitForCall(page, 'replay')).toEqual(['node-00005']);
    await expect(page.locator('[data-row]:has-text("Lighthouse taller")')).toHaveCount(2);
    await waitForIdle(page);
    await expect(page.locator('[data-row]:has-text("Lighthouse taller") >> nth=1')).toHaveAttribute('aria-current', 'true');
    await expectText(page, '.fields', '1837');
    await runCommand(page, 'regenerate image');
    await waitForCall(page, 'replay', 2);
    await expect(rows(page)).toHaveCount(7);
  });

  test('a running job is stopped, with or without keeping its newest step', async ({ open }) => {
    const page = await open('pace=5');
    await startGenerating(page, 'Warm light in the windows');
    await page.click('.progress button:has-text("Stop and Keep")');
    await expect(page.locator('.progress')).toHaveCount(0);
    const [job] = await waitForCall(page, 'keep');
    expect(job).toMatch(/^job-/);
    await expect(page.locator(current).first()).toHaveText('Warm light in the windows');
    await expect(rows(page)).toHaveCount(6);
    await page.click('[data-tab=recipe]');
    await expectText(page, '.recipe .label', 'Prompt');
    await expect(page.locator('.recipe button:has-text("Verify")'), 'a kept step has no recipe to verify').toHaveCount(0);
    await startGenerating(page, 'And gulls');
    await removeFocus(page);
    await page.keyboard.press('w');
    await expect.poll(() => readCalls(page, 'steps'), 'a running job hides the older steps').toEqual([]);
    await page.keyboard.press('Escape');
    expect((await waitForCall(page, 'cancel'))[0]).toMatch(/^job-/);
    await expect(page.locator('.progress')).toHaveCount(0);
    await expect(rows(page)).toHaveCount(6);
    await expect(page.locator(current).first()).toHaveText('Warm light in the windows');
  });

  test('a plan paused before its first word can be written by the user', async ({ open }) => {
    const page = await open('images=0&pace=1');
    await chooseFromMenu(page, 'Thinking', 'Thinking on');
    await page.fill(line, 'A quiet harbor');
    await page.keyboard.press('Control+Enter');
    await page.click('.progress button:has-text("Pause")');
    const [job] = await waitForCall(page, 'pausePlan');
    await expect(page.locator('.plan-review')).toBeVisible();
    // Clears what may have been written before the pause.
    await sendEvents(page, { kind: 'plan_changed', job, plan: '' });
    await expectText(page, '.plan .hint', 'The plan is empty');
    await expectText(page, '.plan-review h2', 'The plan is empty');
    await expect(page.locator('.plan textarea')).toHaveValue('');
    await expect(page.locator('.plan .actions .primary')).toBeDisabled();
    await expect(page.locator('.plan button:has-text("Save Plan")')).toHaveCount(0);
    await page.click('[data-tab=chat]');
    await expect(page.locator('.plan-review .primary'), 'an empty plan cannot be used').toBeDisabled();
    await page.click('.plan-review button:has-text("Edit Plan")');
    await page.fill('.plan textarea', 'Two moons.');
    await page.click('.plan .actions .primary');
    expect(await waitForCall(page, 'paintPlan')).toEqual([job, 'Two moons.']);
  });

  test('a plan is paused, saved, used again and deleted', async ({ open }) => {
    const page = await open('images=0&pace=1');
    await chooseFromMenu(page, 'Thinking', 'Thinking on');
    await page.fill(line, 'A quiet harbor');
    await page.keyboard.press('Control+Enter');
    await expectText(page, '.plan .text', 'The scene');
    await expectText(page, '.frame .coming', 'A quiet harbor');
    await suspendJobs(page);
    await page.click('.plan button:has-text("Pause")');
    const [job] = await waitForCall(page, 'pausePlan');
    await suspendJobs(page, false);
    await expect(page.locator('.plan textarea')).toBeVisible();
    const plan = (await page.inputValue('.plan textarea')).trim();
    expect(plan).toMatch(/^The scene/);
    await page.click('.plan button:has-text("Save Plan")');
    const [{ kind, value }] = await waitForCall(page, 'changeSettings');
    expect(kind).toBe('plans');
    expect(value.map(({ name }) => name)).toEqual(['A quiet harbor', 'Night over the harbor']);
    expect(value[0].plan.trim()).toBe(plan);
    await expectText(page, '.toast', 'Plan saved');
    await page.click('.plan-review button:has-text("Dismiss")');
    expect(await waitForCall(page, 'dismiss')).toEqual([job]);
    await expect(page.locator('.plan-review')).toHaveCount(0);
    await page.click('.plan .use:has-text("A quiet harbor")');
    await expectText(page, '.parameter-chips', 'Saved plan');
    await expect(page.locator(line)).toHaveValue('A quiet harbor');
    await page.keyboard.press('Control+Enter');
    const [again] = await waitForCall(page, 'submit', 2);
    expect(again.thinking.kind === 'given' && again.thinking.plan.includes(plan)).toBe(true);
    await expect(rows(page)).toHaveCount(1);
    await waitForIdle(page);
    await expect(page.locator('.plan .text').first()).toHaveText(plan);
    await page.click('[aria-label="Delete Plan “A quiet harbor”"]');
    expect((await waitForCall(page, 'changeSettings', 2))[0].value.map(({ name }) => name)).toEqual(['Night over the harbor']);
    await expect(page.locator('.plan .use:has-text("A quiet harbor")')).toHaveCount(0);
  });

  test('a question is asked, left out of the context and included again', async ({ open }) => {
    const page = await open('');
    await runCommand(page, 'chat about image');
    await expect(page.locator(line)).toBeFocused();
    await page.keyboard.type('What is missing?');
    await page.keyboard.press('Control+Enter');
    const [job] = await waitForCall(page, 'submit');
    expect([job.kind, job.prompt, job.image]).toEqual(['chat', 'What is missing?', 'node-00006']);
    const answer = 'aside article:has-text("What is missing?")';
    await expectText(page, `${answer} .answer:not(.growing)`, 'A quiet harbor at dusk');
    await page.click(`${answer} button:has-text("Copy")`);
    await expectText(page, answer, 'Copied');
    await expect.poll(() => readClipboard(page)).toMatch(/^A quiet harbor at dusk/);
    await page.click(`${answer} button:has-text("Exclude")`);
    const [[turn], isLeftOut] = await waitForCall(page, 'leaveOut');
    expect(isLeftOut).toBe(true);
    await expectText(page, `${answer} .hint`, 'Excluded: the model no longer reads this exchange.');
    await page.click(`${answer} button:has-text("Include")`);
    expect(await waitForCall(page, 'leaveOut', 2)).toEqual([[turn], false]);
    await expect(page.locator(`${answer} .hint`)).toHaveCount(0);
    await page.click(`${answer} button:has-text("Use as Prompt")`);
    await expect(page.locator(line)).toHaveValue(/^A quiet harbor at dusk/);
    await expect(page.locator('.composer label.on').first()).toHaveText('Edit');
    await runCommand(page, 'chat about image');
    await runCommand(page, 'show parameters');
    await expectText(page, '.parameters', 'Image guidance');
  });

  test('a new question and its answer are scrolled into view and announced', async ({ open }) => {
    const page = await open('pace=0.3');
    const scroller = () => page.locator('aside .panel');
    const distance = () => scroller().evaluate((panel) => panel.scrollHeight - panel.scrollTop - panel.clientHeight);
    await runCommand(page, 'chat about image');
    for (const question of ['What is missing?', 'And what else?', 'Is it warm?', 'Is it old?', 'Is it near?']) {
      await page.fill(line, question);
      await page.keyboard.press('Control+Enter');
      await expectText(page, `aside article:has-text("${question}") .answer:not(.growing)`, 'A quiet harbor');
    }
    await expect.poll(async () => (await scroller().evaluate((panel) => panel.scrollHeight > panel.clientHeight + 300)), 'the answer ends below the view').toBe(true);
    await expect(page.locator('aside [role=status]').first()).toHaveText('The answer is complete.');
    await scroller().evaluate((panel) => (panel.scrollTop = 0));
    await page.click('[data-tab=parameters]');
    await page.fill(line, 'What comes last?');
    await page.keyboard.press('Control+Enter');
    await expectText(page, 'aside article', 'What comes last?');
    await expect.poll(distance, 'the question is in view').toBeLessThan(160);
    await expectText(page, 'aside article:has-text("What comes last?") .answer:not(.growing)', 'A quiet harbor');
    await expect.poll(distance, 'the answer is in view').toBeLessThan(160);
  });

  test('the scroll position among many images is kept, and a search starts at the top', async ({ open }) => {
    const page = await open('images=600');
    const top = () => page.locator('.scroller').evaluate((scroller) => Math.round(scroller.scrollTop));
    await page.keyboard.press('g');
    await expect(page.locator('.gallery[aria-busy=false] [role=gridcell] img').first()).toBeVisible();
    await expect.poll(async () => Number(await page.getAttribute('[role=grid]', 'aria-rowcount')) > 100, 'all images are loaded').toBe(true);
    await page.locator('.scroller').evaluate((scroller) => (scroller.scrollTop = 4000));
    // The scroll event comes with the next frame, so wait for its rows.
    const inSight = (scroller) => [...scroller.querySelectorAll('[data-position]')].some((cell) => cell.getBoundingClientRect().top > 300);
    await expect.poll(() => page.locator('.scroller').evaluate(inSight), 'the rows are rendered').toBe(true);
    await expect.poll(top).toBe(4000);
    await page.keyboard.press('e');
    await expect(page.locator('.composer')).toBeVisible();
    await page.keyboard.press('g');
    await expect(page.locator('[role=gridcell] img').first()).toBeVisible();
    await expect.poll(top).toBe(4000);
    await page.fill('input[type=search]', 'a');
    await expect(page.locator('.gallery[aria-busy=false]')).toBeVisible();
    await expect.poll(top).toBe(0);
    await page.keyboard.press('ArrowDown');
    await expect(page.locator('[data-position="0"]')).toBeFocused();
  });

  test('models are imported, used and removed, and a download is canceled', async ({ open }) => {
    const page = await open('');
    await page.keyboard.press('m');
    const nhr = article('BAGEL NHR Edit');
    await page.click(`${nhr} .install button:has-text("Cancel")`);
    expect(await waitForCall(page, 'cancelInstall')).toEqual(['bagel-nhr']);
    await expect(page.locator(`${nhr} .install`)).toHaveCount(0);
    await expectText(page, `${nhr} .actions`, 'Download 17.9');
    const reca = article('BAGEL RecA');
    await page.click(`${reca} .install button:has-text("Cancel")`);
    await page.click(`${reca} .forms label:has-text("Q4_K_M")`);
    await page.click(`${reca} button:has-text("Use This Model")`);
    expect(await waitForCall(page, 'useModel')).toEqual([{ model: 'bagel-rl', quantization: 'q4_k_m' }]);
    await expectText(page, `${reca} .present`, 'In use');
    await expectText(page, 'header .chip', 'BAGEL RecA');
    await expectText(page, 'header .chip', 'Q4_K_M');
    await expect(page.locator(`${article('Pocket model')} .present`)).toHaveCount(0);

    const files = `${reca} button:has-text("Remove Original Files")`;
    await page.click(files);
    await expectText(page, 'dialog', 'Remove the original files of BAGEL RecA?');
    await page.click('dialog button:has-text("Cancel")');
    await expect(page.locator('dialog')).toHaveCount(0);
    await expect.poll(() => readCalls(page, 'removeModel')).toEqual([]);
    await page.click(files);
    await page.click('dialog button.primary');
    expect(await waitForCall(page, 'removeModel')).toEqual(['bagel-rl', null]);
    await expectText(page, '.toast', 'Freed 29.2 GB');
    await expect(page.locator(files)).toHaveCount(0);
    await page.click(`${article('Pocket model')} button:has-text("Use This Model")`);
    await expectText(page, 'header .chip', 'Pocket model');
    await page.click(`${reca} .forms label:has-text("Q4_K_M")`);
    await page.click(`${reca} button:has-text("Remove and Free 8.9")`);
    await expectText(page, 'dialog', 'Remove Q4_K_M of BAGEL RecA?');
    await page.click('dialog button.primary');
    expect(await waitForCall(page, 'removeModel', 2)).toEqual(['bagel-rl', 'q4_k_m']);
    await expectText(page, '.toast', 'Freed 8.9 GB');
    await expectText(page, `${reca} .actions`, 'Download 29.2');

    for (const [kind, name] of [['folder', 'islands-finetune'], ['file', 'islands-finetune.gguf']]) {
      await page.click(`.own button:has-text("Choose ${kind === 'folder' ? 'Folder' : 'File'}")`);
      await expect(page.locator(article(name))).toBeVisible();
    }
    await expect.poll(() => readCalls(page, 'importModel')).toEqual([['folder'], ['file']]);
    await page.click(`${article('islands-finetune')} button:has-text("Remove from Bagel Studio")`);
    await expectText(page, 'dialog', 'Remove islands-finetune from Bagel Studio?');
    await expectText(page, 'dialog', 'the model files on disk are kept');
    await page.click('dialog button.primary');
    const [id, form] = await waitForCall(page, 'removeModel', 3);
    expect(id).toMatch(/^import-/);
    expect(form).toBe(null);
    await expectText(page, '.toast', 'Removed from Bagel Studio');
    await expect(page.locator(article('islands-finetune'))).toHaveCount(0);
    await expect(page.locator(article('islands-finetune.gguf'))).toHaveCount(1);
  });

  test('a benchmark runs, and an engine that stopped is restarted', async ({ open }) => {
    const page = await open('engine=failed');
    await page.click('.toast button:has-text("Restart Engine")');
    await waitForCall(page, 'restartEngine');
    await expect(page.locator('header .dot.ready')).toBeVisible();
    await expect(page.locator('.toast')).toHaveCount(0);
    const other = await open('engine=failed');
    await chooseFromMenu(other, 'Model and engine', 'Restart Engine');
    await waitForCall(other, 'restartEngine');
    await expect(other.locator('header .dot.ready')).toBeVisible();
    await runCommand(page, 'benchmark');
    await expectText(page, '.machine button:disabled', 'Benchmarking…');
    await expectText(page, '.machine', 'NVIDIA GeForce RTX 4080');
    await expectText(page, '.trial [role=status]', 'in about 35 sec and write 38 words per second');
    await page.click('.machine button:has-text("Benchmark This Computer")');
    await waitForCall(page, 'benchmark', 2);
    await expectText(page, '.machine button:not(:disabled)', 'Benchmark This Computer');
    expect((await readCalls(page, 'hardware')).length).toBeGreaterThan(0);
  });

  test('folders, the engine program and a token are chosen and reset, and diagnostics are copied', async ({ open }) => {
    const page = await open('');
    await page.keyboard.press('Control+,');
    for (const [folder, label] of [['library', 'Images'], ['models', 'Models']]) {
      await page.click(`[aria-label="Change: ${label}"]`);
      await expectText(page, setting(label), `/media/large/${folder}`);
      await page.click(`[aria-label="Use Default: ${label}"]`);
      await expectText(page, setting(label), 'Default location');
    }
    await expect.poll(() => readCalls(page, 'chooseFolder')).toEqual([['library'], ['models']]);
    await expect.poll(() => readCalls(page, 'resetFolder')).toEqual([['library'], ['models']]);
    await page.click('[aria-label="Change: Engine program"]');
    expect(await waitForCall(page, 'chooseEngine')).toEqual([]);
    await expectText(page, setting('Engine program'), '/opt/bagel/bagel-engine');
    await page.click('[aria-label="Use Default: Engine program"]');
    expect(await waitForCall(page, 'resetEngine')).toEqual([]);
    await expectText(page, setting('Engine program'), 'Included with Bagel Studio');

    await page.fill('input[type=password]', 'locked away');
    await page.keyboard.press('Enter');
    await waitForCall(page, 'setToken');
    await expectText(page, '.toast', 'keyring');
    await expect(page.locator('input[type=password]'), 'an unsaved token stays in the field').toHaveValue('locked away');
    await page.fill('input[type=password]', ' hf_secret ');
    await page.keyboard.press('Enter');
    expect(await waitForCall(page, 'setToken', 2)).toEqual(['hf_secret']);
    await expectText(page, '.toast', 'The access token was saved in the system keyring');
    await expect(page.locator('input[type=password]')).toHaveValue('');
    await page.click('button:has-text("Remove")');
    expect(await waitForCall(page, 'setToken', 3)).toEqual([null]);
    await expectText(page, '.toast', 'The access token was removed');

    await expectText(page, '.settings', 'Version 0.1.0, engine 0.1.0');
    await page.click('.settings summary:has-text("Licenses")');
    await expect(page.locator('.licenses')).toHaveValue(/MIT OR Apache-2\.0/);
    await waitForCall(page, 'about');
    await page.click('button:has-text("Copy Diagnostics")');
    await expectText(page, '.toast', 'Diagnostics copied to the clipboard');
    await expect.poll(() => readClipboard(page)).toBe('Bagel Studio 0.1.0\nLinux x86_64\nengine 0.1.0, cuda:0');
    await page.evaluate(() => navigator.clipboard.writeText(''));
    await runCommand(page, 'copy diagnostics');
    await expect.poll(async () => (await readClipboard(page)).startsWith('Bagel Studio'), 'the diagnostics are on the clipboard').toBe(true);
    await waitForCall(page, 'diagnostics', 2);
  });

  test('a project and an image are renamed and get their old names back', async ({ open }) => {
    const page = await open('');
    const { keyboard } = page;
    const first = 'A sailing boat in a quiet harbor at dusk';
    const rename = async (name) => {
      await expect(page.locator('dialog input')).toBeVisible();
      await keyboard.type(name);
      await keyboard.press('Enter');
    };
    await page.click('[aria-label="Rename Project"]');
    await rename('Evenings');
    expect(await waitForCall(page, 'renameProject')).toEqual(['project-00001', 'Evenings']);
    await expectText(page, 'h1', 'Evenings');
    await expect(page).toHaveTitle('Evenings – Bagel Studio');
    await page.click('[aria-label="Rename Project"]');
    await keyboard.press('Delete');
    await rename('');
    expect(await waitForCall(page, 'renameProject', 2)).toEqual(['project-00001', '']);
    await expectText(page, 'h1', first);
    await clickRow(page, first);
    await keyboard.press('F2');
    await rename('The beginning');
    expect(await waitForCall(page, 'renameNode')).toEqual(['node-00002', 'The beginning']);
    await expectText(page, current, 'The beginning');
    await chooseFromMenu(page, 'More', 'Rename Image');
    await rename(first);
    expect(await waitForCall(page, 'renameNode', 2), 'entering the prompt removes the name').toEqual(['node-00002', '']);
    await expectText(page, current, first);
  });

  test('images and projects are imported and exported', async ({ open }) => {
    const page = await open('');
    const { keyboard } = page;
    await keyboard.press('g');
    await expectText(page, '.gallery .count', '14 images');
    await page.click('[role=gridcell][data-position="1"]');
    await page.click('.bar button:has-text("Show in File Manager")');
    expect(await waitForCall(page, 'revealImage')).toEqual(['node-00005']);
    await chooseFromMenu(page, 'Import', 'Import Project');
    expect(await waitForCall(page, 'openProject')).toEqual([]);
    await expectText(page, 'h1', 'Islands at noon');
    await expectText(page, current, 'Islands at noon');
    await keyboard.press('g');
    await expectText(page, '.gallery .count', '15 images');
    await keyboard.press('e');
    await keyboard.press('Control+c');
    const [id] = await waitForCall(page, 'copyImage');
    expect(id).toMatch(/^node-/);
    await expectText(page, '.toast', 'Copied');
    await chooseFromMenu(page, 'More', 'Copy Image');
    expect(await waitForCall(page, 'copyImage', 2)).toEqual([id]);
    await runCommand(page, 'show in file');
    expect(await waitForCall(page, 'revealImage', 2)).toEqual([id]);
    await chooseFromMenu(page, 'More', 'Export Project');
    expect((await waitForCall(page, 'exportProject'))[0]).toMatch(/^project-/);
    await expectText(page, '.toast', 'Exported as harbor.bagel');
    await chooseFromMenu(page, 'Export', 'JPEG');
    expect(await waitForCall(page, 'exportImages')).toEqual([[id], 'jpeg']);
    await expectText(page, '.toast', 'Exported as harbor.png');
    const nOpened = (await readCalls(page, 'project')).length;
    await runCommand(page, 'import project');
    await waitForCall(page, 'openProject', 2);
    // The project opens after the host answers; only then can it be left.
    await waitForCall(page, 'project', nOpened + 1);
    await keyboard.press('Control+n');
    await expectText(page, 'h1', 'New project');
    await keyboard.press('Control+o');
    expect(await waitForCall(page, 'openImages')).toEqual([]);
    await expectText(page, current, 'harbor.jpg');
    await expect(page.locator('.composer label.on').first()).toHaveText('Edit');
    await page.evaluate(async () => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 8, height: 8 });
      canvas.getContext('2d').fillRect(0, 0, 8, 8);
      const blob = await new Promise<Blob>((resolve) => canvas.toBlob(resolve));
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]);
    });
    await keyboard.press('Control+v');
    await waitForCall(page, 'pasteImage');
    await expectText(page, current, 'clipboard.png');
    await page.click('.toast button:has-text("Show Recipe")');
    await expect(page.locator('.recipe')).toBeVisible();

    const full = await open('images=40');
    await full.keyboard.press('Control+o');
    await expectText(full, '.toast', 'This image is already in the library.');
    expect((await waitForCall(full, 'nodes'))[0].length).toBe(1);
    await expectText(full, current, 'harbor.jpg');
  });

  test('dropped files open on every page, and become references on the composer', async ({ open }) => {
    const page = await open('');
    const drop = (node, position) =>
      sendEvents(page, { kind: 'arrived', arrivals: [{ node, is_known: true, has_recipe: false }], failures: [], position });
    const box = await page.locator('.composer').boundingBox();
    const onLine = [box.x + 40, box.y + 20];
    await page.keyboard.press('g');
    await expect(page.locator('.gallery')).toBeVisible();
    await sendEvents(page, { kind: 'dragging', position: onLine });
    await expectText(page, '.drop-overlay', 'Drop to open');
    await drop('node-00009', onLine);
    await expectText(page, current, 'Three islands in morning fog');
    await sendEvents(page, { kind: 'dragging', position: onLine });
    await expectText(page, '.drop-overlay', 'Drop to add as reference image');
    await drop('node-00003', onLine);
    await expect(page.locator('.reference')).toBeVisible();
    await expect(page.locator('.drop-overlay')).toHaveCount(0);
  });

  test('an image that is its own reference is sent and shown once', async ({ open }) => {
    const page = await open('');
    await page.click('button[title="Add Reference Image"]');
    await page.click('[popover]:popover-open li button[aria-label*="Lighthouse taller"]');
    await expect(page.locator('.reference')).toBeVisible();
    await clickRow(page, 'Lighthouse taller');
    await expect(page.locator('.reference')).toHaveCount(0);
    await page.fill(line, 'Red sails');
    await page.keyboard.press('Control+Enter');
    const [job] = await waitForCall(page, 'submit');
    expect([job.image, job.references]).toEqual(['node-00005', []]);
    // A finished job shows its image.
    await expectText(page, current, 'Red sails');
    await waitForIdle(page);
    // An older node may still list the image twice.
    const node = { id: 'twice', project: 'project-00001', parent: 'node-00005', references: ['node-00005'], origin: 'edit', prompt: 'Twice', name: null, size: { width: 64, height: 64 }, seed: null, plan: null, has_recipe: false, model: null, starred: false, tags: [], trashed_ms: null, took_ms: null, created_ms: 0 };
    const turn = { id: 'turn', prompt: 'Which?', images: ['node-00005', 'node-00005'], plan: null, answer: 'This.', stopped: false, left_out: false, created_ms: 0 };
    await sendEvents(page, { kind: 'node_added', node }, { kind: 'turn_added', project: 'project-00001', turn });
    await expect(page.locator('article:has-text("Which?") .images button')).toHaveCount(1);
    await clickRow(page, 'Twice');
    await page.click('[data-tab=recipe]');
    await expectText(page, '.recipe .words', 'Twice');
    await expect(page.locator('.sources button')).toHaveCount(1);
  });

  test('an estimate is shown before sending, with remedies if the request does not fit', async ({ open }) => {
    const page = await open('');
    await page.fill(line, 'Make it blue');
    await expectText(page, '.cost-line', 'about 21 sec');
    expect((await waitForCall(page, 'estimate'))[0].prompt).toBe('Make it blue');
    await page.fill(line, 'huge change');
    await expectText(page, '.refusal', '15.2 GB');
    await page.click('.cost-line button:has-text("Use 768 × 576")');
    await expectText(page, 'button[title="Size"]', '768 × 576');
    await expect.poll(async () => (await readCalls(page, 'estimate')).at(-1)[0].parameters.size?.width === 768, 'a new estimate is shown').toBe(true);
  });

  test('images are restored from the trash, which is emptied only after confirmation', async ({ open }) => {
    const page = await open('');
    const { keyboard } = page;
    const trash = '.filters button:has-text("Trash")';
    await keyboard.press('g');
    await page.click('[role=gridcell][data-position="0"]');
    await page.click('[role=gridcell][data-position="1"]', { modifiers: ['Shift'] });
    await page.click('.bar button:has-text("Delete")');
    await waitForCall(page, 'trash');
    await expectText(page, '.gallery .count', '12 images');
    await page.click(trash);
    await expectText(page, '.gallery .count', '2 images · Deleted permanently after 30 days.');
    await page.click('[role=gridcell][data-position="0"]');
    await page.click('.bar button:has-text("Restore")');
    expect(await waitForCall(page, 'restore')).toEqual([['node-00006']]);
    await expectText(page, '.gallery .count', '1 image ·');
    await page.click('.gallery button:has-text("Empty Trash")');
    await expectText(page, 'dialog', '1 image will be deleted permanently.');
    await page.click('dialog button:has-text("Cancel")');
    await expect(page.locator('dialog')).toHaveCount(0);
    await expect.poll(() => readCalls(page, 'emptyTrash')).toEqual([]);
    await page.click('.gallery button:has-text("Empty Trash")');
    await page.click('dialog button.primary');
    expect(await waitForCall(page, 'emptyTrash')).toEqual([]);
    await expectText(page, '.gallery', 'The trash is empty');
    await expectText(page, trash, '0');
    await page.click(trash);
    await expectText(page, '.gallery .count', '13 images');
    await keyboard.press('e');
    await expect(rows(page)).toHaveCount(4);
  });

  test('the queue is paused and resumed, and queued or failed jobs are removed', async ({ open }) => {
    const page = await open('jobs');
    const { keyboard } = page;
    const jobs = (title) => `.queue li:has-text("${title}")`;
    await keyboard.press('q');
    await expectText(page, '.queue .paused', 'The current job will finish');
    await page.click(`${jobs('etching')} [aria-label="Cancel"]`);
    const [cancelled] = await waitForCall(page, 'cancel');
    expect(cancelled).not.toBe(await page.evaluate(() => globalThis.hostDriver.running()));
    await expect(page.locator(jobs('etching'))).toHaveCount(0);
    await expectText(page, '.alert', '2 jobs need attention');
    await page.click(`${jobs('whole bay')} [aria-label="Dismiss"]`);
    expect((await waitForCall(page, 'dismiss'))[0]).toMatch(/^job-/);
    await expect(page.locator(jobs('whole bay'))).toHaveCount(0);
    await expectText(page, '.alert', '1 job needs attention');
    await page.click('.queue button:has-text("Cancel All")');
    expect(await waitForCall(page, 'cancelAll')).toEqual([]);
    await expect(page.locator('.queue .grip[aria-label]')).toHaveCount(0);
    await expectText(page, jobs('warm light'), 'Stopping…');
    await expect(page.locator(`${jobs('clear night')}, ${jobs('Snow')}`), 'plans and failed jobs stay').toHaveCount(2);
    await keyboard.press('Escape');
    await runCommand(page, 'pause or resume');
    expect(await waitForCall(page, 'pauseQueue')).toEqual([false]);
    await keyboard.press('q');
    await expect(page.locator('.queue .paused')).toHaveCount(0);
    await page.click('.queue button:has-text("Pause")');
    expect(await waitForCall(page, 'pauseQueue', 2)).toEqual([true]);
    await expectText(page, '.queue .paused', 'The current job will finish');
    await keyboard.press('Escape');
    await clickRow(page, 'Snow on the hills');
    await expectText(page, '.plan-review button', 'Retry');
    await page.click('.plan-review button:has-text("Dismiss")');
    await waitForCall(page, 'dismiss', 2);
    await expect(page.locator('[data-row]:has-text("Snow")')).toHaveCount(0);
  });

  test('an interrupted question is retried or dismissed', async ({ open }) => {
    const page = await open('jobs');
    const question = 'aside article:has-text("the light warmer")';
    await page.keyboard.press('q');
    await page.focus('.queue button.grip[aria-label*="the light warmer"]');
    await page.keyboard.press('Home');
    const [job] = await waitForCall(page, 'moveJob');
    const interrupt = () => sendEvents(page, { kind: 'job_changed', job, status: { state: 'interrupted' } });
    await page.keyboard.press('Escape');
    await expectText(page, question, 'Queued');
    await interrupt();
    await expectText(page, question, 'Interrupted');
    await expect(page.locator(`${question} button:has-text("Stop")`)).toHaveCount(0);
    await page.click(`${question} button:has-text("Retry")`);
    expect(await waitForCall(page, 'retry')).toEqual([job]);
    await expectText(page, question, 'Queued');
    await interrupt();
    await page.click(`${question} button:has-text("Dismiss")`);
    expect(await waitForCall(page, 'dismiss')).toEqual([job]);
    await expect(page.locator(question)).toHaveCount(0);
  });

  test('keys move through the history, pan the canvas and open every page', async ({ open }) => {
    const page = await open('');
    const { keyboard } = page;
    for (const [key, title] of [
      ['ArrowUp', 'Lighthouse taller'],
      ['ArrowLeft', 'A sailing boat'],
      ['ArrowRight', 'Lighthouse taller'],
      ['ArrowDown', 'Less blue'],
      ['Control+z', 'Lighthouse taller'],
      ['Control+y', 'Less blue'],
    ]) {
      await keyboard.press(key);
      await expect(page.locator(current).first(), key).toHaveText(new RegExp(`^${title}`));
    }
    const percent = async () => Number.parseInt(await page.innerText('.percent'), 10);
    const fitted = await percent();
    await keyboard.press('+');
    await expect.poll(percent, 'the image is larger').toBeGreaterThan(fitted);
    await keyboard.press('-');
    await keyboard.press('-');
    await expect.poll(percent, 'the image is smaller').toBeLessThan(fitted);
    await keyboard.press('=');
    await keyboard.press('0');
    await expect.poll(percent).toBe(fitted);
    await keyboard.press('i');
    await expect(page.locator('.recipe')).toBeVisible();
    for (const [words, panel] of [['show plan', '.plan'], ['show parameters', '.parameters'], ['show chat', 'aside .list']]) {
      await runCommand(page, words);
      await expect(page.locator(panel)).toBeVisible();
    }
    for (const [words, mode] of [['generate image', 'Generate'], ['edit image', 'Edit']]) {
      await runCommand(page, words);
      await expectText(page, '.composer label.on', mode);
      await expect(page.locator(line)).toBeFocused();
    }
    await keyboard.press('Escape');
    await keyboard.press('g');
    await expect(page.locator('.gallery')).toBeVisible();
    await keyboard.press('m');
    await expect(page.locator('main.models')).toBeVisible();
    await keyboard.press('e');
    await expect(page.locator(line)).toBeVisible();
    await keyboard.press('?');
    await expectText(page, 'dialog', 'Reuse Recipe');
    await expectText(page, 'dialog', 'Ctrl V in the prompt');
    await expect.poll(() => page.evaluate(() => document.querySelector('dialog').scrollTop), 'the text starts at its beginning').toBe(0);
    await keyboard.press('Escape');
    await expect(page.locator('dialog')).toHaveCount(0);
  });

  test('a failure that belongs to no job leads to where it can be fixed', async ({ open }) => {
    const page = await open('');
    const fail = (code) => sendEvents(page, { kind: 'notice', failure: { code, message: 'timed out' } });
    await fail('network');
    await page.click('.toast button:has-text("Copy")');
    await expectText(page, '.toast', 'Copied');
    await expect.poll(() => readClipboard(page)).toBe('The download failed: Timed out.');
    await page.click('.toast button:has-text("Models")');
    await expect(page.locator('main.models')).toBeVisible();
    await expect(page.locator('.toast')).toHaveCount(0);
    await fail('disk_full');
    await page.click('.toast button:has-text("Settings")');
    await expect(page.locator('.settings')).toBeVisible();
    await fail('not_an_image');
    await page.click('.toast button:has-text("Open Image")');
    await waitForCall(page, 'openImages');
    await fail('gone');
    await expectText(page, '.toast', 'No longer exists');
  });

  test('closing the window during a job asks first', async ({ open }) => {
    const page = await open('jobs');
    const askToClose = () => sendEvents(page, { kind: 'close_asked' });
    await askToClose();
    for (const words of ['The current job will be canceled', '4 jobs are in the queue', 'The download will be paused']) await expectText(page, 'dialog', words);
    await page.click('dialog button:has-text("Cancel")');
    await expect(page.locator('dialog')).toHaveCount(0);
    await expect.poll(() => readCalls(page, 'close')).toEqual([]);
    await askToClose();
    await page.click('dialog button:has-text("Close")');
    expect(await waitForCall(page, 'close')).toEqual([]);
  });
});

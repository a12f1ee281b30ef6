/** Every ability that the program has, as the artist comes by it, and what is seen of it afterwards. */
import assert from 'node:assert/strict';
import { asked, choose, command, copied, gone, holds, next, nothingRuns, see, tell, text, until } from '../page.mjs';

const line = '.composer textarea';
const current = '[aria-current=true] .title';
const rows = (page) => page.locator('[data-row]').count();
const row = (page, title) => page.click(`[data-row]:has-text("${title}")`);
const article = (name) => `article[aria-label="${name}"]`;
const setting = (label) => `.settings .row:has([aria-label$=": ${label}"]) .words`;

/** Sends a request, and waits until it is painted so far that a step can be seen. */
async function paint(page, words) {
  await page.fill(line, words);
  await page.keyboard.press('Control+Enter');
  await see(page, '.progress .label', 'Step');
}

export const parts = {
  async 'the seed, the words and the whole recipe of an image are used again by S, P and R'({ open }) {
    const page = await open('');
    const { keyboard } = page;
    const title = 'Add a lighthouse on the left';
    const seed = () => page.inputValue('.seed input');
    await row(page, title);
    await command(page, 'show the parameters');
    await keyboard.press('s');
    await until('the seed', async () => (await seed()) === '1836');
    await holds(() => page.inputValue(line), '');
    await command(page, 'parameters back');
    await holds(() => seed(), '');
    await keyboard.press('p');
    await until('the words', async () => (await page.inputValue(line)) === title);
    await holds(() => seed(), '');
    await keyboard.press('r');
    await see(page, '.pills', 'With a saved plan');
    await holds(() => seed(), '1836');
    await holds(() => text(page, current), 'Turn it into night, keep the boat', 'what it was made from is edited again');
    await keyboard.press('Control+Enter');
    const [job] = await next(page, 'submit');
    assert.deepEqual([job.kind, job.prompt, job.image, job.parameters.seed], ['edit', title, 'node-00003', 1836]);
    assert.match(job.thinking.plan, /clear night/);
    await until('the image', async () => (await rows(page)) === 6);
  },

  async 'an image is verified, and painted again'({ open }) {
    const page = await open('pace=0.2');
    await page.keyboard.press('i');
    await page.click('.recipe button:has-text("Verify")');
    await see(page, '.recipe button:disabled', 'Verifying…');
    assert.deepEqual(await next(page, 'verify'), ['node-00006']);
    await see(page, '.outcome.good', 'every pixel is the same');
    await row(page, 'Lighthouse taller');
    await see(page, '.recipe .note', 'another model');
    const tellEngine = (engine) => tell(page, { kind: 'engine', engine });
    const model = { name: 'pocket', hash: '0', quantization: 'q8_0', parameters: 1, memory_bytes: 1, device: 'cpu', max_side: 1024 };
    await tellEngine({ state: 'idle', name: 'Pocket model' });
    await gone(page, '.recipe .note');
    await tellEngine({ state: 'ready', model, choice: { model: 'pocket', quantization: 'q8_0' }, is_pocket: true, devices: [] });
    await see(page, '.recipe .note', 'another model');
    await page.click('.recipe button:has-text("Verify")');
    await see(page, '.outcome:not(.good)', 'Colors differ by 1.4 of 255 on average, 38 at most');
    assert.deepEqual(await next(page, 'verify', 2), ['node-00005']);
    await page.click('[data-tab=ask]');
    await command(page, 'verify the recipe');
    await see(page, '.notice', 'alike, not the same');
    await holds(() => rows(page), 5, 'what is painted to compare is not kept');
    await page.click('[data-tab=recipe]');
    await page.click('.recipe button:has-text("Paint it again")');
    assert.deepEqual(await next(page, 'replay'), ['node-00005']);
    await until('the image', async () => (await page.locator('[data-row]:has-text("Lighthouse taller")').count()) === 2);
    await nothingRuns(page);
    await holds(() => page.locator('[data-row]:has-text("Lighthouse taller") >> nth=1').getAttribute('aria-current'), 'true');
    await see(page, '.fields', '1837');
    await command(page, 'paint it again');
    await next(page, 'replay', 2);
    await until('one more', async () => (await rows(page)) === 7);
  },

  async 'what is painted is stopped, with its newest step kept or without'({ open }) {
    const page = await open('pace=5');
    await paint(page, 'Warm light in the windows');
    await page.click('.progress button:has-text("Stop and keep")');
    await gone(page, '.progress');
    const [job] = await next(page, 'keep');
    assert.match(job, /^job-/);
    await holds(() => text(page, current), 'Warm light in the windows');
    await holds(() => rows(page), 6);
    await page.click('[data-tab=recipe]');
    await see(page, '.recipe .label', 'Prompt');
    await holds(() => page.locator('.recipe button:has-text("Verify")').count(), 0, 'a step has no recipe of its own');
    await paint(page, 'And gulls');
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press('w');
    await holds(() => asked(page, 'steps'), [], 'what is painted hides the steps of before');
    await page.keyboard.press('Escape');
    assert.match((await next(page, 'cancel'))[0], /^job-/);
    await gone(page, '.progress');
    await holds(() => rows(page), 6);
    await holds(() => text(page, current), 'Warm light in the windows');
  },

  async 'a plan held before its first word is the artist’s to write'({ open }) {
    const page = await open('images=0&pace=1');
    await choose(page, 'Thinking', 'Think first');
    await page.fill(line, 'A quiet harbour');
    await page.keyboard.press('Control+Enter');
    await page.click('.progress button:has-text("Pause")');
    const [job] = await next(page, 'pausePlan');
    await page.waitForSelector('.held');
    // However quick or slow the hand was.
    await tell(page, { kind: 'plan_changed', job, plan: '' });
    await see(page, '.plan .note', 'Nothing is written yet');
    await see(page, '.held h2', 'Nothing is written yet');
    await holds(() => page.inputValue('.plan textarea'), '');
    await holds(() => page.isDisabled('.plan .ways .primary'), true);
    await holds(() => page.locator('.plan button:has-text("Save plan")').count(), 0);
    await page.click('[data-tab=ask]');
    await holds(() => page.isDisabled('.held .primary'), true, 'no plan is no plan to paint');
    await page.click('.held button:has-text("Change")');
    await page.fill('.plan textarea', 'Two moons.');
    await page.click('.plan .ways .primary');
    assert.deepEqual(await next(page, 'paintPlan'), [job, 'Two moons.']);
  },

  async 'a plan is held while it is written, saved, painted again and forgotten'({ open }) {
    const page = await open('images=0&pace=1');
    await choose(page, 'Thinking', 'Think first');
    await page.fill(line, 'A quiet harbour');
    await page.keyboard.press('Control+Enter');
    await see(page, '.plan .text', 'The scene');
    await see(page, '.frame .coming', 'A quiet harbour');
    await page.click('.plan button:has-text("Pause")');
    const [job] = await next(page, 'pausePlan');
    await page.waitForSelector('.plan textarea');
    const plan = (await page.inputValue('.plan textarea')).trim();
    assert.match(plan, /^The scene/);
    await page.click('.plan button:has-text("Save plan")');
    const [{ kind, value }] = await next(page, 'changeSettings');
    assert.equal(kind, 'plans');
    assert.deepEqual(value.map(({ name }) => name), ['A quiet harbour', 'Night over the harbour']);
    assert.equal(value[0].plan.trim(), plan);
    await see(page, '.notice', 'The plan is saved');
    await page.click('.held button:has-text("Dismiss")');
    assert.deepEqual(await next(page, 'dismiss'), [job]);
    await gone(page, '.held');
    await page.click('.plan .use:has-text("A quiet harbour")');
    await see(page, '.pills', 'With a saved plan');
    await holds(() => page.inputValue(line), 'A quiet harbour');
    await page.keyboard.press('Control+Enter');
    const [again] = await next(page, 'submit', 2);
    assert.ok(again.thinking.kind === 'given' && again.thinking.plan.includes(plan));
    await until('the image', async () => (await rows(page)) === 1);
    await nothingRuns(page);
    await holds(() => text(page, '.plan .text'), plan);
    await page.click('[aria-label="Forget the plan “A quiet harbour”"]');
    assert.deepEqual((await next(page, 'changeSettings', 2))[0].value.map(({ name }) => name), ['Night over the harbour']);
    await gone(page, '.plan .use:has-text("A quiet harbour")');
  },

  async 'a question is asked, left out of what is read, and taken in again'({ open }) {
    const page = await open('');
    await command(page, 'ask about the image');
    await page.waitForSelector(`${line}:focus`);
    await page.keyboard.type('What is missing?');
    await page.keyboard.press('Control+Enter');
    const [job] = await next(page, 'submit');
    assert.deepEqual([job.kind, job.prompt, job.image], ['chat', 'What is missing?', 'node-00006']);
    const answer = 'aside article:has-text("What is missing?")';
    await see(page, `${answer} .answer:not(.growing)`, 'A quiet harbour at dusk');
    await page.click(`${answer} button:has-text("Copy")`);
    await see(page, answer, 'Copied');
    await holds(() => copied(page), /^A quiet harbour at dusk/);
    await page.click(`${answer} button:has-text("Leave out")`);
    const [[turn], isLeftOut] = await next(page, 'leaveOut');
    assert.ok(isLeftOut);
    await see(page, `${answer} .note`, 'The model no longer reads this.');
    await page.click(`${answer} button:has-text("Take in again")`);
    assert.deepEqual(await next(page, 'leaveOut', 2), [[turn], false]);
    await gone(page, `${answer} .note`);
    await page.click(`${answer} button:has-text("Make this an edit")`);
    await holds(() => page.inputValue(line), /^A quiet harbour at dusk/);
    await holds(() => text(page, '.composer label.on'), 'Edit');
    await command(page, 'ask about the image');
    await command(page, 'show the parameters');
    await see(page, '.parameters', 'Keep the image');
  },

  async 'a new question and its answer are in sight, and are told of'({ open }) {
    const page = await open('pace=0.3');
    const scroller = () => page.locator('aside .panel');
    const distance = () => scroller().evaluate((panel) => panel.scrollHeight - panel.scrollTop - panel.clientHeight);
    await command(page, 'ask about the image');
    for (const question of ['What is missing?', 'And what else?', 'Is it warm?', 'Is it old?', 'Is it near?']) {
      await page.fill(line, question);
      await page.keyboard.press('Control+Enter');
      await see(page, `aside article:has-text("${question}") .answer:not(.growing)`, 'A quiet harbour');
    }
    await until('it to end below the window', async () => (await scroller().evaluate((panel) => panel.scrollHeight > panel.clientHeight + 300)));
    await holds(() => text(page, 'aside [role=status]'), 'The answer is there.');
    await scroller().evaluate((panel) => (panel.scrollTop = 0));
    await page.click('[data-tab=parameters]');
    await page.fill(line, 'What comes last?');
    await page.keyboard.press('Control+Enter');
    await see(page, 'aside article', 'What comes last?');
    await until('the question in sight', async () => (await distance()) < 160);
    await see(page, 'aside article:has-text("What comes last?") .answer:not(.growing)', 'A quiet harbour');
    await until('the answer in sight', async () => (await distance()) < 160);
  },

  async 'the place among many images is kept, and a search begins at its beginning'({ open }) {
    const page = await open('images=600');
    const top = () => page.locator('.scroller').evaluate((scroller) => Math.round(scroller.scrollTop));
    await page.keyboard.press('g');
    await page.waitForSelector('.gallery[aria-busy=false] [role=gridcell] img');
    await until('all of them', async () => Number(await page.getAttribute('[role=grid]', 'aria-rowcount')) > 100);
    await page.locator('.scroller').evaluate((scroller) => (scroller.scrollTop = 4000));
    // The window hears of a scroll with the next frame: it is there when its rows are.
    const inSight = (scroller) => [...scroller.querySelectorAll('[data-position]')].some((cell) => cell.getBoundingClientRect().top > 300);
    await until('the rows there', () => page.locator('.scroller').evaluate(inSight));
    await holds(top, 4000);
    await page.keyboard.press('e');
    await page.waitForSelector('.composer');
    await page.keyboard.press('g');
    await page.waitForSelector('[role=gridcell] img');
    await holds(top, 4000);
    await page.fill('input[type=search]', 'a');
    await page.waitForSelector('.gallery[aria-busy=false]');
    await holds(top, 0);
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction(() => document.activeElement?.getAttribute('data-position') === '0');
  },

  async 'models are imported, used and removed, and a download is given up'({ open }) {
    const page = await open('');
    await page.keyboard.press('m');
    const nhr = article('BAGEL NHR Edit');
    await page.click(`${nhr} .install button:has-text("Cancel")`);
    assert.deepEqual(await next(page, 'cancelInstall'), ['bagel-nhr']);
    await gone(page, `${nhr} .install`);
    await see(page, `${nhr} .ways`, 'Download 17.9');
    const reca = article('BAGEL RecA');
    await page.click(`${reca} .install button:has-text("Cancel")`);
    await page.click(`${reca} .forms label:has-text("Q4_K_M")`);
    await page.click(`${reca} button:has-text("Use this model")`);
    assert.deepEqual(await next(page, 'useModel'), [{ model: 'bagel-rl', quantization: 'q4_k_m' }]);
    await see(page, `${reca} .present`, 'In use');
    await see(page, 'header .chip', 'BAGEL RecA');
    await see(page, 'header .chip', 'Q4_K_M');
    await gone(page, `${article('Pocket model')} .present`);

    const files = `${reca} button:has-text("Remove the published files")`;
    await page.click(files);
    await see(page, 'dialog', 'Remove the published files of BAGEL RecA?');
    await page.click('dialog button:has-text("Cancel")');
    await gone(page, 'dialog');
    await holds(() => asked(page, 'removeModel'), []);
    await page.click(files);
    await page.click('dialog button.primary');
    assert.deepEqual(await next(page, 'removeModel'), ['bagel-rl', null]);
    await see(page, '.notice', '29.2 GB are free again');
    await gone(page, files);
    await page.click(`${article('Pocket model')} button:has-text("Use this model")`);
    await see(page, 'header .chip', 'Pocket model');
    await page.click(`${reca} .forms label:has-text("Q4_K_M")`);
    await page.click(`${reca} button:has-text("Remove, frees 8.9")`);
    await see(page, 'dialog', 'Remove Q4_K_M of BAGEL RecA?');
    await page.click('dialog button.primary');
    assert.deepEqual(await next(page, 'removeModel', 2), ['bagel-rl', 'q4_k_m']);
    await see(page, '.notice', '8.9 GB are free again');
    await see(page, `${reca} .ways`, 'Download 29.2');

    for (const [kind, name] of [['folder', 'islands-finetune'], ['file', 'islands-finetune.gguf']]) {
      await page.click(`.own button:has-text("Choose a ${kind}")`);
      await page.waitForSelector(article(name));
    }
    await holds(() => asked(page, 'importModel'), [['folder'], ['file']]);
    await page.click(`${article('islands-finetune')} button:has-text("Remove from the studio")`);
    await see(page, 'dialog', 'Remove islands-finetune from the studio?');
    await see(page, 'dialog', 'so do the files you chose');
    await page.click('dialog button.primary');
    const [id, form] = await next(page, 'removeModel', 3);
    assert.match(id, /^import-/);
    assert.equal(form, null);
    await see(page, '.notice', 'Removed from the studio');
    await gone(page, article('islands-finetune'));
    await holds(() => page.locator(article('islands-finetune.gguf')).count(), 1);
  },

  async 'the machine is tried, and an engine that stopped is started again'({ open }) {
    const page = await open('engine=failed');
    await page.click('.notice button:has-text("Start the engine again")');
    await next(page, 'retryEngine');
    await page.waitForSelector('header .dot.ready');
    await holds(() => page.locator('.notice').count(), 0);
    const other = await open('engine=failed');
    await choose(other, 'Model and engine', 'Start the engine again');
    await next(other, 'retryEngine');
    await other.waitForSelector('header .dot.ready');
    await command(page, 'try my hardware');
    await see(page, '.machine button:disabled', 'Measuring…');
    await see(page, '.machine', 'NVIDIA GeForce RTX 4080');
    await see(page, '.trial [role=status]', 'in about 35 sec, and write 38 words a second');
    await page.click('.machine button:has-text("Try my hardware")');
    await next(page, 'tryHardware', 2);
    await see(page, '.machine button:not(:disabled)', 'Try my hardware');
    assert.ok((await asked(page, 'hardware')).length > 0);
  },

  async 'folders, the engine program and a token are chosen and given up, and diagnostics are copied'({ open }) {
    const page = await open('');
    await page.keyboard.press('Control+,');
    for (const [folder, label] of [['library', 'Images'], ['models', 'Models']]) {
      await page.click(`[aria-label="Change: ${label}"]`);
      await see(page, setting(label), `/media/large/${folder}`);
      await page.click(`[aria-label="Use default: ${label}"]`);
      await see(page, setting(label), 'The usual place of this system');
    }
    await holds(() => asked(page, 'chooseFolder'), [['library'], ['models']]);
    await holds(() => asked(page, 'resetFolder'), [['library'], ['models']]);
    await page.click('[aria-label="Change: Engine program"]');
    assert.deepEqual(await next(page, 'chooseEngine'), []);
    await see(page, setting('Engine program'), '/opt/bagel/bagel-engine');
    await page.click('[aria-label="Use default: Engine program"]');
    assert.deepEqual(await next(page, 'resetEngine'), []);
    await see(page, setting('Engine program'), 'The one beside the studio');

    await page.fill('input[type=password]', 'locked away');
    await page.keyboard.press('Enter');
    await next(page, 'setToken');
    await see(page, '.notice', 'keyring');
    await holds(() => page.inputValue('input[type=password]'), 'locked away', 'what is not kept elsewhere stays');
    await page.fill('input[type=password]', ' hf_secret ');
    await page.keyboard.press('Enter');
    assert.deepEqual(await next(page, 'setToken', 2), ['hf_secret']);
    await see(page, '.notice', 'The token is kept in the keyring');
    await holds(() => page.inputValue('input[type=password]'), '');
    await page.click('button:has-text("Forget")');
    assert.deepEqual(await next(page, 'setToken', 3), [null]);
    await see(page, '.notice', 'The token is forgotten');

    await see(page, '.settings', 'Version 0.1.0, engine 0.1.0');
    await page.click('.settings summary:has-text("Licenses")');
    await holds(() => page.inputValue('.licenses'), /MIT OR Apache-2\.0/);
    await next(page, 'about');
    await page.click('button:has-text("Copy diagnostics")');
    await see(page, '.notice', 'Diagnostics are on the clipboard');
    await holds(() => copied(page), 'Bagel Studio 0.1.0\nLinux x86_64\nengine 0.1.0, cuda:0');
    await page.evaluate(() => navigator.clipboard.writeText(''));
    await command(page, 'copy diagnostics');
    await until('the clipboard', async () => (await copied(page)).startsWith('Bagel Studio'));
    await next(page, 'diagnostics', 2);
  },

  async 'a project and an image are given names, which can be taken back'({ open }) {
    const page = await open('');
    const { keyboard } = page;
    const first = 'A sailing boat in a quiet harbour at dusk';
    const rename = async (name) => {
      await page.waitForSelector('dialog input');
      await keyboard.type(name);
      await keyboard.press('Enter');
    };
    await page.click('[aria-label="Rename the project"]');
    await rename('Evenings');
    assert.deepEqual(await next(page, 'renameProject'), ['project-00001', 'Evenings']);
    await see(page, 'h1', 'Evenings');
    await holds(() => page.title(), 'Evenings – Bagel Studio');
    await page.click('[aria-label="Rename the project"]');
    await keyboard.press('Delete');
    await rename('');
    assert.deepEqual(await next(page, 'renameProject', 2), ['project-00001', '']);
    await see(page, 'h1', first);
    await row(page, first);
    await keyboard.press('F2');
    await rename('The beginning');
    assert.deepEqual(await next(page, 'renameNode'), ['node-00002', 'The beginning']);
    await see(page, current, 'The beginning');
    await choose(page, 'More', 'Rename the image');
    await rename(first);
    assert.deepEqual(await next(page, 'renameNode', 2), ['node-00002', ''], 'its own words take the name away');
    await see(page, current, first);
  },

  async 'images and projects come in and go out'({ open }) {
    const page = await open('');
    const { keyboard } = page;
    await keyboard.press('g');
    await see(page, '.gallery .count', '14 images');
    await page.click('[role=gridcell][data-position="1"]');
    await page.click('.bar button:has-text("Show in the file manager")');
    assert.deepEqual(await next(page, 'revealImage'), ['node-00005']);
    await choose(page, 'Import', 'Open a saved project');
    assert.deepEqual(await next(page, 'openProject'), []);
    await see(page, 'h1', 'Islands at noon');
    await see(page, current, 'Islands at noon');
    await keyboard.press('g');
    await see(page, '.gallery .count', '15 images');
    await keyboard.press('e');
    await keyboard.press('Control+c');
    const [id] = await next(page, 'copyImage');
    assert.match(id, /^node-/);
    await see(page, '.notice', 'Copied');
    await choose(page, 'More', 'Copy the image');
    assert.deepEqual(await next(page, 'copyImage', 2), [id]);
    await command(page, 'show in the file');
    assert.deepEqual(await next(page, 'revealImage', 2), [id]);
    await choose(page, 'More', 'Save the whole project');
    assert.match((await next(page, 'exportProject'))[0], /^project-/);
    await see(page, '.notice', 'Saved as harbour.bagel');
    await choose(page, 'Save a copy', 'JPEG');
    assert.deepEqual(await next(page, 'exportImages'), [[id], 'jpeg']);
    await see(page, '.notice', 'Saved as harbour.png');
    const nOpened = (await asked(page, 'project')).length;
    await command(page, 'open a saved project');
    await next(page, 'openProject', 2);
    // It opens when the program has answered: only then is there another project to leave.
    await next(page, 'project', nOpened + 1);
    await keyboard.press('Control+n');
    await see(page, 'h1', 'New project');
    await keyboard.press('Control+o');
    assert.deepEqual(await next(page, 'openImages'), []);
    await see(page, current, 'harbour.jpg');
    await holds(() => text(page, '.composer label.on'), 'Edit');
    await page.evaluate(async () => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 8, height: 8 });
      canvas.getContext('2d').fillRect(0, 0, 8, 8);
      const blob = await new Promise((resolve) => canvas.toBlob(resolve));
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]);
    });
    await keyboard.press('Control+v');
    await next(page, 'pasteImage');
    await see(page, current, 'clipboard.png');
    await page.click('.notice button:has-text("Show it")');
    await page.waitForSelector('.recipe');

    const full = await open('images=40');
    await full.keyboard.press('Control+o');
    await see(full, '.notice', 'This image was in the library already.');
    assert.equal((await next(full, 'nodes'))[0].length, 1);
    await see(full, current, 'harbour.jpg');
  },

  async 'files that are dropped open from every place, and join the line where it is'({ open }) {
    const page = await open('');
    const drop = (node, position) =>
      tell(page, { kind: 'arrived', arrivals: [{ node, is_known: true, has_recipe: false }], failures: [], position });
    const box = await page.locator('.composer').boundingBox();
    const onLine = [box.x + 40, box.y + 20];
    await page.keyboard.press('g');
    await page.waitForSelector('.gallery');
    await tell(page, { kind: 'dragging', position: onLine });
    await see(page, '.veil', 'Drop to open');
    await drop('node-00009', onLine);
    await see(page, current, 'Three islands in morning fog');
    await tell(page, { kind: 'dragging', position: onLine });
    await see(page, '.veil', 'Drop to use as a reference');
    await drop('node-00003', onLine);
    await page.waitForSelector('.reference');
    await gone(page, '.veil');
  },

  async 'an image that is its own reference is read once, and shown once'({ open }) {
    const page = await open('');
    await page.click('button[title="Add a reference"]');
    await page.click('[popover]:popover-open li button[aria-label*="Lighthouse taller"]');
    await page.waitForSelector('.reference');
    await row(page, 'Lighthouse taller');
    await gone(page, '.reference');
    await page.fill(line, 'Red sails');
    await page.keyboard.press('Control+Enter');
    const [job] = await next(page, 'submit');
    assert.deepEqual([job.image, job.references], ['node-00005', []]);
    // What comes to an end takes the view to its image.
    await see(page, current, 'Red sails');
    await nothingRuns(page);
    // What was made so before is in the library still.
    await page.evaluate(async () => {
      const { puppet } = globalThis;
      const node = { id: 'twice', project: 'project-00001', parent: 'node-00005', references: ['node-00005'], origin: 'edit', title: 'Twice', name: null, size: { width: 64, height: 64 }, seed: null, plan: null, has_recipe: false, model: null, starred: false, tags: [], trashed_ms: null, took_ms: null, created_ms: 0 };
      const turn = { id: 'turn', question: 'Which?', images: ['node-00005', 'node-00005'], plan: null, answer: 'This.', stopped: false, left_out: false, created_ms: 0 };
      puppet.tell({ kind: 'node_added', node }, { kind: 'turn_added', project: 'project-00001', turn });
    });
    await holds(() => page.locator('article:has-text("Which?") .images button').count(), 1);
    await row(page, 'Twice');
    await page.click('[data-tab=recipe]');
    await see(page, '.recipe .words', 'Twice');
    await holds(() => page.locator('.sources button').count(), 1);
  },

  async 'what a request takes is said before it is sent, and what could be done where it is too much'({ open }) {
    const page = await open('');
    await page.fill(line, 'Make it blue');
    await see(page, '.price', 'about 21 sec');
    assert.equal((await next(page, 'price'))[0].prompt, 'Make it blue');
    await page.fill(line, 'huge change');
    await see(page, '.refusal', '15.2 GB');
    await page.click('.price button:has-text("Try 768 × 576")');
    await see(page, 'button[title="Size"]', '768 × 576');
    await until('another price', async () => (await asked(page, 'price')).at(-1)[0].parameters.size?.width === 768);
  },

  async 'the trash gives back, and is emptied only when that is confirmed'({ open }) {
    const page = await open('');
    const { keyboard } = page;
    const trash = '.filters button:has-text("Trash")';
    await keyboard.press('g');
    await page.click('[role=gridcell][data-position="0"]');
    await page.click('[role=gridcell][data-position="1"]', { modifiers: ['Shift'] });
    await page.click('.bar button:has-text("Delete")');
    await next(page, 'trash');
    await see(page, '.gallery .count', '12 images');
    await page.click(trash);
    await see(page, '.gallery .count', '2 images · Deleted for good after 30 days.');
    await page.click('[role=gridcell][data-position="0"]');
    await page.click('.bar button:has-text("Restore")');
    assert.deepEqual(await next(page, 'restore'), [['node-00006']]);
    await see(page, '.gallery .count', '1 image ·');
    await page.click('.gallery button:has-text("Empty the trash")');
    await see(page, 'dialog', 'One image will be deleted for good.');
    await page.click('dialog button:has-text("Cancel")');
    await gone(page, 'dialog');
    await holds(() => asked(page, 'emptyTrash'), []);
    await page.click('.gallery button:has-text("Empty the trash")');
    await page.click('dialog button.primary');
    assert.deepEqual(await next(page, 'emptyTrash'), []);
    await see(page, '.gallery', 'The trash is empty');
    await see(page, trash, '0');
    await page.click(trash);
    await see(page, '.gallery .count', '13 images');
    await keyboard.press('e');
    await holds(() => rows(page), 4);
  },

  async 'the queue is held and let go, and what waits or failed is put away'({ open }) {
    const page = await open('jobs');
    const { keyboard } = page;
    const jobs = (title) => `.queue li:has-text("${title}")`;
    await keyboard.press('q');
    await see(page, '.queue .paused', 'nothing new is begun');
    await page.click(`${jobs('etching')} [aria-label="Cancel"]`);
    const [cancelled] = await next(page, 'cancel');
    assert.notEqual(cancelled, await page.evaluate(() => globalThis.puppet.running()));
    await gone(page, jobs('etching'));
    await see(page, '.alert', '2 need attention');
    await page.click(`${jobs('whole bay')} [aria-label="Dismiss"]`);
    assert.match((await next(page, 'dismiss'))[0], /^job-/);
    await gone(page, jobs('whole bay'));
    await see(page, '.alert', 'One needs attention');
    await page.click('.queue button:has-text("Cancel all")');
    assert.deepEqual(await next(page, 'cancelAll'), []);
    await gone(page, '.queue .grip[aria-label]');
    await see(page, jobs('warm light'), 'Stopping…');
    await holds(() => page.locator(`${jobs('clear night')}, ${jobs('Snow')}`).count(), 2, 'plans and what broke stay');
    await keyboard.press('Escape');
    await command(page, 'pause or resume');
    assert.deepEqual(await next(page, 'pauseQueue'), [false]);
    await keyboard.press('q');
    await gone(page, '.queue .paused');
    await page.click('.queue button:has-text("Pause")');
    assert.deepEqual(await next(page, 'pauseQueue', 2), [true]);
    await see(page, '.queue .paused', 'nothing new is begun');
    await keyboard.press('Escape');
    await row(page, 'Snow on the hills');
    await see(page, '.held button', 'Try again');
    await page.click('.held button:has-text("Dismiss")');
    await next(page, 'dismiss', 2);
    await gone(page, '[data-row]:has-text("Snow")');
  },

  async 'a question that was interrupted is asked again, or put away'({ open }) {
    const page = await open('jobs');
    const question = 'aside article:has-text("the light warmer")';
    await page.keyboard.press('q');
    await page.focus('.queue button.grip[aria-label*="the light warmer"]');
    await page.keyboard.press('Home');
    const [job] = await next(page, 'moveJob');
    const interrupt = () => tell(page, { kind: 'job_changed', job, status: { state: 'interrupted' } });
    await page.keyboard.press('Escape');
    await see(page, question, 'Waiting for its turn');
    await interrupt();
    await see(page, question, 'Interrupted');
    await holds(() => page.locator(`${question} button:has-text("Stop")`).count(), 0);
    await page.click(`${question} button:has-text("Try again")`);
    assert.deepEqual(await next(page, 'retry'), [job]);
    await see(page, question, 'Waiting for its turn');
    await interrupt();
    await page.click(`${question} button:has-text("Dismiss")`);
    assert.deepEqual(await next(page, 'dismiss'), [job]);
    await gone(page, question);
  },

  async 'keys walk the history, move about the canvas and go to every place'({ open }) {
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
      await holds(() => text(page, current), new RegExp(`^${title}`), key);
    }
    const percent = async () => Number.parseInt(await text(page, '.percent'), 10);
    const fitted = await percent();
    await keyboard.press('+');
    await until('a larger image', async () => (await percent()) > fitted);
    await keyboard.press('-');
    await keyboard.press('-');
    await until('a smaller image', async () => (await percent()) < fitted);
    await keyboard.press('=');
    await keyboard.press('0');
    await holds(() => percent(), fitted);
    await keyboard.press('i');
    await page.waitForSelector('.recipe');
    for (const [words, panel] of [['show the plan', '.plan'], ['show the parameters', '.parameters'], ['show the conversation', 'aside .list']]) {
      await command(page, words);
      await page.waitForSelector(panel);
    }
    for (const [words, mode] of [['create from text', 'Create'], ['edit the image', 'Edit']]) {
      await command(page, words);
      await see(page, '.composer label.on', mode);
      await page.waitForSelector(`${line}:focus`);
    }
    await keyboard.press('Escape');
    await keyboard.press('g');
    await page.waitForSelector('.gallery');
    await keyboard.press('m');
    await page.waitForSelector('main.models');
    await keyboard.press('e');
    await page.waitForSelector(line);
    await keyboard.press('?');
    await see(page, 'dialog', 'Reuse the whole recipe');
    await see(page, 'dialog', 'Ctrl V in the line');
    await holds(() => page.evaluate(() => document.querySelector('dialog').scrollTop), 0, 'it is read from its beginning');
    await keyboard.press('Escape');
    await gone(page, 'dialog');
  },

  async 'a failure that belongs to no request leads to where something can be done'({ open }) {
    const page = await open('');
    const fail = (code) => tell(page, { kind: 'notice', failure: { code, message: 'timed out' } });
    await fail('network');
    await page.click('.notice button:has-text("Copy")');
    await see(page, '.notice', 'Copied');
    await holds(() => copied(page), 'The download failed: Timed out.');
    await page.click('.notice button:has-text("Models")');
    await page.waitForSelector('main.models');
    await gone(page, '.notice');
    await fail('disk_full');
    await page.click('.notice button:has-text("Settings")');
    await page.waitForSelector('.settings');
    await fail('not_a_image');
    await page.click('.notice button:has-text("Open an image")');
    await next(page, 'openImages');
    await fail('gone');
    await see(page, '.notice', 'It is not there any more');
  },

  async 'a window that is closed while work goes on asks first'({ open }) {
    const page = await open('jobs');
    const askToClose = () => tell(page, { kind: 'close_asked' });
    await askToClose();
    for (const words of ['What is being made is broken off', '4 requests wait', 'The download pauses']) await see(page, 'dialog', words);
    await page.click('dialog button:has-text("Stay")');
    await gone(page, 'dialog');
    await holds(() => asked(page, 'close'), []);
    await askToClose();
    await page.click('dialog button:has-text("Close")');
    assert.deepEqual(await next(page, 'close'), []);
  },
};

/** After all others: what no part has asked for is an ability that nobody looks at. */
export const last = {
  'every method of the program was asked for'({ called, methods }) {
    assert.ok(methods.size > 0);
    assert.deepEqual([...methods].filter((name) => !called.has(name)), []);
  },
};

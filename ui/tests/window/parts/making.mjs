/** A first start; images made, stopped, edited and branched; questions. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../driver.mjs';
import { submitPrompt, findEngine, setSeed, listImages, clickRow, countRows, describeImage, waitForIdle, screenshots, setSteps, waitForProgress } from '../studio.mjs';

export default {
  async 'the window opens, says what it is, and the model is ready'(b) {
    await b.waitForText('main h2', 'What would you like to create?');
    await b.waitForText('.welcome', 'Welcome');
    await b.screenshot(join(screenshots, '01-first-start.png'));
    await b.click('.welcome .head button');
    await waitFor('the welcome to go', async () => (await b.count('.welcome')) === 0);
    await b.waitForText('.dot.ready');
    // Letters and icons come from the program itself.
    assert.equal(await b.execute('return document.fonts.check("13px \\"Inter Variable\\"")'), true);
  },

  async 'an image is created, its steps are seen, and it is saved with its recipe'(b) {
    await setSeed(b, 7);
    await b.clickText('.composer label', 'Generate');
    await b.type('.composer textarea', 'A large red circle in the centre on a blue background');
    await b.waitForText('.cost-line', 'needs');
    await b.click('button.run');
    // The pocket model is fast, so its engine is suspended while the preview is checked.
    const seen = `return Boolean(document.querySelector('.frame img')?.src.includes('/preview/') && document.querySelector('.progress .label')?.textContent.includes('Step'))`;
    await waitFor('a preview and its step', () => b.execute(seen));
    const engine = findEngine();
    process.kill(engine, 'SIGSTOP');
    await b.screenshot(join(screenshots, '02-painting.png'));
    process.kill(engine, 'SIGCONT');
    await waitForIdle(b);
    await waitFor('the image in place', () => b.execute(`return document.querySelector('.frame img')?.src.includes('/image/')`));
    assert.equal(listImages().length, 1);
    const bytes = readFileSync(listImages()[0], 'latin1');
    assert.ok(bytes.includes('bagel-recipe') && bytes.includes('red circle'), 'the recipe is in the file');
    assert.equal(describeImage(listImages()[0]), 'large red circle at place 4 on blue', 'it is what was asked for');
    assert.ok(bytes.includes('trainedAlgorithmicMedia'), 'the file says that it was generated');
    assert.ok(await b.execute(`return document.querySelector('.frame img').naturalWidth > 0`));
    await b.screenshot(join(screenshots, '03-created.png'));
  },

  async 'stopping leaves no image'(b) {
    const before = listImages().length;
    await setSteps(b, 60, 'Generate');
    const engine = findEngine();
    await submitPrompt(b, 'Generate', 'Another one');
    await waitForProgress(b, 'Step');
    process.kill(engine, 'SIGSTOP');
    await b.clickText('.progress button:last-of-type', 'Stop');
    process.kill(engine, 'SIGCONT');
    await waitForIdle(b);
    assert.equal(listImages().length, before);
    await waitFor('1 rows', async () => (await countRows(b)) === 1);
  },

  async 'two variations come from one request, and from the first a branch'(b) {
    await setSteps(b, 12);
    const before = listImages();
    await b.click('.composer button[aria-label="Variations"], .composer button[title="Variations"]');
    await b.clickText(':popover-open button', '2');
    await clickRow(b, 'A large red');
    await submitPrompt(b, 'Edit', 'The picture should be on a yellow background');
    await waitFor('two edits', () => listImages().length === before.length + 2);
    await waitForIdle(b);
    await waitFor('3 rows', async () => (await countRows(b)) === 3);
    await b.click('.composer button[aria-label="Variations"], .composer button[title="Variations"]');
    await b.clickText(':popover-open button', '1');
    await waitFor('both to hang on the first', async () => (await b.count('.elbow')) === 2);
    const edits = listImages().filter((path) => !before.includes(path));
    for (const path of edits) assert.equal(describeImage(path), 'large red circle at place 4 on yellow', 'each is what was asked for, and the rest stayed');
    await clickRow(b, 'A large red');
    await submitPrompt(b, 'Edit', 'Please put a small white square at the top left into the picture as well');
    await waitFor('the third edit', () => listImages().length === before.length + 3);
    await waitForIdle(b);
    await waitFor('4 rows', async () => (await countRows(b)) === 4);
    const added = listImages().filter((path) => !before.includes(path) && !edits.includes(path));
    assert.equal(added.length, 1);
    const shown = describeImage(added[0]);
    assert.ok(shown.includes('small white square at place 0') && shown.includes('large red circle at place 4') && shown.endsWith('on blue'), shown);
    await b.screenshot(join(screenshots, '04-branches.png'));
  },

  async 'two questions are answered in turn, and an answer becomes an edit'(b) {
    for (const [index, words] of ['Which colour is the background?', 'Describe the picture'].entries()) {
      await submitPrompt(b, 'Chat', words);
      await waitFor('the answer', async () => (await b.count('article .answer:not(.growing)')) === index + 1);
      await b.waitForText('article .question', words);
    }
    const answers = await b.execute(`return [...document.querySelectorAll('article .answer')].map((e) => e.textContent.trim())`);
    assert.match(answers[0], /Blue/, 'it has seen the image');
    assert.match(answers[1], /red circle in the centre/, answers[1]);
    assert.match(answers[1], /white square in the top left corner/, answers[1]);
    await b.screenshot(join(screenshots, '05-answers.png'));
    await b.execute(`[...document.querySelectorAll('article .tools button')].findLast((e) => e.textContent.includes('Use as Prompt')).click()`);
    await waitFor('the edit line', () => b.execute(`return document.querySelector('.composer textarea').value !== ''`));
    assert.equal(await b.execute(`return document.querySelector('.composer label.on')?.textContent.trim()`), 'Edit');
    await b.execute(
      `const line = document.querySelector('.composer textarea'); line.value = ''; line.dispatchEvent(new Event('input', { bubbles: true }));`,
    );
  },
};

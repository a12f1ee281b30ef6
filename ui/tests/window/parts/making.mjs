/** A first start; images made, stopped, edited and branched; questions. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../driver.mjs';
import { ask, enginePid, lockSeed, images, row, rows, sees, settled, shots, steps, working } from '../studio.mjs';

export default {
  async 'the window opens, says what it is, and the model is ready'(b) {
    await b.see('main h2', 'What would you like to create?');
    await b.see('.welcome', 'Welcome');
    await b.screenshot(join(shots, '01-first-start.png'));
    await b.click('.welcome .head button');
    await until('the welcome to go', async () => (await b.count('.welcome')) === 0);
    await b.see('.dot.ready', '', 120);
    // Letters and icons come from the program itself.
    assert.equal(await b.run('return document.fonts.check("13px \\"Inter Variable\\"")'), true);
  },

  async 'an image is created, its steps are seen, and it is saved with its recipe'(b) {
    await lockSeed(b, 7);
    await b.clickText('.composer label', 'Generate');
    await b.type('.composer textarea', 'A large red circle in the center on a blue background');
    await b.see('.price', 'needs');
    await b.click('button.run');
    // The pocket model is quick: its engine is held while its work is looked at.
    const seen = `return Boolean(document.querySelector('.frame img')?.src.includes('/preview/') && document.querySelector('.progress .label')?.textContent.includes('Step'))`;
    await until('a preview and its step', () => b.run(seen));
    const engine = enginePid();
    process.kill(engine, 'SIGSTOP');
    await b.screenshot(join(shots, '02-painting.png'));
    process.kill(engine, 'SIGCONT');
    await settled(b);
    await until('the image in place', () => b.run(`return document.querySelector('.frame img')?.src.includes('/image/')`));
    assert.equal(images().length, 1);
    const bytes = readFileSync(images()[0], 'latin1');
    assert.ok(bytes.includes('bagel-recipe') && bytes.includes('red circle'), 'the recipe is in the file');
    assert.equal(sees(images()[0]), 'large red circle at place 4 on blue', 'it is what was asked for');
    assert.ok(bytes.includes('trainedAlgorithmicMedia'), 'the file says that it was generated');
    assert.ok(await b.run(`return document.querySelector('.frame img').naturalWidth > 0`));
    await b.screenshot(join(shots, '03-created.png'));
  },

  async 'stopping leaves no image'(b) {
    const before = images().length;
    await steps(b, 60, 'Generate');
    const engine = enginePid();
    await ask(b, 'Generate', 'Another one');
    await working(b, 'Step');
    process.kill(engine, 'SIGSTOP');
    await b.clickText('.progress button:last-of-type', 'Stop');
    process.kill(engine, 'SIGCONT');
    await settled(b);
    assert.equal(images().length, before);
    await until('1 rows', async () => (await rows(b)) === 1);
  },

  async 'two variations come from one request, and from the first a branch'(b) {
    await steps(b, 12);
    const before = images();
    await b.click('.composer button[aria-label="Variations"], .composer button[title="Variations"]');
    await b.clickText(':popover-open button', '2');
    await row(b, 'A large red');
    await ask(b, 'Edit', 'The image should be on a yellow background');
    await until('two edits', () => images().length === before.length + 2, 120);
    await settled(b);
    await until('3 rows', async () => (await rows(b)) === 3);
    await b.click('.composer button[aria-label="Variations"], .composer button[title="Variations"]');
    await b.clickText(':popover-open button', '1');
    await until('both to hang on the first', async () => (await b.count('.elbow')) === 2);
    const edits = images().filter((path) => !before.includes(path));
    for (const path of edits) assert.equal(sees(path), 'large red circle at place 4 on yellow', 'each is what was asked for, and the rest stayed');
    await row(b, 'A large red');
    await ask(b, 'Edit', 'Please put a small white square at the top left into the image as well');
    await until('the third edit', () => images().length === before.length + 3, 120);
    await settled(b);
    await until('4 rows', async () => (await rows(b)) === 4);
    const added = images().filter((path) => !before.includes(path) && !edits.includes(path));
    assert.equal(added.length, 1);
    const shown = sees(added[0]);
    assert.ok(shown.includes('small white square at place 0') && shown.includes('large red circle at place 4') && shown.endsWith('on blue'), shown);
    await b.screenshot(join(shots, '04-branches.png'));
  },

  async 'two questions are answered in turn, and an answer becomes an edit'(b) {
    for (const [index, words] of ['Which color is the background?', 'Describe the image'].entries()) {
      await ask(b, 'Chat', words);
      await until('the answer', async () => (await b.count('article .answer:not(.growing)')) === index + 1, 120);
      await b.see('article .question', words);
    }
    const answers = await b.run(`return [...document.querySelectorAll('article .answer')].map((e) => e.textContent.trim())`);
    assert.match(answers[0], /Blue/, 'it has seen the image');
    assert.match(answers[1], /red circle in the center/, answers[1]);
    assert.match(answers[1], /white square in the top left corner/, answers[1]);
    await b.screenshot(join(shots, '05-answers.png'));
    await b.run(`[...document.querySelectorAll('article .tools button')].findLast((e) => e.textContent.includes('Use as Edit Prompt')).click()`);
    await until('the edit line', () => b.run(`return document.querySelector('.composer textarea').value !== ''`));
    assert.equal(await b.run(`return document.querySelector('.composer label.on')?.textContent.trim()`), 'Edit');
    await b.run(
      `const line = document.querySelector('.composer textarea'); line.value = ''; line.dispatchEvent(new Event('input', { bubbles: true }));`,
    );
  },
};

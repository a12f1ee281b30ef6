/**
 * A first start as everybody has it: the pocket model that ships, and no setting touched. Only the seed is given, so
 * that the images can be judged.
 *
 *   node tests/window/first.mjs
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { waitFor } from './driver.mjs';
import { submitPrompt, checkPrograms, setSeed, logPath, openStudio, listImages, countRows, describeImage, waitForIdle, setUp, screenshots, tearDown } from './studio.mjs';

checkPrograms();
let browser;
try {
  await setUp();
  const began = performance.now();
  const since = () => ((performance.now() - began) / 1000).toFixed(1);
  browser = await openStudio();
  const b = browser;
  await b.waitForText('main h2', 'What would you like to create?');
  console.log(`the window is there after ${since()} s, the driver's own start included`);
  await b.waitForText('.welcome', 'pocket');
  await b.screenshot(join(screenshots, '40-first-start.png'));
  await b.click('.welcome .head button');
  await b.waitForText('.dot.ready');
  await setSeed(b, 7);
  await submitPrompt(b, 'Generate', 'a large red circle in the centre on a blue background');
  await waitFor('the first image', () => listImages().length === 1);
  console.log(`the first image is there after ${since()} s`);
  assert.equal(describeImage(listImages()[0]), 'large red circle at place 4 on blue', 'it is what was asked for');
  assert.ok(Number(since()) < 60, 'a minute is enough for a first image');
  await waitForIdle(b);
  await b.screenshot(join(screenshots, '41-first-image.png'));
  const [first] = listImages();
  await submitPrompt(b, 'Edit', 'the picture should be on a yellow background');
  await waitFor('the edit', () => listImages().length === 2);
  assert.equal(describeImage(listImages().find((path) => path !== first)), 'large red circle at place 4 on yellow', 'so is the edit');
  await waitForIdle(b);
  await waitFor('2 rows', async () => (await countRows(b)) === 2);
  await submitPrompt(b, 'Chat', 'Which colour is the background?');
  await waitFor('an answer', async () => (await b.count('article .answer:not(.growing)')) === 1);
  await waitForIdle(b);
  assert.match(await b.text('article .answer'), /yellow/i, 'so is the answer');
  await b.screenshot(join(screenshots, '42-first-edit.png'));
  console.log('first start: passed');
} catch (error) {
  console.error(error);
  console.error(`What the programs said is in ${logPath}.`);
  process.exitCode = 1;
} finally {
  await browser?.close().catch(() => {});
  tearDown();
}

/**
 * A first start as everybody has it: the pocket model that ships, and no setting touched. Only the seed is given, so
 * that the images can be judged.
 *
 *   node tests/window/first.mjs
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { until } from './driver.mjs';
import { ask, checkPrograms, lockSeed, logPath, open, images, rows, sees, settled, setUp, shots, tearDown } from './studio.mjs';

checkPrograms();
let browser;
try {
  await setUp();
  const began = performance.now();
  const since = () => ((performance.now() - began) / 1000).toFixed(1);
  browser = await open();
  const b = browser;
  await b.see('main h2', 'What would you like to create?');
  console.log(`the window is there after ${since()} s, the driver's own start included`);
  await b.see('.welcome', 'pocket');
  await b.screenshot(join(shots, '40-first-start.png'));
  await b.click('.welcome .head button');
  await b.see('.dot.ready', '', 60);
  await lockSeed(b, 7);
  await ask(b, 'Generate', 'a large red circle in the center on a blue background');
  await until('the first image', () => images().length === 1, 60);
  console.log(`the first image is there after ${since()} s`);
  assert.equal(sees(images()[0]), 'large red circle at place 4 on blue', 'it is what was asked for');
  assert.ok(Number(since()) < 60, 'a minute is enough for a first image');
  await settled(b);
  await b.screenshot(join(shots, '41-first-image.png'));
  const [first] = images();
  await ask(b, 'Edit', 'the image should be on a yellow background');
  await until('the edit', () => images().length === 2, 60);
  assert.equal(sees(images().find((path) => path !== first)), 'large red circle at place 4 on yellow', 'so is the edit');
  await settled(b);
  await until('2 rows', async () => (await rows(b)) === 2);
  await ask(b, 'Chat', 'Which color is the background?');
  await until('an answer', async () => (await b.count('article .answer:not(.growing)')) === 1, 60);
  await settled(b);
  assert.match(await b.text('article .answer'), /yellow/i, 'so is the answer');
  await b.screenshot(join(shots, '42-first-edit.png'));
  console.log('first start: passed');
} catch (error) {
  console.error(error);
  console.error(`What the programs said is in ${logPath}.`);
  process.exitCode = 1;
} finally {
  await browser?.close().catch(() => {});
  tearDown();
}

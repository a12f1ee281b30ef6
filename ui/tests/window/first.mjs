/**
 * A first start as everybody has it: no model named, no setting touched, the pocket model that ships.
 *
 *   node tests/window/first.mjs
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { until } from './driver.mjs';

process.env.BAGEL_MODEL = 'pocket';
const { ask, checkPrograms, logPath, open, pictures, rows, settled, setUp, shots, tearDown } = await import('./studio.mjs');

checkPrograms();
let browser;
try {
  await setUp();
  const began = performance.now();
  const since = () => ((performance.now() - began) / 1000).toFixed(1);
  browser = await open();
  const b = browser;
  await b.see('main h2', 'What shall it be?');
  console.log(`the window is there after ${since()} s, the driver's own start included`);
  await b.see('.welcome', 'pocket');
  await b.screenshot(join(shots, '40-first-start.png'));
  await b.click('.welcome .head button');
  await b.see('.dot.ready', '', 60);
  await ask(b, 'Create', 'a large red circle in the centre on a blue background');
  await until('the first picture', () => pictures().length === 1, 60);
  console.log(`the first picture is there after ${since()} s`);
  assert.ok(Number(since()) < 60, 'a minute is enough for a first picture');
  await settled(b);
  await b.screenshot(join(shots, '41-first-picture.png'));
  await ask(b, 'Edit', 'make the circle yellow');
  await until('the edit', () => pictures().length === 2, 60);
  await settled(b);
  assert.equal(await rows(b), 2);
  await ask(b, 'Ask', 'What colour is the background?');
  await until('an answer', () => b.run(`return [...document.querySelectorAll('.answer')].some((it) => it.textContent.replace(/^[^:]*:/, '').trim().length > 1)`), 60);
  await settled(b);
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

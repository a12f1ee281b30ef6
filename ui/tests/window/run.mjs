/**
 * The real window under Xvfb, with the real engine and the pocket model.
 *
 *   node tests/window/run.mjs [PART…]     runs all parts, or those named
 *
 * Needs Xvfb, xdotool, WebKitWebDriver, tauri-driver, gcc with gtk+-3.0, and built programs (see studio.mjs).
 * Screenshots go to artefacts/window. Parts stand on what the parts before them made.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './driver.mjs';
import faults from './parts/faults.mjs';
import files from './parts/files.mjs';
import finding from './parts/finding.mjs';
import making from './parts/making.mjs';
import plans from './parts/plans.mjs';
import { checkPrograms, logPath, open, processesOf, setUp, shots, tearDown } from './studio.mjs';

checkPrograms();
const wanted = process.argv.slice(2);
const parts = Object.entries({ ...making, ...files, ...plans, ...finding, ...faults });
let browser;
let nPassed = 0;

const isStudio = (words) => words[0].endsWith('bagel-studio');
const gone = () => until('the program to be gone', () => processesOf(isStudio).length === 0);

/** The program as a part may restart it; what it gives is the new window. */
const studio = {
  /** Ends it as a loss of power would, with an engine that was held. */
  async killAndOpen(engine) {
    for (const pid of [...processesOf(isStudio), engine]) process.kill(pid, 'SIGKILL');
    await browser.close().catch(() => {});
    await gone();
    return (browser = await open());
  },
  async close() {
    await browser.close().catch(() => {});
    for (const pid of processesOf(isStudio)) process.kill(pid, 'SIGTERM');
    await gone();
  },
  async reopen(...files) {
    return (browser = await open(...files));
  },
};

try {
  await setUp();
  browser = await open();
  for (const [name, part] of parts) {
    if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) continue;
    const began = Date.now();
    await part(browser, studio);
    nPassed += 1;
    console.log(`✓ ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  }
} catch (error) {
  console.error(error);
  console.error(readFileSync(logPath, 'utf8').split('\n').slice(-30).join('\n'));
  // What the window says is all that is left to a log without images.
  console.error(await browser?.run(`return document.body.innerText`).catch((failed) => failed.message));
  await browser?.screenshot(join(shots, 'failed.png')).catch(() => {});
  process.exitCode = 1;
} finally {
  await browser?.close().catch(() => {});
  tearDown();
  console.log(`window: ${String(nPassed)} passed, ${process.exitCode ? '1' : '0'} failed`);
}

/**
 * The real window under Xvfb, with the real engine and the pocket model.
 *
 *   node tests/window/run.mjs [PART…]     runs all parts, or those named
 *
 * Needs Xvfb, xdotool, WebKitWebDriver, tauri-driver, gcc with gtk+-3.0, and built programs (see studio.mjs).
 * Screenshots go to artefacts/window. Each part needs what the parts before it made.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from './driver.mjs';
import faults from './parts/faults.mjs';
import files from './parts/files.mjs';
import finding from './parts/finding.mjs';
import making from './parts/making.mjs';
import plans from './parts/plans.mjs';
import { checkPrograms, logPath, openStudio, findProcesses, setUp, screenshots, tearDown } from './studio.mjs';

checkPrograms();
const wanted = process.argv.slice(2);
const parts = Object.entries({ ...making, ...files, ...plans, ...finding, ...faults });
let browser;
let nPassed = 0;

const isStudio = (words) => words[0].endsWith('bagel-studio');
const waitForExit = () => waitFor('the program to exit', () => findProcesses(isStudio).length === 0);

/** Restarts the program for a part; each returns the new window. */
const studio = {
  /** Kills it as a power failure would, with a suspended engine. */
  async killAndOpen(engine) {
    for (const pid of [...findProcesses(isStudio), engine]) process.kill(pid, 'SIGKILL');
    await browser.close().catch(() => {});
    await waitForExit();
    return (browser = await openStudio());
  },
  async close() {
    await browser.close().catch(() => {});
    for (const pid of findProcesses(isStudio)) process.kill(pid, 'SIGTERM');
    await waitForExit();
  },
  async reopen(...files) {
    return (browser = await openStudio(...files));
  },
};

try {
  await setUp();
  browser = await openStudio();
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
  // A log has no screenshots: the text of the window has to do.
  console.error(await browser?.execute(`return document.body.innerText`).catch((failed) => failed.message));
  await browser?.screenshot(join(screenshots, 'failed.png')).catch(() => {});
  process.exitCode = 1;
} finally {
  await browser?.close().catch(() => {});
  tearDown();
  console.log(`window: ${String(nPassed)} passed, ${process.exitCode ? '1' : '0'} failed`);
}

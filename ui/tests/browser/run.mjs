/**
 * Every view in a real browser, over a program that pretends.
 *
 *   node tests/browser/run.mjs [PART…]     runs all parts, or those whose names hold these words
 *
 * Needs a build (`npm run build`) and Chromium. Figures are printed and never judged.
 */
import { gzipSync } from 'node:zlib';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { launch } from './browser.mjs';
import { serve } from './server.mjs';
import * as abilities from './parts/abilities.mjs';
import * as access from './parts/access.mjs';
import * as bringing from './parts/bringing.mjs';
import * as canvas from './parts/canvas.mjs';
import * as failures from './parts/failures.mjs';
import * as keyboard from './parts/keyboard.mjs';
import * as load from './parts/load.mjs';
import * as hostile from './parts/hostile.mjs';

const shots = join(import.meta.dirname, '../../../artefacts/browser');
mkdirSync(shots, { recursive: true });
const server = await serve();

function budget() {
  const files = readdirSync(join(server.root, 'assets'));
  const zipped = (end, without) =>
    files
      .filter((name) => name.endsWith(end) && !name.startsWith(without))
      .reduce((sum, name) => sum + gzipSync(readFileSync(join(server.root, 'assets', name))).length, 0);
  const [script, style] = [zipped('.js', 'fake'), zipped('.css', '-')];
  console.log(`  script ${(script / 1000).toFixed(1)} kB, style ${(style / 1000).toFixed(1)} kB, compressed`);
  if (script > 150_000) throw new Error('the script is larger than 150 kB');
  if (style > 20_000) throw new Error('the style is larger than 20 kB');
}

const parts = {
  'script and style stay small': budget,
  ...access.parts,
  ...keyboard.parts,
  ...abilities.parts,
  ...bringing.parts,
  ...canvas.parts,
  ...failures.parts,
  ...load.parts,
  ...hostile.parts,
};

const wanted = process.argv.slice(2);
// Of some parts alone nothing follows for all methods.
if (wanted.length === 0) Object.assign(parts, abilities.last);
/** What the parts that use the program asked of it, and what there is to ask. */
const asked = { called: new Set(), methods: new Set() };
const browser = await launch(['--enable-precise-memory-info']);
const began = Date.now();
const broken = [];
/** Parts that needed a second try. */
const unsteady = [];
let [passed, shot] = [0, 0];

/** A page on the pretended program; whatever goes wrong in it fails the part. */
function opener(problems) {
  return async function open(query = '', { context = {}, init, words } = {}) {
    const own = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US', reducedMotion: 'reduce', ...context });
    await own.grantPermissions(['clipboard-read', 'clipboard-write']);
    const page = await own.newPage();
    // A machine that does other things at the same time is slow, not wrong.
    page.setDefaultTimeout(60_000);
    page.on('pageerror', (error) => problems.push(`error in the page: ${error.message}`));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(server.address) && !url.startsWith('data:') && !url.startsWith('blob:')) {
        problems.push(`asked for ${url.slice(0, 120)}`);
      }
    });
    await page.exposeFunction('reportViolation', (text) => problems.push(text));
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) =>
        window.reportViolation(`policy violation: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`),
      );
    });
    if (words) await page.addInitScript((texts) => (globalThis.fakeWords = texts), words);
    if (init) await page.addInitScript(init);
    const options = { pace: '0.02', language: 'en', ...Object.fromEntries(new URLSearchParams(query)) };
    await page.goto(`${server.address}/?${String(new URLSearchParams(options))}`);
    await page.waitForSelector('header .dot:not(.starting)');
    return page;
  };
}

/** Remembers what the open pages asked for. */
async function remember() {
  for (const page of browser.contexts().flatMap((context) => context.pages())) {
    const { calls, methods } = await page.evaluate(() => ({ calls: globalThis.puppet.calls.map(({ name }) => name), methods: globalThis.puppet.methods() }));
    for (const call of calls) asked.called.add(call);
    for (const method of methods) asked.methods.add(method);
  }
}

/** Runs a part: null, or what was wrong with it, and whether the page did that or only the part did not get there. */
async function run(name, part) {
  const problems = [];
  let failure = null;
  try {
    await part({ open: opener(problems), problems, ...asked });
    if (name in keyboard.parts || name in abilities.parts) await remember();
    if (problems.length > 0) throw new Error(problems.slice(0, 8).join('\n'));
  } catch (error) {
    shot += 1;
    const page = browser.contexts().at(-1)?.pages().at(-1);
    await page?.screenshot({ path: join(shots, `failed-${String(shot)}.png`) }).catch(() => {});
    failure = { text: `✗ ${name}\n${[error.stack ?? String(error), ...problems.slice(0, 8)].join('\n')}`, byPage: problems.length > 0 };
    console.error(failure.text);
  }
  await Promise.all(browser.contexts().map((context) => context.close()));
  return failure;
}

for (const [name, part] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) continue;
  const start = Date.now();
  let failure = await run(name, part);
  if (failure && !failure.byPage) {
    // On a busy machine a part can miss its moment; what a page did wrong is never excused.
    failure = await run(name, part);
    if (!failure) unsteady.push(name);
  }
  if (failure) broken.push(failure.text);
  else {
    passed += 1;
    console.log(`✓ ${name} (${((Date.now() - start) / 1000).toFixed(1)} s${unsteady.includes(name) ? ', at the second try' : ''})`);
  }
}

await browser.close();
server.close();
// Again where a long log ends.
if (broken.length > 0) console.error(`\n${broken.join('\n')}`);
if (unsteady.length > 0) console.log(`at the second try: ${unsteady.join('; ')}`);
console.log(`browser: ${String(passed)} passed, ${String(broken.length)} failed in ${((Date.now() - began) / 1000).toFixed(0)} s`);
process.exitCode = broken.length === 0 && passed > 0 ? 0 : 1;

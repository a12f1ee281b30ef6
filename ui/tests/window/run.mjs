/**
 * The real window under Xvfb, with a real engine and a small model.
 *
 *   node tests/window/run.mjs [PART…]     runs all parts, or those named
 *
 * Needs Xvfb, xdotool, WebKitWebDriver, tauri-driver, gcc with gtk+-3.0, and built
 * programs: BAGEL_STUDIO and BAGEL_ENGINE name them where they are not in target/debug,
 * BAGEL_MODEL names the model. Screenshots go to artefacts/window.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Browser, sleep, until } from './driver.mjs';

const root = resolve(import.meta.dirname, '../../..');
const program = process.env.BAGEL_STUDIO ?? join(root, 'target/debug/bagel-studio');
const engine = process.env.BAGEL_ENGINE ?? join(root, 'target/debug/bagel');
const model = process.env.BAGEL_MODEL ?? join(root, 'src-tauri/crates/bagel/tests/golden/mini/model');
const picture = join(root, 'src-tauri/crates/bagel/tests/golden/mini/images/wide.png');
const shots = join(root, 'artefacts/window');
const port = Number(process.env.BAGEL_WINDOW_PORT ?? 4610);
const display = `:${port % 100}`;

for (const path of [program, engine, model]) {
  if (!existsSync(path)) {
    console.error(`${path} is missing: build it first, with \`cargo xtask test\` or \`cargo build\``);
    process.exit(1);
  }
}

const data = mkdtempSync(join(tmpdir(), 'bagel-studio-'));
const processes = [];
const env = {
  ...process.env,
  DISPLAY: display,
  BAGEL_STUDIO_DATA: join(data, 'studio'),
  BAGEL_ENGINE: engine,
  BAGEL_MODEL: model,
  // Settings of the web view stay with this run.
  XDG_DATA_HOME: join(data, 'share'),
  XDG_CACHE_HOME: join(data, 'cache'),
  LANG: 'en_US.UTF-8',
};

function start(command, args, options = {}) {
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'inherit'], ...options });
  child.on('error', (error) => {
    console.error(`${command} does not start: ${error.message}`);
    process.exitCode = 1;
  });
  processes.push(child);
  return child;
}

const pictures = () => {
  const folder = join(data, 'studio/pictures');
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.png')) : [];
};

/** The engine of this run: the one whose environment names this run's folder. */
function enginePid() {
  const found = readdirSync('/proc').find((pid) => {
    try {
      const isOurs = readFileSync(`/proc/${pid}/environ`, 'utf8').includes(data);
      return isOurs && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[1] === 'engine';
    } catch {
      return false;
    }
  });
  assert.ok(found, 'the engine runs');
  return Number(found);
}

const xdotool = (...args) => execFileSync('xdotool', args.map(String), { env }).toString().trim();

/** Answers the system's own file dialog with a path. */
async function answerDialog(title, path) {
  const id = await until(`the dialog “${title}”`, () => xdotool('search', '--onlyvisible', '--name', title).split('\n').at(-1));
  await sleep(500);
  xdotool('windowfocus', '--sync', id);
  xdotool('key', '--clearmodifiers', 'ctrl+a');
  // The first letter opens the line for a path, which swallows what comes too soon.
  xdotool('type', path[0]);
  await sleep(700);
  xdotool('type', '--delay', 20, path.slice(1));
  await sleep(300);
  xdotool('key', 'Return');
}

/** Types an instruction and sends it. */
async function ask(b, mode, words) {
  await b.clickText('.composer label', mode);
  await b.type('textarea', words);
  await b.click('button.run');
}

const rows = (b) => b.count('[data-row]');
const settled = (b) => until('the queue to be empty', async () => (await b.count('.progress')) === 0);

async function steps(b, n) {
  await b.clickText('[role=tab]', 'Dials');
  await b.run(
    `const dial = [...document.querySelectorAll('.dials .slider')].find((e) => e.textContent.includes('Steps')).querySelector('input');
     dial.value = arguments[0]; dial.dispatchEvent(new Event('input', { bubbles: true }));`,
    String(n),
  );
}

const parts = {
  async 'the window opens and the model is ready'(b) {
    await b.see('main h1', 'What shall it be?');
    await b.screenshot(join(shots, '1-start.png'));
    await b.see('.dot.ready', '', 120);
    // Letters and icons come from the program itself.
    assert.equal(await b.run('return document.fonts.check("13px \\"Inter Variable\\"")'), true);
  },

  async 'a picture is created, its steps are seen, and it is saved with its recipe'(b) {
    await steps(b, 40);
    await ask(b, 'Create', 'A small boat on a quiet lake');
    await until('a preview', () => b.run(`return document.querySelector('.frame img')?.src.includes('/preview/')`));
    await b.see('.progress .label', 'Step');
    await b.screenshot(join(shots, '2-painting.png'));
    await settled(b);
    await until('the picture in place', () => b.run(`return document.querySelector('.frame img')?.src.includes('/picture/')`));
    assert.equal(pictures().length, 1);
    const bytes = readFileSync(join(data, 'studio/pictures', pictures()[0]), 'latin1');
    assert.ok(bytes.includes('bagel-recipe') && bytes.includes('quiet lake'), 'the recipe is in the file');
    assert.ok(await b.run(`return document.querySelector('.frame img').naturalWidth > 0`));
    await b.screenshot(join(shots, '3-created.png'));
  },

  async 'stopping leaves no picture'(b) {
    const before = pictures().length;
    await steps(b, 100);
    await ask(b, 'Create', 'Another one');
    await b.see('.progress .label', 'Step 2');
    await b.clickText('.progress button', 'Stop');
    await settled(b);
    assert.equal(pictures().length, before);
    assert.equal(await rows(b), 1);
  },

  async 'a file dragged onto the window opens'(b) {
    const source = join(data, 'drag-source');
    const flags = execFileSync('pkg-config', ['--cflags', '--libs', 'gtk+-3.0']).toString().trim().split(/\s+/);
    execFileSync('gcc', [join(import.meta.dirname, 'drag_source.c'), '-o', source, ...flags]);
    const dragged = start(source, [picture]);
    xdotool('search', '--sync', '--onlyvisible', '--name', 'drag source');
    await sleep(500);
    xdotool('mousemove', 1500, 930, 'mousedown', 1);
    for (let step = 0; step <= 12; step += 1) {
      xdotool('mousemove', 1500 - step * 65, 930 - step * 42);
      await sleep(60);
    }
    await b.see('.veil', 'Drop to open');
    await b.screenshot(join(shots, '4-dragging.png'));
    xdotool('mouseup', 1);
    await b.see('[data-row] .title', 'wide.png');
    dragged.kill();
    await until('the mode', () => b.run(`return document.querySelector('.composer label.on')?.textContent.trim() === 'Edit'`));
    assert.equal(await b.count('.veil'), 0);
  },

  async 'it is edited, and edited again from the beginning: a branch'(b) {
    await steps(b, 8);
    for (const words of ['Make it warmer', 'Add a moon']) {
      const before = await rows(b);
      await b.run(`document.querySelector('[data-row]').click()`);
      await ask(b, 'Edit', words);
      await until(`“${words}”`, async () => (await rows(b)) === before + 1 && (await b.count('.progress')) === 0);
    }
    assert.equal(await b.count('.elbow'), 2, 'both hang on the first');
    await b.screenshot(join(shots, '5-branch.png'));
  },

  async 'a copy is saved where the artist wants it'(b) {
    const copy = join(data, 'copy.jpg');
    await b.clickText('.toolbar button', 'Save a copy');
    await answerDialog('Save', copy);
    await b.see('.notice', 'Saved as copy.jpg');
    assert.equal(readFileSync(copy).readUInt16BE(0), 0xffd8, 'a JPEG, as its name says');
  },

  async 'a picture is opened from a dialog'(b) {
    await b.run(`window.dispatchEvent(new KeyboardEvent('keydown', { key: 'o', ctrlKey: true, bubbles: true }))`);
    await answerDialog('Open', join(root, 'src-tauri/crates/bagel/tests/golden/mini/images/alpha.png'));
    await b.see('[data-row] .title', 'alpha.png');
    await b.run(`document.querySelector('.grid button').click()`);
  },

  async 'a question is answered, and stays'(b) {
    await ask(b, 'Ask', 'What is in this picture?');
    await b.see('article .question', 'What is in this picture?');
    await b.see('article .tools', 'Copy');
    assert.notEqual(await b.text('article .answer'), '');
    await b.screenshot(join(shots, '6-answer.png'));
  },

  async 'a pasted picture begins a piece'(b) {
    await b.run(
      `const bytes = Uint8Array.from(atob(arguments[0]), (c) => c.charCodeAt(0));
       const data = new DataTransfer();
       data.items.add(new File([bytes], 'x.png', { type: 'image/png' }));
       window.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));`,
      readFileSync(picture).toString('base64'),
    );
    await b.see('[data-row] .title', 'clipboard');
  },

  async 'an engine that dies fails its job in words, and the next one runs'(b) {
    await steps(b, 100);
    await ask(b, 'Edit', 'Something long');
    await b.see('.progress .label', 'Step 1');
    process.kill(enginePid(), 'SIGKILL');
    await b.see('[role=alert]', 'Your pictures are safe.');
    await b.screenshot(join(shots, '7-failure.png'));
    await b.see('.dot.ready', '', 120);
    await b.clickText('[role=alert] button', 'Try again');
    assert.equal(await b.run(`return document.querySelector('textarea').value`), 'Something long');
    await steps(b, 6);
    await b.click('button.run');
    await b.see('[data-row] .detail', 'edited', 120);
  },

  async 'the page can be loaded again in the middle of work'(b) {
    await steps(b, 100);
    const names = ['Slow work', 'Slower work', 'Last work'];
    const before = pictures().length;
    for (const name of names) await ask(b, 'Edit', name);
    await b.run('location.reload()');
    await sleep(500);
    await b.see('.dot.ready', '', 60);
    // What was queued goes on without the page and is painted to its end.
    await until('the queued work to be saved', () => pictures().length === before + names.length, 90);
    await settled(b);
  },

  async 'Chinese and light show everywhere at once'(b) {
    await b.run(`document.querySelectorAll('header [popovertarget]')[1].click()`);
    await b.clickText('.settings label', '中文');
    await b.clickText('.settings label', '浅色');
    await b.run(`document.querySelector('.panel:popover-open').hidePopover()`);
    await b.see('aside h2', '历史');
    await b.screenshot(join(shots, '8-chinese-light.png'));
  },

  async 'the page reaches nothing but the program'(b) {
    const refused = await b.run(`
      const { invoke } = window.__TAURI_INTERNALS__;
      const tried = [
        ...['plugin:window|close', 'plugin:fs|read_file', 'plugin:shell|execute', 'plugin:event|listen', 'no_such']
          .map((command) => [command, invoke(command, {})]),
        ['fetch', fetch('https://example.org/')],
        ['fetch a file', fetch('file:///etc/passwd')],
      ];
      return Promise.all(tried.map(([name, attempt]) => attempt.then(() => name + ' was allowed', () => null)))
        .then((results) => results.filter(Boolean));`);
    assert.deepEqual(refused, []);
    const address = await b.run('return location.href');
    await b.run(`window.open('https://example.org/'); location.href = 'https://example.org/';`);
    await sleep(500);
    assert.equal(await b.run('return location.href'), address);
    const inline = await b.run(`
      const script = document.createElement('script');
      script.textContent = 'window.wasRun = true';
      document.head.append(script);
      return window.wasRun === undefined;`);
    assert.ok(inline, 'an inline script does not run');
    for (const path of ['picture/../../index.json', 'picture/x', 'preview/', 'nothing/else']) {
      const size = await b.run(
        `return new Promise((resolve) => { const image = new Image(); image.onload = () => resolve(image.width); image.onerror = () => resolve(0); image.src = 'image://localhost/' + arguments[0]; })`,
        path,
      );
      assert.equal(size, 0, path);
    }
  },
};

const wanted = process.argv.slice(2);
mkdirSync(shots, { recursive: true });
let browser;
try {
  start('Xvfb', [display, '-screen', '0', '1600x1000x24'], { env: process.env });
  await sleep(1000);
  start('tauri-driver', ['--port', String(port), '--native-port', String(port + 1)]);
  browser = await Browser.open(`http://127.0.0.1:${port}`, { 'tauri:options': { application: program } });
  await browser.resize(1440, 900);
  for (const [name, part] of Object.entries(parts)) {
    if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) continue;
    const began = Date.now();
    await part(browser);
    console.log(`✓ ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  }
} catch (error) {
  console.error(error);
  await browser?.screenshot(join(shots, 'failed.png')).catch(() => {});
  process.exitCode = 1;
} finally {
  await browser?.close().catch(() => {});
  for (const child of processes.reverse()) child.kill();
  rmSync(data, { recursive: true, force: true });
}

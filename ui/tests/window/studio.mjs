/**
 * The real program in a real window: its display, its data, and what a person does with it.
 *
 * BAGEL_STUDIO, BAGEL_ENGINE and BAGEL_JUDGE name the programs where they are not in target/debug. BAGEL_MODEL names a model;
 * without it the choice is the program's, as for everybody who starts it: the pocket model that ships.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Browser, sleep, waitFor } from './driver.mjs';

export const root = resolve(import.meta.dirname, '../../..');
export const screenshots = join(root, 'artefacts/window');
const model = process.env.BAGEL_MODEL ?? '';
const program = process.env.BAGEL_STUDIO ?? join(root, 'target/debug/bagel-studio');
const judge = process.env.BAGEL_JUDGE ?? join(root, 'target/debug/judge');
const engine = process.env.BAGEL_ENGINE ?? join(root, 'target/debug/bagel');
const goldenImages = join(root, 'src-tauri/crates/bagel/tests/golden/mini/images');
export const wide = join(goldenImages, 'wide.png');
export const alpha = join(goldenImages, 'alpha.png');

const port = Number(process.env.BAGEL_WINDOW_PORT ?? 4610);
const display = `:${port % 100}`;
export const data = mkdtempSync(join(tmpdir(), 'bagel-studio-'));
/** The program's data. */
export const library = join(data, 'studio');
export const env = {
  ...process.env,
  DISPLAY: display,
  BAGEL_STUDIO_DATA: library,
  BAGEL_ENGINE: engine,
  BAGEL_MODEL: model,
  // Settings of the web view stay with this run.
  XDG_DATA_HOME: join(data, 'share'),
  XDG_CACHE_HOME: join(data, 'cache'),
  XDG_CONFIG_HOME: join(data, 'config'),
  LANG: 'en_US.UTF-8',
};
const processes = [];
mkdirSync(screenshots, { recursive: true });
/** The output of the programs, shown when a part fails. */
export const logPath = join(screenshots, 'programs.log');
const log = openSync(logPath, 'w');

/** Exits with one line if a program is not built. */
export function checkPrograms() {
  for (const path of [program, engine, judge, ...(model === '' ? [] : [model])]) {
    if (!existsSync(path)) {
      console.error(`${path} is missing: build it first, with \`cargo xtask test\` or \`cargo build\``);
      process.exit(1);
    }
  }
}

export function startProcess(command, args, options = {}) {
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', log], ...options });
  child.on('error', (error) => {
    console.error(`${command} does not start: ${error.message}`);
    process.exitCode = 1;
  });
  processes.push(child);
  return child;
}

/** Starts a virtual display and the driver of the window. */
export async function setUp() {
  // Without -noreset the server restarts when its last client leaves, and refuses one that starts at that moment.
  startProcess('Xvfb', [display, '-screen', '0', '1600x1000x24', '-noreset'], { env: process.env });
  await waitFor('the display', () => xdotool('getdisplaygeometry'));
  startProcess('tauri-driver', ['--port', String(port), '--native-port', String(port + 1)]);
}

/** Starts the program in the driver, with files as its arguments. */
export async function openStudio(...args) {
  const b = await Browser.connect(`http://127.0.0.1:${port}`, { 'tauri:options': { application: program, args } });
  await b.resize(1440, 900);
  return b;
}

export function tearDown() {
  for (const child of processes.reverse()) child.kill();
  rmSync(data, { recursive: true, force: true });
}

/** Starts the program a second time, as a file manager does, and waits for its exit. */
export function startAgain(...args) {
  return new Promise((done) => {
    startProcess(program, args, { stdio: 'ignore' }).on('exit', done);
  });
}

/** Starts the program without a driver. */
export const startStudio = () => startProcess(program, []);

/** Paths of the image files in the library. */
export function listImages() {
  const folder = join(library, 'library/images');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .filter((name) => /\.(png|jpg|jpeg|webp)$/.test(name))
    .map((name) => join(folder, name));
}

/** Describes an image of the pocket model by its pixels: “large red circle at place 4 on blue”. */
export const describeImage = (path) => execFileSync(judge, [path], { env }).toString().trim();

/** Ids of this run's processes whose command line matches. */
export function findProcesses(isWanted) {
  return readdirSync('/proc')
    .filter((pid) => {
      try {
        if (!/^\d+$/.test(pid)) return false;
        const isOurs = readFileSync(`/proc/${pid}/environ`, 'utf8').includes(data);
        return isOurs && isWanted(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'));
      } catch {
        return false;
      }
    })
    .map(Number);
}

export function findEngine() {
  const [found] = findProcesses((words) => words[1] === 'engine');
  assert.ok(found, 'the engine is not running');
  return found;
}

export const xdotool = (...args) => execFileSync('xdotool', args.map(String), { env }).toString().trim();

/** The id of the program's window on the display. */
export const findWindow = () => xdotool('search', '--onlyvisible', '--name', 'Bagel Studio').split('\n')[0];

/** Presses keys through the display, in the program's window. */
export function pressOnDisplay(...keys) {
  xdotool('windowfocus', '--sync', findWindow());
  xdotool('key', '--clearmodifiers', ...keys);
}

/** Compiles a helper program at its first use, and returns its path. */
export function compile(name) {
  const output = join(data, name);
  if (!existsSync(output)) {
    const flags = execFileSync('pkg-config', ['--cflags', '--libs', 'gtk+-3.0', 'x11']).toString().trim().split(/\s+/);
    execFileSync('gcc', [join(import.meta.dirname, `${name}.c`), '-o', output, ...flags]);
  }
  return output;
}

/** Asks the window to close, as the button of its frame does. */
export const requestClose = () => execFileSync(compile('close_request'), [findWindow()], { env });

/** Enters a path in the system's file dialog. */
export async function answerDialog(title, path) {
  const id = await waitFor(`the dialog “${title}”`, () => xdotool('search', '--onlyvisible', '--name', title).split('\n').at(-1));
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

/** Presses a key in the page, outside any field. */
export function pressKey(b, name, modifiers = {}) {
  return b.execute(
    `document.activeElement?.blur();
     window.dispatchEvent(new KeyboardEvent('keydown', { key: arguments[0], bubbles: true, cancelable: true, ...arguments[1] }));
     window.dispatchEvent(new KeyboardEvent('keyup', { key: arguments[0], bubbles: true, ...arguments[1] }));`,
    name,
    modifiers,
  );
}

/** Types a prompt and sends it by key; `\uE009\uE007` is Ctrl with Enter. */
export async function submitPrompt(b, mode, words) {
  await b.clickText('.composer label', mode);
  await b.type('.composer textarea', `${words}\uE009\uE007`);
  await waitFor('the prompt to be sent', () => b.execute(`return document.querySelector('.composer textarea').value === ''`));
}

/** Opens a menu by its button, and chooses an entry. */
export async function chooseFromMenu(b, button, entry) {
  await b.click(button);
  await b.clickText(':popover-open button', entry);
}

export const countRows = (b) => b.count('[data-row]');
export const clickRow = (b, words) => b.clickText('[data-row]', words);
export const waitForIdle = (b) => waitFor('the queue to be empty', async () => (await b.count('.progress')) === 0);
/** Waits for a preview of an image, suspends the engine there and returns its process id. */
export async function suspendWhileDenoising(b) {
  const seen = `return Boolean(document.querySelector('.frame img')?.src.includes('/preview/') && document.querySelector('.progress .label')?.textContent.includes('Step'))`;
  await waitFor('a preview and its step', () => b.execute(seen));
  const engine = findEngine();
  process.kill(engine, 'SIGSTOP');
  return engine;
}

/** Waits for a text in the label of the running job. */
export const waitForProgress = (b, words) => b.waitForText('.progress .label', words);

/** Sets the seed of the images that follow. Each variation takes the next one. */
export async function setSeed(b, seed) {
  await b.click('[role=tab][data-tab=parameters]');
  await b.execute(
    `const field = document.querySelector('.parameters .seed input');
     field.value = arguments[0]; field.dispatchEvent(new Event('change', { bubbles: true }));`,
    String(seed),
  );
}

/** Sets the steps of an image. Each kind of request has its own parameters. */
export async function setSteps(b, n, mode = 'Edit') {
  await b.clickText('.composer label', mode);
  await b.click('[role=tab][data-tab=parameters]');
  await b.execute(
    `const parameter = [...document.querySelectorAll('.parameters .slider')].find((e) => e.textContent.includes('Steps')).querySelector('input');
     parameter.value = arguments[0]; parameter.dispatchEvent(new Event('input', { bubbles: true }));`,
    String(n),
  );
}

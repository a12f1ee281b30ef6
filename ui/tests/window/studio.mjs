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
import { Browser, sleep, until } from './driver.mjs';

export const root = resolve(import.meta.dirname, '../../..');
export const shots = join(root, 'artefacts/window');
const model = process.env.BAGEL_MODEL ?? '';
const program = process.env.BAGEL_STUDIO ?? join(root, 'target/debug/bagel-studio');
const judge = process.env.BAGEL_JUDGE ?? join(root, 'target/debug/judge');
const engine = process.env.BAGEL_ENGINE ?? join(root, 'target/debug/bagel');
const images = join(root, 'src-tauri/crates/bagel/tests/golden/mini/images');
export const wide = join(images, 'wide.png');
export const alpha = join(images, 'alpha.png');

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
mkdirSync(shots, { recursive: true });
/** What the programs say; it is shown when a part fails. */
export const logPath = join(shots, 'programs.log');
const log = openSync(logPath, 'w');

/** Fails with one line where something was not built. */
export function checkPrograms() {
  for (const path of [program, engine, judge, ...(model === '' ? [] : [model])]) {
    if (!existsSync(path)) {
      console.error(`${path} is missing: build it first, with \`cargo xtask test\` or \`cargo build\``);
      process.exit(1);
    }
  }
}

export function start(command, args, options = {}) {
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', log], ...options });
  child.on('error', (error) => {
    console.error(`${command} does not start: ${error.message}`);
    process.exitCode = 1;
  });
  processes.push(child);
  return child;
}

/** A display without a screen, and what drives the window on it. */
export async function setUp() {
  // It would begin anew when the last program leaves, and refuse one that starts just then.
  start('Xvfb', [display, '-screen', '0', '1600x1000x24', '-noreset'], { env: process.env });
  await sleep(1000);
  start('tauri-driver', ['--port', String(port), '--native-port', String(port + 1)]);
}

/** Starts the program, with files if it is given some. */
export async function open(...args) {
  const b = await Browser.open(`http://127.0.0.1:${port}`, { 'tauri:options': { application: program, args } });
  await b.resize(1440, 900);
  return b;
}

export function tearDown() {
  for (const child of processes.reverse()) child.kill();
  rmSync(data, { recursive: true, force: true });
}

/** Starts the program a second time, as a file manager does; gives its exit. */
export function openWith(...args) {
  return new Promise((done) => {
    start(program, args, { stdio: 'ignore' }).on('exit', done);
  });
}

/** Starts the program as a person does, without a driver. */
export const startStudio = () => start(program, []);

/** Files of images in the library. */
export function images() {
  const folder = join(library, 'library/images');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .filter((name) => /\.(png|jpg|jpeg|webp)$/.test(name))
    .map((name) => join(folder, name));
}

/** What an image of the pocket model's world shows, read from its pixels: “large red circle at place 4 on blue”. */
export const sees = (path) => execFileSync(judge, [path], { env }).toString().trim();

/** Processes of this run that a test of their command line takes. */
export function processesOf(isWanted) {
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

export function enginePid() {
  const [found] = processesOf((words) => words[1] === 'engine');
  assert.ok(found, 'the engine runs');
  return found;
}

export const xdotool = (...args) => execFileSync('xdotool', args.map(String), { env }).toString().trim();

/** The window of the program, as the display knows it. */
export const windowId = () => xdotool('search', '--onlyvisible', '--name', 'Bagel Studio').split('\n')[0];

/** Presses keys on the display's own keyboard, in the program's window. */
export function press(...keys) {
  xdotool('windowfocus', '--sync', windowId());
  xdotool('key', '--clearmodifiers', ...keys);
}

/** A small program of ours beside the window, compiled when it is first wanted. */
export function compiled(name) {
  const made = join(data, name);
  if (!existsSync(made)) {
    const flags = execFileSync('pkg-config', ['--cflags', '--libs', 'gtk+-3.0', 'x11']).toString().trim().split(/\s+/);
    execFileSync('gcc', [join(import.meta.dirname, `${name}.c`), '-o', made, ...flags]);
  }
  return made;
}

/** Wishes the window to be closed, as its frame does. */
export const wishClosed = () => execFileSync(compiled('close_wish'), [windowId()], { env });

/** Answers the system's own file dialog with a path. */
export async function answerDialog(title, path) {
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

/** Presses a key in the page, outside of any field. */
export function key(b, name, modifiers = {}) {
  return b.run(
    `document.activeElement?.blur();
     window.dispatchEvent(new KeyboardEvent('keydown', { key: arguments[0], bubbles: true, cancelable: true, ...arguments[1] }));
     window.dispatchEvent(new KeyboardEvent('keyup', { key: arguments[0], bubbles: true, ...arguments[1] }));`,
    name,
    modifiers,
  );
}

/** Types an prompt and sends it by key; `\uE009\uE007` is Ctrl with Enter. */
export async function ask(b, mode, words) {
  await b.clickText('.composer label', mode);
  await b.type('.composer textarea', `${words}\uE009\uE007`);
  await until('it is sent', () => b.run(`return document.querySelector('.composer textarea').value === ''`));
}

/** Chooses an entry of a menu that a button opens. */
export async function choose(b, button, entry) {
  await b.click(button);
  await b.clickText(':popover-open button', entry);
}

export const rows = (b) => b.count('[data-row]');
export const row = (b, words) => b.clickText('[data-row]', words);
export const settled = (b) => until('the queue to be empty', async () => (await b.count('.progress')) === 0, 120);
/** Waits until an image grows, and holds the engine there. */
export async function holdWhilePainting(b) {
  const seen = `return Boolean(document.querySelector('.frame img')?.src.includes('/preview/') && document.querySelector('.progress .label')?.textContent.includes('Step'))`;
  await until('a preview and its step', () => b.run(seen));
  const engine = enginePid();
  process.kill(engine, 'SIGSTOP');
  return engine;
}

/** Whether a text stands in the middle of the line of what runs. */
export const working = (b, words) => b.see('.progress .label', words);

/** Takes the chance out of the images that follow; their variations count on from it. */
export async function lockSeed(b, seed) {
  await b.click('[role=tab][data-tab=parameters]');
  await b.run(
    `const field = document.querySelector('.parameters .seed input');
     field.value = arguments[0]; field.dispatchEvent(new Event('change', { bubbles: true }));`,
    String(seed),
  );
}

/** Sets how many steps an image takes; each kind of request has parameters of its own. */
export async function steps(b, n, mode = 'Edit') {
  await b.clickText('.composer label', mode);
  await b.click('[role=tab][data-tab=parameters]');
  await b.run(
    `const parameter = [...document.querySelectorAll('.parameters .slider')].find((e) => e.textContent.includes('Steps')).querySelector('input');
     parameter.value = arguments[0]; parameter.dispatchEvent(new Event('input', { bubbles: true }));`,
    String(n),
  );
}

/** Images in and out: dragged, opened, pasted, handed over; saved, and dropped back with their recipe. */
import assert from 'node:assert/strict';
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep, waitFor } from '../driver.mjs';
import { alpha, answerDialog, compile, data, pressKey, startAgain, listImages, pressOnDisplay, countRows, screenshots, startProcess, wide, findWindow, xdotool } from '../studio.mjs';

/** Moves the pointer with its button held, as a hand does. */
async function carry(from, to) {
  xdotool('mousemove', ...from, 'mousedown', 1);
  for (let step = 0; step <= 12; step += 1) {
    xdotool('mousemove', ...from.map((start, i) => Math.round(start + ((to[i] - start) * step) / 12)));
    // GTK merges movements that come too close together, and a drag needs several.
    await sleep(60);
  }
}

/** Drags a file from another program over the window and lets it go there. */
async function drag(b, path, seen) {
  const dragged = startProcess(compile('drag_source'), [path]);
  xdotool('search', '--sync', '--onlyvisible', '--name', 'drag source');
  await sleep(500);
  await carry([1500, 930], [720, 426]);
  await b.waitForText('.drop-overlay', 'Drop to open');
  await seen?.();
  xdotool('mouseup', 1);
  await waitFor('the drop overlay to close', async () => (await b.count('.drop-overlay')) === 0);
  dragged.kill();
}

/** Where an element's middle is on the screen; the window has no frame there. */
async function findMiddle(b, css) {
  const place = Object.fromEntries(xdotool('getwindowgeometry', '--shell', findWindow()).split('\n').map((line) => line.split('=')));
  const [x, y] = await b.execute(
    `const box = document.querySelector(arguments[0]).getBoundingClientRect();
     return [box.x + box.width / 2, box.y + box.height / 2];`,
    css,
  );
  return [Math.round(Number(place.X) + x), Math.round(Number(place.Y) + y)];
}

/** Drags what is in the middle of an element to another program; gives the addresses that arrive there. */
async function dragOut(b, css, seen) {
  const printed = join(data, 'dropped.txt');
  const target = startProcess(compile('drop_target'), [], { stdio: ['ignore', openSync(printed, 'w'), 'ignore'] });
  xdotool('search', '--sync', '--onlyvisible', '--name', 'drop target');
  await sleep(500);
  await carry(await findMiddle(b, css), [1500, 930]);
  await sleep(300);
  await seen?.();
  xdotool('mouseup', 1);
  const lines = await waitFor('what was dropped', () => ((words) => words.at(-1) === 'end' && words)(readFileSync(printed, 'utf8').trim().split('\n')));
  target.kill();
  return lines.slice(0, -1).map((line) => fileURLToPath(line));
}

export default {
  async 'a file dragged onto the window opens'(b) {
    await drag(b, wide, () => b.screenshot(join(screenshots, '06-dragging.png')));
    await b.waitForText('[data-row] .title', 'wide.png');
    await waitFor('the mode', () => b.execute(`return document.querySelector('.composer label.on')?.textContent.trim() === 'Edit'`));
  },

  async 'an image is opened from a dialog'(b) {
    await pressKey(b, 'o', { ctrlKey: true });
    await answerDialog('Open', alpha);
    await b.waitForText('[data-row] .title', 'alpha.png');
  },

  async 'a pasted image that the library has is not made twice'(b) {
    await b.execute(
      `const bytes = Uint8Array.from(atob(arguments[0]), (c) => c.charCodeAt(0));
       const data = new DataTransfer();
       data.items.add(new File([bytes], 'x.png', { type: 'image/png' }));
       window.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));`,
      readFileSync(wide).toString('base64'),
    );
    await b.waitForText('[data-row] .title', 'wide.png');
    await waitFor('1 rows', async () => (await countRows(b)) === 1);
  },

  async 'an image goes through the system’s clipboard and back, and is known again'(b) {
    const before = listImages().length;
    await b.execute(`document.activeElement?.blur(); document.querySelectorAll('.toast button[aria-label="Dismiss"]').forEach((e) => e.click())`);
    pressOnDisplay('ctrl+c');
    await b.waitForText('.toast', 'Copied');
    pressOnDisplay('ctrl+v');
    await b.waitForText('.toast', 'already in the library');
    assert.equal(listImages().length, before);
    await b.waitForText('[data-row] .title', 'wide.png');
    await waitFor('1 rows', async () => (await countRows(b)) === 1);
  },

  async 'a second start hands its file over to the window that is open'(b) {
    await startAgain(alpha);
    await b.waitForText('[data-row] .title', 'alpha.png');
  },

  async 'a start with files opens the one, and says what is wrong with the other'(_, studio) {
    const broken = join(data, 'broken.png');
    writeFileSync(broken, 'no image');
    await studio.close();
    const b = await studio.reopen(alpha, broken);
    await b.waitForText('[data-row][aria-current=true] .title', 'alpha.png');
    await b.waitForText('.toast', 'broken.png');
    await b.click('.toast [aria-label="Dismiss"]');
  },

  async 'a copy is saved where the artist wants it, and dropped back it offers its recipe'(b) {
    await pressKey(b, 'g');
    await b.waitForText('[role=gridcell][data-position]');
    await b.execute(`document.querySelector('[role=gridcell][data-position][aria-label*="white square"]').dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))`);
    await b.waitForText('[data-row] .title', 'Please put a small white square');
    const copy = join(data, 'copy.png');
    await b.clickText('.toolbar button', 'Export');
    await b.clickText(':popover-open button, :popover-open [role=option]', 'PNG with');
    await answerDialog('Save', copy);
    await b.waitForText('.toast', 'Exported as copy.png');
    assert.ok(readFileSync(copy, 'latin1').includes('Please put a small white square'), 'the recipe went along');
    await drag(b, copy);
    await b.waitForText('.toast', 'recipe');
    await pressKey(b, 'i');
    await b.waitForText('.recipe', 'Please put a small white square');
    await b.screenshot(join(screenshots, '07-recipe.png'));
  },

  async 'images dragged out arrive in another program as files with their names and recipes'(b) {
    const [file, ...others] = await dragOut(b, '.frame img', () => b.screenshot(join(screenshots, '15-dragged-out.png')));
    assert.deepEqual(others, []);
    assert.match(basename(file), /^Please put a small white square.*\.png$/);
    assert.ok(readFileSync(file, 'latin1').includes('white square'), 'the recipe went along');
    assert.equal(await b.count('.drop-overlay'), 0, 'the window does not offer to open its own image');
    await pressKey(b, 'g');
    await b.waitForText('[role=gridcell][data-position]');
    await b.click('[role=gridcell][data-position="1"]');
    await b.execute(`document.querySelector('[role=gridcell][data-position="2"]').dispatchEvent(new MouseEvent('click', { bubbles: true, ctrlKey: true }))`);
    const files = await dragOut(b, '[role=gridcell][data-position="1"]');
    assert.equal(files.length, 2);
    for (const path of files) assert.ok(existsSync(path), path);
    await pressKey(b, 'e');
  },
};

/** Pictures in and out: dragged, opened, pasted, handed over; saved, and dropped back with their recipe. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, until } from '../driver.mjs';
import { alpha, answerDialog, data, key, openWith, rows, shots, start, wide, xdotool } from '../studio.mjs';

/** Drags a file from another program over the window and lets it go there. */
async function drag(b, path, seen) {
  const source = join(data, 'drag-source');
  if (!existsSync(source)) {
    const flags = execFileSync('pkg-config', ['--cflags', '--libs', 'gtk+-3.0']).toString().trim().split(/\s+/);
    execFileSync('gcc', [join(import.meta.dirname, '../drag_source.c'), '-o', source, ...flags]);
  }
  const dragged = start(source, [path]);
  xdotool('search', '--sync', '--onlyvisible', '--name', 'drag source');
  await sleep(500);
  xdotool('mousemove', 1500, 930, 'mousedown', 1);
  for (let step = 0; step <= 12; step += 1) {
    xdotool('mousemove', 1500 - step * 65, 930 - step * 42);
    await sleep(60);
  }
  await b.see('.veil', 'Drop to open');
  await seen?.();
  xdotool('mouseup', 1);
  await until('the veil to lift', async () => (await b.count('.veil')) === 0);
  dragged.kill();
}

export default {
  async 'a file dragged onto the window opens'(b) {
    await drag(b, wide, () => b.screenshot(join(shots, '06-dragging.png')));
    await b.see('[data-row] .title', 'wide.png');
    await until('the mode', () => b.run(`return document.querySelector('.composer label.on')?.textContent.trim() === 'Edit'`));
  },

  async 'a picture is opened from a dialog'(b) {
    await key(b, 'o', { ctrlKey: true });
    await answerDialog('Open', alpha);
    await b.see('[data-row] .title', 'alpha.png');
  },

  async 'a pasted picture that the library has is not made twice'(b) {
    await b.run(
      `const bytes = Uint8Array.from(atob(arguments[0]), (c) => c.charCodeAt(0));
       const data = new DataTransfer();
       data.items.add(new File([bytes], 'x.png', { type: 'image/png' }));
       window.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));`,
      readFileSync(wide).toString('base64'),
    );
    await b.see('[data-row] .title', 'wide.png');
    assert.equal(await rows(b), 1);
  },

  async 'a second start hands its file over to the window that is open'(b) {
    await openWith(alpha);
    await b.see('[data-row] .title', 'alpha.png');
  },

  async 'a copy is saved where the artist wants it, and dropped back it offers its recipe'(b) {
    await key(b, 'g');
    await b.see('[role=gridcell][data-position]');
    await b.run(`document.querySelector('[role=gridcell][data-position][aria-label*="moon"]').dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))`);
    await b.see('[data-row] .title', 'Add a moon');
    const copy = join(data, 'copy.png');
    await b.clickText('.toolbar button', 'Save a copy');
    await b.clickText(':popover-open button, :popover-open [role=option]', 'PNG with');
    await answerDialog('Save', copy);
    await b.see('.notice', 'Saved as copy.png');
    assert.ok(readFileSync(copy, 'latin1').includes('Add a moon'), 'the recipe went along');
    await drag(b, copy);
    await b.see('.notice', 'recipe');
    await key(b, 'i');
    await b.see('.recipe', 'Add a moon');
    await b.screenshot(join(shots, '07-recipe.png'));
  },
};
